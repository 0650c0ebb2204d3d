//! Leads for tests: valid ones by number, and the same with a field changed.

use exchange_lab::{Lead, LeadPlan, Leads};
use serde_json::{Map, Value, json};

/// Fields that only a post takes.
const POST_ONLY: [&str; 4] = ["first_name", "last_name", "trustedform_url", "tcpa_text"];

/// The `n`-th valid lead, as JSON; no two are the same person.
pub(crate) fn lead(n: u32) -> Value {
    json!({
        "zip": "78701", "state": "TX", "birth_date": "1990-04-02", "currently_insured": true,
        "carrier": "Progressive", "credit": "good", "homeowner": true, "vehicle_year": 2019,
        "vehicle_make": "Honda", "violations": 0,
        "first_name": "Sample", "last_name": format!("Person{n}"),
        "phone": format!("{}555{:04}", 512 + n / 10_000, n % 10_000), "email": format!("sample.person.{n}@example.com"),
        "trustedform_url": format!("https://cert.trustedform.com/{n:032x}"),
        "tcpa_text": "I agree to be contacted",
    })
}

/// What a ping for this lead says.
pub(crate) fn ping_of(lead: &Value) -> Value {
    POST_ONLY.iter().chain(&["phone", "email"]).fold(lead.clone(), |lead, name| without(lead, name))
}

/// The lead with this field set.
pub(crate) fn with(lead: Value, name: &str, value: impl Into<Value>) -> Value {
    let mut fields = object(lead);
    fields.insert(name.to_owned(), value.into());
    Value::Object(fields)
}

/// The lead without this field.
pub(crate) fn without(lead: Value, name: &str) -> Value {
    let mut fields = object(lead);
    fields.remove(name);
    Value::Object(fields)
}

fn object(lead: Value) -> Map<String, Value> {
    match lead {
        Value::Object(fields) => fields,
        other => panic!("{other} is no lead"),
    }
}

/// Realistic leads of the lab, all valid, no two alike.
pub(crate) fn realistic(seed: u64, count: usize) -> Vec<Lead> {
    Leads::new(LeadPlan { seed, ..LeadPlan::default() }).take(count).collect()
}
