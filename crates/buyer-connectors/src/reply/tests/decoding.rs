//! From bytes to documents.

use super::{holds, ping, pinged, reference, said};

const JSON: &str = r#"{ at = "$.id" }"#;
const XML: &str = r#"{ at = "/r/id" }"#;

#[test]
fn charsets_are_declared_or_found_out() {
    let read = |extra: &str, body: &[u8]| reference(extra, JSON, body);
    assert_eq!(read("", b"\xef\xbb\xbf {\"id\":\"\xc3\xa9\"}").as_deref(), Some("\u{e9}"));
    assert_eq!(read("", b"{\"id\":\"\xe9\x80\"}").as_deref(), Some("\u{e9}\u{20ac}"));
    assert_eq!(read("charset = \"iso-8859-2\"", b"{\"id\":\"\xb1\"}").as_deref(), Some("\u{105}"));
    assert_eq!(
        read("charset = \"latin1\"", b"{\"id\":\"\xc3\xa9\"}").as_deref(),
        Some("\u{c3}\u{a9}")
    );
    let wide: Vec<u8> =
        "\u{feff}{\"id\":\"x\"}".encode_utf16().flat_map(u16::to_le_bytes).collect();
    assert_eq!(read("", &wide).as_deref(), Some("x"));
    // What the XML declares is not what its bytes are.
    let declared = "<?xml version='1.0' encoding='utf-16'?><r><id>7</id></r>";
    assert_eq!(reference("", XML, declared.as_bytes()).as_deref(), Some("7"));
}

#[test]
fn whole_texts_are_unescaped_as_often_as_declared() {
    let twice = "&amp;lt;r&amp;gt;&amp;lt;id&amp;gt;7&amp;lt;/id&amp;gt;&amp;lt;/r&amp;gt;";
    assert_eq!(reference("unescape = 2", XML, twice.as_bytes()).as_deref(), Some("7"));
    assert_eq!(reference("unescape = 1", XML, twice.as_bytes()), None);
}

#[test]
fn the_document_inside_the_document_is_read() {
    let unwrap = "unwrap = { at = \"/Envelope/Body/Result\" }";
    let body = "<s:Envelope xmlns:s='u'><s:Body><Result>&lt;r&gt;&lt;id&gt;7&lt;/id&gt;&lt;/r&gt;</Result></s:Body></s:Envelope>";
    assert_eq!(reference(unwrap, XML, body.as_bytes()).as_deref(), Some("7"));
    let json = body.replace("&lt;r&gt;&lt;id&gt;7&lt;/id&gt;&lt;/r&gt;", "<![CDATA[{\"id\":7}]]>");
    assert_eq!(reference(unwrap, JSON, json.as_bytes()).as_deref(), Some("7"));
    let tree = body.replace("&lt;r&gt;&lt;id&gt;7&lt;/id&gt;&lt;/r&gt;", "<id>7</id>");
    assert_eq!(
        reference(unwrap, r#"{ at = "/Result/id" }"#, tree.as_bytes()).as_deref(),
        Some("7")
    );
    let chain = "unwrap = [{ at = \"$.d\" }, { at = \"/x\" }]\nas = \"form\"";
    let body = r#"{"d":"<x>id=7&amp;y=1</x>"}"#;
    assert_eq!(reference(chain, r#"{ key = "id" }"#, body.as_bytes()).as_deref(), Some("7"));
    let object = reference("unwrap = { at = \"$.d\" }", JSON, br#"{"d":{"id":7}}"#);
    assert_eq!(object.as_deref(), Some("7"));
    // A fault without the document inside stays readable.
    let fault = "<Envelope><Body><Fault>down</Fault></Body></Envelope>";
    assert_eq!(
        reference(unwrap, r#"{ at = "//Fault" }"#, fault.as_bytes()).as_deref(),
        Some("down")
    );
}

#[test]
fn what_cannot_be_read_is_still_a_text() {
    for body in [
        "<?xml version=\"1.0\"?><r><id>7</id></r><redirect_true>https://go.example/x</redirect_true>",
        "<r><id>7</id></r> redirect_true",
        "<r><id>7</r> redirect_true",
        "<r>a & b <id>7</id></r><redirect_true/>",
        "<!DOCTYPE r [<!ENTITY x SYSTEM 'file:///etc/passwd'>]><r><id>&x;</id>redirect_true</r>",
        r#"{"id":7} redirect_true"#,
    ] {
        assert!(holds("", "{ contains = \"redirect_true\" }", body), "{body}");
        assert!(!holds("", "{ at = \"//id\", exists = true }", body), "{body}");
        assert!(!holds("", "{ at = \"$.id\", exists = true }", body), "{body}");
    }
}

#[test]
fn a_document_type_without_declarations_is_skipped() {
    let body = "<!DOCTYPE r SYSTEM \"https://dtd.example/r.dtd\">\n<r><id>7</id><url><![CDATA[a&b]]></url></r>";
    assert_eq!(reference("", XML, body.as_bytes()).as_deref(), Some("7"));
}

#[test]
fn breaks_inside_texts_of_json_are_left_out() {
    let body = "{\"id\":\"a\r\n\tb\"}";
    assert_eq!(reference("", JSON, body.as_bytes()).as_deref(), Some("ab"));
}

#[test]
fn pages_are_read_by_their_tags() {
    let page = "<!DOCTYPE html><html><body><form><input type=hidden name='result' value='Sold &amp; done'><br></form></html>";
    let at = r#"{ at = "//input[@name='result']/@value" }"#;
    assert_eq!(reference("", at, page.as_bytes()).as_deref(), Some("Sold & done"));
    let fragment = "<p>one<p>id <b>7</b>";
    let at = r#"{ at = "//p[2]/b" }"#;
    assert_eq!(reference("as = \"html\"", at, fragment.as_bytes()).as_deref(), Some("7"));
}

#[test]
fn the_declared_kind_wins_over_the_first_character() {
    assert!(holds("as = \"text\"", "{ at = \"$.a\", exists = false }", r#"{"a":1}"#));
    assert!(holds("as = \"form\"", "{ key = \"a\", is = [\"1\"] }", "a=1"));
    assert!(holds("as = \"json\"", "{ at = \"$\", is = [\"OK\"] }", "\"OK\""));
}

#[test]
fn a_reply_over_the_limit_is_not_read_at_all() {
    let reply = ping("rules = []\notherwise = \"error\"");
    let fits = " ".repeat(64 * 1024);
    assert_eq!(said(&pinged(&reply, 200, fits.as_bytes())), "declined(invalid)");
    let long = " ".repeat(64 * 1024 + 1);
    assert_eq!(said(&pinged(&reply, 200, long.as_bytes())), "bad_reply(length)");
    // Bytes that become longer as text count as text.
    let wide = vec![0x80_u8; 64 * 1024];
    assert_eq!(said(&pinged(&reply, 200, &wide)), "bad_reply(length)");
}
