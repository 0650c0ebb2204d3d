//! The floor as it is usually written: reqwest, `join_all`, a timeout around each ping.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::Poll;

use bytes::Bytes;
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use serde::Deserialize;

use crate::Ran;
use crate::floor::{BUYER_TIMEOUT, Sale};
use crate::same::requests;

/// One buyer's requests, ready.
#[derive(Debug)]
struct Buyer {
    ping: (Url, Bytes),
    post: (Url, Bytes),
}

#[derive(Debug)]
pub(crate) struct FanOut {
    client: Client,
    buyers: Vec<Buyer>,
}

/// What a buyer replies, as far as it is read.
#[derive(Deserialize)]
struct Reply<'a> {
    ok: bool,
    price: &'a str,
}

impl FanOut {
    pub(crate) fn new(buyers: &[SocketAddr]) -> Ran<Self> {
        // The client insists on TLS being set up although nothing here is encrypted.
        let tls = rustls::crypto::ring::default_provider().install_default();
        tls.map_err(|_other| "TLS was set up before")?;
        let buyers = requests(buyers)?.into_iter().map(|ready| {
            let [ping, post] = [ready.ping, ready.post]
                .map(|request| Url::parse(&request.uri.to_string()).map(|url| (url, request.body)));
            Ok(Buyer { ping: ping?, post: post? })
        });
        Ok(Self { client: Client::new(), buyers: buyers.collect::<Ran<_>>()? })
    }

    /// One auction: ten pings, the highest bid, one post.
    pub(crate) async fn auction(&self) -> Option<Sale> {
        let pings = self.buyers.iter().map(|buyer| Box::pin(self.call(&buyer.ping)));
        let bids = join_all(pings.collect()).await;
        let bids = bids.into_iter().map(Option::flatten).enumerate();
        let best = bids.filter_map(|(buyer, cents)| Some((cents?, buyer)));
        let (cents, winner) = best.max()?;
        let buyer = self.buyers.get(winner)?;
        self.call(&buyer.post).await.map(|_bought| Sale { buyer: winner, cents })
    }

    /// Sends one request; the cents of its reply.
    async fn call(&self, (url, body): &(Url, Bytes)) -> Option<u64> {
        let request = self.client.post(url.clone()).header(CONTENT_TYPE, "application/json");
        let request = request.body(body.clone());
        let exchange = async move { request.send().await?.bytes().await };
        let reply = tokio::time::timeout(BUYER_TIMEOUT, exchange).await.ok()?.ok()?;
        let reply: Reply<'_> = serde_json::from_slice(&reply).ok()?;
        reply.ok.then(|| cents(reply.price)).flatten()
    }
}

/// `1.90` as 190.
fn cents(price: &str) -> Option<u64> {
    let (whole, part) = price.split_once('.')?;
    whole.parse::<u64>().ok()?.checked_mul(100)?.checked_add(part.parse().ok()?)
}

/// Polls every future that is not done whenever one of them wakes, as the usual `join_all` does
/// for as few as these.
async fn join_all<F: Future>(mut futures: Vec<Pin<Box<F>>>) -> Vec<Option<F::Output>>
where
    F::Output: Clone,
{
    let mut done: Vec<Option<F::Output>> = vec![None; futures.len()];
    std::future::poll_fn(|context| {
        let waiting = done.iter_mut().zip(&mut futures).filter(|(slot, _)| slot.is_none());
        let mut all = true;
        for (slot, future) in waiting {
            match future.as_mut().poll(context) {
                Poll::Ready(output) => *slot = Some(output),
                Poll::Pending => all = false,
            }
        }
        if all { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    done
}
