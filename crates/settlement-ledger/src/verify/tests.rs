//! Every kind of damage is found and named.

use super::*;
use crate::balance::Balances;
use crate::entry::{Entry, Header};
use crate::hold;
use crate::sale::{SaleLeg, SaleRequest};
use crate::samples::{attempt, cents, held, noon, sale_request, sold, usd, wired};

/// A stored ledger that a test may tamper with before it is verified.
struct Books {
    records: Vec<(u64, Transaction, RecordHash)>,
    balances: BTreeMap<BalanceKey, MinorUnits>,
    holds: Vec<Hold>,
    open_attempts: Vec<AttemptId>,
    head: (u64, RecordHash),
}

/// A top-up; attempt 1 sold, 2 released, 3 still open.
fn sound_books() -> Books {
    let (hold_1, open_1) = held(1, "12.00", noon(2));
    let (hold_2, open_2) = held(2, "9.00", noon(2));
    let (hold_3, open_3) = held(3, "7.00", noon(2));
    let sale = sold(&open_1, 1, "11.00", "8.80", noon(2));
    let (release, released) = hold::release(&open_2, noon(2)).unwrap();
    let top_up = wired("acme_mutual", "REF-1", usd("500.00"), noon(1));
    let booked = vec![top_up, hold_1, sale.transactions[0].clone(), hold_2, release, hold_3];
    let holds = vec![sale.hold.unwrap(), released, open_3];
    let mut books = Books {
        records: Vec::new(),
        balances: BTreeMap::new(),
        holds,
        open_attempts: vec![attempt(3)],
        head: (0, GENESIS),
    };
    books.append(booked);
    books
}

impl Books {
    /// Chains the transactions and applies them to the balances, as a store does.
    fn append(&mut self, transactions: Vec<Transaction>) {
        let mut balances = Balances::new();
        let (mut sequence, mut previous) = self.head;
        let mut records: Vec<_> = self.records.drain(..).collect();
        for transaction in transactions {
            sequence = sequence.saturating_add(1);
            previous = chain::link(&previous, &transaction);
            records.push((sequence, transaction, previous));
        }
        for (_, transaction, _) in &records {
            balances.apply(transaction).unwrap();
        }
        self.records = records;
        self.balances = balances.iter().map(|(key, balance)| (key.clone(), balance)).collect();
        self.head = (sequence, previous);
    }

    fn tamper(&mut self, idx: usize, change: impl FnOnce(&mut Header, &mut Vec<Entry>)) {
        let (_, transaction, _) = &mut self.records[idx];
        let (mut header, mut entries) =
            (transaction.header().clone(), transaction.entries().to_vec());
        change(&mut header, &mut entries);
        *transaction = Transaction::stored(header, entries);
    }

    fn verify(&self) -> VerifyReport {
        let mut verifier = Verifier::new();
        for (sequence, transaction, hash) in &self.records {
            verifier.transaction(*sequence, transaction, hash);
        }
        verifier.head(self.head.0, &self.head.1);
        for (key, balance) in &self.balances {
            verifier.balance(key.clone(), *balance);
        }
        self.holds.iter().for_each(|hold| verifier.hold(hold));
        self.open_attempts.iter().for_each(|attempt| verifier.open_attempt(*attempt));
        verifier.finish()
    }

    fn codes(&self) -> Vec<&'static str> {
        self.verify().findings.iter().map(VerifyFinding::code).collect()
    }
}

#[test]
fn sound_books_are_called_sound() {
    let report = sound_books().verify();
    assert_eq!(report.findings, []);
    assert_eq!(report.to_string(), "6 transactions verified, the books are sound");
    assert!(Verifier::new().finish().sound());
}

#[test]
fn an_edited_amount_breaks_the_chain_the_sums_and_the_balances() {
    let mut books = sound_books();
    books.tamper(0, |_, entries| entries[0].minor = cents(50_001));
    expect_test::expect![[r"
        6 transactions checked, 4 findings:
          chain_broken: the chain of record hashes breaks at sequence number 1 (number 1 was due): compare this record and its neighbours with a backup
          bad_transaction: transaction 1 (`tu:REF-1`) could not have been booked: settled debits of `500.01 USD` do not equal credits of `500.00 USD`
          sum_not_zero: settled entries in USD sum to 1 minor units instead of zero: look for transactions reported as unbalanced
          balance_mismatch: the settled balance of `A:Bank:main` in USD is stored as 50000 and its entries sum to 50001: the balance row or one of its entries was changed"]]
    .assert_eq(&books.verify().to_string());
}

#[test]
fn an_edited_remark_breaks_the_chain_at_its_record_and_is_reported_once() {
    let mut books = sound_books();
    books.tamper(2, |header, _| "edited".clone_into(&mut header.memo));
    books.tamper(4, |header, _| "edited too".clone_into(&mut header.memo));
    let findings = books.verify().findings;
    assert_eq!(findings, [VerifyFinding::ChainBroken { sequence: 3, expected: 3 }]);
}

#[test]
fn a_removed_record_breaks_the_chain_at_the_next_one() {
    let mut books = sound_books();
    books.records.remove(0);
    let findings = books.verify().findings;
    assert_eq!(findings[0], VerifyFinding::ChainBroken { sequence: 2, expected: 1 });
}

#[test]
fn a_gap_in_the_numbers_is_found_even_where_the_hashes_fit() {
    let mut books = sound_books();
    books.records[5].0 = 7;
    books.head.0 = 7;
    let findings = books.verify().findings;
    assert_eq!(findings, [VerifyFinding::ChainBroken { sequence: 7, expected: 6 }]);
}

#[test]
fn swapped_records_break_the_chain() {
    let mut books = sound_books();
    books.records.swap(3, 4);
    let findings = books.verify().findings;
    assert_eq!(findings[0], VerifyFinding::ChainBroken { sequence: 5, expected: 4 });
}

#[test]
fn records_cut_off_at_the_end_are_missed_at_the_head() {
    let mut books = sound_books();
    books.records.pop();
    let findings = books.verify().findings;
    assert_eq!(findings[0], VerifyFinding::HeadMismatch { last: 5, head: 6 });
}

#[test]
fn an_edited_balance_row_is_named() {
    let mut books = sound_books();
    let key = books.balances.keys().next().unwrap().clone();
    books.balances.insert(key.clone(), cents(1));
    let found = VerifyFinding::BalanceMismatch { key, stored: cents(1), recomputed: 50_000 };
    assert_eq!(books.verify().findings, [found]);
}

#[test]
fn a_balance_that_nothing_explains_or_that_is_missing_is_named() {
    let mut books = sound_books();
    let (key, _) = books.balances.pop_first().unwrap();
    books.balances.insert(BalanceKey { account: Account::Opening, ..key }, cents(5));
    assert_eq!(books.codes(), ["balance_mismatch", "balance_mismatch"]);
}

#[test]
fn an_open_hold_and_an_open_attempt_belong_together() {
    let mut books = sound_books();
    books.open_attempts.clear();
    let attempt_3 = attempt(3);
    let found = VerifyFinding::HoldWithoutAttempt { attempt: attempt_3 };
    assert_eq!(books.verify().findings, [found]);
    books.open_attempts = vec![attempt(3), attempt(1)];
    let attempt_1 = attempt(1);
    let found = VerifyFinding::AttemptWithoutHold { attempt: attempt_1 };
    assert_eq!(books.verify().findings, [found]);
}

#[test]
fn a_hold_row_that_differs_from_its_entries_is_named() {
    let mut books = sound_books();
    books.holds[2].amount = cents(701);
    assert_eq!(books.codes(), ["pending_mismatch", "hold_mismatch"]);
    books.holds.pop();
    assert_eq!(books.codes(), ["pending_mismatch", "hold_mismatch", "attempt_without_hold"]);
    let mut books = sound_books();
    books.holds[0].state = HoldState::Captured { captured: cents(1_101) };
    assert_eq!(books.codes(), ["hold_mismatch"]);
    books.holds[0].state = HoldState::Released;
    assert_eq!(books.codes(), ["hold_mismatch"]);
}

#[test]
fn a_hold_that_ends_twice_is_named() {
    let mut books = sound_books();
    let (_, open) = held(1, "12.00", noon(2));
    let (release, _) = hold::release(&open, noon(3)).unwrap();
    books.append(vec![release]);
    let codes = books.codes();
    assert_eq!(codes, ["resolved_twice", "pending_mismatch"]);
}

#[test]
fn a_hold_placed_twice_or_ended_with_other_money_is_named() {
    let mut books = sound_books();
    let (again, _) = held(3, "7.00", noon(3));
    books.append(vec![again]);
    assert_eq!(books.codes(), ["held_twice", "pending_mismatch"]);
    let mut books = sound_books();
    let (_, other) = held(3, "7.01", noon(2));
    let (release, released) = hold::release(&other, noon(3)).unwrap();
    books.append(vec![release]);
    books.holds[2] = released;
    assert!(books.codes().contains(&"resolved_otherwise"));
}

#[test]
fn a_report_spells_out_only_so_much() {
    let mut report = VerifyReport::default();
    for sequence in 0..=u64::try_from(FINDINGS_MAX).unwrap() {
        report.add(VerifyFinding::HeadMismatch { last: 0, head: sequence });
    }
    assert_eq!((report.findings.len(), report.left_out), (FINDINGS_MAX, 1));
    assert!(report.to_string().ends_with("and 1 more"));
}

/// Attempt 4, sold to two companies behind its buyer: what books it, and the hold it leaves.
fn two_legs() -> (Vec<Transaction>, Hold) {
    let (placed, open) = held(4, "30.00", noon(3));
    let leg = |number, price| SaleLeg {
        number,
        company: format!("Company {number}"),
        price: usd(price),
        payout: usd("4.00"),
    };
    let legs = vec![leg(1, "12.00"), leg(2, "8.00")];
    let request = SaleRequest { legs, ..sale_request(4, "20.00", "8.00", noon(3)) };
    let sale = sale::book(request, Some(&open)).unwrap();
    let mut booked = vec![placed];
    booked.extend(sale.transactions);
    (booked, sale.hold.unwrap())
}

#[test]
fn a_sale_in_legs_is_sound_and_its_hold_is_captured_by_all_of_them() {
    let mut books = sound_books();
    let (booked, hold) = two_legs();
    books.append(booked);
    books.holds.push(hold);
    assert_eq!(books.verify().findings, []);
    let captured = HoldState::Captured { captured: cents(1_200) };
    books.holds.last_mut().unwrap().state = captured;
    assert_eq!(books.codes(), ["hold_mismatch"], "as if the second leg had not been booked");
}

#[test]
fn a_leg_that_is_booked_twice_is_named() {
    let mut books = sound_books();
    let (mut booked, hold) = two_legs();
    booked.push(booked[2].clone());
    books.append(booked);
    books.holds.push(hold);
    assert!(books.codes().contains(&"resolved_twice"), "{:?}", books.codes());
}
