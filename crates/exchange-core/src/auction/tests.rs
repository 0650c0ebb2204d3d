//! Auctions as scripts: what happens on the left side, the whole conversation as the expectation.
//!
//! Budget 1000 ms, of which 500 are kept for posting; a tier waits 200 ms; a post may take 300 ms.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::Arc;

use exchange_model::outcome::{Acceptance, Brand, Leg};
use exchange_model::reason::{NoBid, NotSent, Refused, RejectClass, Rejection, Unknown};
use exchange_model::{
    BillingTerms, CampaignId, Currency, PingId, Place, PollSchedule, PollStep, Rate, SourceFile,
    TreeId, Vertical, VerticalId,
};
use expect_test::{Expect, expect};
use ping_tree::{
    Amount, Band, Buyer, Campaign, Method, PayoutRule, PriceChange, PriceMode, Rank, SaleKind,
    Status, Tie,
};

use super::pricing::{Change, ValueRule};
use super::*;
use crate::record::{AttemptOutcome, Next, PromisedBid, UnknownPolicy};

mod late;
mod lost_answers;
mod methods;
mod prices;
mod reference;
mod resolution_seeds;
mod selling_to_several;

const MS: fn(u64) -> Duration = Duration::from_millis;

fn usd(text: &str) -> Money {
    Money::parse(text, Currency::USD).unwrap()
}

fn place() -> Place {
    let file = SourceFile { path: "test".into(), text: String::new() };
    Place { file: Arc::new(file), span: 0..0 }
}

/// `acme`, `acme repost`, `acme resolve status,void poll 50-400`, `acme cascade`, `lone fixed 7.50`,
/// `lone fixed 7.50 direct`, `lone base 9.00`, `acme change lower`, `acme samekey`,
/// `acme handicap 2.00`, `acme chance 40`, `acme weight 3 delivered 2`, `acme share 20% qualified 9`,
/// `acme last 50`, `acme rate 70`, `acme shares 1=100%,2=80%,3=14.00`, `acme pays fixed:9.00`,
/// `acme adds +1.50,-10%`, `acme haircut 5%`, `acme ceiling 30.00`, `acme hold`.
fn member(line: &str) -> Member {
    let words: Vec<&str> = line.split_whitespace().collect();
    let has = |word| words.contains(&word);
    let after = |word| words.iter().position(|w| *w == word).map(|at| words[at + 1]);
    let price = match after("fixed") {
        Some(base) => PriceMode::Fixed { base: usd(base) },
        None => PriceMode::Bid {
            floor: usd("8"),
            ceiling: usd(after("ceiling").unwrap_or("60")),
            base: after("base").map(usd),
        },
    };
    let vertical = VerticalId::new("auto").unwrap();
    let buyer = Buyer {
        caps: ping_tree::Caps::default(),
        ping_rate: None,
        harvest: None,
        payout: None,
        id: words[0].parse().unwrap(),
        brands: Vec::new(),
        title: words[0].to_owned(),
        status: Status::Live,
        zone: jiff::tz::TimeZone::UTC,
        terms: BillingTerms::Prepaid { credit_line: usd("0") },
        min_balance: None,
        status_place: place(),
        billing_place: place(),
        place: place(),
    };
    let campaign = Campaign {
        adjust: Vec::new(),
        haircut: after("haircut").map(amount),
        handicap: None,
        shares: ping_tree::Shares::new(after("shares").map(shares).unwrap_or_default()),
        payout: None,
        id: CampaignId::new(&buyer.id, "auto").unwrap(),
        buyer: Arc::new(buyer),
        vertical: Arc::new(Vertical::new(vertical, "Auto".into(), Currency::USD, Vec::new())),
        connector: "main".into(),
        connector_place: place(),
        price,
        caps: ping_tree::CampaignCaps::default(),
        ping_rate: None,
        hours: ping_tree::Schedule::default(),
        accepts: ping_tree::Filter::new(Vec::new()),
        person: ping_tree::PersonRules::default(),
        sources: ping_tree::FromSources::All,
        sources_place: None,
        unknown: match (has("cascade"), has("hold")) {
            (true, _) => Some(UnknownPolicy::Cascade),
            (false, true) => Some(UnknownPolicy::Hold),
            (false, false) => None,
        },
        unknown_place: None,
        price_change: after("change")
            .map_or(PriceChange::Bid, |word| PriceChange::from_code(word).unwrap()),
        status: Status::Live,
        status_place: place(),
        place: place(),
    };
    let listed = after("resolve").or_else(|| has("repost").then_some("repost"));
    let number = |word, otherwise: u32| after(word).map_or(otherwise, |n| n.parse().unwrap());
    Member {
        weight: number("weight", 1),
        share: after("share").map(|share| Rate::parse_percent(share).unwrap()),
        handicap: after("handicap").map(amount),
        payout: after("pays").map_or_else(|| payout_rule("share:80%"), payout_rule),
        value: ValueRule {
            changes: after("adds").map(changes).unwrap_or_default(),
            haircut: campaign.haircut,
        },
        contract: after("fixed").or_else(|| after("base")).map(usd),
        chance: number("chance", 100) * 10_000,
        served: Served {
            last: after("last").map(at_ms),
            delivered: number("delivered", 0),
            qualified: number("qualified", 0),
            accept_rate: number("rate", 0) * 10_000,
        },
        campaign: Arc::new(campaign),
        delivery: Delivery {
            typical: None,
            ping: if has("direct") { None } else { Some(MS(150)) },
            post: MS(300),
            ways: ways(listed.unwrap_or(""), after("poll")),
            answer_within: Duration::from_hours(24),
            counter_key_same: has("samekey"),
        },
        caps: Vec::new(),
        last_won: after("won").map(at_ms),
    }
}

/// `2.00` or `10%`.
fn amount(text: &str) -> Amount {
    if text.ends_with('%') {
        Amount::Share(Rate::parse_percent(text).unwrap())
    } else {
        Amount::Money(usd(text))
    }
}

/// `1=100%,2=80%,3=14.00`.
fn shares(text: &str) -> BTreeMap<u8, Amount> {
    let share = |share: &str| {
        let (buyers, price) = share.split_once('=').unwrap();
        (buyers.parse().unwrap(), amount(price))
    };
    text.split(',').map(share).collect()
}

/// `+1.50,-10%`.
fn changes(text: &str) -> Vec<Change> {
    let change = |one: &str| Change {
        amount: amount(one.trim_start_matches(['+', '-'])),
        takes_off: one.starts_with('-'),
    };
    text.split(',').map(change).collect()
}

/// `share:80%`, `fixed:9.00`, `each:4.00`, `margin:5.00`; bands as `0=share:70%,20=margin:8.00`.
pub(super) fn payout_rule(text: &str) -> PayoutRule {
    if text.contains('=') {
        let band = |band: &str| {
            let (from, rule) = band.split_once('=').unwrap();
            Band { from: usd(from), rule: payout_rule(rule) }
        };
        return PayoutRule::Bands(text.split(',').map(band).collect());
    }
    match text.split_once(':').unwrap() {
        ("share", share) => PayoutRule::Share(Rate::parse_percent(share).unwrap()),
        ("fixed", paid) => PayoutRule::Fixed(usd(paid)),
        ("each", paid) => PayoutRule::PerSale(usd(paid)),
        ("margin", kept) => PayoutRule::Margin(usd(kept)),
        (other, _) => panic!("no rule `{other}`"),
    }
}

/// `by second_price`, `sale shared 3`, `expected`, `ties margin,handicap`, `increment 0.50`,
/// `patient` (closes late), `keeps 5%`.
fn tier_rules(words: &[&str]) -> TierRules {
    let at = |word| words.iter().position(|w| *w == word);
    let after = |word| at(word).map(|at| words[at + 1]);
    let method = |word: &str| Method::WORDS.iter().find(|(known, _)| *known == word).unwrap().1;
    let tie = |word: &str| match word {
        "accept_rate" => Tie::AcceptRate,
        "margin" => Tie::Margin,
        _ => Tie::Handicap,
    };
    let max_sold = at("sale").map(|at| words[at + 2].parse().unwrap());
    TierRules {
        method: after("by").map(method).unwrap_or_default(),
        sale: match (after("sale"), max_sold) {
            (Some("shared"), Some(max_sold)) => SaleKind::Shared { max_sold },
            (Some(_), Some(max_sold)) => SaleKind::Hybrid { max_sold },
            _ => SaleKind::Exclusive,
        },
        rank: if words.contains(&"expected") { Rank::Expected } else { Rank::Value },
        ties: after("ties").map(|t| t.split(',').map(tie).collect()).unwrap_or_default(),
        increment: after("increment").map(usd),
        early_close: !words.contains(&"patient"),
        least_margin: after("keeps").map(amount),
    }
}

fn resolver(word: &str) -> Resolver {
    *Resolver::ALL.iter().find(|how| how.code() == word).unwrap()
}

/// `status,void`; `50-400` asks every 50 ms for 400 ms.
pub(super) fn ways(resolve: &str, poll: Option<&str>) -> Ways {
    let steps = poll.map(|poll| {
        let (every, until) = poll.split_once('-').unwrap();
        vec![PollStep { every: MS(every.parse().unwrap()), until: MS(until.parse().unwrap()) }]
    });
    Ways {
        resolve: resolve.split(',').filter(|word| !word.is_empty()).map(resolver).collect(),
        poll: steps.map_or_else(PollSchedule::default, PollSchedule::new),
    }
}

pub(super) fn at_ms(text: &str) -> Timestamp {
    Timestamp::from_unix_millis(text.parse().unwrap())
}

/// `tier NAME [reserve P] [cascade N]` and the words of [`tier_rules`], then a line for each member.
fn tiers(tree: &str) -> Vec<TierSetup> {
    let mut tiers: Vec<TierSetup> = Vec::new();
    for line in tree.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let after = |word| words.iter().position(|w| *w == word).map(|at| words[at + 1]);
        if words[0] == "tier" {
            tiers.push(TierSetup {
                name: words[1].to_owned(),
                reserve: after("reserve").map(usd),
                ping_timeout: MS(200),
                cascade: after("cascade").map_or(3, |n| n.parse().unwrap()),
                rules: tier_rules(&words),
                members: Vec::new(),
            });
        } else {
            tiers.last_mut().unwrap().members.push(member(line));
        }
    }
    tiers
}

pub(super) fn setup(tree: &str, goal: Goal) -> Setup {
    Setup {
        lead: LeadId::from_bytes([0; 16]),
        tree: TreeId::new("main").unwrap().to_string(),
        started_at: at_ms("0"),
        deadline: at_ms("1000"),
        post_reserve: MS(500),
        seller: SellerTerms::default(),
        max_buyers: None,
        tiers: tiers(tree),
        ineligible: Vec::new(),
        goal,
    }
}

struct Stage {
    auction: Auction,
    heard: String,
    over: bool,
}

impl Stage {
    fn seat(&self, buyer: &str) -> Seat {
        let found = self.auction.members.iter().position(|m| m.campaign.buyer.id.as_str() == buyer);
        Seat(found.unwrap_or_else(|| panic!("no member `{buyer}`")))
    }

    fn buyer(&self, seat: Seat) -> String {
        self.auction.member(seat).campaign.buyer.id.to_string()
    }

    fn say(&mut self, at: u64, text: &str) {
        writeln!(self.heard, "{at}ms {text}").unwrap();
    }

    /// Polls until the auction waits; returns until when.
    fn drain(&mut self, at: u64) -> Option<Timestamp> {
        loop {
            let command = self.auction.poll();
            let text = match command {
                Command::Wait(until) => return Some(until),
                Command::Done => {
                    if !self.over {
                        self.say(at, "done");
                    }
                    self.over = true;
                    return None;
                }
                Command::Ping { seat, .. } => format!("ping {}", self.buyer(seat)),
                Command::Post { attempt, seat, token, price, key, .. } => format!(
                    "post {} {price}{}{}",
                    self.buyer(seat),
                    token.map_or(String::new(), |t| format!(
                        " token {}",
                        t.tokens.get(BidToken::TOKEN).unwrap_or("")
                    )),
                    show_key(attempt, key),
                ),
                Command::Ask { attempt, seat, how: Resolver::Repost, key, .. } => {
                    format!("repost {}{}", self.buyer(seat), show_key(attempt, key))
                }
                Command::Ask { seat, how, handles, .. } => {
                    format!("ask {} {}{}", self.buyer(seat), how.code(), show_handles(&handles))
                }
                Command::Persist(commit) => format!("persist {}", show_commit(&commit)),
                Command::Record(commit) => format!("record {}", show_commit(&commit)),
                Command::PersistPromise(promise) => format!("persist promise {}", promise.payout),
                Command::ReplyPromise(promise) => format!(
                    "reply bid {} until {}ms",
                    promise.payout,
                    promise.expires_at.unix_millis()
                ),
                Command::Reply(answer) => format!("reply {}", show_answer(&answer)),
                Command::GiveUp { pending } => format!("give up, pending {pending}"),
                Command::HandOver(open) => format!("hand over step {}", open.intent.attempt.step()),
            };
            self.say(at, &text);
        }
    }
}

fn show_key(attempt: AttemptId, key: AttemptId) -> String {
    if key == attempt { String::new() } else { format!(" key {}", key.step()) }
}

fn show_handles(handles: &Handles) -> String {
    handles.0.iter().map(|(name, value)| format!(" {name}={value}")).collect()
}

/// The code, and the booked price where the buyer named one.
fn show_outcome(outcome: &AttemptOutcome) -> String {
    match outcome {
        AttemptOutcome::Accepted(sale) if sale.acceptance.price.is_some() => {
            format!("accepted at {} for {}", sale.price, sale.payout)
        }
        AttemptOutcome::Mispriced(_) => "rejected for its price".to_owned(),
        AttemptOutcome::Unknown(_, handles) => format!("unknown{}", show_handles(handles)),
        other => other.code().to_owned(),
    }
}

fn show_answer(answer: &Answer) -> String {
    let mut text = answer.status.to_string();
    if let Some(payout) = answer.payout {
        write!(text, " {payout}").unwrap();
    }
    if !answer.sales.is_empty() {
        let each = answer.sales.iter().map(|sale| sale.payout.amount_text());
        write!(text, " of {}", each.collect::<Vec<_>>().join(" + ")).unwrap();
    }
    if !answer.reasons.is_empty() {
        write!(text, " because {}", answer.reasons.join(" ")).unwrap();
    }
    text
}

fn show_commit(commit: &Commit) -> String {
    let mut parts = Vec::new();
    if let Some(concluded) = &commit.concluded {
        let outcome = show_outcome(&concluded.outcome);
        parts.push(format!("step {} {outcome}", concluded.attempt.step()));
    }
    if !commit.qualified.is_empty() {
        let names = commit.qualified.iter().map(|bid| bid.campaign.buyer().to_string());
        parts.push(format!("bids of {}", names.collect::<Vec<_>>().join(", ")));
    }
    match &commit.next {
        Next::Prepare(intent) => parts.push(format!(
            "prepare {} {} for {}{}{}",
            intent.campaign.buyer(),
            intent.price,
            intent.payout,
            show_places(intent),
            if intent.hold == intent.price {
                String::new()
            } else {
                format!(" holding {}", intent.hold)
            }
        )),
        Next::Answer(answer) => parts.push(format!("answer {}", answer.status)),
        Next::Nothing => {}
    }
    parts.join(" + ")
}

/// `, one of 3`, and the companies behind the buyer.
fn show_places(intent: &Intent) -> String {
    let mut text = String::new();
    if intent.buyers > 1 {
        write!(text, ", one of {}", intent.buyers).unwrap();
    }
    for leg in &intent.legs {
        write!(text, ", {} {}", leg.brand.id.as_deref().unwrap_or(""), leg.price).unwrap();
    }
    text
}

fn event(stage: &Stage, words: &[&str]) -> Event {
    let step = AttemptId::new(LeadId::from_bytes([0; 16]), stage.auction.steps);
    let post = |answer| Event::PostAnswer(step, answer);
    let ping = |answer| Event::PingAnswer(stage.seat(words[0]), answer);
    match words {
        ["timer"] => Event::Timer,
        ["gone"] => Event::SellerGone,
        ["durable"] => Event::Durable(Durable::Done),
        ["refused", why] => Event::Durable(Durable::Refused(Refused::from_code(why).unwrap())),
        [_, "bids", price] => ping(PingAnswer::Bid { price: usd(price), token: None }),
        [_, "bids", price, token] => {
            let token = Some(BidToken::single(*token));
            ping(PingAnswer::Bid { price: usd(price), token })
        }
        [_, "offers", brands @ ..] => {
            let brands: Vec<Brand> = brands.iter().map(|brand| brand_of(brand)).collect();
            let sum = brands.iter().filter_map(|brand| brand.price).map(|price| price.amount());
            let price = Money::new(sum.sum(), Currency::USD);
            let token = Some(BidToken { brands, ..BidToken::single("t") });
            ping(PingAnswer::Bid { price, token })
        }
        [_, "is", "available"] => ping(PingAnswer::Available { token: None }),
        [_, "declines"] => ping(PingAnswer::NoBid(NoBid::Declined(Rejection {
            class: RejectClass::Filter,
            text: None,
            counter: None,
        }))),
        [_, "bids", price, token, "for", life] => {
            let mut token = BidToken::single(*token);
            token.lifetime = Some(MS(life.parse().unwrap()));
            ping(PingAnswer::Bid { price: usd(price), token: Some(token) })
        }
        [_, "tells", how, said @ ..] => Event::AskAnswer(step, resolver(how), answer(said)),
        [_, "of", earlier, said @ ..] => {
            let lead = LeadId::from_bytes([0; 16]);
            Event::PostAnswer(AttemptId::new(lead, earlier.parse().unwrap()), answer(said))
        }
        [_, said @ ..] => post(answer(said)),
        [] => panic!("no event"),
    }
}

/// `roofco=15.00`, `roofco`.
fn brand_of(text: &str) -> Brand {
    let (id, price) = match text.split_once('=') {
        Some((id, price)) => (id, Some(usd(price))),
        None => (text, None),
    };
    Brand { id: Some(id.to_owned()), name: Some(id.to_owned()), price, token: None }
}

fn handles(id: &str) -> Handles {
    Handles([("id".to_owned(), id.to_owned())].into())
}

/// What a buyer says to a post or to a question about it.
fn answer(words: &[&str]) -> PostAnswer {
    match words {
        ["accepts"] => PostAnswer::Accepted(Acceptance::default()),
        ["accepts", price] => {
            PostAnswer::Accepted(Acceptance { price: Some(usd(price)), ..Acceptance::default() })
        }
        ["takes", brands @ ..] => {
            let leg = |brand: &&str| Leg { brand: brand_of(brand), accepted: true };
            let legs = brands.iter().map(leg).collect();
            PostAnswer::Accepted(Acceptance { legs, ..Acceptance::default() })
        }
        ["rejects", class, counter @ ..] => {
            let class = RejectClass::from_code(class).unwrap();
            let counter = counter.first().map(|price| usd(price));
            PostAnswer::Rejected(Rejection { class, text: None, counter })
        }
        ["unsent", why] => PostAnswer::NotSent(NotSent::from_code(why).unwrap()),
        ["lost", why] => PostAnswer::Unknown(Unknown::from_code(why).unwrap()),
        ["pending"] => PostAnswer::Pending(Handles::default()),
        ["pending", id] => PostAnswer::Pending(handles(id)),
        other => panic!("no such answer: {other:?}"),
    }
}

fn play(setup: Setup, script: &str) -> Stage {
    let auction = Auction::new(at_ms("0"), setup);
    let mut stage = Stage { auction, heard: String::new(), over: false };
    let mut wait = stage.drain(0);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (at, words) = line.split_once(' ').unwrap();
        let at: u64 = at.parse().unwrap();
        let words: Vec<&str> = words.split_whitespace().collect();
        if words == ["timer"] {
            let due = wait.map(Timestamp::unix_millis);
            assert!(
                due.is_some_and(|due| due <= i64::try_from(at).unwrap()),
                "{line}: due {due:?}"
            );
        }
        let event = event(&stage, &words);
        stage.auction.handle(Timestamp::from_unix_millis(i64::try_from(at).unwrap()), event);
        wait = stage.drain(at);
    }
    stage
}

#[expect(clippy::needless_pass_by_value, reason = "expect![] reads best in place")]
fn check(tree: &str, script: &str, expected: Expect) {
    let stage = play(setup(tree, Goal::Sell), script);
    expected.assert_eq(&stage.heard);
}

#[test]
fn the_best_bid_buys_and_the_seller_is_answered_when_it_is_durable() {
    check(
        "tier one
           acme
           bolt",
        "20 acme bids 12.00
         35 bolt bids 15.00 tok7
         37 durable
         90 bolt accepts
         92 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD token tok7
            90ms persist step 1 accepted + answer sold
            92ms reply sold 12.00 USD
            92ms done
        "#]],
    );
}

#[test]
fn a_rejected_post_cascades_and_k_steps_cost_k_plus_one_commits() {
    check(
        "tier one
           acme
           bolt
           cask",
        "20 acme bids 12.00
         21 bolt bids 15.00
         22 cask bids 14.00
         23 durable
         40 bolt rejects duplicate
         41 durable
         60 cask unsent connect
         61 durable
         80 acme accepts
         81 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 15.00 USD for 12.00 USD
            23ms post bolt 15.00 USD
            40ms persist step 1 rejected + prepare cask 14.00 USD for 11.20 USD
            41ms post cask 14.00 USD
            60ms persist step 2 not_sent + prepare acme 12.00 USD for 9.60 USD
            61ms post acme 12.00 USD
            80ms persist step 3 accepted + answer sold
            81ms reply sold 9.60 USD
            81ms done
        "#]],
    );
}

#[test]
fn a_post_without_an_answer_is_offered_to_nobody_else() {
    check(
        "tier one
           acme
           bolt",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         342 timer
         344 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            342ms hand over step 1
            342ms persist step 1 unknown + answer pending
            344ms reply pending because unknown:timeout
            344ms done
        "#]],
    );
}

#[test]
fn a_lost_answer_is_asked_for_again_under_the_same_key_within_the_budget() {
    check(
        "tier one
           bolt repost",
        "35 bolt bids 15.00
         37 durable
         60 bolt lost reset
         95 bolt tells repost accepts
         97 durable",
        expect![[r#"
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms repost bolt
            95ms persist step 1 accepted + answer sold
            97ms reply sold 12.00 USD
            97ms done
        "#]],
    );
}

#[test]
fn a_post_that_provably_did_not_leave_in_its_time_is_no_lost_answer() {
    check(
        "tier one
           acme
           bolt",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         337 bolt unsent no_time_left
         339 durable
         350 acme accepts
         352 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            337ms persist step 1 not_sent + prepare acme 12.00 USD for 9.60 USD
            339ms post acme 12.00 USD
            350ms persist step 2 accepted + answer sold
            352ms reply sold 9.60 USD
            352ms done
        "#]],
    );
}

#[test]
fn the_late_answer_itself_resolves_a_post_that_timed_out() {
    check(
        "tier one
           bolt repost",
        "35 bolt bids 15.00
         37 durable
         342 timer
         350 bolt lost reset
         420 bolt tells repost rejects filter
         421 durable",
        expect![[r#"
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            342ms repost bolt
            420ms persist step 1 rejected + answer unsold
            421ms reply unsold because rejected:filter
            421ms done
        "#]],
    );
}

#[test]
fn a_duplicate_or_unsent_repetition_proves_nothing_about_the_first_post() {
    check(
        "tier one
           bolt repost
           acme",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt lost reset
         95 bolt tells repost rejects duplicate
         97 durable",
        expect![[r#"
            0ms ping bolt
            0ms ping acme
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms repost bolt
            95ms hand over step 1
            95ms persist step 1 unknown + answer pending
            97ms reply pending because unknown:reset
            97ms done
        "#]],
    );
}

#[test]
fn a_campaign_that_allows_it_cascades_after_an_unknown_outcome() {
    check(
        "tier one
           acme
           bolt cascade",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         60 bolt lost http_5xx
         62 durable
         80 acme rejects filter
         82 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            60ms hand over step 1
            60ms persist step 1 unknown + prepare acme 12.00 USD for 9.60 USD
            62ms post acme 12.00 USD
            80ms persist step 2 rejected + answer pending
            82ms reply pending because unknown:http_5xx rejected:filter
            82ms done
        "#]],
    );
}

#[test]
fn a_refused_commit_a_sends_nothing_and_tries_the_next() {
    check(
        "tier one
           acme
           bolt",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 refused cap
         39 refused no_credit
         41 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms persist prepare acme 12.00 USD for 9.60 USD
            39ms persist answer unsold
            41ms reply unsold because ineligible:cap ineligible:no_credit
            41ms done
        "#]],
    );
}

#[test]
fn a_lead_claimed_by_another_request_ends_as_duplicate() {
    check(
        "tier one
           acme
           bolt",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 refused duplicate
         39 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms persist answer duplicate
            39ms reply duplicate because ineligible:duplicate
            39ms done
        "#]],
    );
}

#[test]
fn the_next_tier_is_asked_when_the_first_has_no_usable_bid() {
    check(
        "tier one reserve 14.00
           acme
           bolt
         tier two
           cask
           lone fixed 9.00 direct",
        "20 acme bids 13.99
         150 timer
         160 cask bids 8.50
         162 durable
         180 lone accepts
         182 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            150ms ping cask
            160ms persist prepare lone 9.00 USD for 7.20 USD
            162ms post lone 9.00 USD
            180ms persist step 1 accepted + answer sold
            182ms reply sold 7.20 USD
            182ms done
        "#]],
    );
}

#[test]
fn a_late_bid_is_recorded_with_its_price_and_changes_nothing() {
    let script = "20 acme bids 12.00
         150 timer
         151 bolt bids 55.00
         152 durable
         170 acme accepts
         172 durable";
    let stage = play(setup("tier one\nacme\nbolt", Goal::Sell), script);
    assert!(stage.heard.contains("reply sold 9.60 USD"), "{}", stage.heard);
    let late = stage.auction.trace().steps.iter().any(
        |step| matches!(&step.event, TraceEvent::NoBid { reason, .. } if reason == "late(55.00)"),
    );
    assert!(late, "{:?}", stage.auction.trace());
}

#[test]
fn the_cascade_limit_ends_a_tier() {
    check(
        "tier one cascade 1
           acme
           bolt
           cask
         tier two
           lone fixed 9.00 direct",
        "20 acme bids 12.00
         21 bolt bids 15.00
         22 cask bids 14.00
         23 durable
         40 bolt rejects cap
         41 durable
         60 cask rejects cap
         61 durable
         80 lone accepts
         81 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 15.00 USD for 12.00 USD
            23ms post bolt 15.00 USD
            40ms persist step 1 rejected + prepare cask 14.00 USD for 11.20 USD
            41ms post cask 14.00 USD
            60ms persist step 2 rejected + prepare lone 9.00 USD for 7.20 USD
            61ms post lone 9.00 USD
            80ms persist step 3 accepted + answer sold
            81ms reply sold 7.20 USD
            81ms done
        "#]],
    );
}

#[test]
fn equal_bids_go_to_the_campaign_that_waited_longest_for_a_lead() {
    check(
        "tier one
           acme won 500
           bolt won 400
           cask won 600",
        "20 acme bids 12.00
         21 bolt bids 12.00
         22 cask bids 12.00",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 12.00 USD for 9.60 USD
        "#]],
    );
}

#[test]
fn no_post_is_begun_that_cannot_be_answered_in_time() {
    check(
        "tier one
           acme
           bolt",
        "20 acme bids 12.00
         35 bolt bids 15.00
         37 durable
         930 bolt rejects cap
         932 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            35ms persist prepare bolt 15.00 USD for 12.00 USD
            37ms post bolt 15.00 USD
            930ms persist step 1 rejected + answer unsold
            932ms reply unsold because rejected:cap ineligible:no_time_left
            932ms done
        "#]],
    );
}

#[test]
fn a_stalled_disk_before_commit_a_ends_in_a_refusal_and_is_undone() {
    check(
        "tier one
           acme",
        "20 acme bids 12.00
         1000 timer
         4000 durable
         4005 durable",
        expect![[r#"
            0ms ping acme
            20ms persist prepare acme 12.00 USD for 9.60 USD
            1000ms give up, pending false
            4000ms persist step 1 not_sent + answer unsold
            4005ms done
        "#]],
    );
}

#[test]
fn a_stalled_disk_after_the_post_ends_in_pending() {
    check(
        "tier one
           acme",
        "20 acme bids 12.00
         30 durable
         50 acme accepts
         1000 timer
         4000 durable",
        expect![[r#"
            0ms ping acme
            20ms persist prepare acme 12.00 USD for 9.60 USD
            30ms post acme 12.00 USD
            50ms persist step 1 accepted + answer sold
            1000ms give up, pending true
            4000ms done
        "#]],
    );
}

#[test]
fn a_seller_that_leaves_before_commit_a_stops_the_auction_and_later_does_not() {
    check(
        "tier one
           acme",
        "10 gone
         12 durable",
        expect![[r#"
            0ms ping acme
            10ms persist answer abandoned
            12ms reply abandoned
            12ms done
        "#]],
    );
    check(
        "tier one
           acme",
        "20 acme bids 12.00
         30 durable
         31 gone
         50 acme accepts
         52 durable",
        expect![[r#"
            0ms ping acme
            20ms persist prepare acme 12.00 USD for 9.60 USD
            30ms post acme 12.00 USD
            50ms persist step 1 accepted + answer sold
            52ms reply sold 9.60 USD
            52ms done
        "#]],
    );
}

#[test]
fn a_seller_that_leaves_after_a_post_does_not_stop_the_next_tier() {
    check(
        "tier one
           acme
         tier two
           bolt",
        "20 acme bids 12.00
         30 durable
         50 acme rejects filter
         60 gone
         70 bolt bids 10.00
         72 durable
         90 bolt accepts
         92 durable",
        expect![[r#"
            0ms ping acme
            20ms persist prepare acme 12.00 USD for 9.60 USD
            30ms post acme 12.00 USD
            50ms ping bolt
            70ms persist step 1 rejected + prepare bolt 10.00 USD for 8.00 USD
            72ms post bolt 10.00 USD
            90ms persist step 2 accepted + answer sold
            92ms reply sold 8.00 USD
            92ms done
        "#]],
    );
}

#[test]
fn a_lead_that_a_late_answer_sold_meanwhile_is_pending_and_nobody_else_gets_it() {
    check(
        "tier one
           acme cascade
           bolt
           cask",
        "20 acme bids 15.00
         21 bolt bids 12.00
         22 cask bids 11.00
         23 durable
         40 acme lost reset
         41 refused sold
         42 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare acme 15.00 USD for 12.00 USD
            23ms post acme 15.00 USD
            40ms hand over step 1
            40ms persist step 1 unknown + prepare bolt 12.00 USD for 9.60 USD
            41ms persist answer pending
            42ms reply pending because unknown:reset
            42ms done
        "#]],
    );
}

#[test]
fn an_empty_tree_is_unsold_at_once() {
    check(
        "",
        "2 durable",
        expect![[r#"
        0ms persist answer unsold
        2ms reply unsold
        2ms done
    "#]],
    );
}

const PING: PingId = PingId::from_bytes([0; 16]);

#[test]
fn a_ping_is_answered_with_a_promise_and_posts_nothing() {
    let goal = Goal::Quote { ping: PING, lifetime: Duration::from_secs(60) };
    let stage = play(
        setup("tier one\nacme\nbolt\nlone fixed 9.00", goal),
        "20 acme bids 12.00
         30 lone is available
         35 bolt declines
         37 durable",
    );
    expect![[r#"
        0ms ping acme
        0ms ping bolt
        0ms ping lone
        35ms persist promise 9.60 USD
        37ms reply bid 9.60 USD until 60035ms
        37ms done
    "#]]
    .assert_eq(&stage.heard);
}

fn promise(bids: &[(&str, &str)]) -> Goal {
    let bids = bids
        .iter()
        .map(|(buyer, price)| PromisedBid {
            campaign: format!("{buyer}/auto").parse().unwrap(),
            tier: "one".to_owned(),
            price: usd(price),
            contract: false,
            buyers: 1,
            token: Some(BidToken::single(format!("t-{buyer}"))),
            answered_at: at_ms("0"),
        })
        .collect();
    Goal::Fulfil(Promise { ping: PING, payout: usd("12.00"), expires_at: at_ms("60000"), bids })
}

#[test]
fn a_post_on_a_ping_honours_the_promise_from_the_margin_or_not_at_all() {
    let bids = promise(&[("bolt", "15.00"), ("cask", "13.00"), ("acme", "11.99")]);
    let stage = play(
        setup("tier one\nacme\nbolt\ncask", bids),
        "2 durable
         20 bolt rejects cap
         22 durable
         40 cask rejects cap
         42 durable",
    );
    expect![[r#"
        0ms persist prepare bolt 15.00 USD for 12.00 USD
        2ms post bolt 15.00 USD token t-bolt
        20ms persist step 1 rejected + prepare cask 13.00 USD for 12.00 USD
        22ms post cask 13.00 USD token t-cask
        40ms persist step 2 rejected + answer unsold
        42ms reply unsold because rejected:cap
        42ms done
    "#]]
    .assert_eq(&stage.heard);
}

#[test]
fn the_same_events_give_the_same_journey() {
    let script = "20 acme bids 12.00
         35 bolt bids 12.00
         37 durable
         60 acme rejects cap
         62 durable
         90 bolt accepts
         92 durable";
    let once = || play(setup("tier one\nacme\nbolt", Goal::Sell), script).auction.trace().clone();
    assert_eq!(once(), once());
    assert_eq!(once().steps.len(), 15);
}
