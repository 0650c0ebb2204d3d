//! The floor on our own transport: prebuilt requests, the same pool, the same reading of replies.
//!
//! The transport reads replies by the connector's rules, so this floor pays for them as the
//! exchange does. Only the store may allow a post to carry a lead; here there is no lead, so the
//! winner's post is sent as one more prebuilt request.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use buyer_connectors::{
    CampaignUse, Connector, PingContext, Request, Secrets, Transport, TransportSettings, compile,
};
use bytes::Bytes;
use exchange_model::outcome::{Handles, PingAnswer};
use exchange_model::timestamp::Date;
use exchange_model::{
    BuyerId, CampaignId, Document, Findings, Lead, PingView, Place, SourceFile, Timestamp, Vertical,
};

use crate::Ran;
use crate::floor::{BUYER_TIMEOUT, Sale};
use crate::rialto::config::{VERTICAL, buyer_file, buyer_id};
use crate::sellers;

/// One buyer's requests, ready to be sent again and again.
#[derive(Debug)]
pub(crate) struct Ready {
    connector: Arc<Connector>,
    pub(crate) ping: Request,
    pub(crate) post: Request,
}

#[derive(Debug)]
pub(crate) struct FanOut {
    transport: Transport,
    buyers: Vec<Ready>,
}

impl FanOut {
    pub(crate) fn new(buyers: &[SocketAddr]) -> Ran<Self> {
        let settings = TransportSettings { allow_private: true, ..TransportSettings::default() };
        Ok(Self { transport: Transport::new(settings)?, buyers: requests(buyers)? })
    }

    /// One auction: ten pings, the highest bid, one post.
    pub(crate) async fn auction(&self) -> Option<Sale> {
        let pings = self.buyers.iter().map(|buyer| self.send(buyer, &buyer.ping));
        let pings: Vec<_> = pings.collect();
        let mut best = None;
        for (buyer, ping) in pings.into_iter().enumerate() {
            best = best.max(cents(ping.await).map(|cents| (cents, buyer)));
        }
        let (price, winner) = best?;
        let buyer = self.buyers.get(winner)?;
        cents(self.send(buyer, &buyer.post).await)?;
        Some(Sale { buyer: winner, cents: price })
    }

    fn send(
        &self,
        buyer: &Ready,
        request: &Request,
    ) -> impl Future<Output = Option<PingAnswer>> + use<> {
        let connector = Arc::clone(&buyer.connector);
        let sent = self.transport.send(&connector, request.clone(), BUYER_TIMEOUT);
        async move { Some(connector.read_ping(&sent.await.answer.ok()?.raw())) }
    }
}

fn cents(answer: Option<PingAnswer>) -> Option<u64> {
    match answer? {
        PingAnswer::Bid { price, .. } => u64::try_from(price.to_minor().ok()?.get()).ok(),
        PingAnswer::Available { .. } | PingAnswer::NoBid(_) => None,
    }
}

/// The requests that every floor sends: the bytes that the exchange would send for one lead.
pub(crate) fn requests(buyers: &[SocketAddr]) -> Ran<Vec<Ready>> {
    let mut findings = Findings::new();
    let file = document("vertical.toml", VERTICAL.to_owned(), &mut findings)?;
    let vertical = Vertical::read(&file, &mut findings).ok_or("the vertical cannot be used")?;
    let numbered = buyers.iter().enumerate();
    numbered.map(|(number, address)| ready(number, *address, &vertical)).collect()
}

fn ready(number: usize, address: SocketAddr, vertical: &Arc<Vertical>) -> Ran<Ready> {
    let mut findings = Findings::new();
    let document = document("buyer.toml", buyer_file(number, address), &mut findings)?;
    let buyer = BuyerId::new(&buyer_id(number))?;
    let campaign = CampaignUse {
        campaign: CampaignId::new(&buyer, "auto")?,
        vertical: Arc::clone(vertical),
        connector: "main".to_owned(),
        place: Place { file: Arc::clone(&document.file), span: 0..0 },
        bids: true,
    };
    let (id, campaigns) = (campaign.campaign.clone(), [campaign]);
    let made = compile(&document, &campaigns, &|_| None, &Secrets::default(), &mut findings);
    let connector = made.get(&id).ok_or_else(|| format!("no connector: {findings:?}"))?;
    let lead = Lead::example(vertical, Date::constant(2026, 1, 15));
    let view = PingView::new(&lead, Date::constant(2026, 1, 15));
    let context = PingContext {
        ping_id: "ping_00000000000000000000000000",
        source_alias: "B-1",
        now: Timestamp::default(),
        floor: None,
        time_left: Duration::from_millis(300),
        callback_url: None,
        pre: Handles::none(),
        auth: Handles::none(),
    };
    let ping = connector.encode_ping(&view, &context)?;
    let (uri, body) = (format!("http://{address}/post").parse()?, Bytes::from(sellers::lead(0)));
    let post = Request { uri, body, ..ping.clone() };
    Ok(Ready { connector: Arc::clone(connector), ping, post })
}

fn document(path: &str, text: String, findings: &mut Findings) -> Ran<Document> {
    let file = Arc::new(SourceFile { path: path.to_owned(), text });
    Document::parse(file, findings).ok_or_else(|| format!("{path}: {findings:?}").into())
}
