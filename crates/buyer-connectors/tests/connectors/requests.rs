//! Requests in the shapes that buyers ask for, each as its specification shows it.

use exchange_model::outcome::BidToken;

use crate::one_buyer::{Dialect, body, header};
use crate::world::listed;
use expect_test::{Expect, expect};

fn post(keys: &str, expected: Expect) {
    expected.assert_eq(&body(&Dialect::post(keys).post_request()));
}

fn refused(dialect: &Dialect, expected: Expect) {
    let found = listed(&dialect.findings());
    let found: Vec<&str> =
        found.lines().map(|line| line.split_once(' ').map_or(line, |(_, rest)| rest)).collect();
    expected.assert_eq(&found.join("\n"));
}

#[test]
fn json_keeps_numbers_booleans_and_null_raw_and_leaves_out_what_is_absent() {
    post(
        r#"body = { id = 7, rate = 1.50, test = false, year = "{{ vehicle_year }}", text = "{{ vehicle_year | text }}", own = "{{ homeowner }}", none = "{{ absent | or_null }}", gone = "{{ absent }}", said = "a \"{{ vehicle_make }}\" \\ {{ absent }}", "k\"ey" = "{{ var.key }}", list = ["{{ zip }}", "{{ absent }}", 3, []], deep = { auth = { id = "{{ var.campaign | number }}" } } }"#,
        expect![[
            r#"{"id":7,"rate":1.50,"test":false,"year":2019,"text":"2019","own":false,"none":null,"said":"a \"Honda\" \\ ","k\"ey":"a&b","list":["78701",3,[]],"deep":{"auth":{"id":77}}}"#
        ]],
    );
}

#[test]
fn a_json_body_may_be_a_list_and_a_query_only_post_an_empty_one() {
    post(
        r#"body = [{ zip = "{{ zip }}" }, "{{ state }}"]"#,
        expect![[r#"[{"zip":"78701"},"TX"]"#]],
    );
    let dialect = Dialect::post(
        "url = \"{{ var.base }}/post\"\nquery = { zip = \"{{ zip }}\", name = \"{{ first_name }} & {{ last_name }}\", none = \"{{ absent }}\" }\nbody = []",
    );
    let request = dialect.post_request();
    expect!["https://bids.acme.example:8443/v2/post?zip=78701&name=Sample+%26+Person []"]
        .assert_eq(&format!("{} {}", request.uri, body(&request)));
}

#[test]
fn one_to_one_brands_go_back_as_lists_of_objects_ids_or_names() {
    post(
        r#"body = { brands = { "$each" = "ping.brands", lp_brand_id = "{{ brand.id | number }}", bid = "{{ brand.price }}", token = "{{ brand.token }}" }, auth = { lp_campaign_id = "{{ var.campaign }}", lp_ping_id = "{{ ping.token }}" }, mode = { lp_test = false }, lead = "{{ lead }}" }
fields = ["zip", "email"]"#,
        expect![[
            r#"{"brands":[{"lp_brand_id":41,"bid":"19.50"},{"lp_brand_id":42,"bid":"11.00"}],"auth":{"lp_campaign_id":"77","lp_ping_id":"t|1"},"mode":{"lp_test":false},"lead":{"zip":"78701","email":"sample@example.com"}}"#
        ]],
    );
    post(
        r#"body = { bid_ids = { "$each" = "ping.brands", "$value" = "{{ brand.id }}" }, BrandConsent = [{ Name = "Ours" }, { "$each" = "ping.brands", Name = "{{ brand.name }}" }], csv = "{{ ping.brand_ids }}", names = "{{ ping.brand_names }}", best = { "$each" = "ping.brands", "$if" = "{{ brand.price }}", "$is" = ["19.50"], "$value" = "{{ brand.id }}" } }"#,
        expect![[
            r#"{"bid_ids":["41","42"],"BrandConsent":[{"Name":"Ours"},{"Name":"Roof & Co"},{"Name":"Best \"Roofs\""}],"csv":"41,42","names":"Roof & Co,Best \"Roofs\"","best":["41"]}"#
        ]],
    );
    let keys = r#"body = { ids = { "$each" = "ping.brands", "$value" = "{{ brand.id }}" }, csv = "{{ ping.brand_ids }}" }"#;
    let none = Dialect::post(keys).post_with(&BidToken::single("t"));
    assert_eq!(body(&none), "{}");
    post(
        "format = \"form\"\nbody = { bid_id = { \"$each\" = \"ping.brands\", \"$value\" = \"{{ brand.id }}\" }, x = 1 }",
        expect!["bid_id=41&bid_id=42&x=1"],
    );
    post(
        "format = \"xml\"\nbody = { R = { Brand = { \"$each\" = \"ping.brands\", \"@id\" = \"{{ brand.id }}\", \"#text\" = \"{{ brand.name }}\" } } }",
        expect![[
            r#"<R><Brand id="41">Roof &amp; Co</Brand><Brand id="42">Best &quot;Roofs&quot;</Brand></R>"#
        ]],
    );
}

#[test]
fn parts_with_a_condition_are_written_where_it_holds() {
    post(
        r#"body = { a = { "$if" = "{{ homeowner }}", "$value" = 1 }, b = { "$if" = "{{ currently_insured }}", carrier = "{{ carrier }}" }, c = { "$if" = "{{ credit }}", "$is" = ["good", "fair"], "$value" = "{{ credit }}" }, d = { "$if" = "{{ violations }}", "$value" = 1 }, e = { "$if" = "{{ absent }}", "$value" = 1 }, f = [{ "$if" = "{{ homeowner }}", "$value" = 1 }, 2] }"#,
        expect![[r#"{"b":{"carrier":"Progressive"},"c":"good","f":[2]}"#]],
    );
    post(
        "format = \"xml\"\nbody = { R = { Own = { \"$if\" = \"{{ homeowner }}\", Since = \"1\" }, In = { \"$if\" = \"{{ currently_insured }}\", \"$value\" = \"{{ carrier }}\" }, \"@x\" = { \"$if\" = \"{{ credit }}\", \"$is\" = \"poor\", \"$value\" = \"1\" } } }",
        expect!["<R><In>Progressive</In></R>"],
    );
    post(
        "format = \"form\"\nbody = { own = { \"$if\" = \"{{ homeowner }}\", \"$value\" = \"1\" }, in = { \"$if\" = \"{{ currently_insured }}\", \"$value\" = \"{{ carrier }}\" } }",
        expect!["in=Progressive"],
    );
}

#[test]
fn xml_has_control_tags_data_and_matches_with_attributes() {
    let keys = r##"format = "xml"
xml = { declaration = true }
body = { Request = { Key = "{{ secret.key }}", API_Action = "pingPostLead", Mode = "post", TYPE = "{{ var.campaign }}", Lead_ID = "{{ ping.token }}", Matches = { Match = [{ "@ValueType" = "phone", "@HashType" = "md5", "#text" = "{{ phone | md5 }}" }, { "@ValueType" = "none", "#text" = "{{ absent }}" }, { "@ValueType" = "{{ absent }}", "#text" = "{{ absent }}" }] }, Data = { "First-Name" = "{{ first_name }}", Note = { "#cdata" = "a < b ]]> {{ tcpa_text }}" }, Empty = "{{ absent }}", DOB = "{{ birth_date | date('%m/%d/%Y') }}" } } }"##;
    let dialect = Dialect::post(keys).own("secrets = { key = \"acme_key\" }");
    expect![[r#"<?xml version="1.0" encoding="utf-8"?><Request><Key>k/1</Key><API_Action>pingPostLead</API_Action><Mode>post</Mode><TYPE>77</TYPE><Lead_ID>t|1</Lead_ID><Matches><Match ValueType="phone" HashType="md5">4d72719460125445540637020008c46d</Match></Matches><Data><First-Name>Sample</First-Name><Note><![CDATA[a < b ]]]]><![CDATA[> I agree to be contacted]]></Note><DOB>04/02/1990</DOB></Data></Request>"#]].assert_eq(&body(&dialect.post_request()));
    let kept = keys.replace("declaration = true", "empty = \"keep\"");
    let dialect = Dialect::post(&kept).own("secrets = { key = \"acme_key\" }");
    assert!(body(&dialect.post_request()).contains("<Empty></Empty>"));
}

#[test]
fn in_an_old_protocol_everything_is_an_attribute() {
    post(
        r#"format = "xml"
xml = { encoding = "ISO-8859-1" }
body = { LeadData = { "@Target" = "Lead.Post", "@Partner" = "{{ var.key }}", "@RequestTime" = "{{ now | date('%Y-%m-%d %H:%M:%S') }}", "@TransactionId" = "{{ ping.token }}", "@TCPAText" = "{{ absent | default('É <1>') }}", ContactData = { "@ZipCode" = "{{ zip }}", "@None" = "{{ absent }}" }, Gone = { "@None" = "{{ absent }}" } } }"#,
        expect![[
            r#"<?xml version="1.0" encoding="iso-8859-1"?><LeadData Target="Lead.Post" Partner="a&amp;b" RequestTime="2026-07-25 14:05:09" TransactionId="t|1" TCPAText="&#201; &lt;1&gt;"><ContactData ZipCode="78701"></ContactData></LeadData>"#
        ]],
    );
}

#[test]
fn adf_has_an_instruction_repeated_parts_and_a_type_of_its_own() {
    let request = Dialect::post(
        r##"format = "xml"
xml = { declaration = true, instructions = ['adf version="1.0"'] }
headers = { Content-Type = "application/x-adf+xml" }
body = { adf = { prospect = { id = { "@sequence" = "1", "@source" = "rialto", "#text" = "{{ lead_id }}" }, requestdate = "{{ now }}", customer = { contact = { name = [{ "@part" = "first", "#text" = "{{ first_name }}" }, { "@part" = "last", "#text" = "{{ last_name }}" }], phone = { "@type" = "voice", "#text" = "{{ phone }}" } } } } } }"##,
    )
    .post_request();
    assert_eq!(header(&request, "content-type"), "application/x-adf+xml");
    expect![[r#"<?xml version="1.0" encoding="utf-8"?><?adf version="1.0"?><adf><prospect><id sequence="1" source="rialto">lead_00000000000000000000000000</id><requestdate>2026-07-25T14:05:09.250Z</requestdate><customer><contact><name part="first">Sample</name><name part="last">Person</name><phone type="voice">5125550134</phone></contact></customer></prospect></adf>"#]].assert_eq(&body(&request));
}

#[test]
fn forms_have_dotted_and_bracketed_names_and_repeat_lists() {
    post(
        r#"format = "form"
body = { "Lead.Zip" = "{{ zip }}", "Source.Key" = "{{ var.key }}", "tPar[a]" = "{{ first_name }} {{ last_name }}", TXID = "{{ ping.offer }}", gone = "{{ absent }}", kept = "{{ absent }}{{ absent }}", s = ["{{ state }}", 2, true], m = "{{ birth_date | date('%m') }}", d = "{{ birth_date | date('%d') }}", y = "{{ birth_date | year }}" }"#,
        expect![
            "Lead.Zip=78701&Source.Key=a%26b&tPar%5Ba%5D=Sample+Person&TXID=o-9&kept=&s=TX&s=2&s=true&m=04&d=02&y=1990"
        ],
    );
}

#[test]
fn a_document_stands_inside_a_value_escaped_as_the_value_is() {
    post(
        r#"format = "form"
xml = { declaration = true }
body = { LeadID = "{{ ping.token }}", XmlString = { "$xml" = { Lead = { "@k" = "{{ var.key }}", Name = "{{ first_name }}" } } } }"#,
        expect![
            "LeadID=t%7C1&XmlString=%3C%3Fxml+version%3D%221.0%22+encoding%3D%22utf-8%22%3F%3E%3CLead+k%3D%22a%26amp%3Bb%22%3E%3CName%3ESample%3C%2FName%3E%3C%2FLead%3E"
        ],
    );
    post(
        r#"body = { hashes = { "$json" = ["{{ phone | md5 }}", { a = "\"" }] }, query = { "$form" = { a = "{{ var.key }}" } }, doc = { "$if" = "{{ homeowner }}", "$xml" = { A = "1" } } }"#,
        expect![[
            r#"{"hashes":"[\"4d72719460125445540637020008c46d\",{\"a\":\"\\\"\"}]","query":"a=a%26b"}"#
        ]],
    );
    post(
        r#"format = "xml"
body = { string = { "$xml" = { Lead = { Zip = "{{ zip }}" } } } }"#,
        expect!["<string>&lt;Lead&gt;&lt;Zip&gt;78701&lt;/Zip&gt;&lt;/Lead&gt;</string>"],
    );
}

#[test]
fn soap_is_an_envelope_with_an_action() {
    let keys = r#"format = "soap"
soap_action = "urn:hp/PostLead"
soap_header = { "hp:Auth" = { "@xmlns:hp" = "http://hp.example/", Key = "{{ secret.acme_key }}" } }
body = { PostLead = { "@xmlns" = "http://hp.example/", zip = "{{ zip }}", dob = "{{ birth_date }}" } }"#;
    let request = Dialect::post(keys).post_request();
    assert_eq!(header(&request, "content-type"), "text/xml; charset=utf-8");
    assert_eq!(header(&request, "soapaction"), "\"urn:hp/PostLead\"");
    expect![[r#"<?xml version="1.0" encoding="utf-8"?><soap:Envelope xmlns:soap="http://schemas.xmlsoap.org/soap/envelope/"><soap:Header><hp:Auth xmlns:hp="http://hp.example/"><Key>k/1</Key></hp:Auth></soap:Header><soap:Body><PostLead xmlns="http://hp.example/"><zip>78701</zip><dob>1990-04-02</dob></PostLead></soap:Body></soap:Envelope>"#]].assert_eq(&body(&request));
    let request = Dialect::post(&format!("{keys}\nsoap_version = \"1.2\"")).post_request();
    expect![[r#"application/soap+xml; charset=utf-8; action="urn:hp/PostLead""#]]
        .assert_eq(header(&request, "content-type"));
    assert!(body(&request).contains("xmlns:soap=\"http://www.w3.org/2003/05/soap-envelope\""));
}

#[test]
fn multipart_bodies_have_one_part_for_each_value() {
    let request = Dialect::post(
        "format = \"multipart\"\nbody = { zip = \"{{ zip }}\", \"a\\\"b\" = [\"é&\", \"--rialto-part-00000000--\"], gone = \"{{ absent }}\" }",
    )
    .post_request();
    expect!["multipart/form-data; boundary=rialto-part-00000001"]
        .assert_eq(header(&request, "content-type"));
    expect![[r#"
        --rialto-part-00000001
        Content-Disposition: form-data; name="zip"

        78701
        --rialto-part-00000001
        Content-Disposition: form-data; name="a%22b"

        é&
        --rialto-part-00000001
        Content-Disposition: form-data; name="a%22b"

        --rialto-part-00000000--
        --rialto-part-00000001--
    "#]]
    .assert_eq(&body(&request).replace("\r\n", "\n"));
    assert!(!body(&request).replace("\r\n", "").contains(['\r', '\n']));
}

#[test]
fn a_query_a_path_and_headers_take_secrets_vars_and_values() {
    let request = Dialect::ping(
        r#"url = "{{ var.base }}/{{ secret.key }}/ping?format=json"
format = "query"
headers = { Accept = "application/json", X-Key = "Token {{ secret.key }}", X-Zip = "{{ zip }}", X-Gone = "{{ absent }}" }
query = { v = 2 }
body = { zip = "{{ zip }}", key = "{{ var.key }}", min = "{{ floor }}", ms = "{{ time_left_ms }}", s = "{{ time_left_s }}", back = "{{ callback_url }}" }"#,
    )
    .own("secrets = { key = \"acme_key\" }")
    .ping_request();
    expect!["https://bids.acme.example:8443/v2/k%2F1/ping?format=json&v=2&zip=78701&key=a%26b&min=10.00&ms=2750&s=2&back=https%3A%2F%2Fleads.example%2Fv1%2Fcallbacks%2Facme%2F1%2Fx"].assert_eq(&request.uri.to_string());
    assert_eq!(request.method, "GET");
    assert_eq!((header(&request, "x-key"), header(&request, "x-zip")), ("Token k/1", "78701"));
    assert!(request.headers.get("x-key").is_some_and(|value| value.is_sensitive()));
    assert!(request.headers.get("x-gone").is_none() && request.body.is_empty());
}

#[test]
fn templates_are_texts_whose_values_are_escaped() {
    post(
        "format = \"xml\"\ntemplate_file = \"post.xml\"",
        expect![[r#"
            <lead>
              <zip>78701</zip>
              <st kind="TX">a&amp;b</st>
            </lead>"#]],
    );
    post(
        "template = '''{\"zip\": \"{{ zip }}\", \"year\": {{ vehicle_year }}, \"said\": \"{{ absent | default('\"') }}\", \"lead\": {{ lead }}}'''\nfields = [\"state\"]",
        expect![[r#"{"zip": "78701", "year": 2019, "said": "\"", "lead": {"state":"TX"}}"#]],
    );
    post("format = \"text\"\ntemplate = \"{{ zip }}|{{ var.key }}\"", expect!["78701|a&b"]);
}

#[test]
fn values_of_other_stages_are_known_where_they_have_been_read() {
    let more = r#"[connector.main.token]
url = "https://bids.acme.example/token"
body = { key = "{{ secret.acme_key }}", at = "{{ now | epoch }}" }
reply = { token = { at = "$.token" } }

[connector.main.pre_post]
url = "https://bids.acme.example/session?zip={{ zip }}"
method = "GET"
reply = { values = { session = { at = "$.session" } } }"#;
    let dialect = Dialect::post(
        r#"body = { offer = "{{ ping.offer }}", id = "{{ ping.token }}", ours = "{{ ping.id }}", alias = "{{ source.alias }}", session = "{{ pre.session }}", auth = "{{ token.token }}", price = "{{ price }}", key = "{{ idempotency_key }}", back = "{{ callback_url }}" }"#,
    );
    expect![[r#"{"offer":"o-9","id":"t|1","ours":"ping_1","alias":"S1","session":"s 1","auth":"T0","price":"12.50","key":"att_1","back":"https://leads.example/v1/callbacks/acme/1/x"}"#]].assert_eq(&body(&dialect.more(more).post_request()));
}

#[test]
fn bodies_that_cannot_be_are_refused_with_a_remedy() {
    for (keys, expected) in [
        (
            r#"body = { a = { "$if" = "x", "$value" = 1 } }"#,
            expect![[
                r#"bad_template: this is one placeholder and nothing else | write "{{ field }}""#
            ]],
        ),
        (
            r#"body = { a = { "$fi" = "{{ zip }}", "$value" = 1 } }"#,
            expect!["bad_body: unknown special key `$fi` | did you mean `$if`?"],
        ),
        (
            r#"body = { a = { "$is" = ["x"], "$value" = 1 } }"#,
            expect![[
                r#"bad_body: `$is` belongs to an `$if` | add "$if" = "{{ field }}" beside it"#
            ]],
        ),
        (
            r#"body = { a = { "$value" = 1, b = 2 } }"#,
            expect![
                "bad_body: `$value`, `$json`, `$xml`, `$form` and names of your own exclude each other | keep one of them in this table"
            ],
        ),
        (
            r#"body = { a = { "$each" = "brands", "$value" = 1 } }"#,
            expect![[
                r#"bad_body: `$each` goes through the bids and nothing else | write "$each" = "ping.brands""#
            ]],
        ),
        (
            "format = \"xml\"\nbody = { a = 1, b = 2 }",
            expect![
                "bad_body: an XML body has exactly one root element | put everything under one key: that is the root element"
            ],
        ),
        (
            "format = \"xml\"\nbody = { \"1a\" = 1 }",
            expect![
                "bad_body: `1a` cannot be the name of an XML element or attribute | names start with a letter and go on with letters, digits, `_ - . :`"
            ],
        ),
        (
            "format = \"form\"\nbody = { a = { b = 1 } }",
            expect![[
                r#"bad_body: a table cannot stand here | a value with a condition is { "$if" = "{{ field }}", "$value" = "..." }"#
            ]],
        ),
        (
            "format = \"form\"\nbody = [1]",
            expect![[r#"bad_body: a table belongs here | write `{ name = "{{ field }}" }`"#]],
        ),
        (
            "template = '{\"zip\": {{ first_name }}}'",
            expect![
                "bad_template: with the vertical's example lead: the template makes no JSON: not valid JSON at line 1, column 9 | quotes belong around text placeholders, and every tag is closed"
            ],
        ),
        (
            "format = \"xml\"\ntemplate = '<a>{{ zip }}</b>'",
            expect![
                "bad_template: with the vertical's example lead: the template makes no well-formed XML | quotes belong around text placeholders, and every tag is closed"
            ],
        ),
        (
            "format = \"xml\"\nxml = { encoding = \"utf-16\" }\nbody = { a = 1 }",
            expect![[
                r#"bad_value: `encoding`: one of utf-8, iso-8859-1, windows-1252, us-ascii | write `encoding = "utf-8"`"#
            ]],
        ),
        (
            "url = \"https://{{ zip }}.example/post\"\nbody = {}",
            expect![
                "bad_url: scheme and host of an address are fixed | use `{{ var.x }}` there, and placeholders in the path and the query only"
            ],
        ),
        (
            "url = \"{{ var.key }}/post\"\nbody = {}",
            expect![
                "bad_url: scheme and host of an address are fixed | use `{{ var.x }}` there, and placeholders in the path and the query only"
            ],
        ),
        (
            "url = \"https://a.example/{{ zip }}#x\"\nbody = {}",
            expect![[
                r#"bad_url: this is no usable address: a `#` part is never sent | write "https://host/path""#
            ]],
        ),
        (
            "method = \"GET\"\nbody = {}",
            expect![[
                r#"bad_value: a GET carries no body | write `format = "query"`, or `method = "POST"`"#
            ]],
        ),
    ] {
        refused(&Dialect::post(keys), expected);
    }
    let map = "[map.broken]\nfile = \"broken.csv\"\n[map.none]\nfile = \"none.csv\"\n[range.r]\nten = \"x\"";
    refused(
        &Dialect::new().more(map),
        expect![[r#"
        bad_map_file: this line has not two columns | write `78701,Austin` on each line; quotes are allowed around a column
        no_map_file: there is no file `none.csv` beside this one | a map's file stands in the same folder as its buyer's file
        bad_range: `ten` is no bound | a bound is digits with an optional point, or "*" for all above"#]],
    );
}
