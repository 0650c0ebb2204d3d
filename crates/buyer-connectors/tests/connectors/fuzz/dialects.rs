//! Buyers of the fuzzer: between them they use every decoder and every extractor there is.
//!
//! Each has one reply that it reads as a bid and, in a post, as a sale: without that the fuzzer
//! would only ever see the front doors.

/// How replies are read, and a reply that buys.
pub(super) struct Dialect {
    /// Keys of `reply`, where `YES` is a bid or a sale and `NO` the opposite.
    common: &'static str,
    ping: &'static str,
    post: &'static str,
    /// Buys.
    pub(super) happy: &'static [u8],
    /// Does not.
    pub(super) sad: &'static [u8],
}

impl Dialect {
    /// The buyer's file.
    pub(super) fn buyer(&self) -> String {
        let of = |yes: &str, no: &str, own: &str| {
            format!("{}\n{own}", self.common.replace("YES", yes).replace("NO", no))
        };
        let bid = of("bid", "no_bid", self.ping);
        let sale = of("accepted", "rejected", self.post);
        let voided = of("voided", "rejected", "");
        format!(
            r#"
id = "acme"
[[campaign]]
id = "auto"
connector = "main"
price = {{ mode = "bid" }}
[connector.main]
resolve = ["status", "callback", "void"]
[connector.main.ping]
url = "https://bids.acme.example/ping"
timeout = "200ms"
body = {{ zip = "{{{{ zip }}}}" }}
[connector.main.ping.reply]
{bid}
[connector.main.post]
url = "https://bids.acme.example/post"
timeout = "200ms"
body = {{ call = "{{{{ callback_url }}}}", lead = "{{{{ lead }}}}" }}
[connector.main.post.reply]
{sale}
[connector.main.status]
url = "https://bids.acme.example/status"
timeout = "200ms"
body = {{ key = "{{{{ idempotency_key }}}}" }}
[connector.main.status.reply]
{sale}
[connector.main.void]
url = "https://bids.acme.example/void"
timeout = "200ms"
body = {{ key = "{{{{ idempotency_key }}}}" }}
[connector.main.void.reply]
{voided}
[connector.main.callback.reply]
{sale}
"#
        )
    }
}

pub(super) const DIALECTS: &[Dialect] = &[
    Dialect {
        common: r#"
as = "json"
rules = [
  { when = { any = [{ at = "$.errors[*].code", exists = true }, { at = "$..duplicate", is_true = true }] }, then = "error" },
  { when = { at = "$.status", is = ["queued"] }, then = "pending" },
  { when = { all = [{ at = "$.status", is = ["ok"], ignore_case = true }, { at = "$.expires", above = "0" }, { at = "$.price", exists = true }, { not = { at = "$.test", is = [true] } }] }, then = "YES" },
  { when = { at = "$.status", matches = "^(no|rej)" }, then = "NO", class = "filter" },
]
price = { at = ["$.price", "$.bids[0].price"], sign = "$" }
reason = { at = "$..message", pick = "joined", contains = { dup = "duplicate" } }
"#,
        ping: r#"
token = { at = "$.token" }
tokens = { session = { at = "$['session-id']" }, fields = { at = "$.detail", take = "keys", pick = "joined" } }
lifetime = { at = "$.expires" }
"#,
        post: r#"
ref = { at = "$.id" }
redirect = { at = "$.url", base = "https://www.acme.example" }
counter = { at = "$.counter" }
values = { queue = { at = "$.queue.id" }, fields = { at = "$.detail", take = "keys", pick = "joined" } }
"#,
        happy: br#"{"status":"OK","price":"$12.50","token":"t1","session-id":"s","expires":60,"id":7,"url":"/thanks","queue":{"id":"q"},"detail":{"a":1,"b":[2]},"messages":[{"message":"fine"}]}"#,
        sad: br#"{"status":"rejected","counter":"9.00","message":"duplicate lead"}"#,
    },
    Dialect {
        common: r#"
as = "json"
rules = [{ when = { at = "$.bids[?@.price > 1]", exists = true }, then = "YES" }]
otherwise = "NO"
price = { at = "$.bids[*].price", pick = "highest" }
"#,
        ping: r#"
bids = { at = "$.bids[*]", id = { at = "$.id" }, price = { at = "$.price" }, name = { at = "$.name" }, token = { at = "$.token" }, choose = "all", price_is = "total" }
"#,
        post: r#"legs = { at = "$.bids[*]", id = { at = "$.id" }, price = { at = "$.price" }, accepted = { at = "$.ok", is = [true] } }"#,
        happy: br#"{"bids":[{"id":"a","price":12.5,"name":"A & Co","token":"x","ok":true},{"id":"b","price":3.25,"name":"B","token":"y","ok":true}]}"#,
        sad: br#"{"bids":[]}"#,
    },
    Dialect {
        common: r#"
as = "xml"
namespaces = { hp = "http://hp.example/" }
rules = [
  { when = { at = "//error[last()]/@code", exists = true }, then = "error" },
  { when = { at = "/response/status", is = ["Matched"] }, then = "YES" },
  { when = { at = "/response/*[2]/text()", contains = "no" }, then = "NO" },
]
price = { at = ["/response/hp:price", "/response/buyer[@id='1']/price", "/response/bid[name='x']/@price"] }
reason = { at = "//msg", pick = "joined", map = { "Dup" = "duplicate" } }
"#,
        ping: "token = { at = \"/response/@id\" }",
        post: "ref = { at = \"/response/id\" }\nredirect = { at = \"//url\" }",
        happy: b"<?xml version=\"1.0\"?><response id=\"t1\" xmlns:h=\"http://hp.example/\"><status>Matched</status><h:price>12.50</h:price><id>7</id><url><![CDATA[https://acme.example/?a=1&b=2]]></url><msg>a</msg><msg>b</msg></response>",
        sad: b"<response><status>Unmatched</status><x>no luck</x><error code='1'/><error code='2'/></response>",
    },
    Dialect {
        common: r#"
as = "html"
rules = [{ when = { at = "//span[@id='s']", contains = "sold" }, then = "YES" }, { when = { at = "//h1", exists = true }, then = "failed" }]
price = { at = "//b[1]/text()", regex = '([0-9.]+)' }
"#,
        ping: "",
        post: "ref = { at = \"//a/@href\", regex = 'id=(\\w+)' }",
        happy: b"<!doctype html><html><body><p>Thanks<br><span id=s>SOLD!</span> for <b>$12.50</b> <a href='/x?id=77'>here</a></body>",
        sad: b"<html><head><title>502</title></head><body><h1>Bad Gateway</h1></body></html>",
    },
    Dialect {
        common: r#"
as = "form"
rules = [{ when = { key = "result", is = ["1", "true"] }, then = "YES" }, { when = { key = "Result", is_false = true }, then = "NO" }]
price = { key = "Price", unit = "cents" }
reason = { key = "error", regex = '^[^:]*' }
"#,
        ping: "token = { key = \"id\" }",
        post: "ref = { key = \"id\" }",
        happy: b"result=1&price=1250&id=t%2B1&error=",
        sad: b"result=0&error=duplicate:+x%00&result=1",
    },
    Dialect {
        common: r#"
as = "delimited"
separator = "|"
rules = [{ when = { column = 1, is = ["accepted"], ignore_case = true }, then = "YES" }, { when = { column = 1, is = ["rejected"] }, then = "NO" }]
price = { column = 2, group = ",", sign = "$" }
reason = { column = "3.." }
"#,
        ping: "token = { column = 3 }",
        post: "ref = { column = 3 }",
        happy: b"Accepted|$1,012.50|t1|more|of it",
        sad: b"rejected||why|not",
    },
    Dialect {
        common: r#"
as = "delimited"
separator = "\n"
labels = ":"
rules = [{ when = { key = "ok", is_true = true }, then = "YES" }]
otherwise = "NO"
price = { key = "price", decimal = ",", group = "." }
"#,
        ping: "",
        post: "",
        happy: b"OK: yes\nPRICE:1.012,50\n\nx:y:z\r\n",
        sad: b"ok: nope\n:\n::\n",
    },
    Dialect {
        common: r#"
as = "text"
rules = [
  { when = { status = [500, "4xx"] }, then = "failed" },
  { when = { all = [{ matches = '(?i)^\s*success' }, { regex = 'price[ =]+([0-9.,]+)', at_least = "1" }] }, then = "YES" },
  { when = { contains = "reject" }, then = "NO" },
]
price = { regex = 'price[ =]+([0-9.]+)' }
"#,
        ping: "token = { regex = 'ref=([^\\s]+)' }",
        post: "ref = { regex = 'ref=([^\\s]+)' }",
        happy: b"Success: price = 12.50 ref=abc\n",
        sad: b"REJECTED, sorry\n",
    },
    Dialect {
        common: r#"
rules = [
  { when = { header = "x-result", is = ["no"] }, then = "NO" },
  { when = { at = ["$.ok", "$.result"], is_true = true }, then = "YES" },
  { when = { at = "/r/ok", is_true = true }, then = "YES" },
  { when = { contains = "sorry" }, then = "NO" },
]
price = { at = ["$.price", "/r/price"] }
"#,
        ping: "",
        post: "redirects = \"read\"",
        happy: b"\xef\xbb\xbf {\"ok\":\"Yes\",\"price\":12.50}\r\n",
        sad: b"<r><ok>0</ok></r> sorry",
    },
    Dialect {
        common: r#"
as = "xml"
unescape = 1
unwrap = [{ at = "/Envelope/Body/Result" }]
rules = [{ when = { at = "/r/ok", is = ["1"] }, then = "YES" }, { when = { at = "/r/ok", is = ["0"] }, then = "NO" }]
price = { at = "/r/price" }
"#,
        ping: "",
        post: "",
        happy: b"<s:Envelope xmlns:s='x'><s:Body><Result>&amp;lt;r&amp;gt;&amp;lt;ok&amp;gt;1&amp;lt;/ok&amp;gt;&amp;lt;price&amp;gt;12.50&amp;lt;/price&amp;gt;&amp;lt;/r&amp;gt;</Result></s:Body></s:Envelope>",
        sad: b"<s:Envelope xmlns:s='x'><s:Body><Result>&lt;r&gt;&lt;ok&gt;0&lt;/ok&gt;&lt;/r&gt;</Result></s:Body></s:Envelope>",
    },
    Dialect {
        common: r#"
charset = "windows-1252"
unwrap = [{ at = "$.d" }, { at = "$.result" }]
rules = [{ when = { at = "$.ok", is = [true] }, then = "YES" }, { when = { at = "$.ok", is = [false] }, then = "NO" }]
price = { at = "$.price", sign = "\u20ac", else = "contract" }
reason = { at = "$.why", take = "pairs", pick = "joined" }
"#,
        ping: "",
        post: "",
        happy: b"{\"d\":\"{\\\"result\\\":\\\"{\\\\\\\"ok\\\\\\\":true,\\\\\\\"price\\\\\\\":\\\\\\\"\x8012.50\\\\\\\"}\\\"}\"}",
        sad: b"{\"d\":\"{\\\"result\\\":\\\"{\\\\\\\"ok\\\\\\\":false,\\\\\\\"why\\\\\\\":{\\\\\\\"zip\\\\\\\":[\\\\\\\"bad\\\\\\\"]}}\\\"}\"}",
    },
    Dialect {
        common: r#"
charset = "utf-16le"
as = "json"
rules = [{ when = { at = "$.ok", is = [true] }, then = "YES" }]
otherwise = "NO"
price = { at = "$.price" }
"#,
        ping: "",
        post: "",
        happy: b"{\x00\"\x00o\x00k\x00\"\x00:\x00t\x00r\x00u\x00e\x00,\x00\"\x00p\x00r\x00i\x00c\x00e\x00\"\x00:\x001\x002\x00.\x005\x00}\x00",
        sad: b"{\0}\0\0\xd8",
    },
];
