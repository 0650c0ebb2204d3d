//! The exchange of the benchmark: ten campaigns in one tier, for leads of the sample's vertical.
//!
//! Filters, hours, caps, credit, duplicates and shares are those of an ordinary exchange, so that
//! its work is done; none of them is tight enough to refuse one of our leads. Prices are low because
//! the credit of the one buyer that always wins has to last: it is good for four million leads.

use std::net::SocketAddr;
use std::path::Path;

use crate::Ran;

/// The vertical of the sample configuration.
pub(crate) const VERTICAL: &str = include_str!("../../../config/verticals/auto_insurance.toml");
/// The source whose key the sellers use.
pub(crate) const SOURCE: &str = "bench/search";

const SETTINGS: &str = r#"schema = 1

[server]
seller_listen = "127.0.0.1:0"
operator_listen = "127.0.0.1:0"

[store]
engine = "sqlite"
path = "rialto.db"
min_free = "64MiB"

[routing]
dir = "."

[secrets]
dir = "secrets"
root_key = "secrets/root.key"

[limits]
queue_age = "10s"

[log]
format = "json"
level = "warn"

[buyers]
allow_private = true
"#;

const SELLER: &str = r#"schema = 1
id = "bench"
title = "Benchmark Media"
status = "live"

[[source]]
id = "search"
alias = "B-1"
tree = "bench"
payout = { share = "80%" }
duplicates = { window = "30d", on = ["phone", "email"] }
"#;

const TREE: &str = r#"schema = 1
id = "bench"
vertical = "auto_insurance"
title = "Ten bidders"
deadline = "3s"
post_reserve = "1500ms"

[[tier]]
name = "all"
sale = "exclusive"
auction = "highest_bid"
ping_timeout = "700ms"
reserve = "0.50"
cascade = 3
"#;

/// The file of one buyer; `{id}` and `{origin}` are filled in.
const BUYER: &str = r#"schema = 1
id = "{id}"
title = "Buyer {id}"
status = "live"
time_zone = "America/New_York"

[billing]
terms = "prepaid"
credit_line = "9000000.00"

[[campaign]]
id = "auto"
vertical = "auto_insurance"
connector = "main"
price = { mode = "bid", floor = "0.50", ceiling = "40.00" }
caps = { hour = 9000000, day = 9000000 }
hours = { mon-sun = "00:00-24:00" }
accepts = { state = ["TX", "FL", "GA"], age = { min = 21 }, vehicle_year = { min = 2010 }, violations = { max = 2 } }

[connector.main]
resolve = ["repost"]

[connector.main.ping]
url = "{origin}/ping"
format = "json"
timeout = "600ms"
body = { zip = "{{ zip }}", st = "{{ state }}", age = "{{ age }}", year = "{{ vehicle_year }}", insured = "{{ currently_insured }}" }
reply = { rules = [{ when = { at = "$.ok", is = [true] }, then = "bid" }], price = { at = "$.price" }, currency = { at = "$.currency" }, token = { at = "$.id" }, reason = { at = "$.why" } }

[connector.main.post]
url = "{origin}/post"
format = "json"
timeout = "1200ms"
idempotency_key = { header = "Idempotency-Key" }
body = { id = "{{ ping.token }}", lead = "{{ lead }}" }

[connector.main.post.reply]
rules = [
  { when = { at = "$.ok", is = [false] }, then = "rejected" },
  { when = { at = "$.ok", is = [true] }, then = "accepted" },
]
price = { at = "$.price" }
currency = { at = "$.currency" }
ref = { at = "$.ref" }
reason = { at = "$.why" }
"#;

/// The id of a buyer.
pub(crate) fn buyer_id(number: usize) -> String {
    format!("buyer_{number}")
}

/// The file of the buyer that listens at `address`.
pub(crate) fn buyer_file(number: usize, address: SocketAddr) -> String {
    BUYER.replace("{id}", &buyer_id(number)).replace("{origin}", &format!("http://{address}"))
}

/// Writes the whole config folder.
pub(crate) fn write(folder: &Path, buyers: &[SocketAddr]) -> Ran<()> {
    for name in ["buyers", "sellers", "trees", "verticals", "secrets"] {
        std::fs::create_dir_all(folder.join(name))?;
    }
    std::fs::write(folder.join("rialto.toml"), SETTINGS)?;
    std::fs::write(folder.join("verticals/auto_insurance.toml"), VERTICAL)?;
    std::fs::write(folder.join("sellers/bench.toml"), SELLER)?;
    let mut members = Vec::new();
    for (number, address) in buyers.iter().enumerate() {
        let id = buyer_id(number);
        std::fs::write(folder.join(format!("buyers/{id}.toml")), buyer_file(number, *address))?;
        members.push(format!("\"{id}/auto\""));
    }
    let tree = format!("{TREE}members = [{}]\n", members.join(", "));
    Ok(std::fs::write(folder.join("trees/bench.toml"), tree)?)
}
