//! What identifies the person behind a lead, and what must be free of it before a post.
//!
//! A person is a few keyed hashes. While a lead is posted, and for good once it is bought, its
//! person is claimed: for its source, seller and vertical, and for the campaign and buyer that have
//! it. A [`Claim`] asks whether one of these has the person within a window. An absent value makes
//! no hash, so empty never matches empty. Decided inside commit A, with everything else it decides.

use exchange_model::lead::ListHash;
use exchange_model::pii::{Fingerprint, FingerprintKey};
use exchange_model::{
    BuyerId, CampaignId, FieldType, Lead, SellerId, SourceId, Timestamp, VerticalId,
};
use ping_tree::{Campaign, DuplicateRule, DuplicateScope, Source};

/// One keyed hash of a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Print {
    /// The contact field.
    pub field: String,
    /// The keyed hash of its normalised value.
    pub fingerprint: Fingerprint,
}

/// Whose dealings with a person count.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Within {
    /// Leads of a source.
    Source(SourceId),
    /// Leads of a seller.
    Seller(SellerId),
    /// Leads of a vertical.
    Vertical(VerticalId),
    /// What a campaign has, or may have.
    Campaign(CampaignId),
    /// What any campaign of a buyer has, or may have.
    Buyer(BuyerId),
}

impl Within {
    /// Whether it is the buyer's own rule: then the buyer alone is out, not the lead.
    #[must_use]
    pub fn is_buyers(&self) -> bool {
        matches!(self, Self::Campaign(_) | Self::Buyer(_))
    }
}

/// One keyed hash that must be free within a window.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Claim {
    /// Whose dealings count.
    pub within: Within,
    /// The hash.
    pub print: Print,
    /// Older dealings than this do not count.
    pub since: Timestamp,
}

/// One earlier dealing with a person.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Dealing {
    /// Which hash matched.
    pub print: Print,
    /// The source of that lead.
    pub source: SourceId,
    /// Its vertical.
    pub vertical: VerticalId,
    /// Who has the lead, or may have it; nothing while only the auction has it.
    pub campaign: Option<CampaignId>,
    /// When it was claimed.
    pub at: Timestamp,
}

impl Claim {
    /// Whether this dealing is one that the claim asks for.
    #[must_use]
    pub fn meets(&self, dealing: &Dealing) -> bool {
        let campaign = dealing.campaign.as_ref();
        let within = match &self.within {
            Within::Source(source) => dealing.source == *source,
            Within::Seller(seller) => dealing.source.seller() == *seller,
            Within::Vertical(vertical) => dealing.vertical == *vertical,
            Within::Campaign(wanted) => campaign == Some(wanted),
            Within::Buyer(buyer) => campaign.is_some_and(|campaign| campaign.buyer() == *buyer),
        };
        within && dealing.at >= self.since && dealing.print == self.print
    }
}

/// What commit A asks about the person of a lead, and what it keeps of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Person {
    /// Kept with the claim on the person.
    pub prints: Vec<Print>,
    /// What must be free.
    pub claims: Vec<Claim>,
    /// Lists of the buyer that must not name the person.
    pub lists: Vec<String>,
    /// What the person would be called in them.
    pub listed_as: Vec<ListHash>,
}

/// Every hash by which a person is remembered: of each phone and e-mail address, and of the fields
/// that rules look at besides. Rules that come later thus know today's sales.
#[must_use]
pub fn prints(lead: &Lead, also: &[String], key: &FingerprintKey) -> Vec<Print> {
    let vertical = lead.vertical();
    let usual = vertical
        .fields()
        .filter(|(_, field)| matches!(field.kind, FieldType::UsPhone | FieldType::Email));
    let mut fields: Vec<&str> = usual.map(|(_, field)| field.name.as_str()).collect();
    fields.extend(also.iter().map(String::as_str));
    fields.sort_unstable();
    fields.dedup();
    let print = |field: &str| {
        let fingerprint = lead.contact().fingerprint(vertical, field, key)?;
        Some(Print { field: field.to_owned(), fingerprint })
    };
    fields.into_iter().filter_map(print).collect()
}

/// What must be free by a source's rule about what was sold.
#[must_use]
pub fn of_source(prints: &[Print], lead: &Lead, source: &Source, at: Timestamp) -> Vec<Claim> {
    let Some(rule) = &source.duplicates else { return Vec::new() };
    let within = match rule.scope {
        DuplicateScope::Seller => Within::Seller(source.id.seller()),
        DuplicateScope::Vertical => Within::Vertical(lead.vertical().id().clone()),
        DuplicateScope::Source | DuplicateScope::Campaign | DuplicateScope::Buyer => {
            Within::Source(source.id.clone())
        }
    };
    claims(prints, rule, &within, at)
}

/// What must be free by a campaign's rule about what it bought.
#[must_use]
pub fn of_campaign(prints: &[Print], campaign: &Campaign, at: Timestamp) -> Vec<Claim> {
    let Some(rule) = &campaign.person.duplicates else { return Vec::new() };
    let within = match rule.scope {
        DuplicateScope::Buyer => Within::Buyer(campaign.buyer.id.clone()),
        DuplicateScope::Campaign
        | DuplicateScope::Source
        | DuplicateScope::Seller
        | DuplicateScope::Vertical => Within::Campaign(campaign.id.clone()),
    };
    claims(prints, rule, &within, at)
}

/// What must not have come from a source lately.
#[must_use]
pub fn resubmitted(prints: &[Print], source: &Source, at: Timestamp) -> Vec<Claim> {
    let Some(rule) = &source.resubmissions else { return Vec::new() };
    claims(prints, rule, &Within::Source(source.id.clone()), at)
}

fn claims(prints: &[Print], rule: &DuplicateRule, within: &Within, at: Timestamp) -> Vec<Claim> {
    let since = at.before(rule.window);
    let looked_at = prints.iter().filter(|print| rule.on.contains(&print.field));
    looked_at.map(|print| Claim { within: within.clone(), print: print.clone(), since }).collect()
}
