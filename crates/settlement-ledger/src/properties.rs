//! Random histories, checked after every step against a small ledger of maps.
//!
//! [`Reference`] knows nothing of entries: it keeps what each party has, owes, earned and holds in
//! whole cents, rounds by itself and decides by itself what to refuse. The real ledger must refuse
//! the same events with the same code, and its balances must say the same.

#![expect(clippy::arithmetic_side_effects, reason = "the reference counts in i128 and stays small")]

use std::collections::BTreeSet;

use exchange_model::billing::BillingTerms;
use exchange_model::id::{AttemptId, BuyerId};
use exchange_model::money::{Currency, MinorUnits, Money};
use proptest::prelude::*;

use crate::account::{Account, BankName};
use crate::balance::{BalanceKey, Balances};
use crate::chain::{self, GENESIS, RecordHash};
use crate::entry::{Layer, Transaction};
use crate::error::LedgerError;
use crate::hold::{self, Funds, Hold, HoldState};
use crate::sale::{self, LossPolicy, SaleLeg, SaleRequest};
use crate::samples::{cents, hold_request, net, noon, prepaid, wired};
use crate::verify::Verifier;

const BUYERS: [&str; 4] = ["cash", "credit_line", "terms", "small_terms"];
const SELLERS: [&str; 2] = ["leadgen", "clicks"];

/// Cents that the buyer may be below zero (prepaid) or may owe and hold in all (terms).
const LIMITS: [i128; 4] = [0, 1_500, 20_000, 900];

fn is_prepaid(buyer: usize) -> bool {
    buyer < 2
}

fn terms(buyer: usize) -> BillingTerms {
    match buyer {
        0 => prepaid("0"),
        1 => prepaid("15.00"),
        2 => net("200.00"),
        _ => net("9.00"),
    }
}

/// Amounts are thousandths, so that rounding has something to do.
#[derive(Clone, Debug)]
enum Step {
    TopUp { buyer: usize, cents: i64 },
    Hold { buyer: usize, amount: i64 },
    Sale { hold: prop::sample::Index, legs: Vec<(i64, i64)>, seller: usize, loss: bool },
    Release { hold: prop::sample::Index },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let top_up = (0..2_usize, 0..3_000_i64).prop_map(|(buyer, cents)| Step::TopUp { buyer, cents });
    let hold = (0..4_usize, 0..9_000_i64).prop_map(|(buyer, amount)| Step::Hold { buyer, amount });
    // A price and a payout; several are companies behind one buyer.
    let legs = prop::collection::vec((0..7_000_i64, 0..7_000_i64), 1..4);
    let sale = (any::<prop::sample::Index>(), legs, 0..2_usize, any::<bool>())
        .prop_map(|(hold, legs, seller, loss)| Step::Sale { hold, legs, seller, loss });
    let release = any::<prop::sample::Index>().prop_map(|hold| Step::Release { hold });
    let step = prop_oneof![2 => top_up, 4 => hold, 3 => sale, 2 => release];
    prop::collection::vec(step, 1..60)
}

/// What the legs come to in cents: each is rounded by itself.
fn added(legs: &[(i64, i64)]) -> (i128, i128) {
    let add =
        |sum: (i128, i128), leg: &(i64, i64)| (sum.0 + rounded(leg.0), sum.1 + rounded(leg.1));
    legs.iter().fold((0, 0), add)
}

/// Half to even, from thousandths to cents.
fn rounded(thousandths: i64) -> i128 {
    let (whole, rest) = (thousandths.div_euclid(10), thousandths.rem_euclid(10));
    let up = rest > 5 || (rest == 5 && whole.rem_euclid(2) == 1);
    i128::from(whole) + i128::from(up)
}

fn money(thousandths: i64) -> Money {
    let text = format!("{}.{:03}", thousandths.div_euclid(1_000), thousandths.rem_euclid(1_000));
    Money::parse(&text, Currency::USD).unwrap()
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct ReferenceHold {
    buyer: usize,
    amount: i128,
    open: bool,
}

/// The same books, as a handful of numbers.
#[derive(Clone, Debug, Default)]
struct Reference {
    bank: i128,
    /// What a prepaid buyer has left, or a buyer on terms owes.
    balance: [i128; 4],
    sales: i128,
    cost: i128,
    earned: [i128; 2],
    holds: Vec<ReferenceHold>,
}

impl Reference {
    fn held(&self, buyer: usize) -> i128 {
        self.holds.iter().filter(|hold| hold.open && hold.buyer == buyer).map(|h| h.amount).sum()
    }

    fn available(&self, buyer: usize) -> i128 {
        let balance = if is_prepaid(buyer) { self.balance[buyer] } else { -self.balance[buyer] };
        balance + LIMITS[buyer] - self.held(buyer)
    }

    /// The code of the refusal, or none.
    fn apply(&mut self, step: &Step) -> Option<&'static str> {
        match *step {
            Step::TopUp { buyer, cents } => self.top_up(buyer, i128::from(cents)),
            Step::Hold { buyer, amount } => self.hold(buyer, rounded(amount)),
            Step::Sale { hold, ref legs, seller, loss } => {
                let (price, payout) = added(legs);
                let hold = hold.index(self.holds.len());
                let refusal = self.refuses_sale(hold, price, payout, loss);
                if refusal.is_none() {
                    self.sale(hold, price, payout, seller);
                }
                refusal
            }
            Step::Release { hold } => {
                let hold = hold.index(self.holds.len());
                let was_open = std::mem::replace(&mut self.holds[hold].open, false);
                (!was_open).then_some("hold_not_open")
            }
        }
    }

    fn top_up(&mut self, buyer: usize, cents: i128) -> Option<&'static str> {
        if cents == 0 {
            return Some("amount_not_positive");
        }
        self.bank += cents;
        self.balance[buyer] += cents;
        None
    }

    fn hold(&mut self, buyer: usize, amount: i128) -> Option<&'static str> {
        if amount == 0 {
            return Some("amount_not_positive");
        }
        if amount > self.available(buyer) {
            return Some("over_credit_limit");
        }
        self.holds.push(ReferenceHold { buyer, amount, open: true });
        None
    }

    fn refuses_sale(
        &self,
        hold: usize,
        price: i128,
        payout: i128,
        loss: bool,
    ) -> Option<&'static str> {
        let ReferenceHold { amount, open, .. } = self.holds[hold];
        if !open {
            return Some("hold_not_open");
        }
        if price > amount {
            return Some("price_above_hold");
        }
        (payout > price && !loss).then_some("payout_above_price")
    }

    fn sale(&mut self, hold: usize, price: i128, payout: i128, seller: usize) {
        let hold = &mut self.holds[hold];
        hold.open = false;
        self.balance[hold.buyer] += if is_prepaid(hold.buyer) { -price } else { price };
        self.sales += price;
        self.cost += payout;
        self.earned[seller] += payout;
    }
}

/// What a store does with the crate's results: balances, holds and chain.
#[derive(Debug, Default)]
struct Books {
    balances: Balances,
    records: Vec<(Transaction, RecordHash)>,
    holds: Vec<Hold>,
}

impl Books {
    fn apply(&mut self, step: &Step) -> Result<(), LedgerError> {
        match *step {
            Step::TopUp { buyer, cents } => self.top_up(buyer, cents),
            Step::Hold { buyer, amount } => self.hold(buyer, amount),
            Step::Sale { hold, ref legs, seller, loss } => {
                let idx = hold.index(self.holds.len());
                let loss = if loss { LossPolicy::Allow } else { LossPolicy::Refuse };
                let request = sale_of(self.holds[idx].attempt, legs, SELLERS[seller], loss);
                self.sale(idx, request)
            }
            Step::Release { hold } => self.release(hold.index(self.holds.len())),
        }
    }

    fn sale(&mut self, idx: usize, request: SaleRequest) -> Result<(), LedgerError> {
        let sale = sale::book(request, Some(&self.holds[idx]))?;
        self.holds[idx] = sale.hold.expect("a sale of a hold returns it");
        sale.transactions.into_iter().try_for_each(|transaction| self.write(transaction))
    }

    fn release(&mut self, idx: usize) -> Result<(), LedgerError> {
        let (transaction, released) = hold::release(&self.holds[idx], noon(2))?;
        self.holds[idx] = released;
        self.write(transaction)
    }

    fn top_up(&mut self, buyer: usize, minor: i64) -> Result<(), LedgerError> {
        if minor == 0 {
            return Err(LedgerError::AmountNotPositive(Money::zero(Currency::USD)));
        }
        let bank_ref = self.records.len().to_string();
        let amount = Money::from_minor(cents(minor), Currency::USD);
        self.write(wired(BUYERS[buyer], &bank_ref, amount, noon(1)))
    }

    fn hold(&mut self, buyer: usize, amount: i64) -> Result<(), LedgerError> {
        let number = u8::try_from(self.holds.len()).unwrap();
        let request = hold_request(number, BUYERS[buyer], money(amount), noon(2));
        let account = account_of(buyer);
        let settled = self.balance(account.clone(), Layer::Settled);
        let pending = self.balance(account.clone(), Layer::Pending);
        let funds = Funds::from_balances(&account, settled, pending)?;
        let (transaction, hold) = hold::place(request, funds, &terms(buyer))?;
        self.holds.push(hold);
        self.write(transaction)
    }

    fn write(&mut self, transaction: Transaction) -> Result<(), LedgerError> {
        self.balances.apply(&transaction)?;
        let previous = self.records.last().map_or(GENESIS, |(_, hash)| *hash);
        let hash = chain::link(&previous, &transaction);
        self.records.push((transaction, hash));
        Ok(())
    }

    fn balance(&self, account: Account, layer: Layer) -> MinorUnits {
        self.balances.of(&BalanceKey { account, currency: Currency::USD, layer })
    }

    fn minor(&self, account: Account, layer: Layer) -> i128 {
        i128::from(self.balance(account, layer).get())
    }

    /// Sums to zero, balances recompute, pending = open holds, chain intact.
    fn assert_verified(&self) {
        let mut verifier = Verifier::new();
        for (sequence, (transaction, hash)) in (1..).zip(&self.records) {
            verifier.transaction(sequence, transaction, hash);
        }
        self.balances.iter().for_each(|(key, balance)| verifier.balance(key.clone(), balance));
        for hold in &self.holds {
            verifier.hold(hold);
            if hold.state == HoldState::Open {
                verifier.open_attempt(hold.attempt);
            }
        }
        let report = verifier.finish();
        assert!(report.sound(), "{report}");
    }

    fn assert_agrees(&self, reference: &Reference) {
        let bank = Account::Bank(BankName::new("main").unwrap());
        let vertical = || "auto_insurance".parse().unwrap();
        assert_eq!(self.minor(bank, Layer::Settled), reference.bank);
        assert_eq!(self.minor(Account::LeadSales(vertical()), Layer::Settled), -reference.sales);
        assert_eq!(self.minor(Account::SellerCost(vertical()), Layer::Settled), reference.cost);
        assert_eq!(self.minor(Account::InFlight, Layer::Settled), 0);
        for (seller, earned) in SELLERS.iter().zip(reference.earned) {
            let account = Account::SellerAccrued(seller.parse().unwrap());
            assert_eq!(self.minor(account, Layer::Settled), -earned);
        }
        for (buyer, name) in BUYERS.iter().enumerate() {
            let balance = reference.balance[buyer];
            let debit_positive = if is_prepaid(buyer) { -balance } else { balance };
            assert_eq!(self.minor(account_of(buyer), Layer::Settled), debit_positive);
            assert_eq!(self.minor(account_of(buyer), Layer::Pending), reference.held(buyer));
            assert!(reference.available(buyer) >= 0, "{name} is over its limit");
        }
    }
}

/// One company, or several in legs.
fn sale_of(attempt: AttemptId, of: &[(i64, i64)], seller: &str, loss: LossPolicy) -> SaleRequest {
    let (price, payout) = added(of);
    let leg = |(number, (price, payout)): (u8, &(i64, i64))| SaleLeg {
        number,
        company: format!("Company {number}"),
        price: money(*price),
        payout: money(*payout),
    };
    let legs = if of.len() > 1 { (1..).zip(of).map(leg).collect() } else { Vec::new() };
    let sum =
        |cents: i128| Money::from_minor(MinorUnits::new(cents.try_into().unwrap()), Currency::USD);
    SaleRequest {
        attempt,
        seller: seller.parse().unwrap(),
        vertical: "auto_insurance".parse().unwrap(),
        price: sum(price),
        payout: sum(payout),
        legs,
        loss,
        stamp: noon(2),
    }
}

fn account_of(buyer: usize) -> Account {
    let id: BuyerId = BUYERS[buyer].parse().unwrap();
    Account::of_buyer(id, &terms(buyer))
}

fn needs_a_hold(step: &Step) -> bool {
    matches!(step, Step::Sale { .. } | Step::Release { .. })
}

fn replay(records: &[(Transaction, RecordHash)]) -> Balances {
    let mut balances = Balances::new();
    records.iter().for_each(|(transaction, _)| balances.apply(transaction).unwrap());
    balances
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_history_agrees_with_the_reference_after_every_step(steps in steps()) {
        let (mut books, mut reference) = (Books::default(), Reference::default());
        for step in &steps {
            if needs_a_hold(step) && reference.holds.is_empty() {
                continue;
            }
            let before = books.balances.clone();
            let refusal = books.apply(step).err();
            prop_assert_eq!(refusal.as_ref().map(LedgerError::code), reference.apply(step), "{:?}", step);
            if refusal.is_some() {
                prop_assert_eq!(&books.balances, &before);
            }
            books.assert_agrees(&reference);
        }
        books.assert_verified();
    }

    #[test]
    fn every_prefix_of_a_history_verifies_and_replays(steps in steps()) {
        let (mut books, mut reference) = (Books::default(), Reference::default());
        for step in &steps {
            if needs_a_hold(step) && reference.holds.is_empty() {
                continue;
            }
            let refused = books.apply(step).is_err();
            prop_assert_eq!(refused, reference.apply(step).is_some());
            books.assert_verified();
            prop_assert_eq!(replay(&books.records), books.balances.clone());
        }
        let keys: BTreeSet<&str> = books.records.iter().map(|(record, _)| record.key()).collect();
        prop_assert_eq!(keys.len(), books.records.len());
    }

    #[test]
    fn one_changed_entry_is_found(steps in steps(), which in any::<prop::sample::Index>()) {
        let mut books = Books::default();
        for step in steps.iter().filter(|step| !needs_a_hold(step)) {
            // Refusals are part of a history.
            drop(books.apply(step));
        }
        prop_assume!(!books.records.is_empty());
        let idx = which.index(books.records.len());
        let (transaction, _) = &mut books.records[idx];
        let mut entries = transaction.entries().to_vec();
        entries[0].minor = entries[0].minor.checked_add(cents(1)).unwrap();
        *transaction = Transaction::stored(transaction.header().clone(), entries);
        let mut verifier = Verifier::new();
        for (sequence, (transaction, hash)) in (1..).zip(&books.records) {
            verifier.transaction(sequence, transaction, hash);
        }
        let report = verifier.finish();
        let broken = format!("breaks at sequence number {} ", idx + 1);
        prop_assert!(report.to_string().contains(&broken), "{}", report);
    }
}
