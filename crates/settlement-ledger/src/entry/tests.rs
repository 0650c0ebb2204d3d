//! What makes a transaction acceptable.

use super::*;
use crate::samples::{cents, noon};

fn header(key: &str) -> Header {
    Header {
        key: key.to_owned(),
        kind: EventKind::TopUp,
        currency: Currency::USD,
        stamp: noon(1),
        lead: None,
        attempt: None,
        memo: String::new(),
    }
}

fn bank() -> Account {
    "A:Bank:main".parse().unwrap()
}

fn prepaid() -> Account {
    "L:Prepaid:acme_mutual".parse().unwrap()
}

fn refusal(entries: Vec<Entry>) -> &'static str {
    Transaction::new(header("tu:1"), entries).unwrap_err().code()
}

#[test]
fn a_transaction_moves_something_and_balances_on_each_layer() {
    let (debit, credit) = (Entry::debit(bank(), cents(5)), Entry::credit(prepaid(), cents(5)));
    assert!(Transaction::new(header("tu:1"), vec![debit.clone(), credit.clone()]).is_ok());
    assert_eq!(refusal(vec![]), "no_entries");
    assert_eq!(refusal(vec![debit.clone()]), "unbalanced");
    assert_eq!(refusal(vec![debit.clone(), credit.clone().pending()]), "unbalanced");
    assert_eq!(refusal(vec![debit.clone(), Entry::credit(prepaid(), cents(4))]), "unbalanced");
    assert_eq!(refusal(vec![debit.clone().pending()]), "unbalanced");
    assert_eq!(refusal([debit, credit].into_iter().cycle().take(66).collect()), "too_many_entries");
}

#[test]
fn an_entry_of_nothing_or_less_is_refused() {
    for minor in [0, -5, i64::MIN] {
        let entries =
            vec![Entry::debit(bank(), cents(minor)), Entry::credit(prepaid(), cents(minor))];
        assert_eq!(refusal(entries), "entry_not_positive", "{minor}");
    }
}

#[test]
fn a_sum_that_does_not_fit_is_refused() {
    let huge = Entry::debit(bank(), cents(i64::MAX));
    let back = Entry::credit(prepaid(), cents(i64::MAX));
    assert_eq!(refusal(vec![huge.clone(), huge, back.clone(), back]), "overflow");
}

#[test]
fn texts_stay_short_and_plain() {
    let entries = || vec![Entry::debit(bank(), cents(5)), Entry::credit(prepaid(), cents(5))];
    for key in ["", "a b", "tu:(1)", "tu:1\n", "tu:\u{e9}", &"k".repeat(KEY_MAX + 1)] {
        assert_eq!(Transaction::new(header(key), entries()), Err(LedgerError::BadKey), "{key}");
    }
    for memo in ["line\nbreak", "nul\0", &"m".repeat(TEXT_MAX + 1)] {
        let header = Header { memo: memo.to_owned(), ..header("tu:1") };
        assert_eq!(Transaction::new(header, entries()), Err(LedgerError::BadText), "{memo:?}");
    }
}

#[test]
fn a_repetition_may_come_later_but_not_with_other_money() {
    let booked = |stamp: Stamp, minor: i64| {
        let entries =
            vec![Entry::debit(bank(), cents(minor)), Entry::credit(prepaid(), cents(minor))];
        Transaction::new(Header { stamp, ..header("tu:1") }, entries).unwrap()
    };
    assert!(booked(noon(1), 5).same_event(&booked(noon(2), 5)));
    assert!(!booked(noon(1), 5).same_event(&booked(noon(1), 6)));
    let other = Header { kind: EventKind::Sale, ..header("tu:1") };
    let other = Transaction::stored(other, booked(noon(1), 5).entries().to_vec());
    assert!(!booked(noon(1), 5).same_event(&other));
}

#[test]
fn codes_read_back() {
    for kind in EventKind::ALL {
        assert_eq!(EventKind::from_code(kind.code()), Some(kind));
    }
    for layer in Layer::ALL {
        assert_eq!(Layer::from_code(layer.code()), Some(layer));
    }
    for side in Side::ALL {
        assert_eq!(Side::from_code(side.code()), Some(side));
        assert_ne!(side.opposite(), side);
    }
    assert_eq!(EventKind::from_code("refund"), None);
}
