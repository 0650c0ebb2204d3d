//! The buyers of the sample configuration: hosts, credentials and dialects match `config/buyers`.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::{Access, Appetite, BuyerSpec, Family};
use crate::faults::{Fault, FaultPlan};

/// A secret of the sample configuration: the file's name and a value that opens the mock buyers.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SampleSecret {
    /// The name that the configuration uses.
    pub name: &'static str,
    /// A throw-away value.
    pub value: &'static str,
}

const ACME_API_KEY: &str = "lab-acme-5d1f";
const BLUEBONNET_KEY: &str = "lab-bluebonnet-77c0";
const COASTAL_PASSWORD: &str = "lab-coastal-19ae";
const GRANITE_TOKEN: &str = "lab-granite-e3b2";
const LONESTAR_KEY: &str = "lab-lonestar-60f4";
const METRO_CLIENT_SECRET: &str = "lab-metro-a8d5";
const PRAIRIE_KEY: &str = "lab-prairie-2c96";
const SUNBELT_CAMPAIGN_KEY: &str = "lab-sunbelt-b417";

/// How long the sample's OAuth2 tokens last: short, so that a demo sees one renewed.
const METRO_TOKEN_LIFETIME: Duration = Duration::from_secs(60);

/// The secrets the sample configuration refers to, in alphabetical order.
#[must_use]
pub const fn sample_secrets() -> &'static [SampleSecret] {
    &[
        SampleSecret { name: "acme_api_key", value: ACME_API_KEY },
        SampleSecret { name: "bluebonnet_key", value: BLUEBONNET_KEY },
        SampleSecret { name: "coastal_password", value: COASTAL_PASSWORD },
        SampleSecret { name: "granite_token", value: GRANITE_TOKEN },
        SampleSecret { name: "lonestar_key", value: LONESTAR_KEY },
        SampleSecret { name: "metro_client_secret", value: METRO_CLIENT_SECRET },
        SampleSecret { name: "prairie_key", value: PRAIRIE_KEY },
        SampleSecret { name: "sunbelt_campaign_key", value: SUNBELT_CAMPAIGN_KEY },
    ]
}

/// Writes each sample secret to a file of its name that only its owner reads, as the process
/// settings expect them.
///
/// # Errors
/// The directory or a file cannot be written.
pub fn write_sample_secrets(dir: &Path) -> io::Result<()> {
    std::fs::create_dir_all(dir)?;
    for secret in sample_secrets() {
        let path = dir.join(secret.name);
        std::fs::write(&path, secret.value)?;
        keep_private(&path)?;
    }
    Ok(())
}

#[cfg(unix)]
fn keep_private(path: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn keep_private(_path: &Path) -> io::Result<()> {
    Ok(())
}

/// The eight buyers of the sample configuration, with the faults a real week brings: Granite is
/// slow and breaks often, Acme and Metro now and then lose an answer to a post.
#[must_use]
pub fn sample_buyers(seed: u64) -> Vec<BuyerSpec> {
    let mut buyers =
        vec![acme(), bluebonnet(), metro(), sunbelt(), coastal(), granite(), lonestar(), prairie()];
    for (nth, buyer) in (1u64..).zip(&mut buyers) {
        buyer.seed = seed.wrapping_mul(31).wrapping_add(nth);
        buyer.faults = faults(&buyer.name, buyer.seed);
    }
    buyers
}

fn acme() -> BuyerSpec {
    let family = Family::JsonBidder { api_key: ACME_API_KEY.to_owned() };
    BuyerSpec {
        appetite: appetite(1500, 3800, 150, 60),
        latency: millis(15, 90),
        ..BuyerSpec::new("acme_mutual", "bids.acme.example", family)
    }
}

fn bluebonnet() -> BuyerSpec {
    let family = Family::XmlBidder { key: BLUEBONNET_KEY.to_owned() };
    BuyerSpec {
        appetite: appetite(1400, 3200, 200, 80),
        latency: millis(40, 180),
        ..BuyerSpec::new("bluebonnet", "leads.bluebonnet.example", family)
    }
}

fn metro() -> BuyerSpec {
    let access = Access::OAuth {
        client_id: "rialto".to_owned(),
        client_secret: METRO_CLIENT_SECRET.to_owned(),
        lifetime: METRO_TOKEN_LIFETIME,
    };
    let family = Family::PlainJson { access, priced: true };
    BuyerSpec {
        hosts: vec!["api.metro-direct.example".to_owned(), "id.metro.example".to_owned()],
        appetite: appetite(1100, 3000, 250, 50),
        latency: millis(20, 120),
        ..BuyerSpec::new("metro_direct", "api.metro-direct.example", family)
    }
}

fn sunbelt() -> BuyerSpec {
    let family = Family::LeadsPedia {
        campaign_id: "5f2d10".to_owned(),
        campaign_key: SUNBELT_CAMPAIGN_KEY.to_owned(),
    };
    BuyerSpec {
        appetite: appetite(900, 2600, 300, 100),
        latency: millis(30, 160),
        ..BuyerSpec::new("sunbelt_marketplace", "leads.sunbelt.example", family)
    }
}

fn coastal() -> BuyerSpec {
    let access = Access::Basic { user: "rialto".to_owned(), password: COASTAL_PASSWORD.to_owned() };
    let family = Family::PlainJson { access, priced: false };
    BuyerSpec {
        // The contract says 6.75; the ping only asks whether they want it.
        appetite: appetite(675, 675, 400, 50),
        latency: millis(10, 60),
        ..BuyerSpec::new("coastal_call", "api.coastal-call.example", family)
    }
}

fn granite() -> BuyerSpec {
    let access = Access::Bearer(GRANITE_TOKEN.to_owned());
    let family = Family::PlainJson { access, priced: true };
    BuyerSpec {
        appetite: appetite(500, 1400, 100, 60),
        latency: millis(80, 420),
        ..BuyerSpec::new("granite_network", "api.granite-network.example", family)
    }
}

fn lonestar() -> BuyerSpec {
    let family = Family::DirectPost { key: LONESTAR_KEY.to_owned() };
    BuyerSpec {
        // The contract price of the sample configuration, and what excellent credit makes of it.
        appetite: appetite(750, 900, 0, 120),
        latency: millis(30, 90),
        ..BuyerSpec::new("lonestar_agents", "agents.lonestar.example", family)
    }
}

fn prairie() -> BuyerSpec {
    let family = Family::Boberdoo { key: PRAIRIE_KEY.to_owned() };
    BuyerSpec {
        appetite: appetite(600, 1600, 250, 80),
        latency: millis(30, 140),
        ..BuyerSpec::new("prairie_leads", "exchange.prairie-leads.example", family)
    }
}

const fn appetite(
    lowest_cents: u32,
    highest_cents: u32,
    no_bid_per_mille: u32,
    reject_per_mille: u32,
) -> Appetite {
    Appetite { lowest_cents, highest_cents, no_bid_per_mille, reject_per_mille }
}

const fn millis(shortest: u64, longest: u64) -> (Duration, Duration) {
    (Duration::from_millis(shortest), Duration::from_millis(longest))
}

fn faults(name: &str, seed: u64) -> FaultPlan {
    match name {
        "acme_mutual" => FaultPlan::rates(seed, vec![], vec![(Fault::AcceptThenDrop, 15)]),
        "metro_direct" => FaultPlan::rates(
            seed,
            vec![(Fault::Status(503), 10)],
            vec![(Fault::AcceptThenDrop, 20), (Fault::Truncate, 10)],
        ),
        "granite_network" => FaultPlan::rates(seed, unsteady_pings(), unsteady_posts()),
        _ => FaultPlan::healthy(),
    }
}

fn unsteady_pings() -> Vec<(Fault, u32)> {
    vec![
        (Fault::Delay(Duration::from_millis(900)), 80),
        (Fault::Hang, 50),
        (Fault::Drip { bytes: 4, every: Duration::from_millis(60) }, 50),
        (Fault::Reset, 30),
        (Fault::Truncate, 20),
        (Fault::Garbage, 20),
        (Fault::Status(500), 40),
        (Fault::BadPrice("1e400".to_owned()), 10),
        (Fault::WrongCurrency, 10),
        (Fault::HtmlPage, 10),
    ]
}

fn unsteady_posts() -> Vec<(Fault, u32)> {
    vec![
        (Fault::Delay(Duration::from_millis(700)), 60),
        (Fault::Status(500), 20),
        (Fault::AcceptThenDrop, 20),
        (Fault::Truncate, 10),
        (Fault::EmptyBody, 10),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    /// The sample's buyer files, templates included, as one text.
    fn buyer_files() -> String {
        let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../config/buyers");
        let files = std::fs::read_dir(dir).unwrap();
        files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect()
    }

    fn words_after(text: &str, mark: &str) -> BTreeSet<String> {
        let word = |rest: &str| {
            rest.chars().take_while(|c| c.is_ascii_alphanumeric() || "._-".contains(*c)).collect()
        };
        text.split(mark).skip(1).map(word).collect()
    }

    #[test]
    fn the_configuration_names_exactly_these_hosts() {
        let hosts: BTreeSet<_> = sample_buyers(1).into_iter().flat_map(|spec| spec.hosts).collect();
        assert_eq!(hosts, words_after(&buyer_files(), "https://"));
        assert_eq!(hosts.len(), 9);
    }

    #[test]
    fn the_configuration_names_exactly_these_secrets() {
        let mut named = words_after(&buyer_files(), "{{ secret.");
        named.extend(words_after(&buyer_files(), "secret = \""));
        let known: BTreeSet<_> = sample_secrets().iter().map(|s| s.name.to_owned()).collect();
        assert_eq!(known, named);
    }

    #[test]
    fn the_configuration_names_exactly_these_buyers() {
        let names: BTreeSet<_> = sample_buyers(1).into_iter().map(|spec| spec.name).collect();
        // A buyer's own id stands right below the schema; its campaigns' ids do not.
        assert_eq!(names, words_after(&buyer_files(), "schema = 1\nid = \""));
    }

    #[test]
    fn secrets_are_written_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        write_sample_secrets(&dir.path().join("secrets")).unwrap();
        let path = dir.path().join("secrets/acme_api_key");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), ACME_API_KEY);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }
}
