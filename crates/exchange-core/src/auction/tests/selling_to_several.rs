//! Leads that go to several buyers: places, prices, promises, lost answers.

use super::*;

#[test]
fn a_shared_lead_goes_to_the_best_set_one_at_a_time() {
    check(
        "tier one sale shared 3
         acme
         bolt
         cask
         dune",
        "20 acme bids 12.00
         21 bolt bids 15.00
         22 cask bids 9.00
         23 dune bids 10.00
         25 durable
         40 bolt accepts
         42 durable
         60 acme rejects duplicate
         62 durable
         80 dune accepts
         82 durable
         100 cask accepts
         102 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            0ms ping dune
            23ms persist prepare bolt 15.00 USD for 12.00 USD, one of 3
            25ms post bolt 15.00 USD
            40ms persist step 1 accepted + prepare acme 12.00 USD for 9.60 USD, one of 3
            42ms post acme 12.00 USD
            60ms persist step 2 rejected + prepare dune 10.00 USD for 8.00 USD, one of 3
            62ms post dune 10.00 USD
            80ms persist step 3 accepted + prepare cask 9.00 USD for 7.20 USD, one of 3
            82ms post cask 9.00 USD
            100ms persist step 4 accepted + answer sold
            102ms reply sold 27.20 USD of 12.00 + 8.00 + 7.20
            102ms done
        "#]],
    );
}

#[test]
fn a_hybrid_lead_goes_to_one_where_that_pays_best() {
    check(
        "tier one sale hybrid 3
         acme shares 1=100%,2=60%,3=40%
         bolt shares 1=100%,2=50%,3=40%",
        "20 acme bids 20.00
         21 bolt bids 15.00
         25 durable
         40 acme rejects filter
         42 durable
         60 bolt accepts
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare acme 20.00 USD for 16.00 USD
            25ms post acme 20.00 USD
            40ms persist step 1 rejected + prepare bolt 15.00 USD for 12.00 USD
            42ms post bolt 15.00 USD
            60ms persist step 2 accepted + answer sold
            62ms reply sold 12.00 USD of 12.00
            62ms done
        "#]],
    );
}

#[test]
fn whoever_was_told_one_of_two_is_never_one_of_three() {
    check(
        "tier one sale shared 3
         acme shares 2=100%
         bolt shares 2=100%,3=60%
         cask shares 3=100%",
        "20 acme bids 20.00
         21 bolt bids 20.00
         22 cask bids 9.00
         25 durable
         40 acme accepts
         42 durable
         60 bolt rejects filter
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare acme 20.00 USD for 16.00 USD, one of 2
            25ms post acme 20.00 USD
            40ms persist step 1 accepted + prepare bolt 20.00 USD for 16.00 USD, one of 2
            42ms post bolt 20.00 USD
            60ms persist step 2 rejected + answer sold
            62ms reply sold 16.00 USD of 16.00
            62ms done
        "#]],
    );
}

#[test]
fn a_lost_answer_keeps_its_place_and_the_others_are_sold() {
    check(
        "tier one sale shared 2
         acme
         bolt
         cask",
        "20 acme bids 12.00
         21 bolt bids 15.00
         22 cask bids 9.00
         25 durable
         40 bolt lost reset
         42 durable
         60 acme accepts
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 15.00 USD for 12.00 USD, one of 2
            25ms post bolt 15.00 USD
            40ms hand over step 1
            40ms persist step 1 unknown + prepare acme 12.00 USD for 9.60 USD, one of 2
            42ms post acme 12.00 USD
            60ms persist step 2 accepted + answer sold
            62ms reply sold 9.60 USD of 9.60
            62ms done
        "#]],
    );
}

#[test]
fn where_its_campaign_holds_nothing_more_is_sold() {
    check(
        "tier one sale shared 2
         acme
         bolt hold",
        "20 acme bids 12.00
         21 bolt bids 15.00
         25 durable
         40 bolt lost reset
         42 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 15.00 USD for 12.00 USD, one of 2
            25ms post bolt 15.00 USD
            40ms hand over step 1
            40ms persist step 1 unknown + answer pending
            42ms reply pending because unknown:reset
            42ms done
        "#]],
    );
}

#[test]
fn companies_behind_a_buyer_are_places_and_go_out_in_one_post() {
    check(
        "tier one sale shared 3
         acme
         bolt",
        "20 acme bids 12.00
         21 bolt offers roofco=15.00 fixit=9.00 shingle=13.00
         25 durable
         40 bolt takes roofco
         42 durable
         60 acme accepts
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 28.00 USD for 22.40 USD, one of 3, roofco 15.00 USD, shingle 13.00 USD
            25ms post bolt 28.00 USD token t
            40ms persist step 1 accepted + prepare acme 12.00 USD for 9.60 USD, one of 2
            42ms post acme 12.00 USD
            60ms persist step 2 accepted + answer sold
            62ms reply sold 21.60 USD of 12.00 + 9.60
            62ms done
        "#]],
    );
}

#[test]
fn a_fixed_payout_is_paid_with_the_first_sale() {
    check(
        "tier one sale shared 3
         acme pays fixed:9.00
         bolt pays fixed:9.00",
        "20 acme bids 12.00
         21 bolt bids 15.00
         25 durable
         40 bolt rejects filter
         42 durable
         60 acme accepts
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 15.00 USD for 9.00 USD, one of 2
            25ms post bolt 15.00 USD
            40ms persist step 1 rejected + prepare acme 12.00 USD for 9.00 USD, one of 2
            42ms post acme 12.00 USD
            60ms persist step 2 accepted + answer sold
            62ms reply sold 9.00 USD of 9.00
            62ms done
        "#]],
    );
}

#[test]
fn both_buyers_of_a_fixed_payout_bring_it_once() {
    check(
        "tier one sale shared 3
         acme pays fixed:9.00
         bolt pays fixed:9.00",
        "20 acme bids 12.00
         21 bolt bids 15.00
         25 durable
         40 bolt accepts
         42 durable
         60 acme accepts
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 15.00 USD for 9.00 USD, one of 2
            25ms post bolt 15.00 USD
            40ms persist step 1 accepted + prepare acme 12.00 USD for 0.00 USD, one of 2
            42ms post acme 12.00 USD
            60ms persist step 2 accepted + answer sold
            62ms reply sold 9.00 USD of 9.00 + 0.00
            62ms done
        "#]],
    );
}

#[test]
fn a_tier_that_sold_to_one_of_several_passes_nothing_on() {
    check(
        "tier one sale shared 2
         acme
         bolt
         tier two
         cask",
        "20 acme bids 12.00
         21 bolt bids 15.00
         25 durable
         40 bolt accepts
         42 durable
         60 acme rejects filter
         62 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            21ms persist prepare bolt 15.00 USD for 12.00 USD, one of 2
            25ms post bolt 15.00 USD
            40ms persist step 1 accepted + prepare acme 12.00 USD for 9.60 USD, one of 2
            42ms post acme 12.00 USD
            60ms persist step 2 rejected + answer sold
            62ms reply sold 12.00 USD of 12.00
            62ms done
        "#]],
    );
}

#[test]
fn no_slot_and_an_own_duplicate_go_on_to_the_next() {
    check(
        "tier one sale shared 2
         acme
         bolt
         cask",
        "20 acme bids 12.00
         21 bolt bids 15.00
         22 cask bids 9.00
         25 refused no_slot
         27 refused buyer_duplicate
         29 durable
         40 cask accepts
         42 durable",
        expect![[r#"
            0ms ping acme
            0ms ping bolt
            0ms ping cask
            22ms persist prepare bolt 15.00 USD for 12.00 USD, one of 2
            25ms persist prepare acme 12.00 USD for 9.60 USD, one of 2
            27ms persist prepare cask 9.00 USD for 7.20 USD, one of 2
            29ms post cask 9.00 USD
            40ms persist step 3 accepted + answer sold
            42ms reply sold 7.20 USD of 7.20
            42ms done
        "#]],
    );
}

#[test]
fn the_least_that_a_seller_takes_bounds_the_total() {
    let sell = |least: &str| {
        let mut setup = setup("tier one sale shared 3\nacme\nbolt", Goal::Sell);
        setup.seller.least = Some(usd(least));
        play(setup, "20 acme bids 10.00\n21 bolt bids 15.00").heard
    };
    assert!(sell("20.00").ends_with("prepare bolt 15.00 USD for 12.00 USD, one of 2\n"));
    assert!(sell("20.01").ends_with("persist answer unsold\n"));
}

#[test]
fn a_request_may_allow_fewer_buyers() {
    let mut setup = setup("tier one sale hybrid 4\nacme\nbolt\ncask", Goal::Sell);
    setup.max_buyers = Some(2);
    let script = "20 acme bids 10.00\n21 bolt bids 15.00\n22 cask bids 9.00";
    let heard = play(setup, script).heard;
    assert!(heard.ends_with("prepare bolt 15.00 USD for 12.00 USD, one of 2\n"), "{heard}");
}

#[test]
fn a_promise_of_several_is_honoured_in_all_or_not_begun() {
    let goal = Goal::Quote { ping: PING, lifetime: Duration::from_mins(1) };
    let tree = "tier one sale shared 2\nacme\nbolt\ncask";
    let script = "20 acme bids 10.00\n21 bolt bids 15.00\n22 cask bids 9.00";
    let mut stage = play(setup(tree, goal), script);
    assert!(stage.heard.contains("persist promise 20.00 USD"), "{}", stage.heard);
    stage.auction.handle(at_ms("24"), Event::Durable(Durable::Done));
    let Command::ReplyPromise(promise) = stage.auction.poll() else { panic!("no promise") };
    assert_eq!(promise.bids.iter().map(|bid| bid.buyers).collect::<Vec<_>>(), [2, 2, 0]);
    let fulfil = |script| play(setup(tree, Goal::Fulfil(promise.clone())), script).heard;
    expect![[r#"
        0ms persist prepare bolt 15.00 USD for 12.00 USD, one of 2
        2ms post bolt 15.00 USD
        20ms persist step 1 accepted + prepare acme 10.00 USD for 8.00 USD, one of 2
        22ms post acme 10.00 USD
        40ms persist step 2 rejected + prepare cask 9.00 USD for 8.00 USD, one of 2
        42ms post cask 9.00 USD
    "#]]
    .assert_eq(&fulfil(
        "2 durable\n20 bolt accepts\n22 durable\n40 acme rejects filter\n42 durable",
    ));
    expect![[r#"
        0ms persist prepare bolt 15.00 USD for 12.00 USD, one of 2
        2ms post bolt 15.00 USD
        20ms persist step 1 rejected + answer unsold
        22ms reply unsold because rejected:filter
        22ms done
    "#]]
    .assert_eq(&fulfil("2 durable\n20 bolt rejects filter\n22 durable"));
}

#[test]
fn a_fixed_payout_whose_company_did_not_take_the_lead_comes_with_the_next_sale() {
    let heard = play(
        setup(
            "tier one sale shared 3
             acme pays fixed:9.00
             bolt pays 0=fixed:9.00,20=share:50%",
            Goal::Sell,
        ),
        "20 acme bids 12.00
         21 bolt offers roofco=25.00 fixit=15.00
         25 durable
         40 bolt takes roofco
         42 durable",
    )
    .heard;
    assert!(heard.contains("prepare acme 12.00 USD for 9.00 USD"), "{heard}");
}

#[test]
fn a_lead_that_a_buyer_may_have_is_pending_and_no_duplicate() {
    let heard = play(
        setup("tier one sale shared 2\nacme\nbolt", Goal::Sell),
        "20 acme bids 12.00
         21 bolt bids 15.00
         25 durable
         40 bolt lost reset
         42 refused duplicate
         44 durable",
    )
    .heard;
    assert!(heard.contains("reply pending"), "{heard}");
}

#[test]
fn a_counter_offer_that_pays_less_than_a_set_of_others_is_outbid() {
    let tree = "tier one sale hybrid 2
         acme shares 1=100%
         bolt shares 2=100%
         cask shares 2=100%";
    let heard = |counter: &str| {
        let script = format!(
            "20 acme bids 20.00
             21 bolt bids 9.00
             22 cask bids 9.00
             25 durable
             40 acme rejects price {counter}"
        );
        play(setup(tree, Goal::Sell), &script).heard
    };
    let set = heard("12.00");
    assert!(set.ends_with("prepare bolt 9.00 USD for 7.20 USD, one of 2\n"), "{set}");
    let alone = heard("19.00");
    assert!(alone.ends_with("prepare acme 19.00 USD for 15.20 USD\n"), "{alone}");
}
