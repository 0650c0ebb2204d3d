//! The journal, as text and as the real tools read it.

use std::path::Path;
use std::process::{Command, Output};

use super::*;
use crate::balance::Balances;
use crate::hold;
use crate::sale::{self, SaleLeg, SaleRequest};
use crate::samples::{at, cents, held, money, noon, sale_request, sold, usd, wired};

/// Top-ups in two currencies, a sale, a release, and a sale that took effect before it was booked.
fn ledger() -> Vec<Transaction> {
    let (hold_1, open_1) = held(1, "31.00", noon(3));
    let (hold_2, open_2) = held(2, "9.00", noon(3));
    let (hold_3, open_3) = held(3, "20.00", at("2026-11-02T23:30:00Z"));
    let (release, _) = hold::release(&open_2, noon(3)).unwrap();
    let late = sold(&open_3, 3, "19.995", "0.005", at("2026-11-02T23:30:00Z"));
    vec![
        wired("acme_mutual", "REF-1", usd("500.00"), noon(1)),
        wired("acme_mutual", "REF-2", money("7000", "JPY"), noon(1)),
        wired("acme_mutual", "REF-3", money("70.001", "KWD"), noon(1)),
        hold_3,
        hold_1,
        hold_2,
        sold(&open_1, 1, "31.00", "24.80", noon(3)).transactions[0].clone(),
        release,
        late.transactions[0].clone(),
    ]
}

fn stored_balances(ledger: &[Transaction]) -> Vec<StoredBalance> {
    let mut balances = Balances::new();
    ledger.iter().for_each(|transaction| balances.apply(transaction).unwrap());
    balances
        .iter()
        .filter_map(|(key, balance)| StoredBalance::settled(key.clone(), balance))
        .collect()
}

fn journal(ledger: &[Transaction], balances: &[StoredBalance]) -> String {
    let mut journal = String::new();
    hledger(&mut journal, ledger, balances, &TimeZone::UTC).unwrap();
    journal
}

#[test]
fn a_journal_declares_books_and_asserts_what_is_owed_and_nothing_else() {
    let ledger = ledger();
    expect_test::expect![[r#"
        commodity JPY
        commodity KWD
            format 1000.000 KWD
        commodity USD
            format 1000.00 USD
        tag lead
        tag attempt
        account assets:bank:main
        account expenses:seller-cost:auto_insurance
        account liabilities:prepaid:acme_mutual
        account liabilities:seller-accrued:leadgen
        account revenues:lead-sales:auto_insurance

        2026-11-01 * (tu:REF-1) top_up
            assets:bank:main                                  500.00 USD
            liabilities:prepaid:acme_mutual                  -500.00 USD

        2026-11-01 * (tu:REF-2) top_up
            assets:bank:main                                    7000 JPY
            liabilities:prepaid:acme_mutual                    -7000 JPY

        2026-11-01 * (tu:REF-3) top_up
            assets:bank:main                                  70.001 KWD
            liabilities:prepaid:acme_mutual                  -70.001 KWD

        2026-11-02 * (sale:att_00000000z8fg6860r30c1g60r3_1) sale
            ; lead: lead_00000000z8fg6860r30c1g60r3
            ; attempt: att_00000000z8fg6860r30c1g60r3_1
            liabilities:prepaid:acme_mutual                    20.00 USD
            revenues:lead-sales:auto_insurance                -20.00 USD

        2026-11-03 * (sale:att_00000000z8eg282081040g2081_1) sale
            ; lead: lead_00000000z8eg282081040g2081
            ; attempt: att_00000000z8eg282081040g2081_1
            liabilities:prepaid:acme_mutual                    31.00 USD
            revenues:lead-sales:auto_insurance                -31.00 USD
            expenses:seller-cost:auto_insurance                24.80 USD
            liabilities:seller-accrued:leadgen                -24.80 USD

        2026-11-03 * stored balances
            assets:bank:main                                       0 JPY = 7000 JPY
            assets:bank:main                                   0.000 KWD = 70.001 KWD
            assets:bank:main                                    0.00 USD = 500.00 USD
            liabilities:prepaid:acme_mutual                        0 JPY = -7000 JPY
            liabilities:prepaid:acme_mutual                    0.000 KWD = -70.001 KWD
            liabilities:prepaid:acme_mutual                     0.00 USD = -449.00 USD
            liabilities:seller-accrued:leadgen                  0.00 USD = -24.80 USD
            revenues:lead-sales:auto_insurance                  0.00 USD = -51.00 USD
            expenses:seller-cost:auto_insurance                 0.00 USD = 24.80 USD
    "#]]
    .assert_eq(&journal(&ledger, &stored_balances(&ledger)));
}

#[test]
fn a_ledger_of_holds_alone_is_an_empty_journal() {
    let (placed, open) = held(1, "31.00", noon(3));
    let (release, _) = hold::release(&open, noon(3)).unwrap();
    assert_eq!(journal(&[placed, release], &[]), "");
}

#[test]
fn a_balance_that_is_not_stored_is_asserted_to_be_zero() {
    let ledger = ledger();
    assert!(journal(&ledger, &[]).contains("0.00 USD = 0.00 USD\n"));
}

#[test]
fn a_remark_cannot_break_out_of_its_line() {
    let transaction = wired("acme_mutual", "REF-1", usd("1.00"), noon(1));
    let mut header = transaction.header().clone();
    "wire | 7 ; tag: x\n2026-01-01 fake".clone_into(&mut header.memo);
    let stored = Transaction::stored(header, transaction.entries().to_vec());
    let journal = journal(&[stored], &[]);
    assert!(journal.contains("(tu:REF-1) top_up wire   7   tag: x 2026-01-01 fake\n"), "{journal}");
}

/// Says that a tool is missing; fails where the environment insists on it, as CI does.
#[expect(clippy::disallowed_methods, reason = "a switch of the test run, not a setting")]
fn skip_without(tool: &str) {
    let insisted = std::env::var("RIALTO_TESTS_INSIST").unwrap_or_default();
    assert!(!insisted.split(' ').any(|name| name == tool), "`{tool}` is not installed");
    println!("skipped: {tool} is not installed");
}

/// Runs `hledger check` on a journal; `None` where hledger is not installed.
fn hledger_check(journal: &str) -> Option<Output> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("books.journal");
    std::fs::write(&file, journal).unwrap();
    run_hledger(&file).ok()
}

fn run_hledger(file: &Path) -> std::io::Result<Output> {
    let checks = ["check", "accounts", "commodities", "assertions", "ordereddates"];
    Command::new("hledger").arg("-f").arg(file).args(checks).env("LC_ALL", "C.UTF-8").output()
}

#[test]
fn hledger_accepts_the_journal_and_refuses_one_that_is_a_cent_off() {
    let ledger = ledger();
    let balances = stored_balances(&ledger);
    let good = journal(&ledger, &balances);
    let Some(accepted) = hledger_check(&good) else {
        skip_without("hledger");
        return;
    };
    assert!(accepted.status.success(), "{}", String::from_utf8_lossy(&accepted.stderr));
    for idx in 0..balances.len() {
        let mut off = balances.clone();
        off[idx].balance = off[idx].balance.checked_add(cents(1)).unwrap();
        let refused = hledger_check(&journal(&ledger, &off)).unwrap();
        assert!(!refused.status.success(), "{:?}", off[idx]);
    }
    for (from, to) in [
        ("24.80 USD\n", "24.81 USD\n"),
        ("account assets:bank:main\n", ""),
        ("2026-11-03 * (", "2026-10-31 * ("),
    ] {
        let broken = good.replacen(from, to, 1);
        assert_ne!(broken, good, "{from}");
        assert!(!hledger_check(&broken).unwrap().status.success(), "{from}");
    }
}

/// Runs `ledger --pedantic`, which takes nothing undeclared; `None` where it is not installed.
fn ledger_accepts(journal: &str) -> Option<bool> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("books.journal");
    std::fs::write(&file, journal).unwrap();
    let run = Command::new("ledger").arg("--pedantic").arg("-f").arg(&file).arg("balance").output();
    run.ok().map(|output| output.status.success())
}

#[test]
fn ledger_reads_the_same_journal_and_refuses_one_that_is_a_cent_off() {
    let ledger = ledger();
    let mut balances = stored_balances(&ledger);
    let Some(accepted) = ledger_accepts(&journal(&ledger, &balances)) else {
        skip_without("ledger");
        return;
    };
    assert!(accepted);
    balances[0].balance = balances[0].balance.checked_add(cents(1)).unwrap();
    assert_eq!(ledger_accepts(&journal(&ledger, &balances)), Some(false));
}

#[test]
fn every_company_of_one_sale_is_a_transaction_of_its_own_and_the_tool_finds_them_sound() {
    let (placed, open) = held(5, "40.00", noon(4));
    let leg = |number, company: &str, price, payout| SaleLeg {
        number,
        company: company.to_owned(),
        price: usd(price),
        payout: usd(payout),
    };
    let legs = vec![leg(1, "Roof Co", "12.00", "9.00"), leg(2, "Top (Roofs)", "8.50", "6.00")];
    let request = SaleRequest { legs, ..sale_request(5, "20.50", "15.00", noon(4)) };
    let mut ledger = ledger();
    ledger.push(placed);
    ledger.extend(sale::book(request, Some(&open)).unwrap().transactions);
    let text = journal(&ledger, &stored_balances(&ledger));
    for company in ["#1) sale Roof Co", "#2) sale Top  Roofs "] {
        assert!(text.contains(company), "{company}: {text}");
    }
    match hledger_check(&text) {
        Some(checked) => assert!(checked.status.success(), "{checked:?}"),
        None => skip_without("hledger"),
    }
}
