//! Commits A and B, step by step.

use exchange_model::outcome::BidToken;

use super::*;

#[test]
fn a_lead_is_held_posted_and_sold() {
    let desk = Desk::new();
    desk.take_in(1);
    let permit = desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    assert_eq!((permit.attempt(), permit.campaign().as_str()), (attempt(1, 1), "acme/auto"));
    assert_eq!((desk.held(), desk.used("acme")), (vec![attempt(1, 1)], 1));
    desk.answer(1, concluded(attempt(1, 1), accepted()), LeadStatus::Sold);
    let standing = desk.standing(1);
    assert_eq!((standing.status, standing.payout), (Some(LeadStatus::Sold), Some(usd("5.00"))));
    assert_eq!((desk.held(), desk.used("acme")), (vec![], 1));
    assert_eq!(desk.store().last_won(&campaign("acme/auto")), Some(at(2)));
    assert_eq!(desk.available("acme", &generous()), 10_000_000 - 1_200);
    let view = desk.view(1);
    let kinds: Vec<_> = view.transactions.iter().map(|t| t.transaction.kind().code()).collect();
    assert_eq!(kinds, ["hold", "sale"]);
    desk.verify();
}

#[test]
fn a_rejection_and_the_next_intent_are_one_commit() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    let before = desk.store().stats().commits;
    let next = Next::Prepare(Box::new(intent(1, 2, "bolt", "11.00")));
    let done = desk.try_step(1, Some(concluded(attempt(1, 1), rejected())), next).unwrap();
    assert_eq!(done.permit.unwrap().attempt(), attempt(1, 2));
    assert_eq!(desk.store().stats().commits, before + 1);
    assert_eq!((desk.used("acme"), desk.used("bolt")), (0, 1));
    assert_eq!(desk.held(), [attempt(1, 2)]);
    desk.answer(1, concluded(attempt(1, 2), rejected()), LeadStatus::Unsold);
    assert_eq!(desk.states(1), ["rejected", "rejected"]);
    assert_eq!((desk.held(), desk.used("bolt")), (vec![], 0));
    desk.verify();
}

#[test]
fn a_refused_intent_leaves_the_conclusion_standing() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    let mut poor = intent(1, 2, "bolt", "11.00");
    poor.terms = prepaid();
    let ended = Some(concluded(attempt(1, 1), rejected()));
    let done = desk.step(1, ended, Next::Prepare(Box::new(poor)));
    assert_eq!(done, Durable::Refused(Refused::NoCredit));
    assert_eq!(desk.states(1), ["rejected"]);
    assert_eq!((desk.used("acme"), desk.used("bolt")), (0, 0));
    desk.verify();
}

#[test]
fn a_prepaid_buyer_spends_what_it_paid_and_no_more() {
    let desk = Desk::new();
    assert!(desk.top_up("acme", "20", "REF-1").unwrap());
    assert!(!desk.top_up("acme", "20", "REF-1").unwrap(), "one transfer counts once");
    assert!(matches!(desk.top_up("acme", "21", "REF-1"), Err(StoreError::Conflict(_))));
    let order = |number| Intent { terms: prepaid(), ..intent(number, 1, "acme", "12.00") };
    desk.take_in(1);
    desk.take_in(2);
    desk.prepare(order(1)).unwrap();
    assert_eq!(desk.available("acme", &prepaid()), 800);
    assert_eq!(desk.prepare(order(2)).unwrap_err(), Refused::NoCredit);
    let ended = Some(concluded(attempt(1, 1), rejected()));
    desk.step(1, ended, Next::Answer(answer(LeadStatus::Unsold)));
    desk.prepare(order(2)).unwrap();
    desk.verify();
}

#[test]
fn a_lost_answer_keeps_the_hold_until_it_is_known() {
    let desk = Desk::new();
    desk.take_in(1);
    let mut order = intent(1, 1, "acme", "12.00");
    order.token = Some(BidToken::single("bid-7"));
    desk.prepare(order).unwrap();
    desk.answer(1, concluded(attempt(1, 1), lost()), LeadStatus::Pending);
    assert_eq!((desk.held(), desk.used("acme")), (vec![attempt(1, 1)], 1));
    let open = desk.store().open_attempts().blocking_wait().unwrap();
    assert_eq!((open.len(), open[0].since), (1, at(2)));
    assert_eq!(open[0].intent.token, Some(BidToken::single("bid-7")));
    assert_eq!(open[0].intent.terms, generous());
    let reopened = desk.store().reopen(attempt(1, 1)).blocking_wait().unwrap();
    let (parts, permit) = reopened.unwrap();
    let again = parts.restore(&vertical(), TODAY).unwrap();
    let at_phone = vertical().index("phone").unwrap();
    assert_eq!(again.expose(at_phone, &permit), Some(phone(1)));
    assert_eq!(desk.to_tell(), Vec::<String>::new());
    desk.step(1, Some(concluded(attempt(1, 1), accepted())), Next::Nothing);
    desk.step(1, Some(concluded(attempt(1, 1), accepted())), Next::Nothing);
    assert_eq!(desk.status(1), Some(LeadStatus::Sold));
    assert_eq!(desk.standing(1).payout, Some(usd("5.00")));
    assert_eq!(desk.to_tell(), ["lead.resolved https://seller.example/cb"]);
    assert!(desk.store().reopen(attempt(1, 1)).blocking_wait().unwrap().is_none());
    let sale = &desk.view(1).transactions[1].transaction;
    assert_eq!(sale.effective_at(), at(2), "it took effect when the lead was posted");
    desk.verify();
}

#[test]
fn a_post_whose_outcome_is_not_written_yet_may_be_repeated() {
    let desk = Desk::new();
    desk.take_in(1);
    assert!(desk.store().reopen(attempt(1, 1)).blocking_wait().is_err(), "nothing was prepared");
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    let (_parts, permit) =
        desk.store().reopen(attempt(1, 1)).blocking_wait().unwrap().expect("its answer is awaited");
    assert_eq!(permit.attempt(), attempt(1, 1));
}

#[test]
fn a_lost_answer_that_was_a_no_ends_the_lead_unsold() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    desk.answer(1, concluded(attempt(1, 1), lost()), LeadStatus::Pending);
    desk.step(1, Some(concluded(attempt(1, 1), rejected())), Next::Nothing);
    assert_eq!(desk.status(1), Some(LeadStatus::Unsold));
    assert_eq!((desk.held(), desk.used("acme")), (vec![], 0));
    desk.verify();
}

#[test]
fn no_second_buyer_is_prepared_while_one_may_have_the_lead() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    let next = || Next::Prepare(Box::new(intent(1, 2, "bolt", "11.00")));
    assert!(matches!(desk.try_step(1, None, next()), Err(StoreError::Conflict(_))));
    let unknown = Some(concluded(attempt(1, 1), lost()));
    assert!(matches!(desk.try_step(1, unknown, next()), Err(StoreError::Conflict(_))));
    assert_eq!(desk.states(1), ["prepared"], "a step happens whole or not at all");
    assert_eq!((desk.used("acme"), desk.used("bolt")), (1, 0));
    desk.verify();
}

#[test]
fn an_accept_after_a_permitted_cascade_is_not_charged() {
    let desk = Desk::new();
    desk.take_in(1);
    let cascade = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "12.00") };
    desk.prepare(cascade).unwrap();
    let next = Next::Prepare(Box::new(intent(1, 2, "bolt", "11.00")));
    desk.step(1, Some(concluded(attempt(1, 1), lost())), next);
    desk.answer(1, concluded(attempt(1, 2), accepted()), LeadStatus::Sold);
    desk.step(1, Some(concluded(attempt(1, 1), accepted())), Next::Nothing);
    assert_eq!(desk.states(1), ["late_accept_conflict", "accepted"]);
    assert_eq!(desk.exceptions(), ["late_accept_conflict"]);
    assert_eq!((desk.held(), desk.used("acme"), desk.used("bolt")), (vec![], 0, 1));
    assert_eq!(desk.available("acme", &generous()), 10_000_000);
    assert_eq!(desk.status(1), Some(LeadStatus::Sold));
    desk.verify();
}

#[test]
fn a_late_accept_while_the_auction_goes_on_stops_the_cascade_and_is_how_the_lead_stands() {
    let desk = Desk::new();
    desk.take_in(1);
    let cascade = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "12.00") };
    desk.prepare(cascade).unwrap();
    desk.step(1, Some(concluded(attempt(1, 1), accepted())), Next::Nothing);
    let next = Next::Prepare(Box::new(intent(1, 2, "bolt", "11.00")));
    let refused = desk.step(1, Some(concluded(attempt(1, 1), lost())), next);
    assert_eq!(refused, Durable::Refused(Refused::Sold));
    desk.step(1, None, Next::Answer(answer(LeadStatus::Pending)));
    assert_eq!(desk.status(1), Some(LeadStatus::Sold));
    assert_eq!(desk.standing(1).payout, Some(usd("5.00")));
    assert_eq!(desk.to_tell(), ["lead.resolved https://seller.example/cb"]);
    assert_eq!((desk.states(1), desk.exceptions()), (vec!["accepted".to_owned()], vec![]));
    desk.verify();
}

#[test]
fn an_accept_after_a_late_accept_is_not_charged_and_the_payout_is_the_booked_one() {
    let desk = Desk::new();
    desk.take_in(1);
    let cascade = Intent { unknown: UnknownPolicy::Cascade, ..intent(1, 1, "acme", "12.00") };
    desk.prepare(Intent { payout: usd("6.00"), ..cascade }).unwrap();
    let next = Next::Prepare(Box::new(intent(1, 2, "bolt", "11.00")));
    desk.step(1, Some(concluded(attempt(1, 1), lost())), next);
    desk.step(1, Some(concluded(attempt(1, 1), accepted())), Next::Nothing);
    desk.answer(1, concluded(attempt(1, 2), accepted()), LeadStatus::Sold);
    assert_eq!(desk.states(1), ["accepted", "late_accept_conflict"]);
    assert_eq!(desk.standing(1).payout, Some(usd("6.00")), "as it is in the books");
    desk.verify();
}

#[test]
fn a_late_no_before_the_answer_leaves_no_lead_pending_for_ever() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(intent(1, 1, "acme", "12.00")).unwrap();
    desk.step(1, Some(concluded(attempt(1, 1), rejected())), Next::Nothing);
    desk.answer(1, concluded(attempt(1, 1), lost()), LeadStatus::Pending);
    assert_eq!(desk.status(1), Some(LeadStatus::Unsold));
    desk.verify();
}

#[test]
fn an_outcome_counts_once_and_the_first_decision_stands() {
    let desk = Desk::new();
    desk.sell(1, "acme", "12.00");
    let books = desk.view(1).transactions;
    for outcome in [accepted(), lost()] {
        desk.step(1, Some(concluded(attempt(1, 1), outcome)), Next::Nothing);
        assert_eq!(desk.exceptions(), Vec::<String>::new());
    }
    desk.step(1, Some(concluded(attempt(1, 1), rejected())), Next::Nothing);
    assert_eq!(desk.exceptions(), ["contradiction"]);
    assert_eq!(
        (desk.states(1), desk.status(1)),
        (vec!["accepted".to_owned()], Some(LeadStatus::Sold))
    );
    assert_eq!(desk.view(1).transactions, books);
    desk.verify();
}

#[test]
fn a_lead_is_not_called_sold_unless_somebody_bought_it() {
    let desk = Desk::new();
    desk.take_in(1);
    let error = desk.try_step(1, None, Next::Answer(answer(LeadStatus::Sold))).unwrap_err();
    assert!(matches!(error, StoreError::Conflict(_)));
    desk.step(1, None, Next::Answer(answer(LeadStatus::Unsold)));
    desk.step(1, None, Next::Answer(answer(LeadStatus::Pending)));
    assert_eq!(desk.status(1), Some(LeadStatus::Unsold), "the first answer stands");
    assert_eq!(desk.exceptions(), ["contradiction"]);
}

#[test]
fn a_lead_that_costs_nothing_is_sold_without_a_hold() {
    let desk = Desk::new();
    desk.take_in(1);
    let free = Intent { payout: usd("0"), ..intent(1, 1, "acme", "0") };
    desk.prepare(free).unwrap();
    desk.answer(1, concluded(attempt(1, 1), accepted()), LeadStatus::Sold);
    assert!(desk.view(1).transactions.is_empty());
    desk.verify();
}

#[test]
fn one_operation_that_fails_does_not_fail_its_batch() {
    let desk = Desk::new();
    desk.take_in(1);
    let unknown_lead = Commit {
        lead: lead_id(9),
        at: at(1),
        concluded: None,
        qualified: Vec::new(),
        next: Next::Prepare(Box::new(intent(9, 1, "acme", "1"))),
    };
    let good = Commit {
        lead: lead_id(1),
        at: at(1),
        concluded: None,
        qualified: Vec::new(),
        next: Next::Prepare(Box::new(intent(1, 1, "acme", "1"))),
    };
    let (bad, good) = (desk.store().commit(unknown_lead, None), desk.store().commit(good, None));
    assert!(matches!(bad.blocking_wait(), Err(StoreError::NoLead(_))));
    assert!(good.blocking_wait().unwrap().permit.is_some());
    desk.verify();
}

#[test]
fn transactions_are_read_page_by_page_in_order() {
    let desk = Desk::new();
    for number in 1..=5 {
        desk.sell(number, "acme", "12.00");
    }
    let page = desk.store().transactions(3, 2).blocking_wait().unwrap();
    let numbers: Vec<_> = page.transactions.iter().map(|t| t.sequence).collect();
    assert_eq!((numbers, page.more), (vec![4, 5], true));
    let all: Result<Vec<_>, _> = crate::all_transactions(desk.store()).collect();
    let numbers: Vec<_> = all.unwrap().iter().map(|t| t.sequence).collect();
    assert_eq!(numbers, (1..=10).collect::<Vec<_>>());
}
