//! Leads that several buyers may buy: never more than any of them was promised.

use exchange_core::record::{LegOffer, SoldTo, most_booked};
use exchange_model::outcome::{BidToken, Brand, Leg};

use super::*;
use crate::intake::Renderer;

mod seeds;

/// A post to one of at most `buyers`, that pays the seller half of its price.
fn one_of(buyers: u8, number: u8, step: u8, buyer: &str, price: &str) -> Intent {
    let own = intent(number, step, buyer, price);
    let payout = own.on_price.payout_at(own.price).unwrap();
    Intent { buyers, payout, unknown: UnknownPolicy::Cascade, ..own }
}

fn sold(number: u8, step: u8) -> Option<Concluded> {
    Some(concluded(attempt(number, step), accepted()))
}

fn refused(number: u8, step: u8) -> Option<Concluded> {
    Some(concluded(attempt(number, step), rejected()))
}

fn unanswered(number: u8, step: u8) -> Option<Concluded> {
    Some(concluded(attempt(number, step), lost()))
}

fn next(intent: Intent) -> Next {
    Next::Prepare(Box::new(intent))
}

fn end(status: LeadStatus) -> Next {
    Next::Answer(answer(status))
}

impl Desk {
    /// The word of a buyer after its auction.
    fn later(&self, concluded: Option<Concluded>) {
        let number = concluded.as_ref().unwrap().attempt.lead().to_bytes()[15];
        assert_eq!(self.step(number, concluded, Next::Nothing), Durable::Done);
    }

    fn payout(&self, number: u8) -> String {
        self.standing(number).payout.map_or_else(String::new, |paid| paid.amount_text())
    }

    /// What each sale pays the seller.
    fn payouts(&self, number: u8) -> Vec<String> {
        let sales = self.standing(number).sales;
        sales.into_iter().map(|sale| sale.payout.amount_text()).collect()
    }

    /// Runs SQL inside the writer, as a bug would.
    fn sql(&self, sql: &'static str) -> Result<(), StoreError> {
        let ran = self.store().write(move |txn| {
            super::super::columns::run(txn.conn, sql, [])?;
            Ok(())
        });
        ran.blocking_wait()
    }

    fn sale_keys(&self, number: u8) -> Vec<String> {
        let booked = self.view(number).transactions.into_iter().map(|stored| stored.transaction);
        let sales = booked.filter(|booked| booked.kind().code() == "sale");
        sales.map(|sale| format!("{} {}", sale.key(), sale.header().memo)).collect()
    }
}

#[test]
fn a_lead_is_sold_to_three_and_the_seller_is_paid_for_each() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(3, 1, 1, "acme", "12.00")).unwrap();
    assert_eq!(desk.step(1, sold(1, 1), next(one_of(3, 1, 2, "bolt", "11.00"))), Durable::Done);
    assert_eq!(desk.held(), [attempt(1, 2)], "one capture, one new hold, in one commit");
    assert_eq!(desk.step(1, sold(1, 2), next(one_of(3, 1, 3, "crest", "10.00"))), Durable::Done);
    desk.step(1, sold(1, 3), end(LeadStatus::Sold));
    assert_eq!((desk.status(1), desk.payout(1)), (Some(LeadStatus::Sold), "16.50".to_owned()));
    assert_eq!(desk.payouts(1), ["6.00", "5.50", "5.00"]);
    let keys: Vec<String> = (1..=3).map(|step| format!("sale:{} ", attempt(1, step))).collect();
    assert_eq!(desk.sale_keys(1), keys, "each buyer has a sale of its own");
    for (buyer, owed) in [("acme", 1_200), ("bolt", 1_100), ("crest", 1_000)] {
        assert_eq!(desk.available(buyer, &generous()), 10_000_000 - owed);
        assert_eq!(desk.used(buyer), 1);
    }
    assert!(desk.held().is_empty());
    assert_eq!(desk.to_tell(), Vec::<String>::new(), "the reply said it all");
    desk.verify();
}

#[test]
fn the_least_promise_bounds_how_many_buy() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(4, 1, 1, "acme", "12.00")).unwrap();
    desk.step(1, sold(1, 1), next(one_of(2, 1, 2, "bolt", "11.00")));
    let third = desk.step(1, sold(1, 2), next(one_of(4, 1, 3, "crest", "10.00")));
    assert_eq!(third, Durable::Refused(Refused::NoSlot), "bolt is one of at most two");
    assert_eq!(desk.states(1), ["accepted", "accepted"], "what was sold is durable all the same");
    assert_eq!(desk.used("crest"), 0);
    desk.verify();
}

#[test]
fn whoever_was_promised_the_lead_alone_gets_it_alone() {
    let desk = Desk::new();
    for number in 1..=4 {
        desk.take_in(number);
        desk.prepare(one_of(3, number, 1, "acme", "12.00")).unwrap();
    }
    let exclusive = |number| next(intent(number, 2, "bolt", "20.00"));
    let error = desk.try_step(1, None, exclusive(1)).unwrap_err();
    assert!(error.to_string().contains("another post is out"), "{error}");
    let beside_lost = desk.step(2, unanswered(2, 1), exclusive(2));
    assert_eq!(beside_lost, Durable::Refused(Refused::NoSlot), "a lost answer keeps its place");
    let beside_sold = desk.step(3, sold(3, 1), exclusive(3));
    assert_eq!(beside_sold, Durable::Refused(Refused::Sold));
    assert_eq!(desk.step(4, refused(4, 1), exclusive(4)), Durable::Done, "nobody has it");
    let beside_exclusive = desk.step(4, sold(4, 2), next(one_of(3, 4, 3, "crest", "9.00")));
    assert_eq!(beside_exclusive, Durable::Refused(Refused::Sold));
    desk.verify();
}

#[test]
fn a_lost_answer_keeps_its_place_and_the_others_are_sold() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(2, 1, 1, "acme", "12.00")).unwrap();
    desk.step(1, unanswered(1, 1), next(one_of(2, 1, 2, "bolt", "11.00")));
    let third = desk.step(1, sold(1, 2), next(one_of(2, 1, 3, "crest", "10.00")));
    assert_eq!(third, Durable::Refused(Refused::NoSlot));
    desk.step(1, None, end(LeadStatus::Sold));
    assert_eq!((desk.payout(1), desk.payouts(1)), ("5.50".to_owned(), vec!["5.50".to_owned()]));
    assert_eq!(desk.held(), [attempt(1, 1)]);
    desk.later(sold(1, 1));
    assert_eq!((desk.payout(1).as_str(), desk.payouts(1).len()), ("11.50", 2));
    assert_eq!(desk.to_tell(), ["lead.resolved https://seller.example/cb"]);
    desk.later(sold(1, 1));
    assert_eq!(desk.to_tell().len(), 1, "nothing new is told twice");
    assert_eq!((desk.states(1), desk.exceptions()), (vec!["accepted".to_owned(); 2], vec![]));
    desk.verify();
}

#[test]
fn a_late_acceptance_without_a_place_is_not_charged() {
    let desk = Desk::new();
    desk.take_in(1);
    let alone = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "20.00") };
    desk.prepare(alone).unwrap();
    desk.step(1, unanswered(1, 1), next(one_of(3, 1, 2, "bolt", "11.00")));
    desk.step(1, sold(1, 2), end(LeadStatus::Sold));
    desk.later(sold(1, 1));
    assert_eq!(desk.states(1), ["late_accept_conflict", "accepted"]);
    assert_eq!(
        (desk.exceptions(), desk.payout(1)),
        (vec!["late_accept_conflict".to_owned()], "5.50".to_owned())
    );
    assert_eq!((desk.used("acme"), desk.held()), (0, vec![]));
    assert_eq!(desk.to_tell(), Vec::<String>::new());
    desk.verify();
}

#[test]
fn a_late_exclusive_sale_leaves_no_place_for_those_that_come_after() {
    let desk = Desk::new();
    desk.take_in(1);
    let alone = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "20.00") };
    desk.prepare(alone).unwrap();
    desk.step(1, unanswered(1, 1), next(one_of(3, 1, 2, "bolt", "11.00")));
    desk.later(sold(1, 1));
    let third = desk.step(1, sold(1, 2), next(one_of(3, 1, 3, "crest", "10.00")));
    assert_eq!(third, Durable::Refused(Refused::Sold));
    assert_eq!(desk.states(1), ["accepted", "late_accept_conflict"]);
    desk.verify();
}

#[test]
fn a_pending_lead_waits_for_its_last_answer() {
    let desk = Desk::new();
    for (number, last, status) in
        [(1, rejected(), LeadStatus::Unsold), (2, accepted(), LeadStatus::Sold)]
    {
        desk.take_in(number);
        desk.prepare(one_of(2, number, 1, "acme", "12.00")).unwrap();
        desk.step(number, unanswered(number, 1), next(one_of(2, number, 2, "bolt", "11.00")));
        desk.step(number, unanswered(number, 2), end(LeadStatus::Pending));
        desk.later(refused(number, 1));
        assert_eq!(desk.status(number), Some(LeadStatus::Pending), "bolt may still buy");
        desk.later(Some(concluded(attempt(number, 2), last)));
        assert_eq!(desk.status(number), Some(status));
    }
    assert_eq!(desk.payout(2), "5.50");
    assert_eq!(desk.to_tell().len(), 2, "each is told once");
    desk.verify();
}

#[test]
fn a_late_no_takes_nothing_from_a_lead_that_others_bought() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(2, 1, 1, "acme", "12.00")).unwrap();
    desk.step(1, unanswered(1, 1), next(one_of(2, 1, 2, "bolt", "11.00")));
    desk.step(1, sold(1, 2), end(LeadStatus::Sold));
    desk.later(refused(1, 1));
    assert_eq!((desk.status(1), desk.payout(1)), (Some(LeadStatus::Sold), "5.50".to_owned()));
    assert_eq!((desk.to_tell(), desk.held()), (vec![], vec![]));
    desk.verify();
}

#[test]
fn a_late_sale_before_the_answer_is_in_the_answer() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(2, 1, 1, "acme", "12.00")).unwrap();
    desk.step(1, unanswered(1, 1), next(one_of(2, 1, 2, "bolt", "11.00")));
    desk.later(sold(1, 1));
    let writer = Renderer::new(|answer: &Answer| stored_reply(&format!("{answer:?}")));
    let step = Commit {
        lead: lead_id(1),
        at: at(2),
        concluded: desk.by_stored_terms(sold(1, 2).unwrap()).into(),
        qualified: Vec::new(),
        next: end(LeadStatus::Sold),
    };
    let answered = desk.store().commit(step, Some(writer)).blocking_wait().unwrap();
    let told = answered.answered.unwrap();
    assert_eq!(told.answer.payout, Some(usd("11.50")), "the auction knew of one");
    assert_eq!(answered.booked.unwrap().price, usd("11.00"), "this step sold one");
    assert_eq!(told.reply, stored_reply(&format!("{:?}", told.answer)));
    assert_eq!(desk.payout(1), "11.50");
    desk.verify();
}

#[test]
fn the_reply_that_is_sent_is_stored_and_names_the_sale_that_is_booked() {
    let desk = Desk::new();
    desk.take_in(1);
    let cascade = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "12.00") };
    desk.prepare(Intent { payout: usd("6.00"), ..cascade }).unwrap();
    desk.step(1, unanswered(1, 1), next(intent(1, 2, "bolt", "11.00")));
    desk.later(sold(1, 1));
    let payout =
        |answer: &Answer| answer.payout.map_or_else(String::new, |paid| paid.amount_text());
    let writer = Renderer::new(move |answer| stored_reply(&payout(answer)));
    let step = Commit {
        lead: lead_id(1),
        at: at(2),
        concluded: desk.by_stored_terms(sold(1, 2).unwrap()).into(),
        qualified: Vec::new(),
        next: end(LeadStatus::Sold),
    };
    let done = desk.store().commit(step, Some(writer)).blocking_wait().unwrap();
    assert!(done.booked.is_none(), "the second buyer is not charged");
    let sent = done.answered.unwrap().reply;
    assert_eq!(sent, stored_reply("6.00"), "and the seller is not told of its 5.00");
    let key = IdempotencyKey::new(IntakeKind::Lead, "k1").unwrap();
    let again = desk.store().replay(&source(), &key).blocking_wait().unwrap().unwrap();
    assert_eq!(again.reply, Some(sent));
    desk.verify();
}

#[test]
fn a_fixed_payout_is_paid_with_the_first_sale() {
    let desk = Desk::new();
    desk.take_in(1);
    let paying =
        |step, buyer, payout| Intent { payout: usd(payout), ..one_of(3, 1, step, buyer, "12.00") };
    desk.prepare(paying(1, "acme", "9.00")).unwrap();
    desk.step(1, refused(1, 1), next(paying(2, "bolt", "9.00")));
    desk.step(1, sold(1, 2), next(paying(3, "crest", "0")));
    desk.step(1, sold(1, 3), end(LeadStatus::Sold));
    assert_eq!(
        (desk.payout(1).as_str(), desk.payouts(1).join(" ").as_str()),
        ("9.00", "9.00 0.00")
    );
    desk.verify();
}

#[test]
fn one_campaign_has_one_place() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(3, 1, 1, "acme", "12.00")).unwrap();
    let again = || next(one_of(3, 1, 2, "acme", "12.00"));
    for ended in [None, unanswered(1, 1), sold(1, 1)] {
        assert!(matches!(desk.try_step(1, ended, again()), Err(StoreError::Conflict(_))));
    }
    assert_eq!(desk.step(1, refused(1, 1), again()), Durable::Done, "as after a counter-offer");
    desk.verify();
}

#[test]
fn several_posts_of_a_shared_lead_may_be_out_as_long_as_there_are_places() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(2, 1, 1, "acme", "12.00")).unwrap();
    desk.prepare(one_of(2, 1, 2, "bolt", "11.00")).unwrap();
    assert_eq!(desk.prepare(one_of(2, 1, 3, "crest", "10.00")).unwrap_err(), Refused::NoSlot);
    desk.step(1, sold(1, 1), Next::Nothing);
    desk.step(1, sold(1, 2), end(LeadStatus::Sold));
    assert_eq!(desk.payout(1), "11.50");
    desk.verify();
}

#[test]
fn the_database_itself_refuses_more_sales_than_were_promised() {
    let desk = Desk::new();
    desk.take_in(1);
    let cascade = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "20.00") };
    desk.prepare(cascade).unwrap();
    desk.step(1, unanswered(1, 1), next(one_of(2, 1, 2, "bolt", "11.00")));
    desk.step(1, sold(1, 2), Next::Nothing);
    let complaint = |sql| desk.sql(sql).unwrap_err().to_string();
    let sold_to_all = "UPDATE attempt SET state = 'accepted'";
    assert!(complaint(sold_to_all).contains("more sales than the lead has places"));
    let again = "INSERT INTO attempt SELECT * FROM attempt WHERE step = 2";
    assert!(complaint(again).contains("UNIQUE"), "an attempt is sold once");
    let promise = "UPDATE attempt SET buyers = 5 WHERE step = 2";
    assert!(complaint(promise).contains("promised another number"));
    let places = "UPDATE attempt SET places = 3 WHERE step = 2";
    assert!(complaint(places).contains("CHECK") || complaint(places).contains("more sales"));
    let copy = |step: &str, buyers: &str, campaign: &str| {
        let columns = "lead, campaign, tier, price, payout, currency, price_minor, terms, policy,
          resolve_by, counted_at, prepared_at";
        let sql = format!(
            "INSERT INTO attempt ({columns}, step, buyers, state)
             SELECT {}, {step}, {buyers}, 'prepared' FROM attempt WHERE step = 2",
            columns.replace("campaign", campaign)
        );
        desk.sql(Box::leak(sql.into_boxed_str()))
    };
    let beside = copy("3", "1", "'crest/auto'").unwrap_err().to_string();
    assert!(beside.contains("more posts than the lead has places"), "{beside}");
    copy("3", "2", "'crest/auto'").unwrap();
    let third = copy("4", "9", "'dart/auto'").unwrap_err().to_string();
    assert!(third.contains("more posts than the lead has places"), "{third}");
    desk.sql("UPDATE attempt SET campaign = 'bolt/auto' WHERE step = 3").unwrap();
    let twice = complaint("UPDATE attempt SET state = 'accepted' WHERE step = 3");
    assert!(twice.contains("UNIQUE"), "one campaign buys a lead once: {twice}");
}

#[test]
fn two_exclusive_sales_are_refused_even_without_the_triggers() {
    let desk = Desk::new();
    desk.take_in(1);
    let cascade = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "20.00") };
    desk.prepare(cascade).unwrap();
    desk.step(1, unanswered(1, 1), next(intent(1, 2, "bolt", "11.00")));
    desk.sql("DROP TRIGGER attempt_sales").unwrap();
    let error = desk.sql("UPDATE attempt SET state = 'accepted'").unwrap_err();
    assert!(error.to_string().contains("UNIQUE"), "{error}");
}

#[test]
fn after_a_crash_every_post_of_a_shared_lead_stands_as_it_was() {
    let mut desk = Desk::new();
    desk.take_in(1);
    desk.prepare(one_of(4, 1, 1, "acme", "12.00")).unwrap();
    desk.step(1, sold(1, 1), next(one_of(4, 1, 2, "bolt", "11.00")));
    desk.step(1, unanswered(1, 2), next(one_of(4, 1, 3, "crest", "10.00")));
    desk.step(1, refused(1, 3), next(one_of(4, 1, 4, "dart", "9.00")));
    let recovered = desk.crash();
    assert_eq!(recovered, Recovered { abandoned: 0, unknown: 1, answered: 1 });
    assert_eq!(desk.states(1), ["accepted", "unknown", "rejected", "unknown"]);
    assert_eq!((desk.status(1), desk.payout(1)), (Some(LeadStatus::Sold), "6.00".to_owned()));
    let open = desk.store().open_attempts().blocking_wait().unwrap();
    assert_eq!(open.iter().map(|open| open.intent.buyers).collect::<Vec<_>>(), [4, 4]);
    desk.later(sold(1, 4));
    desk.later(sold(1, 2));
    assert_eq!(
        (desk.payout(1).as_str(), desk.payouts(1).join(" ").as_str()),
        ("16.00", "6.00 5.50 4.50")
    );
    assert_eq!(desk.to_tell().len(), 2, "each new total is told");
    desk.crash();
    assert_eq!(desk.payout(1), "16.00");
    desk.verify();
}

fn company(id: &str, name: &str, price: &str) -> LegOffer {
    let price = usd(price);
    let text = |text: &str| Some(text.to_owned());
    let brand = Brand { id: text(id), name: text(name), price: Some(price), token: None };
    let payout = on_price(PriceChange::Bid).payout_at(price).unwrap();
    LegOffer { brand, price, payout }
}

/// One post to three companies behind a buyer, one of at most `buyers` places.
fn to_three(buyers: u8, number: u8, step: u8) -> Intent {
    let legs = vec![
        company("1", "Roof Co", "12.00"),
        company("2", "Top Roofs", "10.00"),
        company("3", "Slate Ltd", "8.00"),
    ];
    let own = one_of(buyers, number, step, "aggregator", "30.00");
    let hold = most_booked(&own.on_price, own.price, &legs);
    Intent { legs, hold, payout: usd("15.00"), ..own }
}

fn taken_by(ids: &[&str]) -> AttemptOutcome {
    let leg = |id: &&str| {
        let id = Some((*id).to_owned());
        Leg { brand: Brand { id, name: None, price: None, token: None }, accepted: true }
    };
    let legs = ids.iter().map(leg).collect();
    let redirect_url = Some("https://aggregator.example/thanks".to_owned());
    let acceptance = Acceptance { legs, redirect_url, ..Acceptance::default() };
    AttemptOutcome::Accepted(Sale {
        price: usd("0"),
        payout: usd("0"),
        acceptance,
        legs: Vec::new(),
    })
}

#[test]
fn the_companies_that_take_the_lead_are_booked_one_by_one_and_the_rest_is_given_back() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(to_three(4, 1, 1)).unwrap();
    assert_eq!(desk.available("aggregator", &generous()), 10_000_000 - 3_000);
    let two = Some(concluded(attempt(1, 1), taken_by(&["1", "3"])));
    let more = desk.step(1, two, next(one_of(4, 1, 2, "bolt", "11.00")));
    assert_eq!(more, Durable::Done, "two of four places are left");
    desk.step(1, sold(1, 2), end(LeadStatus::Sold));
    assert_eq!(desk.available("aggregator", &generous()), 10_000_000 - 2_000);
    let key = |step, leg: &str| format!("sale:{}{leg}", attempt(1, step));
    let expected = [key(1, "#1 Roof Co"), key(1, "#2 Slate Ltd"), key(2, " ")];
    assert_eq!(desk.sale_keys(1), expected);
    let named = |sale: &SoldTo| (sale.payout.amount_text(), sale.name.clone());
    let sales = desk.standing(1).sales;
    let text = |text: &str| text.to_owned();
    let expected = [
        (text("6.00"), Some(text("Roof Co"))),
        (text("4.00"), Some(text("Slate Ltd"))),
        (text("5.50"), None),
    ];
    assert_eq!(sales.iter().map(named).collect::<Vec<_>>(), expected);
    assert_eq!(desk.payout(1), "15.50");
    let view = &desk.view(1).attempts[0];
    assert_eq!((view.legs.len(), view.sold_legs.len(), view.buyers), (3, 2, 4));
    assert_eq!(view.sold, Some((usd("20.00"), usd("10.00"))));
    desk.verify();
}

#[test]
fn companies_take_a_place_each() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.take_in(2);
    let error = desk.try_step(1, None, next(to_three(2, 1, 1))).unwrap_err();
    assert!(error.to_string().contains("more companies than places"), "{error}");
    desk.prepare(one_of(3, 2, 1, "bolt", "11.00")).unwrap();
    let refused = desk.step(2, sold(2, 1), next(to_three(3, 2, 2)));
    assert_eq!(refused, Durable::Refused(Refused::NoSlot));
    desk.verify();
}

#[test]
fn a_lost_answer_of_several_companies_keeps_all_their_places_until_it_is_known() {
    let mut desk = Desk::new();
    desk.take_in(1);
    desk.prepare(to_three(4, 1, 1)).unwrap();
    desk.step(1, unanswered(1, 1), next(one_of(4, 1, 2, "bolt", "11.00")));
    let fifth = desk.step(1, sold(1, 2), next(one_of(4, 1, 3, "crest", "10.00")));
    assert_eq!(fifth, Durable::Refused(Refused::NoSlot));
    desk.step(1, None, end(LeadStatus::Sold));
    desk.crash();
    let record = desk.store().attempt(attempt(1, 1)).blocking_wait().unwrap().unwrap();
    assert_eq!((record.attempt.intent.legs.len(), record.attempt.intent.hold), (3, usd("30.00")));
    desk.later(Some(concluded(attempt(1, 1), taken_by(&["2"]))));
    assert_eq!((desk.payout(1).as_str(), desk.held()), ("10.50", vec![]));
    desk.verify();
}

#[test]
fn a_company_that_took_the_lead_and_is_not_booked_is_for_a_person() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(to_three(3, 1, 1)).unwrap();
    let ended = Some(concluded(attempt(1, 1), taken_by(&["2", "9"])));
    desk.step(1, ended, end(LeadStatus::Sold));
    assert_eq!(
        (desk.exceptions(), desk.payout(1)),
        (vec!["leg_not_booked".to_owned()], "5.00".to_owned())
    );
    desk.verify();
}

#[test]
fn the_one_company_behind_a_shared_sale_is_named() {
    let desk = Desk::new();
    desk.take_in(1);
    let mut token = BidToken::single("t");
    token.brands.push(company("1", "Roof Co", "12.00").brand);
    desk.prepare(Intent { token: Some(token), ..one_of(2, 1, 1, "acme", "12.00") }).unwrap();
    desk.step(1, sold(1, 1), end(LeadStatus::Sold));
    assert_eq!(desk.standing(1).sales[0].name.as_deref(), Some("Roof Co"));
}

#[test]
fn an_erased_lead_keeps_what_was_sold_and_to_which_company_but_no_address() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(to_three(3, 1, 1)).unwrap();
    desk.step(1, Some(concluded(attempt(1, 1), taken_by(&[]))), end(LeadStatus::Sold));
    assert!(desk.standing(1).sales.iter().all(|sale| sale.redirect_url.is_some()));
    desk.store().erase(lead_id(1), at(300)).blocking_wait().unwrap().unwrap();
    let sales = desk.standing(1).sales;
    assert_eq!(sales.len(), 3);
    assert!(sales.iter().all(|sale| sale.redirect_url.is_none() && sale.name.is_some()));
    desk.verify();
}

#[test]
fn an_exclusive_lead_has_no_list_of_sales() {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    assert_eq!(desk.standing(1).sales, []);
    assert_eq!(desk.view(1).attempts[0].buyers, 1);
}

/// A post that pays the seller this much for the lead, however many buy it.
fn for_the_lead(payout: &str, step: u8, buyer: &str, price: &str) -> Intent {
    let own = one_of(3, 1, step, buyer, price);
    let on_price = PriceTerms { payout: PayoutRule::Fixed(usd(payout)), ..own.on_price.clone() };
    Intent { payout: usd(payout), on_price, ..own }
}

#[test]
fn what_is_paid_once_for_a_lead_is_not_paid_again_by_an_answer_that_comes_late() {
    let mut desk = Desk::new();
    desk.take_in(1);
    desk.prepare(for_the_lead("9.00", 1, "acme", "15.00")).unwrap();
    desk.step(1, unanswered(1, 1), next(for_the_lead("9.00", 2, "bolt", "12.00")));
    desk.step(1, sold(1, 2), end(LeadStatus::Sold));
    desk.crash();
    desk.later(sold(1, 1));
    assert_eq!(desk.states(1), ["accepted", "accepted"]);
    assert_eq!(
        (desk.payout(1).as_str(), desk.payouts(1).join(" ").as_str()),
        ("9.00", "0.00 9.00")
    );
    assert_eq!(desk.available("acme", &generous()), 10_000_000 - 1_500, "acme pays its price");
    assert_eq!(desk.to_tell(), Vec::<String>::new(), "the seller is paid what it was told");
    desk.verify();
}

#[test]
fn what_is_paid_once_is_not_paid_again_when_the_late_answer_came_first() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(for_the_lead("9.00", 1, "acme", "15.00")).unwrap();
    desk.step(1, unanswered(1, 1), next(for_the_lead("7.00", 2, "bolt", "12.00")));
    desk.later(sold(1, 1));
    desk.step(1, sold(1, 2), end(LeadStatus::Sold));
    assert_eq!(
        (desk.payout(1).as_str(), desk.payouts(1).join(" ").as_str()),
        ("9.00", "9.00 0.00")
    );
    desk.verify();
}

#[test]
fn what_is_paid_once_comes_with_the_late_sale_where_nobody_else_bought() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(for_the_lead("9.00", 1, "acme", "15.00")).unwrap();
    desk.step(1, unanswered(1, 1), next(for_the_lead("9.00", 2, "bolt", "12.00")));
    desk.step(1, refused(1, 2), end(LeadStatus::Pending));
    desk.later(sold(1, 1));
    assert_eq!(desk.payout(1), "9.00");
    desk.verify();
}
