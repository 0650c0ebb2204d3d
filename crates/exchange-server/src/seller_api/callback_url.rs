//! Where a seller wants to be told later: https, a public name, nothing that leads inside.
//!
//! This looks at the text only. Whoever calls the address must look again at what it resolves to.

use url::{Host, Url};

/// Longest address, in bytes.
const LENGTH_MAX: usize = 2_048;
/// Ports that may be called.
const PORTS: [u16; 2] = [443, 8443];
/// Endings of names that never belong to the public Internet.
const INSIDE: [&str; 8] =
    ["localhost", "local", "internal", "intranet", "lan", "home", "corp", "arpa"];

/// The normalised address, or what is wanted instead.
///
/// # Errors
/// A few words for people.
pub fn check(text: &str) -> Result<Url, &'static str> {
    if text.len() > LENGTH_MAX {
        return Err("expected an address of at most 2048 bytes");
    }
    let url = Url::parse(text.trim()).map_err(|_not_a_url| "expected an https address")?;
    if url.scheme() != "https" {
        return Err("expected an https address");
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("expected an address without user and password");
    }
    if !PORTS.contains(&url.port_or_known_default().unwrap_or(0)) {
        return Err("expected port 443 or 8443");
    }
    match url.host() {
        Some(Host::Domain(name)) if is_public(name) => Ok(url),
        Some(Host::Domain(_) | Host::Ipv4(_) | Host::Ipv6(_)) | None => {
            Err("expected a public host name")
        }
    }
}

fn is_public(name: &str) -> bool {
    let name = name.trim_end_matches('.');
    let last = name.rsplit('.').next().unwrap_or(name);
    name.contains('.') && !INSIDE.contains(&last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_lead_inside_are_refused() {
        for text in [
            "http://seller.example/cb",
            "https://127.0.0.1/cb",
            "https://2130706433/cb",
            "https://0x7f.1/cb",
            "https://[::1]/cb",
            "https://[::ffff:10.0.0.1]/cb",
            "https://localhost/cb",
            "https://metadata.google.internal/",
            "https://intranet/",
            "https://user:pw@seller.example/",
            "https://seller.example:22/",
            "ftp://seller.example/",
            "seller.example",
        ] {
            assert!(check(text).is_err(), "{text}");
        }
        assert!(check("https://seller.example/cb?id=1").is_ok());
        assert!(check("https://seller.example:8443/cb").is_ok());
    }
}
