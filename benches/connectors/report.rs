//! The figures, for a person or as JSON.

use serde_json::json;

use crate::measure::{Effort, Figures, Spread};

pub(crate) fn as_json(effort: Effort, figures: &[Figures]) -> String {
    let spread = |s: Spread| json!({ "median": s.median, "min": s.min, "max": s.max });
    let rows: Vec<_> = figures
        .iter()
        .map(|f| {
            json!({
                "what": f.what, "bytes": f.bytes, "floor": f.floor_name,
                "picoseconds": spread(f.subject), "floor_picoseconds": spread(f.floor),
                "of_floor_per_mille": spread(f.of_floor), "floor_of_itself_per_mille": spread(f.noise),
            })
        })
        .collect();
    let report = json!({ "blocks": effort.blocks, "window_ms": effort.window_ms, "cases": rows });
    format!("{report:#}")
}

pub(crate) fn table(effort: Effort, figures: &[Figures]) -> String {
    let Effort { blocks, window_ms } = effort;
    let mut text = format!(
        "CPU time of one thread per call; {blocks} blocks, in each the case between two windows of \
         its floor, about {window_ms} ms each.\nEach figure is the median over blocks; ratios are \
         within a block, with the least and the most.\n\n"
    );
    text.push_str(&row(["case", "bytes", "us", "floor us", "of the floor", "floor of itself", ""]));
    for f in figures {
        let cells = [
            f.what.clone(),
            f.bytes.to_string(),
            micros(f.subject.median),
            micros(f.floor.median),
            ratio(f.of_floor),
            ratio(f.noise),
            f.floor_name.to_owned(),
        ];
        text.push_str(&row(cells.each_ref().map(String::as_str)));
    }
    text
}

fn row(cells: [&str; 7]) -> String {
    let [what, bytes, micros, floor, of_floor, noise, name] = cells;
    let line =
        format!("{what:<28}{bytes:>7}{micros:>10}{floor:>11}{of_floor:>24}{noise:>20}   {name}");
    format!("{}\n", line.trim_end())
}

/// Picoseconds as microseconds with two places.
fn micros(picos: u64) -> String {
    let hundredths = picos.saturating_add(5_000) / 10_000;
    format!("{}.{:02}", hundredths / 100, hundredths % 100)
}

fn ratio(per_mille: Spread) -> String {
    let show = |n: u64| {
        let hundredths = n.saturating_add(5) / 10;
        format!("{}.{:02}", hundredths / 100, hundredths % 100)
    };
    format!("{} ({}..{})", show(per_mille.median), show(per_mille.min), show(per_mille.max))
}
