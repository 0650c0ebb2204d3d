//! The figures, for a person or as JSON.

use serde_json::json;

use crate::measure::{Effort, Figures, Spread};

pub(crate) fn as_json(effort: Effort, figures: &[Figures]) -> String {
    let spread = |s: Spread| json!({ "median": s.median, "min": s.min, "max": s.max });
    let rows: Vec<_> = figures
        .iter()
        .map(|f| {
            json!({
                "campaigns": f.size.campaigns, "tests": f.size.tests, "zips": f.size.zips,
                "accepting_ten_leads": f.accepting, "picoseconds": spread(f.subject),
                "scan_picoseconds": spread(f.floor), "filters_picoseconds": spread(f.filters),
                "plan_picoseconds": spread(f.plan),
                "scan_of_index_per_mille": spread(f.of_subject),
                "scan_of_itself_per_mille": spread(f.noise), "compile_nanoseconds": f.compiled_in,
                "index_nanoseconds": f.indexed_in, "index_bytes": f.bytes,
            })
        })
        .collect();
    let report = json!({
        "blocks": effort.blocks, "window_ms": effort.window_ms, "cases": rows,
    });
    format!("{report:#}")
}

pub(crate) fn table(effort: Effort, figures: &[Figures]) -> String {
    let Effort { blocks, window_ms } = effort;
    let zips = figures.first().map_or(0, |figures| figures.size.zips);
    let mut text = format!(
        "CPU time of one thread per lead: the index, a scan compiled for the purpose, and every \
         campaign's own filter in turn; then the whole plan, gates and reasons of the others included. Every campaign\nhas a list of {zips} zips of its own. \
         {blocks} blocks, in each the index between two windows of the scan, about {window_ms} ms each.\n\
         Medians over blocks; ratios are within a block, with the least and the most.\n\n"
    );
    let head = [
        "campaigns",
        "tests",
        "accept",
        "index us",
        "scan us",
        "filters us",
        "plan us",
        "scan over index",
        "scan over itself",
        "compile s",
        "index s",
        "index MB",
    ];
    text.push_str(&row(head));
    for f in figures {
        let cells = [
            f.size.campaigns.to_string(),
            f.size.tests.to_string(),
            format!("{}.{}", f.accepting / 10, f.accepting % 10),
            places(f.subject.median, 1_000_000, 3),
            places(f.floor.median, 1_000_000, 2),
            places(f.filters.median, 1_000_000, 2),
            places(f.plan.median, 1_000_000, 1),
            ratio(f.of_subject),
            ratio(f.noise),
            places(f.compiled_in, 1_000_000_000, 3),
            places(f.indexed_in, 1_000_000_000, 3),
            places(u64::try_from(f.bytes).unwrap_or(u64::MAX), 1_000_000, 2),
        ];
        text.push_str(&row(cells.each_ref().map(String::as_str)));
    }
    text
}

fn row(cells: [&str; 12]) -> String {
    let [campaigns, tests, accept, index, scan, filters, plan, ratio, noise, compile, build, bytes] =
        cells;
    let line = format!(
        "{campaigns:>9}{tests:>7}{accept:>8}{index:>10}{scan:>10}{filters:>12}{plan:>9}{ratio:>25}{noise:>20}\
         {compile:>11}{build:>9}{bytes:>10}"
    );
    format!("{}\n", line.trim_end())
}

/// A number in units of `unit`, with so many places.
fn places(number: u64, unit: u64, places: u32) -> String {
    let scale = 10_u64.saturating_pow(places);
    let scaled = number.saturating_mul(scale).saturating_add(unit / 2) / unit;
    let width = usize::try_from(places).unwrap_or(0);
    format!("{}.{:0width$}", scaled / scale, scaled % scale)
}

fn ratio(per_mille: Spread) -> String {
    let show = |n: u64| places(n, 1_000, 1);
    format!("{} ({}..{})", show(per_mille.median), show(per_mille.min), show(per_mille.max))
}
