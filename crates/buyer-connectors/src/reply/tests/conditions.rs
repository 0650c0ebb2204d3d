//! What holds, and what does not.

use super::holds;

#[test]
fn values_are_compared_whole_and_by_their_type() {
    for (when, body, expected) in [
        (r#"{ at = "$.s", is = ["OK"] }"#, r#"{"s":" OK "}"#, true),
        (r#"{ at = "$.s", is = ["OK"] }"#, r#"{"s":"NOK"}"#, false),
        (r#"{ at = "$.s", is = ["OK"] }"#, r#"{"s":"ok"}"#, false),
        (r#"{ at = "$.s", is = "ok", ignore_case = true }"#, r#"{"s":"OK"}"#, true),
        (r#"{ at = "$.s", is = ["0"] }"#, r#"{"s":0}"#, false),
        (r#"{ at = "$.s", is = [0] }"#, r#"{"s":"0"}"#, false),
        (r#"{ at = "$.s", is = [0] }"#, r#"{"s":0.0}"#, true),
        (r#"{ at = "$.s", is = ["0"], ignore_case = true }"#, r#"{"s":0}"#, true),
        (r#"{ at = "$.s", is = [true] }"#, r#"{"s":"true"}"#, false),
        (r#"{ at = "/a", is = [1] }"#, "<a>1</a>", true),
        (r#"{ at = "/a", is = [true] }"#, "<a>true</a>", true),
        (r#"{ at = "$.s[*]", is = ["a", "b"] }"#, r#"{"s":["a","b"]}"#, true),
        (r#"{ at = "$.s[*]", is = ["a"] }"#, r#"{"s":["a","b"]}"#, false),
        (r#"{ at = "$.s[*]", pick = "first", is = ["a"] }"#, r#"{"s":["a","b"]}"#, true),
        (r#"{ at = "$.s", is = ["a"] }"#, "{}", false),
        (r#"{ at = "$.s", is_not = ["a"] }"#, r#"{"s":"b"}"#, true),
        (r#"{ at = "$.s", is_not = ["a"] }"#, r#"{"s":"a"}"#, false),
        // Nothing is not something else.
        (r#"{ at = "$.s", is_not = ["a"] }"#, "{}", false),
        (r#"{ not = { at = "$.s", is = ["a"] } }"#, "{}", true),
    ] {
        assert_eq!(holds("", when, body), expected, "{when} {body}");
    }
}

#[test]
fn truth_is_strict() {
    let yes = r#"{ at = "$.s", is_true = true }"#;
    let no = r#"{ at = "$.s", is_false = true }"#;
    for value in ["true", "\"True\"", "\"TRUE\"", "1", "\"1\"", "\"yes\"", "\"Y\"", "\" y \""] {
        let body = format!("{{\"s\":{value}}}");
        assert!(holds("", yes, &body) && !holds("", no, &body), "{value}");
    }
    for value in ["false", "\"False\"", "0", "\"0\"", "\"no\"", "\"N\""] {
        let body = format!("{{\"s\":{value}}}");
        assert!(!holds("", yes, &body) && holds("", no, &body), "{value}");
    }
    for value in ["\"\"", "null", "2", "\"ok\"", "[true]", "{}", "\"accepted\""] {
        let body = format!("{{\"s\":{value}}}");
        assert!(!holds("", yes, &body) && !holds("", no, &body), "{value}");
    }
    assert!(!holds("", yes, "{}") && !holds("", no, "{}"));
}

#[test]
fn numbers_are_compared_exactly() {
    for (when, value, expected) in [
        (r#"above = "0""#, "0.000001", true),
        (r#"above = "0""#, "0", false),
        (r#"above = "0""#, "\"1.0000\"", true),
        (r#"above = 0"#, "30977123456", true),
        (r#"above = "0""#, "-1", false),
        (r#"at_least = "10""#, "10.00", true),
        (r#"at_most = "0.3""#, "0.3", true),
        (r#"at_most = "0.3""#, "0.30000000000000004", false),
        (r#"below = "10""#, "\"9\"", true),
        (r#"above = "0""#, "1e3", false),
        (r#"above = "0""#, "\"$1\"", false),
        (r#"above = "0""#, "true", false),
        (r#"above = "0""#, "null", false),
        (r#"below = "1""#, "\"\"", false),
    ] {
        let condition = format!(r#"{{ at = "$.s", {when} }}"#);
        assert_eq!(
            holds("", &condition, &format!("{{\"s\":{value}}}")),
            expected,
            "{when} {value}"
        );
    }
}

#[test]
fn something_exists_when_there_is_something_in_it() {
    let exists = r#"{ at = "$.s", exists = true }"#;
    for there in ["\"x\"", "0", "false", "[1]", "{\"a\":null}"] {
        assert!(holds("", exists, &format!("{{\"s\":{there}}}")), "{there}");
    }
    for nothing in ["\"\"", "\" \"", "null", "[]", "{}"] {
        assert!(!holds("", exists, &format!("{{\"s\":{nothing}}}")), "{nothing}");
    }
    let absent = r#"{ at = "/a/b", exists = false }"#;
    for nothing in ["<a/>", "<a><b/></a>", "<a><b> </b></a>", "<a><b xsi:nil='true'>1</b></a>", ""]
    {
        assert!(holds("", absent, nothing), "{nothing}");
    }
    assert!(!holds("", absent, "<a><b><c/></b></a>"));
    assert!(holds("", "{ exists = false }", " \r\n"));
}

#[test]
fn texts_are_searched_where_they_are_asked_for() {
    for (when, body, expected) in [
        (r#"{ contains = "duplicate" }"#, "Lead was rejected: DUPLICATE within 30 days", true),
        (r#"{ contains = ["dup", "known"] }"#, "is Known", true),
        (r#"{ contains = "match" }"#, "Unmatched", true),
        (r#"{ matches = '\bmatch' }"#, "Unmatched", false),
        (r#"{ matches = "^ok", ignore_case = true }"#, " OK 77", true),
        (r#"{ is = ["Success"] }"#, " Success\r\n", true),
        (r#"{ is = ["Success"] }"#, "Success!", false),
        (r#"{ at = "//e", contains = "dup" }"#, "<a><e>x</e><e>Dup</e></a>", true),
        (r#"{ at = "$.m", contains = "dup" }"#, r#"{"m":"ok","n":"dup"}"#, false),
        (r#"{ at = "$.m", regex = "code (\\d+)", is = [7] }"#, r#"{"m":"code 7!"}"#, true),
        (r#"{ regex = "code (\\d+)", above = "5" }"#, "code 7", true),
    ] {
        assert_eq!(holds("", when, body), expected, "{when} {body}");
    }
}

#[test]
fn conditions_are_joined() {
    let both = r#"{ all = [{ at = "$.a", is_true = true }, { any = [{ at = "$.b", above = "10" }, { not = { at = "$.c", exists = true } }] }] }"#;
    assert!(holds("", both, r#"{"a":true,"b":11,"c":1}"#));
    assert!(holds("", both, r#"{"a":true,"b":9}"#));
    assert!(!holds("", both, r#"{"a":true,"b":9,"c":1}"#));
    assert!(!holds("", both, r#"{"a":false,"b":11}"#));
    assert!(holds("", r#"{ status = [200, "4xx"] }"#, ""));
    assert!(!holds("", r#"{ status = [201, "4xx"] }"#, ""));
}
