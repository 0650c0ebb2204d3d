//! One campaign's dialect, compiled: how to write its ping and post, how to read its replies.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use exchange_model::outcome::{PingAnswer, PostAnswer};
use exchange_model::{BuyerId, CampaignId, Lead, PingView, PostPermit};

use crate::ping::PingContext;
use crate::post::PostContext;
use crate::request::{EncodeError, Request};

/// The connectors of any number of campaigns.
#[derive(Clone, Debug, Default)]
pub struct Connectors {
    by_campaign: BTreeMap<CampaignId, Arc<Connector>>,
}

impl Connectors {
    /// The connector of a campaign.
    #[must_use]
    pub fn get(&self, campaign: &CampaignId) -> Option<&Arc<Connector>> {
        self.by_campaign.get(campaign)
    }

    /// Adds the connectors of another file.
    pub fn extend(&mut self, more: Self) {
        self.by_campaign.extend(more.by_campaign);
    }

    /// All of them, by campaign.
    pub fn iter(&self) -> impl Iterator<Item = (&CampaignId, &Arc<Connector>)> {
        self.by_campaign.iter()
    }

    /// How many.
    #[must_use]
    pub fn len(&self) -> usize {
        self.by_campaign.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.by_campaign.is_empty()
    }

    pub(crate) fn insert(&mut self, connector: Connector) {
        self.by_campaign.insert(connector.campaign.clone(), Arc::new(connector));
    }
}

/// A compiled dialect, bound to one campaign, its vertical and its currency.
#[derive(Debug)]
pub struct Connector {
    pub(crate) campaign: CampaignId,
    pub(crate) buyer: BuyerId,
    pub(crate) name: String,
    pub(crate) ping_timeout: Option<Duration>,
    pub(crate) post_timeout: Duration,
    pub(crate) reposts: bool,
}

impl Connector {
    /// The campaign it was compiled for.
    #[must_use]
    pub fn campaign(&self) -> &CampaignId {
        &self.campaign
    }

    /// The buyer: connections are kept per buyer.
    #[must_use]
    pub fn buyer(&self) -> &BuyerId {
        &self.buyer
    }

    /// Its name in the buyer's file.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it pings. Without a ping the campaign's price is ours to know.
    #[must_use]
    pub fn has_ping(&self) -> bool {
        self.ping_timeout.is_some()
    }

    /// How long a ping may take, from `timeout`; nothing when there is no ping.
    #[must_use]
    pub fn ping_timeout(&self) -> Option<Duration> {
        self.ping_timeout
    }

    /// How long a post may take.
    #[must_use]
    pub fn post_timeout(&self) -> Duration {
        self.post_timeout
    }

    /// Whether the buyer recognises the same post sent again, so that a lost answer may be asked
    /// for by posting once more with the same idempotency key.
    #[must_use]
    pub fn reposts(&self) -> bool {
        self.reposts
    }

    /// Writes the ping of one lead.
    ///
    /// # Errors
    /// [`EncodeError`]: nothing can be sent.
    pub fn encode_ping(
        &self,
        _view: &PingView<'_>,
        _context: &PingContext<'_>,
    ) -> Result<Request, EncodeError> {
        Err(EncodeError::NoPing(self.name.clone()))
    }

    /// Writes the post of one lead.
    ///
    /// # Errors
    /// [`EncodeError`]: nothing can be sent.
    pub fn encode_post(
        &self,
        _lead: &Lead,
        _permit: &PostPermit,
        _context: &PostContext<'_>,
    ) -> Result<Request, EncodeError> {
        Err(EncodeError::WrongPermit)
    }

    /// Reads the whole reply to a ping. Total: any bytes give an answer.
    #[must_use]
    pub fn read_ping(&self, status: u16, _body: &[u8]) -> PingAnswer {
        PingAnswer::NoBid(exchange_model::reason::NoBid::HttpError(status))
    }

    /// Reads the whole reply to a post. Total: any bytes give an answer.
    #[must_use]
    pub fn read_post(&self, _status: u16, _body: &[u8]) -> PostAnswer {
        PostAnswer::Unknown(exchange_model::reason::Unknown::Unreadable)
    }
}
