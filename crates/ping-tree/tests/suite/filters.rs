//! A compiled filter decides what the written one says, whatever the values.

use std::fmt::Write as _;

use ping_tree::{LeadRequest, eligibility};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_assert_eq, prop_oneof, proptest};

use crate::exchange::{Books, Files, time};

/// A test on a field, in terms of values that sort like the field's own: whole numbers, which
/// [`Kind::text`] turns into what is written.
#[derive(Clone, Debug)]
enum Written {
    Scalar(i64),
    List(Vec<i64>),
    Range(Option<i64>, Option<i64>),
    Not(Vec<i64>),
    InFile(Vec<i64>),
    NotInFile(Vec<i64>),
}

impl Written {
    /// The obvious interpretation.
    fn accepts(&self, value: Option<i64>) -> bool {
        match (self, value) {
            (Self::Scalar(wanted), Some(value)) => *wanted == value,
            (Self::List(wanted) | Self::InFile(wanted), Some(value)) => wanted.contains(&value),
            (Self::Range(min, max), Some(value)) => {
                !min.is_some_and(|min| value < min) && !max.is_some_and(|max| value > max)
            }
            (Self::Not(unwanted) | Self::NotInFile(unwanted), Some(value)) => {
                !unwanted.contains(&value)
            }
            (_, None) => false,
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum Kind {
    Violations,
    Income,
    Licensed,
    Credit,
    Homeowner,
    Carrier,
}

const KINDS: &[Kind] =
    &[Kind::Violations, Kind::Income, Kind::Licensed, Kind::Credit, Kind::Homeowner, Kind::Carrier];

impl Kind {
    fn field(self) -> &'static str {
        match self {
            Self::Violations => "violations",
            Self::Income => "income",
            Self::Licensed => "licensed_since",
            Self::Credit => "credit",
            Self::Homeowner => "homeowner",
            Self::Carrier => "carrier",
        }
    }

    /// How many values there are; numbers beyond are folded back.
    fn values(self) -> i64 {
        match self {
            Self::Violations => 21,
            Self::Income | Self::Licensed | Self::Carrier => 28,
            Self::Credit => 4,
            Self::Homeowner => 2,
        }
    }

    fn has_order(self) -> bool {
        matches!(self, Self::Violations | Self::Income | Self::Licensed)
    }

    /// The value as a seller sends it.
    fn text(self, value: i64) -> String {
        match self {
            Self::Violations => value.to_string(),
            Self::Income => format!("{}.{:02}", value / 4, value % 4 * 25),
            Self::Licensed => format!("2020-02-{:02}", value + 1),
            Self::Credit => {
                ["excellent", "good", "fair", "poor"][usize::try_from(value).unwrap()].to_owned()
            }
            Self::Homeowner => (value == 1).to_string(),
            Self::Carrier => format!("Carrier {value}"),
        }
    }

    /// The value as an operator writes it.
    fn toml(self, value: i64) -> String {
        match self {
            Self::Violations | Self::Homeowner => self.text(value),
            Self::Income if value % 2 == 0 => self.text(value),
            Self::Licensed if value % 2 == 0 => self.text(value),
            _ => format!("\"{}\"", self.text(value)),
        }
    }
}

fn list(kind: Kind, values: &[i64]) -> String {
    let texts: Vec<String> = values.iter().map(|value| kind.toml(*value)).collect();
    format!("[{}]", texts.join(", "))
}

/// The TOML of the test, and the list file it needs.
fn render(kind: Kind, written: &Written) -> (String, String) {
    let file = |values: &[i64]| {
        values.iter().fold(String::from("# list\n"), |mut text, value| {
            writeln!(text, "{}\n", kind.text(*value)).unwrap();
            text
        })
    };
    match written {
        Written::Scalar(value) => (kind.toml(*value), String::new()),
        Written::List(values) => (list(kind, values), String::new()),
        Written::Not(values) => (format!("{{ not = {} }}", list(kind, values)), String::new()),
        Written::InFile(values) => ("{ in_file = \"lists/l.txt\" }".to_owned(), file(values)),
        Written::NotInFile(values) => {
            ("{ not_in_file = \"lists/l.txt\" }".to_owned(), file(values))
        }
        Written::Range(min, max) => {
            let bound = |name: &str, value: &Option<i64>| {
                value.map(|value| format!("{name} = {}", kind.toml(value)))
            };
            let bounds: Vec<String> =
                [bound("min", min), bound("max", max)].into_iter().flatten().collect();
            (format!("{{ {} }}", bounds.join(", ")), String::new())
        }
    }
}

fn written(kind: Kind) -> impl Strategy<Value = Written> {
    let one = 0..kind.values();
    let many = vec(one.clone(), 1..8);
    let range =
        (one.clone(), one.clone(), any::<(bool, bool)>()).prop_map(|(a, b, (low, high))| {
            Written::Range((low || !high).then_some(a.min(b)), high.then_some(a.max(b)))
        });
    let unordered = prop_oneof![
        one.prop_map(Written::Scalar),
        many.clone().prop_map(Written::List),
        many.clone().prop_map(Written::Not),
        many.clone().prop_map(Written::InFile),
        many.prop_map(Written::NotInFile),
    ];
    if kind.has_order() { prop_oneof![unordered, range].boxed() } else { unordered.boxed() }
}

fn case() -> impl Strategy<Value = (Kind, Written, Option<i64>)> {
    (0..KINDS.len()).prop_map(|at| KINDS[at]).prop_flat_map(|kind| {
        // Sellers always send violations, so only the other fields are ever absent.
        let value = option::weighted(0.85, 0..kind.values()).prop_map(move |value| match kind {
            Kind::Violations => value.or(Some(0)),
            _ => value,
        });
        (Just(kind), written(kind), value)
    })
}

proptest! {
    #[test]
    fn a_compiled_filter_decides_what_the_written_one_says((kind, written, value) in case()) {
        let (toml, list) = render(kind, &written);
        let accepts = format!("[connector.main]\n[[campaign]]\nid = \"probe\"\nvertical = \"auto\"\n\
            connector = \"main\"\nprice = {{ mode = \"fixed\", base = \"9.00\" }}\n\
            accepts = {{ {} = {toml} }}\n", kind.field());
        let exchange = Files::base()
            .edited("buyers/coastal_call.toml", "[connector.main]\n", &accepts)
            .with("lists/l.txt", &list)
            .load();
        proptest::prop_assert!(!exchange.findings.has_errors(), "{}", exchange.rendered());
        let text = value.map_or_else(String::new, |value| kind.text(value));
        let lead = exchange.lead(&[(kind.field(), &text)]);
        let source = exchange.routing.source(&"quotekart/search".parse().unwrap()).unwrap();
        let request = LeadRequest { lead: &lead, source, at: time("2026-11-23T16:00:00Z"), wishes: ping_tree::Wishes::none() };
        let campaign = exchange.routing.campaign(&"coastal_call/probe".parse().unwrap()).unwrap();
        let verdict = eligibility(campaign, &request, &Books::default());
        prop_assert_eq!(verdict.is_ok(), written.accepts(value), "{}", toml);
    }
}
