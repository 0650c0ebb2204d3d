//! Realistic leads for the sample's auto-insurance vertical.
//!
//! [`Leads`] is an endless, seeded stream. Zip, state and area code belong together, ages and
//! vehicles are plausible, phone numbers are in the 555 exchange and e-mail addresses end in
//! `example.com`, so no lead is anybody's. Some leads repeat an earlier person and some are broken,
//! by the rates of the [`LeadPlan`]; each says what it is meant to be.

mod canary;
mod person;
mod places;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::fmt;

use serde_json::{Map, Value};

pub use canary::Canary;

use crate::random::{Random, hash};
use person::Person;
use places::PhoneBook;

/// How far back a duplicate may reach, in leads.
const DUPLICATE_REACH: usize = 500;

/// What leads to make.
#[derive(Clone, Debug)]
pub struct LeadPlan {
    /// The same seed makes the same leads.
    pub seed: u64,
    /// Starts every `seller_lead_id`, so that two runs against one exchange do not collide.
    pub run: String,
    /// How many leads in a thousand repeat the contact data of an earlier one.
    pub duplicates_per_mille: u32,
    /// How many leads in a thousand are broken.
    pub invalid_per_mille: u32,
    /// Whether every contact field carries a value that occurs in no other lead.
    pub canaries: bool,
}

impl Default for LeadPlan {
    /// Valid leads only, no two alike.
    fn default() -> Self {
        Self {
            seed: 1,
            run: "lab".to_owned(),
            duplicates_per_mille: 0,
            invalid_per_mille: 0,
            canaries: false,
        }
    }
}

impl LeadPlan {
    /// What a demo sends: mostly good leads, some repeated, some broken.
    #[must_use]
    pub fn realistic(seed: u64) -> Self {
        Self { seed, duplicates_per_mille: 40, invalid_per_mille: 30, ..Self::default() }
    }
}

/// What a lead is meant to be.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Expectation {
    /// Complete and new.
    Valid,
    /// Complete, with phone and e-mail of an earlier lead of the stream.
    Duplicate,
    /// To be refused.
    Invalid(
        /// What is wrong with it.
        Flaw,
    ),
}

/// What is wrong with an invalid lead.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Flaw {
    /// A required field is absent.
    MissingField(
        /// Its name.
        &'static str,
    ),
    /// The zip has four digits.
    BadZip,
    /// The birth date is no day of the calendar.
    ImpossibleDate,
}

/// One lead, as a seller sends it.
#[derive(Clone, PartialEq)]
pub struct Lead {
    index: u64,
    expectation: Expectation,
    fields: Vec<(&'static str, Value)>,
}

impl fmt::Debug for Lead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Lead({}, {:?})", self.index, self.expectation)
    }
}

impl Lead {
    /// Its place in the stream, from 0.
    #[must_use]
    pub const fn index(&self) -> u64 {
        self.index
    }

    /// What it is meant to be.
    #[must_use]
    pub const fn expectation(&self) -> Expectation {
        self.expectation
    }

    /// The lead as a flat JSON object with numbers and booleans.
    #[must_use]
    pub fn json(&self) -> Value {
        let fields = self.fields.iter();
        Value::Object(fields.map(|(name, value)| ((*name).to_owned(), value.clone())).collect())
    }

    /// The lead as `application/x-www-form-urlencoded` text.
    #[must_use]
    pub fn form(&self) -> String {
        let pairs = self.fields.iter().map(|(name, value)| (*name, text_of(value)));
        form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
    }

    /// The attributes a ping needs, as JSON: the lead without what only a post may carry.
    #[must_use]
    pub fn ping_json(&self) -> Value {
        let pinged = self.fields.iter().filter(|(name, _)| !POST_ONLY.contains(name));
        let pinged: Map<String, Value> =
            pinged.map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Value::Object(pinged)
    }

    /// A field's text, empty where it is absent.
    #[must_use]
    pub fn field(&self, name: &str) -> String {
        let found = self.fields.iter().find(|(field, _)| *field == name);
        found.map(|(_, value)| text_of(value)).unwrap_or_default()
    }

    /// The contact values to search for, raw.
    #[must_use]
    pub fn canaries(&self) -> Vec<Canary> {
        canary::of(self)
    }
}

/// Fields that a ping does not take.
const POST_ONLY: [&str; 4] = ["first_name", "last_name", "trustedform_url", "tcpa_text"];

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The stream of leads of one plan.
#[derive(Debug)]
pub struct Leads {
    plan: LeadPlan,
    next: u64,
    phones: PhoneBook,
    earlier: VecDeque<Person>,
}

impl Leads {
    /// The stream, from its first lead.
    #[must_use]
    pub fn new(plan: LeadPlan) -> Self {
        Self { plan, next: 0, phones: PhoneBook::default(), earlier: VecDeque::new() }
    }

    fn make(&mut self) -> Lead {
        let index = self.next;
        self.next += 1;
        let mut random = Random::new(hash(self.plan.seed, &index.to_le_bytes()));
        let (person, expectation) = self.person(index, &mut random);
        let mut lead = Lead { index, expectation, fields: Vec::with_capacity(18) };
        let id = format!("{}-{}-{index}", self.plan.run, self.plan.seed);
        lead.fields.push(("seller_lead_id", id.into()));
        person.write(&mut lead.fields);
        if let Expectation::Invalid(flaw) = expectation {
            flaw.spoil(&mut lead.fields);
        }
        lead
    }

    fn person(&mut self, index: u64, random: &mut Random) -> (Person, Expectation) {
        if random.chance(self.plan.duplicates_per_mille) && !self.earlier.is_empty() {
            let reach = u64::try_from(self.earlier.len()).unwrap_or(1);
            let back = usize::try_from(random.below(reach)).unwrap_or(0);
            let person = self.earlier.get(back).expect("below the number of earlier people");
            return (person.clone(), Expectation::Duplicate);
        }
        let mut person = Person::draw(random, &mut self.phones);
        if self.plan.canaries {
            person.become_canary(self.plan.seed, index);
        }
        if random.chance(self.plan.invalid_per_mille) {
            return (person, Expectation::Invalid(Flaw::draw(random)));
        }
        if self.earlier.len() == DUPLICATE_REACH {
            self.earlier.pop_front();
        }
        self.earlier.push_back(person.clone());
        (person, Expectation::Valid)
    }
}

impl Iterator for Leads {
    type Item = Lead;

    fn next(&mut self) -> Option<Lead> {
        Some(self.make())
    }
}

impl Flaw {
    /// The field that is wrong.
    #[must_use]
    pub const fn field(self) -> &'static str {
        match self {
            Self::MissingField(name) => name,
            Self::BadZip => "zip",
            Self::ImpossibleDate => "birth_date",
        }
    }

    fn draw(random: &mut Random) -> Self {
        *random.pick(&[
            Self::MissingField("zip"),
            Self::MissingField("phone"),
            Self::MissingField("vehicle_year"),
            Self::BadZip,
            Self::ImpossibleDate,
        ])
    }

    fn spoil(self, fields: &mut Vec<(&'static str, Value)>) {
        match self {
            Self::MissingField(name) => fields.retain(|(field, _)| *field != name),
            Self::BadZip => set(fields, "zip", "7870"),
            Self::ImpossibleDate => set(fields, "birth_date", "1990-02-31"),
        }
    }
}

fn set(fields: &mut [(&'static str, Value)], name: &str, text: &str) {
    for (_, value) in fields.iter_mut().filter(|(field, _)| *field == name) {
        *value = text.into();
    }
}
