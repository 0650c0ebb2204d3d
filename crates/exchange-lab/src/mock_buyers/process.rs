//! The sample's buyers as a process of their own, for tests that kill the exchange and not them.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use serde::Serialize;

use super::{MockBuyers, sample_buyers};
use crate::faults::FaultPlan;

/// How to run the sample's buyers.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// Makes bids and faults.
    pub seed: u64,
    /// Where the books live, one `<buyer>.jsonl` each; created where it does not exist.
    pub books: PathBuf,
    /// Whether the buyers misbehave as [`sample_buyers`] says, or not at all.
    pub faults: bool,
}

/// The one line printed when the buyers are ready.
#[derive(Serialize)]
struct Ready {
    hosts: BTreeMap<String, String>,
}

/// Starts the sample's buyers, prints `{"hosts":{"bids.acme.example":"127.0.0.1:40001",…}}` in one
/// line on standard output, and serves until the process is interrupted.
///
/// # Errors
/// A port cannot be bound, a book cannot be opened, or the line cannot be written.
pub async fn run_forever(options: RunOptions) -> io::Result<()> {
    std::fs::create_dir_all(&options.books)?;
    let mut specs = sample_buyers(options.seed);
    for spec in &mut specs {
        spec.book_path = Some(options.books.join(format!("{}.jsonl", spec.name)));
        if !options.faults {
            spec.faults = FaultPlan::healthy();
        }
    }
    let buyers = MockBuyers::start(specs).await?;
    announce(&buyers)?;
    tokio::signal::ctrl_c().await?;
    buyers.shutdown().await;
    Ok(())
}

fn announce(buyers: &MockBuyers) -> io::Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(&ready_line(buyers)?)?;
    out.flush()
}

fn ready_line(buyers: &MockBuyers) -> io::Result<Vec<u8>> {
    let each = |(host, addr): (String, SocketAddr)| (host, addr.to_string());
    let ready = Ready { hosts: buyers.hosts().into_iter().map(each).collect() };
    let mut line = serde_json::to_vec(&ready)?;
    line.push(b'\n');
    Ok(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_ready_line_maps_every_host_to_its_address() {
        let buyers = MockBuyers::start(sample_buyers(1)).await.unwrap();
        let line = ready_line(&buyers).unwrap();
        assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
        let read: serde_json::Value = serde_json::from_slice(&line).unwrap();
        let acme = buyers.buyer("acme_mutual").unwrap();
        assert_eq!(read["hosts"]["bids.acme.example"], acme.addr().to_string());
        assert_eq!(read["hosts"].as_object().unwrap().len(), buyers.hosts().len());
    }
}
