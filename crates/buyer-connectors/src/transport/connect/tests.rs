//! Addresses that lead into our own network, in every disguise we know, against the real filter.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::*;

/// The addresses that a buyer's URL would be called at, when names are answered like this.
async fn reached(
    url: &str,
    answers: &[&[&str]],
    settings: TransportSettings,
) -> Result<Vec<String>, NotSent> {
    let dialler = dialler(answers, settings);
    // What the config makes of the text: unreadable addresses do not load.
    let Ok(parsed) = url::Url::parse(url) else { return Err(NotSent::Forbidden) };
    let Ok(uri) = parsed.as_str().parse::<Uri>() else { return Err(NotSent::Forbidden) };
    let found = resolved(&dialler, &uri).await?;
    Ok(found.iter().map(|address| address.to_string()).collect())
}

fn dialler(answers: &[&[&str]], settings: TransportSettings) -> Dialler {
    let parsed =
        |list: &&[&str]| -> Vec<IpAddr> { list.iter().map(|text| text.parse().unwrap()).collect() };
    let answers: VecDeque<Vec<IpAddr>> = answers.iter().map(parsed).collect();
    Dialler::new(Arc::new(settings), Names::Scripted(Mutex::new(answers))).unwrap()
}

async fn resolved(dialler: &Dialler, uri: &Uri) -> Result<Vec<SocketAddr>, NotSent> {
    let target = Policy::of(&dialler.settings).target(uri)?;
    dialler.resolve(&target).await
}

/// A name that resolves into a private network.
const PRIVATE: &[&str] = &["10.0.0.5"];

#[tokio::test]
async fn sixty_ways_into_our_own_network_are_refused() {
    let none: &[&[&str]] = &[];
    let table: &[(&str, &[&[&str]])] = &[
        // Addresses of our own, plain.
        ("https://127.0.0.1/", none),
        ("https://127.8.9.1/", none),
        ("https://10.0.0.1/", none),
        ("https://172.16.0.1/", none),
        ("https://172.31.255.254/", none),
        ("https://192.168.0.1/", none),
        ("https://169.254.169.254/latest/meta-data/", none),
        ("https://100.64.0.1/", none),
        ("https://192.0.0.170/", none),
        ("https://198.18.0.1/", none),
        ("https://224.0.0.251/", none),
        ("https://255.255.255.255/", none),
        ("https://0.0.0.0/", none),
        // In disguise: decimal, hexadecimal, octal, short, mixed, with a dot at the end.
        ("https://2130706433/", none),
        ("https://0x7f000001/", none),
        ("https://0x7f.0.0.1/", none),
        ("https://017700000001/", none),
        ("https://0177.0.0.1/", none),
        ("https://127.1/", none),
        ("https://127.0.1/", none),
        ("https://10.1/", none),
        ("https://0xa9fea9fe/", none),
        ("https://2852039166/", none),
        ("https://0xa9.254.0251.254/", none),
        ("https://0/", none),
        ("https://127.0.0.1./", none),
        ("https://127%2e0%2e0%2e1/", none),
        ("https://\u{2460}\u{2461}\u{2466}.0.0.1/", none),
        ("https://127\u{3002}0\u{3002}0\u{3002}1/", none),
        // IPv6, and IPv4 inside of it.
        ("https://[::1]/", none),
        ("https://[::]/", none),
        ("https://[0:0:0:0:0:0:0:1]/", none),
        ("https://[::ffff:127.0.0.1]/", none),
        ("https://[::ffff:7f00:1]/", none),
        ("https://[::ffff:a9fe:a9fe]/", none),
        ("https://[::127.0.0.1]/", none),
        ("https://[64:ff9b::7f00:1]/", none),
        ("https://[64:ff9b:1::a00:1]/", none),
        ("https://[2002:7f00:1::]/", none),
        ("https://[2001::1]/", none),
        ("https://[fe80::1]/", none),
        ("https://[fe80::1%25eth0]/", none),
        ("https://[fd00::1]/", none),
        ("https://[ff02::1]/", none),
        // Names of ourselves and of what stands beside us.
        ("https://localhost/", &[&["127.0.0.1"]]),
        ("https://LOCALHOST/", &[&["::1"]]),
        ("https://localhost./", &[&["127.0.0.1", "::1"]]),
        ("https://metadata.google.internal/", &[&["169.254.169.254"]]),
        ("https://db/", &[PRIVATE]),
        // Names of a buyer that point to us.
        ("https://bids.example/", &[PRIVATE]),
        ("https://127.0.0.1.bids.example/", &[&["127.0.0.1"]]),
        ("https://bids.example/", &[&["::ffff:10.0.0.5"]]),
        ("https://bids.example/", &[&["64:ff9b::a00:5"]]),
        ("https://bids.example/", &[&["0.0.0.0"]]),
        // One private answer among public ones, in any place.
        ("https://bids.example/", &[&["1.1.1.1", "10.0.0.5"]]),
        ("https://bids.example/", &[&["10.0.0.5", "1.1.1.1"]]),
        ("https://bids.example/", &[&["1.1.1.1", "1.0.0.1", "8.8.8.8", "8.8.4.4", "::1"]]),
        ("https://xn--bids-.example/", &[PRIVATE]),
        // Names and passwords, other ports, other schemes.
        ("https://bids.example@127.0.0.1/", none),
        ("https://user:secret@bids.example/", &[&["1.1.1.1"]]),
        ("https://127.0.0.1#@bids.example/", none),
        ("https://127.0.0.1\\@bids.example/", none),
        ("https://bids.example:22/", &[&["1.1.1.1"]]),
        ("https://bids.example:6379/", &[&["1.1.1.1"]]),
        ("https://bids.example:80/", &[&["1.1.1.1"]]),
        ("http://bids.example/", &[&["1.1.1.1"]]),
        ("http://bids.example:443/", &[&["1.1.1.1"]]),
        ("ftp://bids.example/", &[&["1.1.1.1"]]),
        ("gopher://127.0.0.1:25/", none),
    ];
    assert!(table.len() >= 60);
    for (url, answers) in table {
        let refused = reached(url, answers, TransportSettings::default()).await;
        assert_eq!(refused, Err(NotSent::Forbidden), "{url} {answers:?}");
    }
    assert_eq!(
        reached("https://bids.example/", &[&[]], TransportSettings::default()).await,
        Err(NotSent::Dns)
    );
}

#[tokio::test]
async fn buyers_on_the_public_internet_are_called() {
    for (url, answer, called) in [
        ("https://bids.example/", "1.1.1.1", "1.1.1.1:443"),
        ("https://bids.example:8443/", "1.1.1.1", "1.1.1.1:8443"),
        ("https://bids.example./", "1.1.1.1", "1.1.1.1:443"),
        ("https://B\u{fc}cher.example/", "2606:4700::1111", "[2606:4700::1111]:443"),
        ("https://1.1.1.1/", "10.0.0.1", "1.1.1.1:443"),
    ] {
        let found = reached(url, &[&[answer]], TransportSettings::default()).await;
        assert_eq!(found, Ok(vec![called.to_owned()]), "{url}");
    }
    let ports = || TransportSettings { ports: vec![9443], ..TransportSettings::default() };
    let named = reached("https://bids.example:9443/", &[&["1.1.1.1"]], ports()).await;
    assert_eq!(named, Ok(vec!["1.1.1.1:9443".to_owned()]));
    assert!(reached("https://bids.example:9444/", &[&["1.1.1.1"]], ports()).await.is_err());
    let private = || TransportSettings { allow_private: true, ..TransportSettings::default() };
    let inside = reached("http://bids.example:8080/", &[PRIVATE], private()).await;
    assert_eq!(inside, Ok(vec!["10.0.0.5:8080".to_owned()]));
}

#[tokio::test]
async fn a_name_that_turns_to_us_later_is_refused_then() {
    let answers: &[&[&str]] = &[&["1.1.1.1"], &["127.0.0.1"]];
    let dialler = dialler(answers, TransportSettings::default());
    let uri = Uri::from_static("https://bids.example/");
    // Asked once: what was checked is what is called.
    assert!(resolved(&dialler, &uri).await.is_ok());
    assert_eq!(resolved(&dialler, &uri).await, Err(NotSent::Forbidden));
}
