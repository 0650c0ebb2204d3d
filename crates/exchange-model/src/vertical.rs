//! A vertical: the dictionary that leads, filters and templates are checked against.
//!
//! Each field has a type, a class (may it be pinged?), and a need at ping and at post. Values are
//! normalised by type before anything else looks at them.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::id::VerticalId;
use crate::money::Currency;
use crate::timestamp::Date;
use crate::value::Value;

mod area_code;
mod normalise;
mod quality;
mod read;
mod scoring;
mod us;

pub use area_code::{AreaCode, area_code};
pub use normalise::{BadField, normalise};
pub use quality::{Check, CheckKind, Failed};
pub use scoring::{SCORE, SCORE_FIELD, ScorePart, Scoring};
pub use us::{STATES, state_of_zip};

/// Most fields of a vertical, derived ones included.
pub const FIELDS_MAX: usize = 500;
/// Longest text field a vertical may allow, in characters.
pub const TEXT_MAX: u32 = 10_000;
/// Longest text where the vertical states no `max_length`, in characters.
pub const TEXT_DEFAULT: u32 = 200;

/// A field's position in its vertical.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct FieldIdx(u16);

impl FieldIdx {
    /// The position as an index.
    #[must_use]
    pub fn as_usize(self) -> usize {
        usize::from(self.0)
    }
}

/// Who may see a field.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum FieldClass {
    /// May go to any eligible buyer in a ping.
    Open,
    /// Identifies a person: only in a post, or in a ping through an anonymiser.
    Contact,
    /// Never leaves the exchange.
    Secret,
}

/// What a field holds.
#[derive(Clone, Debug, PartialEq)]
pub enum FieldType {
    /// Five digits that belong to a state.
    UsZip,
    /// Two letters of a state, the District of Columbia or a territory.
    UsState,
    /// Ten digits of the North American plan.
    UsPhone,
    /// An e-mail address.
    Email,
    /// A calendar day.
    Date,
    /// One of these words.
    Enum(Vec<String>),
    /// A whole number within bounds.
    Integer {
        /// Smallest.
        min: i64,
        /// Largest.
        max: i64,
    },
    /// An exact number, read like an amount.
    Decimal,
    /// Yes or no.
    Boolean,
    /// Text of at most this many characters.
    Text {
        /// The most.
        max_length: u32,
    },
    /// An http or https address.
    Url,
    /// The address of a TrustedForm certificate: `https://cert.trustedform.com/` and the id of a
    /// certificate, 40 hexadecimal digits for one of a web form. Other kinds have ids of other
    /// forms (ActiveProspect, TrustedForm Certificate API 4.0, "Certificate URL"); whether a
    /// certificate exists is the buyer's to claim, and is not asked here.
    TrustedFormUrl,
    /// A LeadiD token (Jornaya, now Verisk): 36 characters, hexadecimal digits in groups of 8, 4, 4,
    /// 4 and 12 (Verisk Marketing Solutions, "Create Implementation FAQ").
    LeadiD,
    /// An IP address of version 4 or 6.
    Ip,
    /// A moment with its offset from UTC (RFC 3339).
    DateTime,
}

/// What the seller must send.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Need {
    /// The request is invalid without it.
    Required,
    /// Used when sent.
    Optional,
    /// Not expected at this stage.
    No,
}

/// Which request a body belongs to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Stage {
    /// Attributes only.
    Ping,
    /// The whole lead.
    Post,
}

/// How a derived field is computed, once per lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Derivation {
    /// Whole years from a date to the day of intake (UTC).
    YearsSince(FieldIdx),
    /// The first n characters of a text.
    Left(FieldIdx, u8),
    /// The year of a date.
    Year(FieldIdx),
    /// Whether the check at this place of [`Vertical::checks`] holds.
    Check(u8),
    /// The lead score, by the rules of the vertical.
    Score,
}

impl Derivation {
    /// The one field it is computed from; a check and the score look at several.
    #[must_use]
    pub fn source(self) -> Option<FieldIdx> {
        match self {
            Self::YearsSince(field) | Self::Left(field, _) | Self::Year(field) => Some(field),
            Self::Check(_) | Self::Score => None,
        }
    }
}

/// One field of the dictionary.
#[derive(Clone, Debug)]
pub struct Field {
    /// The name sellers, filters and templates use.
    pub name: String,
    /// What it holds.
    pub kind: FieldType,
    /// Who may see it.
    pub class: FieldClass,
    /// Needed in a ping?
    pub ping: Need,
    /// Needed in a post?
    pub post: Need,
    /// A valid value, for posting instructions and for checking templates.
    pub example: Option<Value>,
    /// Computed by us; sellers do not send it.
    pub derived: Option<Derivation>,
}

/// A kind of lead.
#[derive(Clone, Debug)]
pub struct Vertical {
    id: VerticalId,
    title: String,
    currency: Currency,
    fields: Vec<Field>,
    by_name: BTreeMap<String, FieldIdx>,
    checks: Vec<Check>,
    base_score: Option<i64>,
    scoring: Option<Arc<dyn Scoring>>,
}

impl Vertical {
    /// Puts fields together, in the order sellers see them; derived fields come last.
    #[must_use]
    pub fn new(id: VerticalId, title: String, currency: Currency, fields: Vec<Field>) -> Self {
        let by_name = fields
            .iter()
            .enumerate()
            .filter_map(|(at, field)| Some((field.name.clone(), FieldIdx(u16::try_from(at).ok()?))))
            .collect();
        let (checks, base_score, scoring) = (Vec::new(), None, None);
        Self { id, title, currency, fields, by_name, checks, base_score, scoring }
    }

    /// The same with checks of quality, in the order of their marks.
    #[must_use]
    pub fn with_checks(self, checks: Vec<Check>) -> Self {
        Self { checks, ..self }
    }

    /// The same with a score that starts from this.
    #[must_use]
    pub fn with_base_score(self, base: Option<i64>) -> Self {
        Self { base_score: base, ..self }
    }

    /// The same with the rules of its score. Fields keep their places.
    #[must_use]
    pub fn with_scoring(self, scoring: Arc<dyn Scoring>) -> Self {
        Self { scoring: Some(scoring), ..self }
    }

    /// The checks of quality.
    #[must_use]
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// What a lead's score starts from, where this vertical scores.
    #[must_use]
    pub fn base_score(&self) -> Option<i64> {
        self.base_score
    }

    /// Every rule of the score that holds for these attributes, in the order written.
    #[must_use]
    pub fn score_parts(&self, open: &crate::Attributes) -> Vec<ScorePart> {
        self.scoring.as_ref().map(|scoring| scoring.parts(open)).unwrap_or_default()
    }

    /// The score of a lead: base and every rule that holds, from 1 to 10.
    #[must_use]
    pub fn score(&self, open: &crate::Attributes) -> Option<i64> {
        let sum = |sum: i64, part: ScorePart| sum.saturating_add(part.add);
        let score = self.score_parts(open).into_iter().fold(self.base_score?, sum);
        Some(score.clamp(*SCORE.start(), *SCORE.end()))
    }

    /// Its name.
    #[must_use]
    pub fn id(&self) -> &VerticalId {
        &self.id
    }

    /// Its name for people.
    #[must_use]
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The currency of every price in it.
    #[must_use]
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Every field, with its position.
    pub fn fields(&self) -> impl Iterator<Item = (FieldIdx, &Field)> {
        self.fields
            .iter()
            .enumerate()
            .filter_map(|(at, field)| Some((FieldIdx(u16::try_from(at).ok()?), field)))
    }

    /// How many fields.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether it has no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The position of a field.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<FieldIdx> {
        self.by_name.get(name).copied()
    }

    /// The field at a position of this vertical.
    #[must_use]
    pub fn field(&self, at: FieldIdx) -> &Field {
        self.fields.get(at.as_usize()).expect("an index is made by the vertical it is used with")
    }

    /// The names of all fields.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.fields.iter().map(|field| field.name.as_str())
    }

    /// The vertical that this file describes; findings are added for everything wrong in it.
    #[must_use]
    pub fn read(document: &crate::Document, findings: &mut crate::Findings) -> Option<Arc<Self>> {
        read::vertical(document, findings).map(Arc::new)
    }

    /// Computes one derived value from its source.
    #[must_use]
    pub fn derive(derivation: Derivation, source: &Value, today: Date) -> Option<Value> {
        match (derivation, source) {
            (Derivation::YearsSince(_), Value::Date(date)) => {
                Some(Value::Integer(years_between(*date, today)))
            }
            (Derivation::Year(_), Value::Date(date)) => {
                Some(Value::Integer(i64::from(date.year())))
            }
            (Derivation::Left(_, n), Value::Text(text)) => {
                Some(Value::Text(text.chars().take(usize::from(n)).collect()))
            }
            _ => None,
        }
    }
}

/// Whole years from `from` to `to`; negative when `to` is earlier.
fn years_between(from: Date, to: Date) -> i64 {
    let years = i64::from(to.year()).saturating_sub(i64::from(from.year()));
    let birthday_to_come = (to.month(), to.day()) < (from.month(), from.day());
    years.saturating_sub(i64::from(birthday_to_come))
}

#[cfg(test)]
mod tests;
