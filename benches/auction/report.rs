//! The figures, for a person or as JSON.

use serde_json::json;

use crate::options::Options;
use crate::schedule::Run;
use crate::summary::{Disturbance, Figures, Spread, disturbance, figures, sync_micros};

/// All of it, as asked for.
pub(crate) fn written(options: &Options, run: &Run) -> String {
    let figures = figures(run);
    match (options.smoke, options.json) {
        (true, true) => {
            let answered: Vec<&str> = figures.iter().map(|figures| figures.system).collect();
            json!({ "smoke": true, "answered": answered }).to_string()
        }
        (false, true) => as_json(options, run, &figures),
        (true, false) => "every system answered; nothing was measured".to_owned(),
        (false, false) => table(options, run, &figures),
    }
}

fn as_json(options: &Options, run: &Run, figures: &[Figures]) -> String {
    let (sync_p50, sync_p99) = sync_micros(run);
    let report = json!({
        "smoke": false,
        "buyers": crate::buyers::BUYERS,
        "blocks": options.blocks,
        "window_seconds": options.window.as_secs(),
        "concurrency": options.concurrency,
        "pinned": run.pinned,
        "disturbance": disturbance(run),
        "fdatasync_p50_micros": sync_p50,
        "fdatasync_p99_micros": sync_p99,
        "systems": figures,
    });
    format!("{report:#}")
}

fn table(options: &Options, run: &Run, figures: &[Figures]) -> String {
    let mut text = String::new();
    for line in head(options, run) {
        text.push_str(&line);
        text.push('\n');
    }
    let columns = ["system", "auctions/s", "CPU us/auction", "of F-same", "of F-naive"];
    let more = ["p50", "p99", "CPU", "sold"];
    add(&mut text, &columns.into_iter().chain(more).map(str::to_owned).collect::<Vec<_>>());
    for figures in figures {
        add(&mut text, &row(figures));
    }
    text.push('\n');
    for figures in figures {
        text.push_str(&format!("{:<14}{}\n", figures.system, figures.about));
    }
    text
}

fn head(options: &Options, run: &Run) -> Vec<String> {
    let (p50, p99) = sync_micros(run);
    let Options { blocks, concurrency, .. } = options;
    let window = options.window.as_secs();
    let place = if run.pinned {
        "system under test alone on CPU 0 (one worker), buyers and sellers on CPU 1"
    } else {
        "CPUs not assigned: systems, buyers and sellers share them all"
    };
    vec![
        format!(
            "10 pings and 1 post per auction; {concurrency} sellers in a closed loop; blocks: {blocks}, \
             in each two windows of {window} s per system, the first second not counted"
        ),
        place.to_owned(),
        format!(
            "fdatasync of 4 KiB on this disk: p50 {} ms, p99 {} ms",
            thousandths(p50, 2),
            thousandths(p99, 2)
        ),
        disturbed(disturbance(run)),
        "Each figure is the median over blocks; ratios are of CPU per auction within a block, \
         with the least and the most."
            .to_owned(),
        String::new(),
    ]
}

fn disturbed(by: Disturbance) -> String {
    let Disturbance { windows, disturbed, repeated, steal_per_mille, others_per_mille } = by;
    format!(
        "{windows} windows: {repeated} disturbed ones were repeated, {disturbed} are disturbed \
         still; stolen CPU time {} % (most {} %), that of other processes {} % (most {} %)",
        tenths(steal_per_mille.median),
        tenths(steal_per_mille.max),
        tenths(others_per_mille.median),
        tenths(others_per_mille.max)
    )
}

fn row(figures: &Figures) -> Vec<String> {
    vec![
        figures.system.to_owned(),
        figures.auctions_per_second.median.to_string(),
        (figures.cpu_nanos_per_auction.median / 1000).to_string(),
        ratio(figures.cpu_of_same_per_mille),
        ratio(figures.cpu_of_naive_per_mille),
        format!("{} ms", thousandths(figures.p50_micros, 1)),
        format!("{} ms", thousandths(figures.p99_micros, 1)),
        format!("{} %", figures.busy_per_mille.median / 10),
        figures.auctions.to_string(),
    ]
}

fn add(text: &mut String, cells: &[String]) {
    const WIDTHS: [usize; 9] = [14, 11, 15, 20, 20, 10, 10, 7, 9];
    for (nth, (cell, width)) in cells.iter().zip(WIDTHS).enumerate() {
        let padded = if nth == 0 { format!("{cell:<width$}") } else { format!("{cell:>width$}") };
        text.push_str(&padded);
    }
    text.push('\n');
}

/// `2.31 (2.25..2.40)`.
fn ratio(spread: Spread) -> String {
    let [median, min, max] = [spread.median, spread.min, spread.max].map(|r| thousandths(r, 2));
    format!("{median} ({min}..{max})")
}

/// Thousandths as a number with one or two places, cut.
fn thousandths(number: u64, places: usize) -> String {
    let (whole, rest) = (number / 1000, number % 1000);
    if places == 1 {
        format!("{whole}.{}", rest / 100)
    } else {
        format!("{whole}.{:02}", rest / 10)
    }
}

/// Thousandths as a percentage with one place.
fn tenths(number: u64) -> String {
    format!("{}.{}", number / 10, number % 10)
}
