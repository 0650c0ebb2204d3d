//! Every metric of the exchange: names, labels and buckets in one place.
//!
//! Labels come from config and from closed lists of codes, never from a request. The ledger, not
//! this, is the truth about money. This is the only module that uses the metrics macros.
#![expect(clippy::disallowed_types, reason = "the metrics crate takes floats; nothing returns")]

use std::sync::OnceLock;
use std::time::Duration;

use buyer_connectors::BreakerState;
use exchange_model::{BuyerId, CampaignId, Money, SourceId, Timestamp, VerticalId};
use exchange_store::{Booked, Committed, StoreError};
use metrics::{
    Counter, Gauge, Histogram, SharedString, Unit, counter, describe_counter, describe_gauge,
    describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// From 1 ms: a local auction is faster than what default buckets can tell apart.
const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0];
/// Prices, in units of the currency.
const PRICES: &[f64] =
    &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0, 200.0, 500.0];

macro_rules! metrics {
    ($($(#[doc = $help:literal])* $variant:ident = $kind:ident $name:literal,)+) => {
        /// The closed list of metrics.
        #[derive(Clone, Copy, Debug, Eq, PartialEq)]
        pub enum Metric {
            $($(#[doc = $help])* $variant,)+
        }

        impl Metric {
            /// Every metric, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// Its name in Prometheus.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)+ }
            }
        }

        fn describe() {
            $(metrics!(@describe $kind $name, concat!($($help),*).trim_start());)+
        }
    };
    (@describe counter $name:literal, $help:expr) => { describe_counter!($name, $help) };
    (@describe gauge $name:literal, $help:expr) => { describe_gauge!($name, $help) };
    (@describe price $name:literal, $help:expr) => { describe_histogram!($name, $help) };
    (@describe seconds $name:literal, $help:expr) => {
        describe_histogram!($name, Unit::Seconds, $help)
    };
}

metrics!(
    /// Leads that ended, by how.
    LeadsTotal = counter "rialto_leads_total",
    /// Sellers' pings that ended, by how.
    SellerPingsTotal = counter "rialto_seller_pings_total",
    /// From the first byte of a request to its durable answer.
    AuctionDuration = seconds "rialto_auction_duration_seconds",
    /// Answers that came after the deadline of their auction.
    DeadlineExceededTotal = counter "rialto_deadline_exceeded_total",
    /// Auctions under way.
    InflightAuctions = gauge "rialto_inflight_auctions",
    /// Pings to buyers, by what came of them.
    PingsTotal = counter "rialto_pings_total",
    /// How long buyers take to answer a ping.
    PingDuration = seconds "rialto_ping_duration_seconds",
    /// Bids that came after their auction had left.
    LateBidsTotal = counter "rialto_late_bids_total",
    /// What buyers bid.
    BidPrice = price "rialto_bid_price",
    /// Posts to buyers, by outcome.
    PostsTotal = counter "rialto_posts_total",
    /// How long buyers take to answer a post.
    PostDuration = seconds "rialto_post_duration_seconds",
    /// What buyers owe for the leads they bought, in minor units.
    SaleMinorUnitsTotal = counter "rialto_sale_minor_units_total",
    /// What sellers are owed for the leads they sold, in minor units.
    PayoutMinorUnitsTotal = counter "rialto_payout_minor_units_total",
    /// Posts whose outcome is unknown.
    UnknownPosts = gauge "rialto_unknown_posts",
    /// Posts whose buyers have the lead and are still deciding; part of the unknown ones.
    PendingPosts = gauge "rialto_pending_posts",
    /// Questions to buyers about posts without an answer, by how and by what they said.
    QuestionsTotal = counter "rialto_questions_total",
    /// Buyers' calls to the addresses they were given, by what they said.
    CallbacksTotal = counter "rialto_callbacks_total",
    /// Calls that were refused, by reason.
    CallbacksRefusedTotal = counter "rialto_callbacks_refused_total",
    /// Refused posts whose buyers named a price they would have paid.
    CounterOffersTotal = counter "rialto_counter_offers_total",
    /// Buyers that find fault with our requests: the connector is wrong, or their side has changed.
    IntegrationAlarmsTotal = counter "rialto_integration_alarms_total",
    /// Pings that were stopped because they held contact data: a bug.
    ContactInPingTotal = counter "rialto_contact_in_ping_total",
    /// Buyers that fail so often that they are left alone: 0 no, 1 being tried again, 2 yes.
    BuyerBreaker = gauge "rialto_buyer_breaker",
    /// Buyers that take pings and buy nothing: 1 while they get only a share of pings, else 0.
    BuyerThrottled = gauge "rialto_buyer_throttled",
    /// Whether most buyers failed at once a moment ago: our own network is to blame.
    NetworkAlarm = gauge "rialto_network_alarm",
    /// From asking for a commit to knowing that it is on disk.
    CommitDuration = seconds "rialto_commit_duration_seconds",
    /// Requests that were refused at the door, by reason.
    ShedTotal = counter "rialto_shed_total",
    /// Requests that were refused, by code.
    InvalidTotal = counter "rialto_invalid_requests_total",
    /// Auctions that ended by a bug.
    PanicsTotal = counter "rialto_auction_panics_total",
    /// Reloads and rollbacks of the config, by what came of them.
    ConfigReloadTotal = counter "rialto_config_reload_total",
    /// When the config was applied last, in seconds since 1970.
    ConfigReloadSuccess = gauge "rialto_config_last_reload_success_timestamp_seconds",
    /// The number of the version that is routed by.
    ConfigVersion = gauge "rialto_config_version",
    /// The version that runs.
    BuildInfo = gauge "rialto_build_info",
);

/// Sets up the process's recorder, once; later calls give the same handle.
pub fn install() -> PrometheusHandle {
    static HANDLE: OnceLock<PrometheusHandle> = OnceLock::new();
    HANDLE
        .get_or_init(|| {
            let recorder = PrometheusBuilder::new()
                .set_buckets(SECONDS)
                .and_then(|builder| {
                    let name = Metric::BidPrice.name().to_owned();
                    builder.set_buckets_for_metric(Matcher::Full(name), PRICES)
                })
                .expect("the buckets are not empty")
                .build_recorder();
            let handle = recorder.handle();
            // A recorder that somebody else installed keeps the process's metrics; ours stay empty.
            drop(metrics::set_global_recorder(recorder));
            describe();
            handle
        })
        .clone()
}

/// The handles of one campaign, made once per config.
#[derive(Clone, Debug)]
pub struct CampaignMeters {
    buyer: SharedString,
    campaign: SharedString,
    ping_seconds: Histogram,
    post_seconds: Histogram,
    bid_price: Histogram,
    late: Counter,
}

impl CampaignMeters {
    /// Registers a campaign.
    #[must_use]
    pub fn new(buyer: &BuyerId, campaign: &CampaignId) -> Self {
        let (buyer, campaign) = (shared(buyer.as_str()), shared(campaign.as_str()));
        Self {
            ping_seconds: histogram!(Metric::PingDuration.name(), "buyer" => buyer.clone()),
            post_seconds: histogram!(Metric::PostDuration.name(), "buyer" => buyer.clone()),
            bid_price: histogram!(
                Metric::BidPrice.name(), "buyer" => buyer.clone(), "campaign" => campaign.clone()
            ),
            late: counter!(
                Metric::LateBidsTotal.name(), "buyer" => buyer.clone(), "campaign" => campaign.clone()
            ),
            buyer,
            campaign,
        }
    }

    /// A ping ended: its outcome's code, how long it took, the price if there is one.
    pub fn pinged(&self, outcome: &'static str, took: Duration, bid: Option<Money>) {
        self.count(Metric::PingsTotal, outcome);
        self.ping_seconds.record(took);
        if let Some(units) = bid.and_then(|bid| bid.amount_text().parse::<f64>().ok()) {
            self.bid_price.record(units);
        }
    }

    /// A bid came when nobody waited for it any more.
    pub fn late(&self) {
        self.late.increment(1);
    }

    /// The buyer found fault with our request of this stage.
    pub fn faulted(&self, stage: &'static str) {
        let (buyer, campaign) = (self.buyer.clone(), self.campaign.clone());
        let name = Metric::IntegrationAlarmsTotal.name();
        counter!(name, "buyer" => buyer, "campaign" => campaign, "stage" => stage).increment(1);
    }

    /// A ping was stopped because it held contact data.
    pub fn leaked(&self) {
        let (buyer, campaign) = (self.buyer.clone(), self.campaign.clone());
        let name = Metric::ContactInPingTotal.name();
        counter!(name, "buyer" => buyer, "campaign" => campaign).increment(1);
    }

    /// A refused post came back with another price.
    pub fn countered(&self) {
        let (buyer, campaign) = (self.buyer.clone(), self.campaign.clone());
        let name = Metric::CounterOffersTotal.name();
        counter!(name, "buyer" => buyer, "campaign" => campaign).increment(1);
    }

    /// The buyer answered a question about a post.
    pub fn asked(&self, how: &'static str, outcome: &'static str) {
        let (buyer, campaign) = (self.buyer.clone(), self.campaign.clone());
        let name = Metric::QuestionsTotal.name();
        counter!(
            name, "buyer" => buyer, "campaign" => campaign, "how" => how, "outcome" => outcome
        )
        .increment(1);
    }

    /// The buyer called us and said this.
    pub fn called_back(&self, outcome: &'static str) {
        self.count(Metric::CallbacksTotal, outcome);
    }

    /// A post ended.
    pub fn posted(&self, outcome: &'static str, took: Duration) {
        self.count(Metric::PostsTotal, outcome);
        self.post_seconds.record(took);
    }

    fn count(&self, metric: Metric, outcome: &'static str) {
        let (buyer, campaign) = (self.buyer.clone(), self.campaign.clone());
        counter!(metric.name(), "buyer" => buyer, "campaign" => campaign, "outcome" => outcome)
            .increment(1);
    }
}

fn shared(text: &str) -> SharedString {
    SharedString::from_shared(std::sync::Arc::from(text))
}

/// A lead ended.
pub fn lead_ended(source: &SourceId, vertical: &VerticalId, outcome: &'static str) {
    let (source, vertical) = (shared(source.as_str()), shared(vertical.as_str()));
    let name = Metric::LeadsTotal.name();
    counter!(name, "source" => source, "vertical" => vertical, "outcome" => outcome).increment(1);
}

/// A seller's ping ended: `bid`, `no_bid` or `abandoned`.
pub fn seller_ping_ended(source: &SourceId, outcome: &'static str) {
    let source = shared(source.as_str());
    counter!(Metric::SellerPingsTotal.name(), "source" => source, "outcome" => outcome)
        .increment(1);
}

/// An auction gave its answer after `took`, perhaps too late.
pub fn auction_ended(tree: &str, took: Duration, late: bool) {
    histogram!(Metric::AuctionDuration.name(), "tree" => shared(tree)).record(took);
    if late {
        counter!(Metric::DeadlineExceededTotal.name(), "tree" => shared(tree)).increment(1);
    }
}

/// A sale was booked.
fn sold(campaign: &CampaignId, source: &SourceId, price: Money, payout: Money) {
    let currency = shared(price.currency().as_str());
    let amount = |money: Money| {
        money.to_minor().ok().and_then(|minor| u64::try_from(minor.get()).ok()).unwrap_or(0)
    };
    let buyer = shared(campaign.buyer().as_str());
    counter!(Metric::SaleMinorUnitsTotal.name(), "buyer" => buyer, "currency" => currency.clone())
        .increment(amount(price));
    let seller = shared(source.seller().as_str());
    counter!(Metric::PayoutMinorUnitsTotal.name(), "seller" => seller, "currency" => currency)
        .increment(amount(payout));
}

/// Counts what a step sold, once it is durable: in an auction, by a resolver or by a buyer's call.
pub fn count_sale(done: &Result<Committed, StoreError>) {
    if let Ok(Committed { booked: Some(Booked { campaign, source, price, payout }), .. }) = done {
        sold(campaign, source, *price, *payout);
    }
}

/// A commit of this step (`intake`, `a`, `b`, `promise`) is on disk.
pub fn committed(step: &'static str, took: Duration) {
    histogram!(Metric::CommitDuration.name(), "step" => step).record(took);
}

/// A request was refused at the door.
pub fn shed(reason: &'static str) {
    counter!(Metric::ShedTotal.name(), "reason" => reason).increment(1);
}

/// A request was refused with this code.
pub fn invalid(code: &'static str) {
    counter!(Metric::InvalidTotal.name(), "code" => code).increment(1);
}

/// An auction ended by a bug.
pub fn panicked() {
    counter!(Metric::PanicsTotal.name()).increment(1);
}

/// How many auctions run.
pub fn inflight() -> Gauge {
    gauge!(Metric::InflightAuctions.name())
}

/// How many posts of a buyer are unknown.
pub fn unknown_posts(buyer: &BuyerId) -> Gauge {
    gauge!(Metric::UnknownPosts.name(), "buyer" => shared(buyer.as_str()))
}

/// How many posts of a buyer are still being decided by it.
pub fn pending_posts(buyer: &BuyerId) -> Gauge {
    gauge!(Metric::PendingPosts.name(), "buyer" => shared(buyer.as_str()))
}

/// Whether a buyer is left alone, at this moment.
pub fn breaker(buyer: &BuyerId, state: BreakerState) {
    let shown = match state {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen | BreakerState::Returning => 1.0,
        BreakerState::Open => 2.0,
    };
    gauge!(Metric::BuyerBreaker.name(), "buyer" => shared(buyer.as_str())).set(shown);
}

/// Whether a buyer gets only a share of pings because it buys nothing.
pub fn throttled(buyer: &BuyerId, on: bool) {
    let shown = if on { 1.0 } else { 0.0 };
    gauge!(Metric::BuyerThrottled.name(), "buyer" => shared(buyer.as_str())).set(shown);
}

/// Whether our own network is to blame.
pub fn network_alarm(on: bool) {
    gauge!(Metric::NetworkAlarm.name()).set(if on { 1.0 } else { 0.0 });
}

/// A buyer's call was refused.
pub fn callback_refused(reason: &'static str) {
    counter!(Metric::CallbacksRefusedTotal.name(), "reason" => reason).increment(1);
}

/// What runs.
pub fn running() {
    gauge!(Metric::BuildInfo.name(), "version" => env!("CARGO_PKG_VERSION")).set(1.0);
}

/// A reload or rollback ended like this.
pub fn config_reloaded(outcome: &'static str) {
    counter!(Metric::ConfigReloadTotal.name(), "outcome" => outcome).increment(1);
}

/// From now on this version is routed by.
#[expect(clippy::cast_precision_loss, clippy::as_conversions, reason = "a gauge takes a float")]
pub fn config_applied(number: u64, now: Timestamp) {
    gauge!(Metric::ConfigVersion.name()).set(number as f64);
    let seconds = now.unix_micros().checked_div(1_000_000).unwrap_or_default();
    gauge!(Metric::ConfigReloadSuccess.name()).set(seconds as f64);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_histograms_have_buckets() {
        let handle = install();
        auction_ended("main", Duration::from_millis(3), false);
        let text = handle.render();
        assert!(text.contains("rialto_auction_duration_seconds_bucket"), "{text}");
        let mut names: Vec<&str> = Metric::ALL.iter().map(|metric| metric.name()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Metric::ALL.len());
    }
}
