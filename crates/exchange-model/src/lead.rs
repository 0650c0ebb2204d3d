//! A lead: open attributes, and contact data that the types keep sealed.

use std::sync::{Arc, OnceLock};

use crate::brand::BrandList;
use crate::id::LeadId;
use crate::pii::{Fingerprint, FingerprintKey, Pii, PostPermit};
use crate::timestamp::Date;
use crate::value::Value;
use crate::vertical::{Check, Derivation, Failed, FieldClass, FieldIdx, Vertical};

mod intake;
mod leak_guard;
mod listed;
mod vault;

pub use intake::{FieldError, IntakeFields, Intaken, intake};
pub use leak_guard::{Leak, LeakGuard};
pub use listed::{HashForm, ListHash, list_kind};
pub use vault::{DATA_KEY_LEN, NONCE_LEN, VaultError};

/// The values of a lead's open fields, derived ones included.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Attributes {
    values: Vec<Option<Value>>,
}

impl Attributes {
    fn empty(vertical: &Vertical) -> Self {
        Self { values: vec![None; vertical.len()] }
    }

    /// The value of an open field.
    #[must_use]
    pub fn get(&self, at: FieldIdx) -> Option<&Value> {
        self.values.get(at.as_usize()).and_then(Option::as_ref)
    }

    fn set(&mut self, at: FieldIdx, value: Value) {
        if let Some(slot) = self.values.get_mut(at.as_usize()) {
            *slot = Some(value);
        }
    }

    /// Names and canonical texts, in the order of the vertical: what a store keeps.
    pub fn pairs<'a>(
        &'a self,
        vertical: &'a Vertical,
    ) -> impl Iterator<Item = (&'a str, String)> + 'a {
        vertical
            .fields()
            .filter_map(|(at, field)| Some((field.name.as_str(), self.get(at)?.to_string())))
    }
}

/// A lead's contact data: nobody reads it without a permit.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Contact {
    values: Vec<Option<Pii<String>>>,
    extras: Vec<(String, Pii<String>)>,
}

impl Contact {
    fn empty(vertical: &Vertical) -> Self {
        Self { values: vec![None; vertical.len()], extras: Vec::new() }
    }

    /// The sealed value of a contact or secret field.
    #[must_use]
    pub fn get(&self, at: FieldIdx) -> Option<&Pii<String>> {
        self.values.get(at.as_usize()).and_then(Option::as_ref)
    }

    fn set(&mut self, at: FieldIdx, value: Pii<String>) {
        if let Some(slot) = self.values.get_mut(at.as_usize()) {
            *slot = Some(value);
        }
    }

    /// Names of what is sealed here beside the vertical's fields: unknown fields, sub-ids and the
    /// seller's own lead id.
    pub fn extra_names(&self) -> impl Iterator<Item = &str> {
        self.extras.iter().map(|(name, _)| name.as_str())
    }

    /// Keyed hash of one contact field, for finding duplicates. An absent value never matches.
    #[must_use]
    pub fn fingerprint(
        &self,
        vertical: &Vertical,
        field: &str,
        key: &FingerprintKey,
    ) -> Option<Fingerprint> {
        let value = self.get(vertical.index(field)?)?;
        Some(value.fingerprint(key, field))
    }
}

/// One lead.
#[derive(Clone, Debug)]
pub struct Lead {
    id: LeadId,
    vertical: Arc<Vertical>,
    attributes: Attributes,
    contact: Contact,
    consented_to: Option<BrandList>,
    guard: OnceLock<LeakGuard>,
}

impl Lead {
    /// Its id.
    #[must_use]
    pub fn id(&self) -> LeadId {
        self.id
    }

    /// The dictionary it was checked against.
    #[must_use]
    pub fn vertical(&self) -> &Arc<Vertical> {
        &self.vertical
    }

    /// The open values.
    #[must_use]
    pub fn attributes(&self) -> &Attributes {
        &self.attributes
    }

    /// The sealed values.
    #[must_use]
    pub fn contact(&self) -> &Contact {
        &self.contact
    }

    /// Finds this lead's contact values in bytes that are about to leave. Made at the first call.
    #[must_use]
    pub fn leak_guard(&self) -> &LeakGuard {
        self.guard.get_or_init(|| LeakGuard::new(self))
    }

    /// The canonical text of any open or contact field, for a post that is allowed to leave.
    /// Nothing when the permit is for another lead, or the field is secret.
    #[must_use]
    pub fn expose(&self, at: FieldIdx, permit: &PostPermit) -> Option<String> {
        if permit.lead() != self.id {
            return None;
        }
        match self.vertical.field(at).class {
            FieldClass::Open => self.attributes.get(at).map(Value::to_string),
            FieldClass::Contact => self.expose_contact(at, permit).map(str::to_owned),
            FieldClass::Secret => None,
        }
    }

    /// The text of a contact field, lent to a post that is allowed to leave; nothing for any other
    /// class or under a permit for another lead.
    #[must_use]
    pub fn expose_contact<'a>(&'a self, at: FieldIdx, permit: &'a PostPermit) -> Option<&'a str> {
        let is_contact = self.vertical.field(at).class == FieldClass::Contact;
        if permit.lead() != self.id || !is_contact {
            return None;
        }
        self.contact.get(at).map(|value| value.expose(permit).as_str())
    }

    /// The vertical's example as a lead, for checking templates and showing samples. Its contact
    /// values are the published examples, nobody's data.
    #[must_use]
    pub fn example(vertical: &Arc<Vertical>, today: Date) -> Self {
        let mut lead = Self::blank(LeadId::from_bytes([0; 16]), vertical);
        for (at, field) in vertical.fields() {
            if let (Some(value), None) = (&field.example, field.derived) {
                lead.set(at, value.clone());
            }
        }
        lead.derive(today);
        lead
    }

    /// A lead from names and texts that were checked before (the store's own records). Unknown
    /// names are skipped: a field may have left the vertical since.
    #[must_use]
    pub fn restore<'a>(
        id: LeadId,
        vertical: &Arc<Vertical>,
        open: impl IntoIterator<Item = (&'a str, &'a str)>,
        contact: Contact,
        today: Date,
    ) -> Self {
        let mut lead = Self { contact, ..Self::blank(id, vertical) };
        for (name, text) in open {
            let Some(at) = vertical.index(name) else { continue };
            let field = vertical.field(at);
            if field.class != FieldClass::Open || field.derived.is_some() {
                continue;
            }
            if let Ok(value) = crate::vertical::normalise(&field.kind, text) {
                lead.attributes.set(at, value);
            }
        }
        lead.derive(today);
        lead
    }

    fn blank(id: LeadId, vertical: &Arc<Vertical>) -> Self {
        Self {
            id,
            attributes: Attributes::empty(vertical),
            contact: Contact::empty(vertical),
            vertical: Arc::clone(vertical),
            consented_to: None,
            guard: OnceLock::new(),
        }
    }

    fn set(&mut self, at: FieldIdx, value: Value) {
        match self.vertical.field(at).class {
            FieldClass::Open => self.attributes.set(at, value),
            FieldClass::Contact | FieldClass::Secret => {
                self.contact.set(at, Pii::new(value.to_string()));
            }
        }
    }

    /// The value of any field, for this crate's own judging of a lead.
    fn value(&self, at: FieldIdx) -> Option<Value> {
        let field = self.vertical.field(at);
        match field.class {
            FieldClass::Open => self.attributes.get(at).cloned(),
            FieldClass::Contact | FieldClass::Secret => self
                .contact
                .get(at)
                .and_then(|text| crate::vertical::normalise(&field.kind, text.inner()).ok()),
        }
    }

    /// Whom the consumer has agreed to hear from, as the seller says; nothing: it did not say.
    #[must_use]
    pub fn consented_to(&self) -> Option<&BrandList> {
        self.consented_to.as_ref()
    }

    /// The same lead with this list.
    #[must_use]
    pub fn with_consent(self, consented_to: Option<BrandList>) -> Self {
        Self { consented_to, ..self }
    }

    /// The checks of quality whose failure refuses a lead and that do not hold for this one.
    pub fn failed_checks(&self, today: Date) -> impl Iterator<Item = &Check> {
        let refusing = self.vertical.checks().iter().filter(|check| check.failed == Failed::Refuse);
        refusing.filter(move |check| check.holds(|at| self.value(at), today) == Some(false))
    }

    /// Computes the derived fields, in order.
    fn derive(&mut self, today: Date) {
        let vertical = Arc::clone(&self.vertical);
        for (at, field) in vertical.fields() {
            let Some(rule) = field.derived else { continue };
            let value = match rule {
                Derivation::Check(check) => vertical
                    .checks()
                    .get(usize::from(check))
                    .and_then(|check| check.holds(|at| self.value(at), today))
                    .map(Value::Boolean),
                Derivation::Score => vertical.score(&self.attributes).map(Value::Integer),
                Derivation::YearsSince(source)
                | Derivation::Left(source, _)
                | Derivation::Year(source) => {
                    self.value(source).and_then(|value| Vertical::derive(rule, &value, today))
                }
            };
            if let Some(value) = value {
                self.set(at, value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
