//! Which addresses may be called.
//!
//! A buyer's host name is data: without this check it could lead into our own network. What can be
//! judged from the address itself is judged before a name is asked for; then every answer must be
//! public. One private answer among public ones spoils them all.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use exchange_model::reason::NotSent;
use http::Uri;

use super::settings::TransportSettings;

/// Ports that buyers are called at.
const PORTS: [u16; 2] = [443, 8443];

/// What may be called.
#[derive(Clone, Copy, Debug)]
pub(super) struct Policy<'a> {
    allow_private: bool,
    ports: &'a [u16],
}

/// An address that may be asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Target<'a> {
    pub(super) host: &'a str,
    pub(super) port: u16,
    pub(super) secure: bool,
}

impl<'a> Policy<'a> {
    pub(super) fn of(settings: &'a TransportSettings) -> Self {
        Self { allow_private: settings.allow_private, ports: &settings.ports }
    }

    /// Scheme, host and port, if they may be called at all.
    pub(super) fn target(self, uri: &Uri) -> Result<Target<'_>, NotSent> {
        let host = uri.host().filter(|host| is_host(host)).ok_or(NotSent::Forbidden)?;
        let authority = uri.authority().map_or("", |authority| authority.as_str());
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") if self.allow_private => false,
            _ => return Err(NotSent::Forbidden),
        };
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let named = self.allow_private || PORTS.contains(&port) || self.ports.contains(&port);
        if authority.contains('@') || !named {
            return Err(NotSent::Forbidden);
        }
        Ok(Target { host, port, secure })
    }

    /// The answers, if every one of them may be called.
    pub(super) fn judge(self, answers: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NotSent> {
        if answers.is_empty() {
            return Err(NotSent::Dns);
        }
        let all_public = || answers.iter().all(|found| is_public(found.ip()));
        if self.allow_private || all_public() { Ok(answers) } else { Err(NotSent::Forbidden) }
    }
}

/// A name as it is resolved, or an address. Everything else would be read by each resolver in its
/// own way.
fn is_host(host: &str) -> bool {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    literal(host).is_some() || (!host.is_empty() && host.bytes().all(is_name))
}

/// Networks that no buyer is in: this host, private and shared ranges, link-local (which serves
/// cloud credentials), benchmarks, multicast and reserved.
const DENIED_V4: &[(Ipv4Addr, u32)] = &[
    (Ipv4Addr::new(0, 0, 0, 0), 8),
    (Ipv4Addr::new(10, 0, 0, 0), 8),
    (Ipv4Addr::new(100, 64, 0, 0), 10),
    (Ipv4Addr::new(127, 0, 0, 0), 8),
    (Ipv4Addr::new(169, 254, 0, 0), 16),
    (Ipv4Addr::new(172, 16, 0, 0), 12),
    (Ipv4Addr::new(192, 0, 0, 0), 24),
    (Ipv4Addr::new(192, 168, 0, 0), 16),
    (Ipv4Addr::new(198, 18, 0, 0), 15),
    (Ipv4Addr::new(224, 0, 0, 0), 4),
    (Ipv4Addr::new(240, 0, 0, 0), 4),
];

/// The same for IPv6, with the ranges that wrap an IPv4 address a gateway would unwrap.
const DENIED_V6: &[(Ipv6Addr, u32)] = &[
    (Ipv6Addr::UNSPECIFIED, 96),
    (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, 0, 0), 96),
    (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, 0, 0), 48),
    (Ipv6Addr::new(0x100, 0, 0, 0, 0, 0, 0, 0), 64),
    (Ipv6Addr::new(0x2001, 0, 0, 0, 0, 0, 0, 0), 32),
    (Ipv6Addr::new(0x2002, 0, 0, 0, 0, 0, 0, 0), 16),
    (Ipv6Addr::new(0xfc00, 0, 0, 0, 0, 0, 0, 0), 7),
    (Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xfec0, 0, 0, 0, 0, 0, 0, 0), 10),
    (Ipv6Addr::new(0xff00, 0, 0, 0, 0, 0, 0, 0), 8),
];

/// Whether an address on the public internet. An IPv4 address mapped into IPv6 is judged as what
/// it is.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => !DENIED_V4.iter().any(|(network, bits)| {
            let shift = 32_u32.saturating_sub(*bits);
            v4.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }),
        IpAddr::V6(v6) => !DENIED_V6.iter().any(|(network, bits)| {
            let shift = 128_u32.saturating_sub(*bits);
            v6.to_bits().checked_shr(shift) == network.to_bits().checked_shr(shift)
        }),
    }
}

/// The address, when the host is written as one.
pub(super) fn literal(host: &str) -> Option<IpAddr> {
    let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    bare.unwrap_or(host).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_address_of_our_own_network_is_called() {
        for denied in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.0.1",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::7f00:1",
            "2002:7f00:1::",
            "2001:0:1::",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(denied.parse().unwrap()), "{denied}");
        }
        for allowed in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.0.1.1",
            "198.17.255.255",
            "198.20.0.1",
            "223.255.255.255",
            "2606:4700::1111",
            "::ffff:1.1.1.1",
            "2001:4860::8888",
        ] {
            assert!(is_public(allowed.parse().unwrap()), "{allowed}");
        }
    }

    #[test]
    fn addresses_in_disguise_are_unmasked_by_the_url_parser() {
        for disguised in
            ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0x7f000001", "[::ffff:127.0.0.1]"]
        {
            let url = url::Url::parse(&format!("https://{disguised}/")).unwrap();
            let host = url.host_str().unwrap();
            assert!(literal(host).is_some_and(|address| !is_public(address)), "{disguised}");
        }
        assert_eq!(literal("bids.example"), None);
    }
}
