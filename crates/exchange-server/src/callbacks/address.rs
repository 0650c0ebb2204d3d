//! The address that a buyer may call, and whether a called address is one that we gave away.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use exchange_model::{AttemptId, CampaignId, LeadId, PingId, Timestamp};
use exchange_store::vault::{CALLBACK_SIGNATURE_LEN, DerivedKeys};
use url::{Host, Url};

/// How long an address is good for, in days from the arrival of its lead.
pub const URL_DAYS: u64 = 30;

const LIFETIME: Duration = Duration::from_secs(URL_DAYS * 24 * 60 * 60);
/// Longest base address, in bytes.
const BASE_MAX: usize = 512;

/// Where buyers reach the sellers' listener from outside.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PublicUrl(Box<str>);

impl PublicUrl {
    /// What a setting must be.
    pub const WANTED: &'static str = "an address like \"https://leads.example.com\", without query; \
         http only on this machine";

    /// The address without its last slash; nothing when buyers could not or should not call it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok().filter(|_| text.len() <= BASE_MAX)?;
        let safe = url.scheme() == "https" || url.scheme() == "http" && is_here(&url);
        let plain = url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none();
        (safe && plain && url.has_host()).then(|| Self(url.as_str().trim_end_matches('/').into()))
    }

    /// The address that a buyer is given.
    #[must_use]
    pub fn address(&self, keys: &DerivedKeys, campaign: &CampaignId, about: About) -> String {
        let signature = hex::encode(keys.callback_signature(campaign, &about.to_string()));
        format!("{}/v1/callbacks/{campaign}/{about}/{signature}", self.0)
    }
}

fn is_here(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// What an address is about.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum About {
    /// One post.
    Post(AttemptId),
    /// The posts of one lead to the campaign: in a ping, where the post to come has no name yet.
    Ping(PingId),
}

impl About {
    /// The lead.
    #[must_use]
    pub fn lead(self) -> LeadId {
        match self {
            Self::Post(attempt) => attempt.lead(),
            Self::Ping(ping) => LeadId::from_bytes(ping.to_bytes()),
        }
    }

    /// Whether its addresses are no longer good.
    fn is_over(self, now: Timestamp) -> bool {
        made_at(self.lead()).after(LIFETIME) <= now
    }
}

impl fmt::Display for About {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Post(attempt) => attempt.fmt(f),
            Self::Ping(ping) => ping.fmt(f),
        }
    }
}

impl FromStr for About {
    type Err = exchange_model::id::IdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.parse() {
            Ok(attempt) => Ok(Self::Post(attempt)),
            Err(_no_attempt) => text.parse().map(Self::Ping),
        }
    }
}

/// When a lead's id was made: its first 48 bits.
fn made_at(lead: LeadId) -> Timestamp {
    let [a, b, c, d, e, f, ..] = lead.to_bytes();
    let millis = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    Timestamp::default().after(Duration::from_millis(millis))
}

/// The last parts of an address that was called.
#[derive(Clone, Copy, Debug)]
pub struct Signed<'a> {
    /// The buyer.
    pub buyer: &'a str,
    /// The campaign's own name.
    pub campaign: &'a str,
    /// What it is about.
    pub about: &'a str,
    /// The signature.
    pub signature: &'a str,
}

/// Why an address is none of ours.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum BadAddress {
    /// It is not signed by us, or not for this.
    Unsigned,
    /// It is no longer good.
    Expired,
}

impl BadAddress {
    /// The name that metrics use; it never changes.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Unsigned => "unsigned",
            Self::Expired => "expired",
        }
    }
}

impl Signed<'_> {
    /// Whose it is and what it is about.
    ///
    /// # Errors
    /// [`BadAddress`].
    pub fn check(
        self,
        keys: &DerivedKeys,
        now: Timestamp,
    ) -> Result<(CampaignId, About), BadAddress> {
        let (campaign, about, signature) = self.read().ok_or(BadAddress::Unsigned)?;
        if !keys.is_callback_signature(&campaign, &about.to_string(), &signature) {
            return Err(BadAddress::Unsigned);
        }
        if about.is_over(now) { Err(BadAddress::Expired) } else { Ok((campaign, about)) }
    }

    fn read(self) -> Option<(CampaignId, About, [u8; CALLBACK_SIGNATURE_LEN])> {
        let campaign = CampaignId::new(&self.buyer.parse().ok()?, self.campaign).ok()?;
        let mut signature = [0; CALLBACK_SIGNATURE_LEN];
        hex::decode_to_slice(self.signature, &mut signature).ok()?;
        Some((campaign, self.about.parse().ok()?, signature))
    }
}

#[cfg(test)]
mod tests {
    use exchange_store::vault::RootKey;

    use super::*;

    fn keys() -> DerivedKeys {
        RootKey::from_bytes([7; 32]).derived()
    }

    fn check(address: &str, now: Timestamp) -> Result<(CampaignId, About), BadAddress> {
        let parts: Vec<&str> = address.rsplit('/').take(4).collect();
        let [signature, about, campaign, buyer] = parts[..] else { panic!("{address}") };
        Signed { buyer, campaign, about, signature }.check(&keys(), now)
    }

    #[test]
    fn an_address_is_good_for_what_it_names_and_for_thirty_days() {
        let then = Timestamp::from_unix_millis(1_800_000_000_000);
        let lead = LeadId::new(then, [3; 10]);
        let campaign: CampaignId = "acme/auto-tx".parse().unwrap();
        let base = PublicUrl::parse("https://leads.example/rialto/").unwrap();
        let ping = PingId::from_bytes(lead.to_bytes());
        for about in [About::Post(AttemptId::new(lead, 2)), About::Ping(ping)] {
            let address = base.address(&keys(), &campaign, about);
            assert!(address.starts_with("https://leads.example/rialto/v1/callbacks/acme/auto-tx/"));
            assert_eq!(check(&address, then), Ok((campaign.clone(), about)));
            let days = |days: u64| then.after(Duration::from_secs(days * 86_400));
            assert_eq!(check(&address, days(29)), Ok((campaign.clone(), about)));
            assert_eq!(check(&address, days(31)), Err(BadAddress::Expired));
            for (from, to) in [("auto-tx", "auto-ca"), ("acme", "zenith"), ("att_", "ping_")] {
                let other = address.replace(from, to);
                if other != address {
                    assert_eq!(check(&other, then), Err(BadAddress::Unsigned), "{other}");
                }
            }
            let (all_but_one, _) = address.split_at(address.len() - 1);
            assert_eq!(check(all_but_one, then), Err(BadAddress::Unsigned));
        }
    }

    #[test]
    fn buyers_are_told_safe_addresses_only() {
        let good = ["https://a.example", "https://a.example:8443/x/", "http://127.0.0.1:80"];
        assert!(good.into_iter().all(|text| PublicUrl::parse(text).is_some()));
        for bad in [
            "http://a.example",
            "https://a.example/?x=1",
            "https://u:p@a.example",
            "https://a.example/#x",
            "ftp://a.example",
            "a.example",
        ] {
            assert_eq!(PublicUrl::parse(bad), None, "{bad}");
        }
    }
}
