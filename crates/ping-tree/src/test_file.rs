//! The operators' own tests: what buyers would answer, and what must come of it.
//!
//! This module only reads and checks them. Running one takes an auction, so that is the core's
//! business; nothing in a test touches the network, and every test names its time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::document::Spanned;
use exchange_model::lead::{FieldError, IntakeFields, intake};
use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::reason::{CapName, Ineligible, IneligibleKind, LeadStatus, Passed};
use exchange_model::{
    BrandList, CampaignId, Document, Findings, Lead, LeadId, Money, Place, SourceId, Stage,
    Timestamp, TreeId,
};

use crate::eligibility::Wishes;
use crate::routing::Routing;
use crate::source::Source;
use crate::tree::Tree;

mod answers;
mod asks;
mod brands;
mod expect;
mod fixture;
mod history;
mod members;
mod read;

pub use history::History;

/// Most tests in one file.
pub const TESTS_MAX: usize = 1_000;
/// Most fixtures in one file.
pub const FIXTURES_MAX: usize = 200;

/// One file of tests.
#[derive(Clone, Debug)]
pub struct TestFile {
    /// The tree of every test that names no other.
    pub tree: Option<TreeId>,
    /// The source of every test that names no other.
    pub source: Option<SourceId>,
    /// The tests, in order.
    pub cases: Vec<TestCase>,
}

/// One test.
#[derive(Clone, Debug)]
pub struct TestCase {
    /// What it shows.
    pub name: String,
    /// The time of intake.
    pub at: Timestamp,
    /// The tree it runs through.
    pub tree: Arc<Tree>,
    /// Whose lead it is.
    pub source: Arc<Source>,
    /// Name of the fixture.
    pub lead_name: String,
    /// The fixture's fields, completed by the examples of the vertical.
    pub fields: Vec<(String, String)>,
    /// What buyers answer to a ping. A pinged campaign without an entry gives no bid.
    pub bids: BTreeMap<CampaignId, ScriptedBid>,
    /// What buyers answer to a post. A campaign without an entry accepts.
    pub posts: BTreeMap<CampaignId, PostAnswer>,
    /// The least payout that the request accepts, beside the source's.
    pub min_price: Option<Money>,
    /// What the request asks of whoever buys.
    pub wishes: Wishes,
    /// Whom the consumer agreed to hear from, where the request says so.
    pub consented_to: Option<BrandList>,
    /// What happened before.
    pub history: History,
    /// What must come of it.
    pub expect: Expect,
    /// Where it is written.
    pub place: Place,
}

impl TestCase {
    /// The lead, made the way a seller's post is. Reading the file has checked that it can be made.
    ///
    /// # Errors
    /// Every field that is wrong.
    pub fn lead(&self, id: LeadId) -> Result<Lead, Vec<FieldError>> {
        let from = IntakeFields {
            stage: Stage::Post,
            fields: &self.fields,
            sealed: Vec::new(),
            pinged: None,
            ping_counts: false,
            today: self.at.date_in(&jiff::tz::TimeZone::UTC),
        };
        let lead = intake(id, &self.tree.vertical, from).map(|taken| taken.lead)?;
        Ok(lead.with_consent(self.consented_to.clone()))
    }
}

/// What a buyer answers to a ping, and how long it takes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ScriptedBid {
    /// From the ping leaving to the whole answer being here.
    pub after: Duration,
    /// The answer.
    pub answer: PingAnswer,
}

/// What must come of a test. Only what is written is compared.
#[derive(Clone, Debug, Default)]
pub struct Expect {
    /// How the lead ends.
    pub status: Option<Spanned<LeadStatus>>,
    /// Who buys it.
    pub winner: Option<Spanned<CampaignId>>,
    /// What the buyer pays.
    pub price: Option<Spanned<Money>>,
    /// What the seller is owed, for all sales together.
    pub payout: Option<Spanned<Money>>,
    /// What the first sale was worth before the payout.
    pub value: Option<Spanned<Money>>,
    /// Exactly these buy it, each at this price.
    pub winners: Option<Spanned<BTreeMap<CampaignId, Money>>>,
    /// The brands that a campaign's sale was booked for, in any order.
    pub legs: BTreeMap<CampaignId, Spanned<Vec<String>>>,
    /// Exactly these are pinged, in any order.
    pub pinged: Option<Spanned<Vec<CampaignId>>>,
    /// No ping goes to these, for whatever reason.
    pub unasked: Option<Spanned<Vec<CampaignId>>>,
    /// Whether a tier closed before every bidder had answered, because nobody left could win.
    pub closed_early: Option<Spanned<bool>>,
    /// Exactly these are posted to, in this order.
    pub posted: Option<Spanned<Vec<CampaignId>>>,
    /// Campaigns that are not pinged, and why.
    pub ineligible: BTreeMap<CampaignId, Spanned<IneligiblePattern>>,
    /// Campaigns that make no usable bid: the code, as in [`exchange_model::reason::NoBid::code`].
    pub no_bid: BTreeMap<CampaignId, Spanned<&'static str>>,
    /// Campaigns whose usable bid does not buy, and why.
    pub passed: BTreeMap<CampaignId, Spanned<Passed>>,
}

/// `filtered` fits any filter, `filtered(state)` only the one on that field.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum IneligiblePattern {
    /// Any reason of this family.
    Kind(IneligibleKind),
    /// The filter on this field.
    Filtered(String),
    /// This cap.
    Cap(CapName),
}

impl IneligiblePattern {
    /// Whether a reason is what is expected.
    #[must_use]
    pub fn matches(&self, reason: &Ineligible) -> bool {
        match (self, reason) {
            (Self::Kind(kind), _) => reason.kind() == *kind,
            (Self::Filtered(wanted), Ineligible::Filtered { field }) => wanted == field,
            (Self::Cap(wanted), Ineligible::Cap(kind)) => wanted == kind,
            (Self::Filtered(_) | Self::Cap(_), _) => false,
        }
    }
}

impl TestFile {
    /// Reads a file of tests against what is configured; a test with a mistake is left out.
    #[must_use]
    pub fn read(document: &Document, routing: &Routing, findings: &mut Findings) -> Self {
        read::test_file(document, routing, findings)
    }
}
