//! From a `reply` table to what reads replies. Paths and regular expressions are compiled here and
//! never later.
//!
//! A part that is wrong is reported and left out: a connector with an error is never used.

use exchange_model::outcome::BidToken;
use exchange_model::{Currency, Findings, TableReader};

use self::locators::Dialect;
use self::locators::FilterReader;
use super::basics::Basics;
use super::ping::PingReply;
use super::post::{PostReply, REF, Speaker};
use super::rules::Outcome;
use super::values::ValuesReply;

mod bids;
mod conditions;
mod decoding;
mod locators;
mod parts;
mod price;
mod redirect;
mod rules;

/// Most named values of one reply.
const NAMED_MAX: usize = 16;
/// What `{{ ping.<name> }}` means anyway.
const TOKENS_TAKEN: &[&str] = &["id", "brand_ids", "brand_names"];

/// What a reply is compiled with, beside its table.
#[derive(Clone, Copy)]
pub(crate) struct Around<'a> {
    /// The campaign's.
    pub(crate) currency: Currency,
    pub(crate) filters: FilterReader<'a>,
}

/// Reads the `reply` table of a ping.
pub(crate) fn compile_ping(
    mut table: TableReader<'_>,
    around: Around<'_>,
    findings: &mut Findings,
) -> Option<PingReply> {
    let (dialect, basics) = basics(&mut table, rules::PING, around, findings);
    let bids = table.table("bids", findings).and_then(|table| dialect.bids(table, findings));
    let reply = PingReply {
        token: dialect.place(&mut table, "token", findings),
        tokens: dialect.named(&mut table, "tokens", TOKENS_TAKEN, findings),
        lifetime: dialect.lifetime(&mut table, "lifetime", findings),
        ping_id: dialect.place(&mut table, "ping_id", findings),
        bids,
        basics: basics?,
    };
    bids_have_a_price(&reply, &table, findings);
    table.finish(findings);
    Some(reply)
}

/// A bid is worth what somebody says it is.
fn bids_have_a_price(reply: &PingReply, table: &TableReader<'_>, findings: &mut Findings) {
    let Some(bids) = &reply.bids else { return };
    let stated = bids.price_is == super::bids::PriceIs::Stated;
    let missing = if stated { reply.basics.price.is_none() } else { bids.brands.price.is_none() };
    if missing {
        let (message, help) = if stated {
            (
                "`price_is = \"stated\"`, but the reply names no `price`",
                "add `price = { at = \"...\" }` beside `bids`",
            )
        } else {
            (
                "these `bids` have no `price`",
                "add `price = { at = \"$.price\" }` inside `bids`, or `price_is = \"stated\"`",
            )
        };
        findings.error("missing_key", table.own_place(), message.to_owned(), help.to_owned());
    }
}

/// Reads the `reply` table of a post or of a later call about it.
pub(crate) fn compile_post(
    mut table: TableReader<'_>,
    speaker: Speaker,
    around: Around<'_>,
    findings: &mut Findings,
) -> Option<PostReply> {
    let own_place = table.own_place();
    let words = match speaker {
        Speaker::Void => rules::VOID,
        Speaker::Confirm => rules::NONE,
        Speaker::Post | Speaker::DecidingConfirm | Speaker::Status | Speaker::Callback => {
            rules::POST
        }
    };
    let (dialect, basics) = basics(&mut table, words, around, findings);
    let legs = table.table("legs", findings).and_then(|table| dialect.legs(table, findings));
    let reply = PostReply {
        speaker,
        reads_redirects: reads_redirects(&mut table, findings),
        buyer_ref: dialect.place(&mut table, "ref", findings),
        redirect: dialect.redirect(&mut table, findings),
        values: dialect.named(&mut table, "values", &[REF], findings),
        counter: dialect.counter(&mut table, findings),
        legs,
        basics: basics?,
    };
    table.finish(findings);
    if speaker == Speaker::Post {
        says_enough(&reply, own_place, findings);
    }
    Some(reply)
}

fn reads_redirects(table: &mut TableReader<'_>, findings: &mut Findings) -> bool {
    table.one_of("redirects", &[("read", ())], findings).is_some()
}

/// A post whose acceptance cannot be told sells nothing; one whose rejection cannot be told holds
/// every lead that is refused.
fn says_enough(reply: &PostReply, place: exchange_model::Place, findings: &mut Findings) {
    let rules = &reply.basics.rules;
    let says = |wanted: &[Outcome]| {
        let thens = rules.rules.iter().map(|rule| rule.then).chain(rules.otherwise);
        thens.into_iter().any(|then| wanted.contains(&then))
    };
    if !says(&[Outcome::Success, Outcome::Pending]) {
        let message = "the reply to this post never says `accepted`".to_owned();
        let help =
            "add a rule: { when = { at = \"$.status\", is = [\"SOLD\"] }, then = \"accepted\" }";
        findings.error("never_accepted", place, message, help.to_owned());
    } else if !says(&[Outcome::Refusal, Outcome::Error]) {
        let message = "the reply to this post never says `rejected`".to_owned();
        let help = "every rejection is an unknown outcome and holds its lead: add a rule { when = { at = \"$.status\", is = [\"REJECTED\"] }, then = \"rejected\" }";
        findings.warning("never_rejected", place, message, help.to_owned());
    }
}

/// Reads the `reply` table of a call that fetches values: `token`, `pre_ping` or `pre_post`.
pub(crate) fn compile_values(
    mut table: TableReader<'_>,
    filters: FilterReader<'_>,
    findings: &mut Findings,
) -> Option<ValuesReply> {
    let dialect = Dialect::read(&mut table, filters, findings);
    let rules = dialect.rules(&mut table, rules::VALUES, findings);
    let mut values = dialect.named(&mut table, "values", &[BidToken::TOKEN], findings);
    let token = dialect.place(&mut table, "token", findings);
    values.extend(token.map(|token| (BidToken::TOKEN.to_owned(), token)));
    let expires_in = dialect.lifetime(&mut table, "expires_in", findings);
    if values.is_empty() {
        table.missing("values", "{ id = { at = \"$.id\" } }", findings);
    }
    let decoding = dialect.decoding(&mut table, findings);
    table.finish(findings);
    Some(ValuesReply { decoding, values, rules: rules?, expires_in })
}

/// What every reply has that decides an outcome.
fn basics<'a>(
    table: &mut TableReader<'_>,
    words: rules::Words,
    Around { currency, filters }: Around<'a>,
    findings: &mut Findings,
) -> (Dialect<'a>, Option<Basics>) {
    let dialect = Dialect::read(table, filters, findings);
    let rules = dialect.rules(table, words, findings);
    let price = table.table("price", findings).and_then(|table| dialect.price(table, findings));
    let currency_at = dialect.place(table, "currency", findings);
    let reason = dialect.reason(table, findings);
    let decoding = dialect.decoding(table, findings);
    // A price that is written but wrong is reported above, and not missed again elsewhere.
    let is_whole = price.is_some() || table.raw().get("price").is_none();
    let rules = rules.filter(|_| is_whole);
    let basics =
        rules.map(|rules| Basics { currency, decoding, rules, price, currency_at, reason });
    (dialect, basics)
}
