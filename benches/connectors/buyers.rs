//! Buyers of one format each: their files, and what they answer.

/// A buyer that speaks one format.
pub(crate) struct Buyer {
    pub(crate) name: &'static str,
    /// Keys of the ping and the post beside the reply.
    ping: &'static str,
    post: &'static str,
    reply: &'static str,
    /// A short reply and a usual one; both buy.
    pub(crate) small: &'static str,
    pub(crate) typical: &'static str,
}

impl Buyer {
    pub(crate) fn file(&self) -> String {
        let Self { ping, post, reply, .. } = self;
        let bid = reply.replace("YES", "bid").replace("NO", "no_bid");
        let sale = reply.replace("YES", "accepted").replace("NO", "rejected");
        format!(
            r#"
[map.credit]
excellent = "A"
good = "B"
fair = "C"
poor = "D"
[connector.main.ping]
url = "https://bids.acme.example/v2/ping"
timeout = "700ms"
{ping}
[connector.main.ping.reply]
{bid}token = {{ TOKEN }}
[connector.main.post]
url = "https://bids.acme.example/v2/post"
timeout = "5s"
{post}
[connector.main.post.reply]
{sale}ref = {{ TOKEN }}
"#
        )
        .replace("TOKEN", self.token())
    }

    fn token(&self) -> &'static str {
        match self.name {
            "json" => "at = \"$.lead.id\"",
            "xml" => "at = \"/response/lead_id\"",
            "form" => "key = \"lead_id\"",
            _ => "regex = 'id[=:] *([A-Za-z0-9-]+)'",
        }
    }
}

pub(crate) const BUYERS: &[Buyer] = &[
    Buyer {
        name: "json",
        ping: r#"
format = "json"
body = { campaign = "77", request_id = "{{ ping.id }}", sub = "{{ source.alias }}", consumer = { zip = "{{ zip }}", state = "{{ state | lower }}", birth_year = "{{ birth_date | year }}", insured = "{{ currently_insured }}", credit = "{{ credit | map('credit') }}", homeowner = "{{ homeowner | yn }}" }, vehicles = [{ year = "{{ vehicle_year }}", make = "{{ vehicle_make | upper }}" }], violations = "{{ violations }}" }"#,
        post: r#"
format = "json"
body = { campaign = "77", ref = "{{ ping.token }}", price = "{{ price }}", lead = "{{ lead }}", phone = "{{ phone | phone('dashed') }}", dob = "{{ birth_date | date('%m/%d/%Y') }}" }"#,
        reply: r#"as = "json"
rules = [
  { when = { at = "$.status", is = ["DUPLICATE"] }, then = "NO", class = "duplicate" },
  { when = { at = "$.errors[0]", exists = true }, then = "error" },
  { when = { all = [{ at = "$.status", is = ["ACCEPTED"] }, { at = "$.price", above = "0" }] }, then = "YES" },
]
otherwise = "NO"
price = { at = ["$.price", "$.payout"] }
reason = { at = "$.message" }
"#,
        small: r#"{"status":"ACCEPTED","price":"12.50","lead":{"id":"a1"}}"#,
        typical: r#"{"status":"ACCEPTED","message":"Thank you","price":12.50,"currency":"USD","lead":{"id":"01HV-77-9F","received":"2026-07-25T14:00:00Z","duplicate":false},"buyers":[{"id":41,"name":"Acme Mutual & Sons","price":12.50,"exclusive":true,"tags":["auto","tx"]},{"id":57,"name":"Bluebonnet","price":9.75,"exclusive":false,"tags":["auto"]},{"id":63,"name":"Prairie \"Best\" Quotes","price":8.10,"exclusive":false,"tags":[]}],"limits":{"per_day":250,"left":117,"reset":"2026-07-26T00:00:00-05:00"},"links":{"redirect":"https://thanks.acme.example/next?id=01HV-77-9F&s=1","terms":"https://www.acme.example/terms"},"errors":[],"took_ms":43}"#,
    },
    Buyer {
        name: "xml",
        ping: r#"
format = "xml"
body = { lead = { "@campaign" = "77", request_id = "{{ ping.id }}", sub = "{{ source.alias }}", consumer = { zip = "{{ zip }}", state = "{{ state | lower }}", birth_year = "{{ birth_date | year }}", insured = "{{ currently_insured }}", credit = "{{ credit | map('credit') }}", homeowner = "{{ homeowner | yn }}" }, vehicle = { year = "{{ vehicle_year }}", make = "{{ vehicle_make | upper }}" }, violations = "{{ violations }}" } }"#,
        post: r#"
format = "xml"
body = { lead = { "@campaign" = "77", ref = "{{ ping.token }}", price = "{{ price }}", person = { first = "{{ first_name }}", last = "{{ last_name }}", email = "{{ email }}", phone = "{{ phone | phone('dashed') }}", dob = "{{ birth_date | date('%m/%d/%Y') }}", zip = "{{ zip }}", state = "{{ state }}" }, vehicle = { year = "{{ vehicle_year }}", make = "{{ vehicle_make }}" }, consent = { certificate = "{{ trustedform_url }}", text = "{{ tcpa_text }}" } } }"#,
        reply: r#"as = "xml"
rules = [
  { when = { at = "/response/status", is = ["Duplicate"] }, then = "NO", class = "duplicate" },
  { when = { at = "/response/error", exists = true }, then = "error" },
  { when = { at = "/response/status", is = ["Matched"] }, then = "YES" },
]
otherwise = "NO"
price = { at = "/response/price" }
reason = { at = "/response/message" }
"#,
        small: "<response><status>Matched</status><price>12.50</price><lead_id>a1</lead_id></response>",
        typical: "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<response xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\">\n  <status>Matched</status>\n  <message>Thank you</message>\n  <price>12.50</price>\n  <currency>USD</currency>\n  <lead_id>01HV-77-9F</lead_id>\n  <buyers>\n    <buyer id=\"41\" exclusive=\"true\"><name>Acme Mutual &amp; Sons</name><price>12.50</price></buyer>\n    <buyer id=\"57\" exclusive=\"false\"><name>Bluebonnet</name><price>9.75</price></buyer>\n    <buyer id=\"63\" exclusive=\"false\"><name><![CDATA[Prairie \"Best\" Quotes]]></name><price>8.10</price></buyer>\n  </buyers>\n  <limits per_day=\"250\" left=\"117\"/>\n  <redirect>https://thanks.acme.example/next?id=01HV-77-9F&amp;s=1</redirect>\n  <took xsi:nil=\"true\"/>\n</response>\n",
    },
    Buyer {
        name: "form",
        ping: r#"
format = "form"
body = { campaign = "77", request_id = "{{ ping.id }}", sub = "{{ source.alias }}", zip = "{{ zip }}", state = "{{ state | lower }}", birth_year = "{{ birth_date | year }}", insured = "{{ currently_insured }}", credit = "{{ credit | map('credit') }}", homeowner = "{{ homeowner | yn }}", vehicle_year = "{{ vehicle_year }}", make = "{{ vehicle_make | upper }}", violations = "{{ violations }}" }"#,
        post: r#"
format = "form"
body = { campaign = "77", ref = "{{ ping.token }}", price = "{{ price }}", first = "{{ first_name }}", last = "{{ last_name }}", email = "{{ email }}", phone = "{{ phone | phone('dashed') }}", dob = "{{ birth_date | date('%m/%d/%Y') }}", zip = "{{ zip }}", state = "{{ state }}", year = "{{ vehicle_year }}", make = "{{ vehicle_make }}", certificate = "{{ trustedform_url }}", consent = "{{ tcpa_text }}" }"#,
        reply: r#"as = "form"
rules = [
  { when = { key = "error", matches = "(?i)duplicate" }, then = "NO", class = "duplicate" },
  { when = { key = "status", is = ["matched"] }, then = "YES" },
]
otherwise = "NO"
price = { key = "price" }
reason = { key = "error" }
"#,
        small: "status=matched&price=12.50&lead_id=a1",
        typical: "status=matched&message=Thank+you%2C+received&price=12.50&currency=USD&lead_id=01HV-77-9F&error=&buyer1=Acme+Mutual+%26+Sons&buyer1_price=12.50&buyer2=Bluebonnet&buyer2_price=9.75&buyer3=Prairie+%22Best%22+Quotes&buyer3_price=8.10&left=117&redirect=https%3A%2F%2Fthanks.acme.example%2Fnext%3Fid%3D01HV-77-9F%26s%3D1&took_ms=43",
    },
    Buyer {
        name: "text",
        ping: r#"
format = "text"
template = "campaign=77|id={{ ping.id }}|sub={{ source.alias }}|zip={{ zip }}|state={{ state | lower }}|born={{ birth_date | year }}|insured={{ currently_insured | yn }}|credit={{ credit | map('credit') }}|owner={{ homeowner | yn }}|year={{ vehicle_year }}|make={{ vehicle_make | upper }}|violations={{ violations }}""#,
        post: r#"
format = "text"
template = "campaign=77|ref={{ ping.token }}|price={{ price }}|first={{ first_name }}|last={{ last_name }}|email={{ email }}|phone={{ phone | phone('dashed') }}|dob={{ birth_date | date('%m/%d/%Y') }}|zip={{ zip }}|state={{ state }}|year={{ vehicle_year }}|make={{ vehicle_make }}|certificate={{ trustedform_url }}|consent={{ tcpa_text }}""#,
        reply: r#"as = "text"
rules = [
  { when = { contains = "duplicate" }, then = "NO", class = "duplicate" },
  { when = { matches = '^SUCCESS' }, then = "YES" },
]
otherwise = "NO"
price = { regex = 'price[=:] *([0-9.]+)' }
"#,
        small: "SUCCESS price=12.50 id=a1",
        typical: "SUCCESS\nThank you, your lead was received and matched with three companies.\nprice: 12.50\nid: 01HV-77-9F\ncompany 1: Acme Mutual & Sons\ncompany 2: Bluebonnet\ncompany 3: Prairie \"Best\" Quotes\nleft today: 117\nnext page: https://thanks.acme.example/next?id=01HV-77-9F&s=1\ntook 43 ms\n",
    },
];
