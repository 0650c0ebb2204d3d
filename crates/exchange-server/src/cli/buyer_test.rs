//! `rialto buyer test`: one lead as a buyer would get it, shown, and sent when asked.

use std::net::SocketAddr;
use std::path::PathBuf;

use buyer_connectors::RawReply;
use clap::{Args, ValueEnum};
use exchange_model::outcome::{BidToken, PingAnswer, PostAnswer, Resolver};
use exchange_model::{CampaignId, LeadId, Money};
use jiff::tz::TimeZone;
use ping_tree::{Campaign, PriceMode};
use serde::Serialize;

use crate::cli::block_on;
use crate::cli::context::Context;
use crate::cli::explain::unknown;
use crate::cli::explained::{self, JsonExplained, Reading, Verdict};
use crate::cli::failure::{Exit, Failure, Ran};
use crate::cli::output::{DIM, Output, RED, painted};
use crate::clock::Clock;
use crate::load::Exchange;

use preview::Sample;
use sending::{Done, Seen, Sender};
use shown::{ShownReply, ShownRequest};
use stand::{Keys, Stand};

mod preview;
mod sending;
mod shown;
mod stand;

/// What is really sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, ValueEnum)]
pub(crate) enum Send {
    /// The ping, and what comes before it
    Ping,
    /// The ping, and the post when it bids
    All,
}

/// Options of `rialto buyer test`.
#[derive(Args, Debug)]
pub(crate) struct Test {
    /// The campaign, as buyer/campaign
    campaign: CampaignId,
    /// A lead of your own, as a JSON object of fields; without it, the vertical's example
    #[arg(long, value_name = "FILE.json")]
    lead: Option<PathBuf>,
    /// Really send it, with what the connector says under `test`
    #[arg(long, value_enum)]
    send: Option<Send>,
    /// Send to this address whatever the connector says: a mock of the buyer
    #[arg(long, value_name = "HOST:PORT", requires = "send")]
    to: Option<String>,
    /// Yes, post to a live buyer: it may take the lead for a real one and bill it
    #[arg(long)]
    yes: bool,
}

#[derive(Debug, Serialize)]
struct Report {
    campaign: String,
    connector: String,
    sent: bool,
    ping_carries: Vec<String>,
    calls: Vec<JsonCall>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    outcomes: Vec<JsonOutcome>,
}

#[derive(Debug, Serialize)]
struct JsonCall {
    stage: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    request: Option<ShownRequest>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reply: Option<ShownReply>,
    #[serde(skip_serializing_if = "Option::is_none")]
    read: Option<JsonExplained>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

#[derive(Debug, Serialize)]
struct JsonOutcome {
    stage: &'static str,
    outcome: String,
    verdict: Verdict,
    ms: u64,
}

/// Shows, and sends when asked.
pub(crate) fn run(options: &Test, context: &Context) -> Ran {
    let exchange = context.exchange()?;
    let campaign = exchange.routing.campaign(&options.campaign).ok_or_else(|| {
        let names = exchange.routing.campaigns().map(|campaign| campaign.id.as_str());
        unknown("campaign", options.campaign.as_str(), names)
    })?;
    let mut show = Show { out: context.out, report: report(options, campaign) };
    let broken = match options.send {
        None => look(options, campaign, &exchange, &mut show)?,
        Some(send) => sent(options, send, (campaign, &exchange), (&mut show, context))?,
    };
    if context.out.json {
        context.out.json(&show.report)?;
    }
    if broken { Err(Failure::silent(Exit::Failed)) } else { Ok(Exit::Done) }
}

fn report(options: &Test, campaign: &Campaign) -> Report {
    Report {
        campaign: campaign.id.to_string(),
        connector: campaign.connector.clone(),
        sent: options.send.is_some(),
        ping_carries: Vec::new(),
        calls: Vec::new(),
        outcomes: Vec::new(),
    }
}

/// What requests are written from. The key is new each time, so that no buyer takes this test for
/// the one before.
fn sample(campaign: &Campaign, exchange: &Exchange) -> Sample {
    let now = Clock::system().now();
    let currency = campaign.vertical.currency();
    let (price, floor) = match campaign.price {
        PriceMode::Bid { floor, ceiling, .. } => {
            (if floor.is_positive() { floor } else { ceiling }, Some(floor))
        }
        PriceMode::Fixed { base } => (base, None),
    };
    debug_assert_eq!(price.currency(), currency, "a campaign is priced in its own currency");
    let alias = exchange.routing.sources().next().map(|source| source.alias.clone());
    Sample {
        now,
        today: now.date_in(&TimeZone::UTC),
        source_alias: alias.unwrap_or_else(|| "SOURCE-1".to_owned()),
        price,
        floor: floor.filter(Money::is_positive),
        key: format!("buyer-test-{}", hex::encode(crate::random::bytes::<8>())),
    }
}

/// Shows every request without sending any.
fn look(
    options: &Test,
    campaign: &Campaign,
    exchange: &Exchange,
    show: &mut Show,
) -> Result<bool, Failure> {
    let stand = Stand::of(campaign, &Keys::StandIns, false, show.out)?;
    let sample = sample(campaign, exchange);
    let id = LeadId::from_bytes([0; 16]);
    let lead = stand::lead(options.lead.as_deref(), &campaign.vertical, id, sample.today)?;
    show.carries(&stand)?;
    let mut broken = false;
    for (stage, request) in preview::requests(&stand.connector, campaign, &lead, &sample) {
        match request {
            Ok(request) => show.request(stage, ShownRequest::new(&request, &stand.secrets))?,
            Err(error) => {
                broken = true;
                show.failed(stage, format!("{error} ({})", error.code()))?;
            }
        }
    }
    show.out.note("nothing was sent: --send ping, or --send all, sends it");
    Ok(broken)
}

/// Sends, and shows every call and how its reply was read.
fn sent(
    options: &Test,
    send: Send,
    (campaign, exchange): (&Campaign, &Exchange),
    (show, context): (&mut Show, &Context),
) -> Result<bool, Failure> {
    let to = options.to.as_deref().map(address).transpose()?;
    let harmless = to.is_some_and(|to| to.ip().is_loopback());
    if send == Send::All && !options.yes && !harmless {
        return Err(Failure::usage("a post delivers the lead: a live buyer may bill it").help(
            "agree with the buyer how it knows a test (the connector's `test`), then add --yes; or try a mock: --to 127.0.0.1:9101",
        ));
    }
    let settings = context.settings(&[])?;
    let keys = match to {
        Some(_) => Keys::StandIns,
        None => Keys::Real(&settings.secrets.dir),
    };
    let stand = Stand::of(campaign, &keys, true, show.out)?;
    let sample = sample(campaign, exchange);
    let id = LeadId::from_bytes(crate::random::bytes());
    let lead = stand::lead(options.lead.as_deref(), &campaign.vertical, id, sample.today)?;
    show.carries(&stand)?;
    block_on(async {
        let hosts = to.map(|to| (to, hosts(campaign, &stand, &lead, &sample)));
        let network = (hosts, settings.allow_private_buyers);
        let sender = Sender::new(&stand, campaign, lead, &sample, network)?;
        deliver(&sender, send, (&stand, campaign, &sample), show).await
    })
}

fn address(text: &str) -> Result<SocketAddr, Failure> {
    use std::net::ToSocketAddrs as _;
    let found = text.to_socket_addrs().ok().and_then(|mut all| all.next());
    found.ok_or_else(|| {
        Failure::usage(format!("`{text}` is no address")).help("write --to 127.0.0.1:9101")
    })
}

/// Every host that the connector may call: those of its requests, and every host that its file
/// names.
fn hosts(
    campaign: &Campaign,
    stand: &Stand,
    lead: &exchange_model::Lead,
    sample: &Sample,
) -> Vec<String> {
    let requests = preview::requests(&stand.connector, campaign, lead, sample);
    let uris = requests.iter().filter_map(|(_, request)| request.as_ref().ok());
    let called = uris.filter_map(|request| request.uri.host().map(str::to_owned));
    let written = campaign.place.file.text.split("://").skip(1);
    let named = written.filter_map(|rest| {
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || ".-".contains(c)));
        Some(rest.get(..end.unwrap_or(rest.len()))?.to_owned())
    });
    called.chain(named).filter(|host| !host.is_empty()).collect()
}

/// Ping, post when it bids, status when the post is pending.
async fn deliver(
    sender: &Sender<'_>,
    send: Send,
    (stand, campaign, sample): (&Stand, &Campaign, &Sample),
    show: &mut Show,
) -> Result<bool, Failure> {
    let mut offer = Some((sample.price, None));
    if stand.connector.has_ping() {
        let ping = sender.ping().await;
        let verdict = Verdict::of_ping(&ping.answer);
        show.done(stand, ("ping", said_ping(&ping.answer), verdict), &ping)?;
        offer = bid(&ping.answer, sample.price);
        if verdict == Verdict::Broken {
            return Ok(true);
        }
        if let Some((price, _)) = &offer {
            outside(campaign, *price, show.out);
        }
    } else if send == Send::Ping {
        return Err(Failure::usage(format!("connector `{}` has no ping", stand.connector.name()))
            .help("--send all posts at once"));
    }
    let (Send::All, Some((price, token))) = (send, offer) else { return Ok(false) };
    let post = sender.post(price, token.clone()).await;
    let verdict = Verdict::of_post(&post.answer);
    show.done(stand, ("post", said_post(&post.answer), verdict), &post)?;
    if let PostAnswer::Pending(handles) = post.answer
        && let Some(status) = sender.status(price, token, handles).await
    {
        let verdict = Verdict::of_post(&status.answer);
        show.done(stand, ("status", said_post(&status.answer), verdict), &status)?;
        return Ok(verdict == Verdict::Broken);
    }
    Ok(verdict == Verdict::Broken)
}

/// What may be posted on.
fn bid(answer: &PingAnswer, contract: Money) -> Option<(Money, Option<BidToken>)> {
    match answer {
        PingAnswer::Bid { price, token } => Some((*price, token.clone())),
        PingAnswer::Available { token } => Some((contract, token.clone())),
        PingAnswer::NoBid(_) => None,
    }
}

/// In an auction a bid outside of the campaign's limits is none.
fn outside(campaign: &Campaign, price: Money, out: Output) {
    let (least, most) = (campaign.price.least(), campaign.price.most());
    let within = |low: Money, high: Money| high.at_least(low).unwrap_or(false);
    if !(within(least, price) && within(price, most)) {
        let limits = format!("{} to {}", least.amount_text(), most.amount_text());
        out.note(format!("in an auction {price} would be no bid: the campaign takes {limits}"));
    }
}

fn said_ping(answer: &PingAnswer) -> String {
    match answer {
        PingAnswer::Bid { price, .. } => format!("bid {price}"),
        PingAnswer::Available { .. } => "bid at the campaign's own price".to_owned(),
        PingAnswer::NoBid(why) => format!("no bid: {why}"),
    }
}

fn said_post(answer: &PostAnswer) -> String {
    match answer {
        PostAnswer::Accepted(acceptance) => match acceptance.price {
            Some(price) => format!("accepted at {price}"),
            None => "accepted at the bid".to_owned(),
        },
        PostAnswer::Rejected(rejection) => match rejection.counter {
            Some(counter) => format!("rejected({}), would pay {counter}", rejection.class),
            None => format!("rejected({})", rejection.class),
        },
        PostAnswer::Pending(_) => "pending".to_owned(),
        PostAnswer::Unknown(why) => format!("unknown({why})"),
        PostAnswer::NotSent(why) => format!("not sent({why})"),
    }
}

/// Prints as it goes, or collects for JSON.
struct Show {
    out: Output,
    report: Report,
}

impl Show {
    /// What the ping carries of a lead, before it is sold.
    fn carries(&mut self, stand: &Stand) -> std::io::Result<()> {
        let carried = stand.connector.ping_carries();
        self.report.ping_carries = carried.iter().map(ToString::to_string).collect();
        if self.out.json {
            return Ok(());
        }
        let said = if !stand.connector.has_ping() {
            "no ping: nothing leaves before the post".to_owned()
        } else if carried.is_empty() {
            "the ping carries nothing of the lead".to_owned()
        } else {
            format!("the ping carries {}", self.report.ping_carries.join(", "))
        };
        self.out.data(said)
    }

    fn request(&mut self, stage: &'static str, request: ShownRequest) -> std::io::Result<()> {
        if self.out.json {
            let (reply, read, error) = (None, None, None);
            self.report.calls.push(JsonCall { stage, request: Some(request), reply, read, error });
            return Ok(());
        }
        self.out.data("")?;
        request.print(stage, self.out)
    }

    fn failed(&mut self, stage: &'static str, error: String) -> std::io::Result<()> {
        if self.out.json {
            let (request, reply, read) = (None, None, None);
            self.report.calls.push(JsonCall { stage, request, reply, read, error: Some(error) });
            return Ok(());
        }
        self.out.data(format!("\n{stage}  {}", painted(RED, error)))
    }

    /// The calls of one step and what came of them.
    fn done<A>(
        &mut self,
        stand: &Stand,
        (stage, outcome, verdict): (&'static str, String, Verdict),
        done: &Done<A>,
    ) -> std::io::Result<()> {
        let stages = stages(stand, stage, &done.calls);
        for (call, name) in done.calls.iter().zip(stages) {
            self.call(stand, name, call)?;
        }
        let ms = u64::try_from(done.timings.done.as_millis()).unwrap_or(u64::MAX);
        if !self.out.json {
            let took = painted(DIM, format!("({ms} ms)"));
            self.out.data(format!("{stage}: {}  {took}", verdict.painted(&outcome)))?;
        }
        self.report.outcomes.push(JsonOutcome { stage, outcome, verdict, ms });
        Ok(())
    }

    fn call(&mut self, stand: &Stand, stage: &'static str, call: &Seen) -> std::io::Result<()> {
        self.request(stage, ShownRequest::new(&call.request, &stand.secrets))?;
        let reply = match &call.ended {
            Some(Ok(reply)) => reply,
            Some(Err(why)) => return self.lost(&why.to_string()),
            None => return self.lost("no reply in time"),
        };
        // A token's reply is a credential.
        let shown = match call.for_token {
            true => None,
            false => Some(ShownReply::new(reply, &stand.secrets)),
        };
        let read = reading(stand, stage, &reply.raw());
        if self.out.json {
            if let Some(last) = self.report.calls.last_mut() {
                last.reply = shown;
                last.read = read.as_ref().map(JsonExplained::new);
            }
            return Ok(());
        }
        match shown {
            Some(shown) => shown.print(self.out)?,
            None => explained::line("reply", &format!("{}, not shown", reply.status), self.out)?,
        }
        match read {
            Some(read) => explained::print(&read, self.out),
            None => Ok(()),
        }
    }

    fn lost(&mut self, why: &str) -> std::io::Result<()> {
        if let Some(last) = self.report.calls.last_mut().filter(|_| self.out.json) {
            last.error = Some(why.to_owned());
            return Ok(());
        }
        explained::line("reply", &painted(RED, why), self.out)
    }
}

fn reading(stand: &Stand, stage: &str, reply: &RawReply<'_>) -> Option<Reading> {
    let connector = &stand.connector;
    Some(match stage {
        "ping" => Reading::of_ping(connector.explain_ping(reply)?, &connector.read_ping(reply)),
        "post" => Reading::of_post(connector.explain_post(reply), &connector.read_post(reply)),
        "status" => {
            let answer = connector.read_ask(Resolver::Status, reply);
            Reading::of_post(connector.explain_ask(Resolver::Status, reply)?, &answer)
        }
        _ => return None,
    })
}

/// Which stage each call was: tokens say so themselves, the others come in their order.
fn stages(stand: &Stand, stage: &'static str, calls: &[Seen]) -> Vec<&'static str> {
    let known = stand.connector.stages();
    let order: &[&'static str] = match stage {
        "ping" => &["pre_ping", "ping"],
        "post" => &["pre_post", "post", "confirm"],
        _ => &[],
    };
    let mut order = order.iter().copied().filter(|name| known.contains(name));
    let name = |call: &Seen| match call.for_token {
        true => "token",
        false => order.next().unwrap_or(stage),
    };
    calls.iter().map(name).collect()
}
