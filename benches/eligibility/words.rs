//! Twenty fields: what campaigns ask of them, and what leads say.

use exchange_model::vertical::{STATES, state_of_zip};

use crate::chance::Chance;

/// How a field is declared, what a campaign asks of it and what a lead says.
pub(crate) struct Word {
    pub(crate) name: &'static str,
    pub(crate) kind: &'static str,
    pub(crate) asked: fn(&mut Chance) -> String,
    pub(crate) said: fn(&mut Chance) -> String,
}

const CREDIT: &[&str] = &["excellent", "good", "fair", "poor"];
const SCHOOL: &[&str] = &["none", "high_school", "college", "bachelor", "master", "doctor"];
const STATUS: &[&str] = &["single", "married", "divorced", "widowed"];
const HOME: &[&str] = &["own", "rent", "family", "other"];
const COVER: &[&str] = &["minimum", "basic", "standard", "premium"];
const DEVICES: &[&str] = &["phone", "tablet", "desktop", "tv"];
const CARRIERS: &[&str] = &[
    "Acme", "Beacon", "Cedar", "Delta", "Elm", "Foster", "Granite", "Harbor", "Iris", "Juniper",
    "Kestrel", "Laurel", "Maple", "Northern", "Oak", "Pioneer", "Quarry", "River", "Summit",
    "Timber", "Union", "Valley", "Willow", "Yarrow", "Zephyr",
];
const WORK: &[&str] = &[
    "baker",
    "builder",
    "clerk",
    "cook",
    "dentist",
    "doctor",
    "driver",
    "engineer",
    "farmer",
    "firefighter",
    "gardener",
    "journalist",
    "judge",
    "lawyer",
    "manager",
    "mechanic",
    "miner",
    "nurse",
    "painter",
    "pilot",
    "plumber",
    "police",
    "retired",
    "sailor",
    "soldier",
    "student",
    "tailor",
    "teacher",
    "waiter",
    "welder",
];

/// The five first make the short filter. The zips come last in every filter: a scan asks for the
/// cheap things first.
pub(crate) const WORDS: &[Word] = &[
    Word {
        name: "state",
        kind: r#"type = "us_state""#,
        asked: |c| {
            let count = c.between(8, 16);
            let states: Vec<&str> = STATES.iter().map(|(state, _)| *state).collect();
            list(&c.several(count, &states))
        },
        said: |c| {
            let states: Vec<&str> = STATES.iter().map(|(state, _)| *state).collect();
            c.of(&states).to_owned()
        },
    },
    Word {
        name: "age",
        kind: r#"type = "int", min = 16, max = 110"#,
        asked: |c| format!("{{ min = {}, max = {} }}", c.between(18, 30), c.between(60, 90)),
        said: |c| c.between(17, 92).to_string(),
    },
    Word { name: "homeowner", kind: r#"type = "bool""#, asked: either, said: either },
    Word {
        name: "credit",
        kind: r#"type = "enum", values = ["excellent", "good", "fair", "poor"]"#,
        asked: |c| some_of(c, CREDIT, 2),
        said: |c| c.of(CREDIT).to_owned(),
    },
    Word {
        name: "violations",
        kind: r#"type = "int", min = 0, max = 20"#,
        asked: |c| format!("{{ max = {} }}", c.between(2, 8)),
        said: |c| c.between(0, 4).to_string(),
    },
    Word {
        name: "income",
        kind: r#"type = "decimal""#,
        asked: |c| format!("{{ min = \"{}.50\" }}", c.between(100, 1_500)),
        said: |c| format!("{}.25", c.between(900, 9_000)),
    },
    Word {
        name: "carrier",
        kind: r#"type = "text", max_length = 40"#,
        asked: |c| format!("{{ not = {} }}", list(&c.several(3, CARRIERS))),
        said: |c| c.of(CARRIERS).to_owned(),
    },
    Word {
        name: "vehicle_year",
        kind: r#"type = "int", min = 1950, max = 2030"#,
        asked: |c| format!("{{ min = {}, max = 2028 }}", c.between(1_985, 2_004)),
        said: |c| c.between(1_999, 2_026).to_string(),
    },
    Word {
        name: "licensed_since",
        kind: r#"type = "date""#,
        asked: |c| format!("{{ max = 20{}-0{}-01 }}", c.between(18, 25), c.between(1, 9)),
        said: |c| format!("20{}-0{}-15", c.between(10, 19), c.between(1, 9)),
    },
    Word {
        name: "school",
        kind: r#"type = "enum", values = ["none", "high_school", "college", "bachelor", "master", "doctor"]"#,
        asked: |c| some_of(c, SCHOOL, 5),
        said: |c| c.of(SCHOOL).to_owned(),
    },
    Word {
        name: "marital",
        kind: r#"type = "enum", values = ["single", "married", "divorced", "widowed"]"#,
        asked: |c| some_of(c, STATUS, 3),
        said: |c| c.of(STATUS).to_owned(),
    },
    Word {
        name: "occupation",
        kind: r#"type = "text", max_length = 40"#,
        asked: |c| some_of(c, WORK, 25),
        said: |c| c.of(WORK).to_owned(),
    },
    Word {
        name: "residence",
        kind: r#"type = "enum", values = ["own", "rent", "family", "other"]"#,
        asked: |c| some_of(c, HOME, 3),
        said: |c| c.of(HOME).to_owned(),
    },
    Word {
        name: "months_insured",
        kind: r#"type = "int", min = 0, max = 600"#,
        asked: |c| format!("{{ min = {} }}", c.between(0, 12)),
        said: |c| c.between(6, 120).to_string(),
    },
    Word {
        name: "coverage",
        kind: r#"type = "enum", values = ["minimum", "basic", "standard", "premium"]"#,
        asked: |c| some_of(c, COVER, 3),
        said: |c| c.of(COVER).to_owned(),
    },
    Word {
        name: "sr22",
        kind: r#"type = "bool""#,
        asked: |_| "false".to_owned(),
        said: |_| "false".to_owned(),
    },
    Word {
        name: "drivers",
        kind: r#"type = "int", min = 1, max = 9"#,
        asked: |c| format!("{{ max = {} }}", c.between(3, 6)),
        said: |c| c.between(1, 4).to_string(),
    },
    Word {
        name: "vehicles",
        kind: r#"type = "int", min = 1, max = 9"#,
        asked: |c| format!("{{ min = 1, max = {} }}", c.between(3, 6)),
        said: |c| c.between(1, 4).to_string(),
    },
    Word {
        name: "device",
        kind: r#"type = "text", max_length = 20"#,
        asked: |c| some_of(c, DEVICES, 3),
        said: |c| c.of(DEVICES).to_owned(),
    },
];

fn either(chance: &mut Chance) -> String {
    chance.of(&["true", "false"]).to_owned()
}

fn some_of(chance: &mut Chance, words: &[&str], least: usize) -> String {
    let count = chance.between(least, words.len());
    list(&chance.several(count, words))
}

fn list(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("\"{word}\"")).collect();
    format!("[{}]", quoted.join(", "))
}

/// About as many zips as there are, of the ranges that are in use.
pub(crate) fn zips() -> Vec<String> {
    let mut chance = Chance::new(41_000);
    let prefixes =
        (0..1_000).filter(|prefix| state_of_zip(&format!("{prefix:03}00")).next().is_some());
    let all = prefixes.flat_map(|prefix| (0..100).map(move |rest| format!("{prefix:03}{rest:02}")));
    all.filter(|_| chance.below(100) < 45).collect()
}

/// A list file of so many zips.
pub(crate) fn zip_list(all: &[String], count: usize, seed: u64) -> String {
    let mut chance = Chance::new(seed);
    let mut text = String::with_capacity(count.saturating_mul(7));
    let mut left = count.min(all.len());
    for (at, zip) in all.iter().enumerate() {
        if chance.below(all.len().saturating_sub(at)) < left {
            left = left.saturating_sub(1);
            text.push_str(zip);
            text.push('\n');
        }
    }
    text
}
