//! Duplicates, resubmissions and suppression: who is asked nothing, and at what moment.

use exchange_model::lead::{HashForm, ListHash};
use exchange_model::{BuyerId, VerticalId};

use super::*;
use crate::suppression::{SuppressionAdded, SuppressionTarget};

fn again(desk: &Desk, number: u8) {
    let reply = desk.store().intake(desk.intake_of(number, &phone(1))).blocking_wait();
    assert_eq!(reply.unwrap(), IntakeReply::Accepted);
}

/// A post of the person of lead 1 to this buyer, by the source's rule.
fn order(desk: &Desk, number: u8, buyer: &str) -> Intent {
    let person = desk.person(&phone(1), at(-86_400));
    Intent { person, ..intent(number, 1, buyer, "12.00") }
}

/// The same, by another rule.
fn order_within(desk: &Desk, number: u8, buyer: &str, within: &Within) -> Intent {
    let mut order = order(desk, number, buyer);
    for claim in &mut order.person.claims {
        claim.within = within.clone();
    }
    order
}

#[test]
fn the_same_person_is_a_duplicate_until_nobody_bought() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(order(&desk, 1, "acme")).unwrap();
    again(&desk, 2);
    assert_eq!(desk.prepare(order(&desk, 2, "acme")).unwrap_err(), Refused::Duplicate);
    let prints = desk.person(&phone(1), at(0)).prints;
    let seen = || desk.store().dealings(&prints).blocking_wait().unwrap().len();
    assert_eq!(seen(), 2, "the lead's own, and the campaign's");
    desk.answer(1, concluded(attempt(1, 1), rejected()), LeadStatus::Unsold);
    assert_eq!(seen(), 0);
    desk.prepare(order(&desk, 2, "acme")).unwrap();
    again(&desk, 3);
    assert_eq!(desk.prepare(order(&desk, 3, "acme")).unwrap_err(), Refused::Duplicate);
    desk.verify();
}

#[test]
fn a_refused_post_does_not_give_the_lead_away_while_it_is_still_for_sale() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(order(&desk, 1, "acme")).unwrap();
    let poor = Intent { terms: prepaid(), ..intent(1, 2, "bolt", "11.00") };
    desk.step(1, Some(concluded(attempt(1, 1), rejected())), Next::Prepare(Box::new(poor)));
    again(&desk, 2);
    assert_eq!(desk.prepare(order(&desk, 2, "acme")).unwrap_err(), Refused::Duplicate);
    desk.verify();
}

#[test]
fn a_duplicate_outside_the_window_is_none() {
    let desk = Desk::new();
    desk.take_in(1);
    desk.prepare(order(&desk, 1, "acme")).unwrap();
    desk.answer(1, concluded(attempt(1, 1), accepted()), LeadStatus::Sold);
    again(&desk, 2);
    let person = desk.person(&phone(1), at(3));
    desk.prepare(Intent { person, ..intent(2, 1, "acme", "12.00") }).unwrap();
    desk.verify();
}

#[test]
fn an_empty_value_matches_nobody() {
    let desk = Desk::new();
    for number in 1..=2 {
        desk.take_in(number);
        let person = Person::default();
        desk.prepare(Intent { person, ..intent(number, 1, "acme", "12.00") }).unwrap();
    }
    desk.verify();
}

#[test]
fn each_scope_knows_its_own_sales_and_no_others() {
    let vertical: VerticalId = "auto".parse().unwrap();
    let cases = [
        (Within::Campaign(campaign("acme/auto")), Some(Refused::BuyerDuplicate)),
        (Within::Buyer("acme".parse().unwrap()), Some(Refused::BuyerDuplicate)),
        (Within::Campaign(campaign("acme/home")), None),
        (Within::Buyer("acm".parse().unwrap()), None),
        (Within::Buyer("bolt".parse().unwrap()), None),
        (Within::Source(source()), Some(Refused::Duplicate)),
        (Within::Source("leadgen/mail".parse().unwrap()), None),
        (Within::Seller("leadgen".parse().unwrap()), Some(Refused::Duplicate)),
        (Within::Seller("leadgem".parse().unwrap()), None),
        (Within::Vertical(vertical), Some(Refused::Duplicate)),
        (Within::Vertical("home".parse().unwrap()), None),
    ];
    for (within, expected) in cases {
        let desk = Desk::new();
        desk.take_in(1);
        desk.prepare(order(&desk, 1, "acme")).unwrap();
        desk.answer(1, concluded(attempt(1, 1), accepted()), LeadStatus::Sold);
        again(&desk, 2);
        let refused = desk.prepare(order_within(&desk, 2, "bolt", &within)).err();
        assert_eq!(refused, expected, "{within:?}");
        let claims = desk.person(&phone(1), at(0)).claims;
        let claim = Claim { within: within.clone(), ..claims[0].clone() };
        let prints = [claim.print.clone()];
        let early = desk.store().dealings(&prints).blocking_wait().unwrap();
        assert!(expected.is_none() || early.iter().any(|dealing| claim.meets(dealing)), "early");
    }
}

#[test]
fn what_a_buyer_may_have_it_keeps_and_what_it_refused_it_does_not() {
    let mine = Within::Campaign(campaign("acme/auto"));
    let unknown = || AttemptOutcome::Unknown(Unknown::Timeout, Handles::default());
    let ends = [
        (rejected(), LeadStatus::Unsold, None),
        (unknown(), LeadStatus::Pending, Some(Refused::BuyerDuplicate)),
    ];
    for (outcome, status, expected) in ends {
        let desk = Desk::new();
        desk.take_in(1);
        desk.prepare(order_within(&desk, 1, "acme", &mine)).unwrap();
        desk.answer(1, concluded(attempt(1, 1), outcome), status);
        again(&desk, 2);
        assert_eq!(desk.prepare(order_within(&desk, 2, "acme", &mine)).err(), expected);
        desk.verify();
    }
}

#[test]
fn a_person_sent_again_is_known_whatever_became_of_the_first_and_an_abandoned_one_is_not() {
    let desk = Desk::new();
    let send = |number: u8, since: i64| {
        let mut intake = desk.intake_of(number, &phone(1));
        intake.resubmission = desk.person(&phone(1), at(since)).claims;
        desk.store().intake(intake).blocking_wait().unwrap()
    };
    assert_eq!(send(1, -300), IntakeReply::Accepted);
    assert_eq!(send(2, -300), IntakeReply::Resubmitted { first: lead_id(1) });
    let unsold = Next::Answer(answer(LeadStatus::Unsold));
    desk.step(1, None, unsold);
    assert_eq!(send(3, -300), IntakeReply::Resubmitted { first: lead_id(1) });
    assert_eq!(send(4, 2), IntakeReply::Accepted, "the first was before the window");
    desk.store().abandon(lead_id(4), at(5)).blocking_wait().unwrap();
    assert_eq!(send(5, -300), IntakeReply::Accepted, "sent again, it runs");
    desk.store().erase(lead_id(5), at(6)).blocking_wait().unwrap();
    assert_eq!(send(6, -300), IntakeReply::Accepted, "the erased person is unknown");
}

#[test]
fn of_two_at_once_one_runs() {
    let desk = Desk::new();
    let ready = (1..=16).map(|number| {
        let mut intake = desk.intake_of(number, &phone(1));
        intake.resubmission = desk.person(&phone(1), at(-300)).claims;
        desk.store().intake(intake)
    });
    let replies: Vec<_> =
        ready.collect::<Vec<_>>().into_iter().map(|t| t.blocking_wait()).collect();
    let ran = replies.iter().filter(|reply| matches!(reply, Ok(IntakeReply::Accepted))).count();
    assert_eq!(ran, 1);
}

fn acme() -> BuyerId {
    "acme".parse().unwrap()
}

fn listed(desk: &Desk, phone: &str) -> ListHash {
    let key = desk.store().keys().fingerprints();
    ListHash::new(key, "us_phone", HashForm::Sha256, &HashForm::Sha256.digest(phone))
}

fn customers() -> SuppressionTarget {
    SuppressionTarget::List(acme(), "customers".to_owned())
}

/// A post of lead `number` to a campaign of acme that uses the list.
fn suppressing(desk: &Desk, number: u8) -> Intent {
    let contact = lead(number, &phone(number));
    let key = desk.store().keys().fingerprints();
    let listed_as = contact.contact().listed_as(&vertical(), key);
    let person = Person { lists: vec!["customers".to_owned()], listed_as, ..Person::default() };
    Intent { person, ..intent(number, 1, "acme", "12.00") }
}

#[test]
fn nobody_on_a_list_is_posted_from_the_moment_it_is_durable_and_after_a_restart() {
    let mut desk = Desk::new();
    for number in 1..=3 {
        desk.take_in(number);
    }
    desk.prepare(suppressing(&desk, 1)).unwrap();
    let entries = vec![listed(&desk, &phone(2))];
    let added = desk.store().suppress(customers(), entries.clone(), at(5)).blocking_wait();
    assert_eq!(added.unwrap(), SuppressionAdded { added: 1, known: 0 });
    assert_eq!(desk.prepare(suppressing(&desk, 2)).unwrap_err(), Refused::Suppressed);
    desk.prepare(suppressing(&desk, 3)).unwrap();
    let again = desk.store().suppress(customers(), entries, at(6)).blocking_wait();
    assert_eq!(again.unwrap(), SuppressionAdded { added: 0, known: 1 });
    let order = suppressing(&desk, 2);
    desk.crash();
    let lists = || ["customers".to_owned()];
    assert!(desk.store().suppresses(&acme(), &lists(), &order.person.listed_as));
    assert!(desk.store().remove_suppression(&acme(), "customers").blocking_wait().unwrap());
    assert!(!desk.store().suppresses(&acme(), &lists(), &order.person.listed_as));
    desk.verify();
}

#[test]
fn an_upload_takes_the_place_of_a_list_at_once_and_a_broken_one_changes_nothing() {
    let mut desk = Desk::new();
    let (old, new) = (listed(&desk, &phone(1)), listed(&desk, &phone(2)));
    let lists = || ["customers".to_owned()];
    let names = |desk: &Desk, entry: ListHash| desk.store().suppresses(&acme(), &lists(), &[entry]);
    desk.store().suppress(customers(), vec![old], at(1)).blocking_wait().unwrap();
    let begin = |desk: &Desk| {
        desk.store().begin_suppression(&acme(), "customers", at(2)).blocking_wait().unwrap()
    };
    let broken = begin(&desk);
    desk.store()
        .suppress(SuppressionTarget::Upload(broken), vec![new], at(3))
        .blocking_wait()
        .unwrap();
    assert!(names(&desk, old) && !names(&desk, new));
    let upload = begin(&desk);
    assert!(desk.store().swap_suppression(broken, at(4)).blocking_wait().is_err(), "given up");
    desk.store()
        .suppress(SuppressionTarget::Upload(upload), vec![new], at(5))
        .blocking_wait()
        .unwrap();
    desk.store().swap_suppression(upload, at(6)).blocking_wait().unwrap();
    assert!(!names(&desk, old) && names(&desk, new));
    while desk.store().sweep_suppression().blocking_wait().unwrap() {}
    desk.crash();
    assert!(!names(&desk, old) && names(&desk, new));
    let shown = desk.store().suppression_lists().blocking_wait().unwrap();
    assert_eq!(shown.len(), 1);
    assert_eq!(
        (shown[0].name.as_str(), shown[0].entries, shown[0].changed_at),
        ("customers", 1, at(6))
    );
}
