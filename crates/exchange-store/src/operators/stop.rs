//! Who is stopped, how firmly and until when.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use exchange_model::{BuyerId, CampaignId, SourceId, Timestamp};

/// Longest reason of a stop, in bytes.
pub const WHY_MAX: usize = 512;

/// Who is meant.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Subject {
    /// The whole exchange.
    All,
    /// One source.
    Source(SourceId),
    /// One buyer with all its campaigns.
    Buyer(BuyerId),
    /// One campaign.
    Campaign(CampaignId),
}

impl Subject {
    /// `all`, `source`, `buyer` or `campaign`.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Source(_) => "source",
            Self::Buyer(_) => "buyer",
            Self::Campaign(_) => "campaign",
        }
    }

    /// Its name; empty for `all`.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::All => "",
            Self::Source(id) => id.as_str(),
            Self::Buyer(id) => id.as_str(),
            Self::Campaign(id) => id.as_str(),
        }
    }

    /// The subject of this kind and name; nothing when there can be none.
    #[must_use]
    pub fn parse(kind: &str, name: &str) -> Option<Self> {
        match kind {
            "all" => name.is_empty().then_some(Self::All),
            "source" => name.parse().ok().map(Self::Source),
            "buyer" => name.parse().ok().map(Self::Buyer),
            "campaign" => name.parse().ok().map(Self::Campaign),
            _ => None,
        }
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all"),
            other => write!(f, "{} {}", other.kind(), other.name()),
        }
    }
}

/// How firmly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Force {
    /// New leads stay away.
    Pause,
    /// What runs is stopped too, at the last moment before contact data leaves.
    Kill,
}

impl Force {
    /// `pause` or `kill`.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Kill => "kill",
        }
    }

    /// The force of this code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        match code {
            "pause" => Some(Self::Pause),
            "kill" => Some(Self::Kill),
            _ => None,
        }
    }
}

/// A subject that an operator has stopped.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Stop {
    /// Who.
    pub subject: Subject,
    /// How firmly.
    pub force: Force,
    /// Since when.
    pub since: Timestamp,
    /// Until when; nothing is until somebody resumes it.
    pub until: Option<Timestamp>,
    /// Why, in the operator's words. For operators alone.
    pub why: String,
    /// By whom.
    pub actor: String,
}

impl Stop {
    /// Whether it stops anything at this moment.
    #[must_use]
    pub fn is_on(&self, at: Timestamp) -> bool {
        self.until.is_none_or(|until| at < until)
    }

    /// `until 2026-11-23T17:00:00Z` or `until it is resumed`.
    #[must_use]
    pub fn until_text(&self) -> String {
        match self.until {
            Some(until) => format!("until {until}"),
            None => "until it is resumed".to_owned(),
        }
    }
}

/// Every stop, in memory. Few: they are searched one by one.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Stops(Vec<Stop>);

impl Stops {
    /// These.
    #[must_use]
    pub fn new(stops: Vec<Stop>) -> Self {
        Self(stops)
    }

    /// Those that stop something at this moment.
    pub fn at(&self, at: Timestamp) -> impl Iterator<Item = &Stop> {
        self.0.iter().filter(move |stop| stop.is_on(at))
    }

    /// What keeps a source's leads out: its own stop, or one of everything.
    #[must_use]
    pub fn of_source(&self, source: &SourceId, at: Timestamp) -> Option<&Stop> {
        self.at(at).find(|stop| match &stop.subject {
            Subject::All => true,
            Subject::Source(stopped) => stopped == source,
            Subject::Buyer(_) | Subject::Campaign(_) => false,
        })
    }

    /// What keeps leads from a campaign: its own stop, its buyer's, or one of everything.
    #[must_use]
    pub fn of_campaign(&self, campaign: &CampaignId, at: Timestamp) -> Option<&Stop> {
        self.at(at).find(|stop| match &stop.subject {
            Subject::All => true,
            Subject::Campaign(stopped) => stopped == campaign,
            Subject::Buyer(stopped) => *stopped == campaign.buyer(),
            Subject::Source(_) => false,
        })
    }
}

/// The stops that are durable now, for whoever looks early.
#[derive(Debug, Default)]
pub(crate) struct StopBook(RwLock<Arc<Stops>>);

impl StopBook {
    /// From now on these.
    pub(crate) fn show(&self, stops: Stops) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(stops);
    }

    /// All of them.
    pub(crate) fn now(&self) -> Arc<Stops> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn stop(subject: Subject, until: Option<Timestamp>) -> Stop {
        let since = Timestamp::default();
        let (why, actor) = ("test".to_owned(), "cli anna".to_owned());
        Stop { subject, force: Force::Pause, since, until, why, actor }
    }

    #[test]
    fn a_stop_ends_by_itself_at_its_moment() {
        let noon = Timestamp::from_unix_millis(43_200_000);
        let stops = Stops::new(vec![stop(Subject::parse("buyer", "acme").unwrap(), Some(noon))]);
        let campaign: CampaignId = "acme/auto".parse().unwrap();
        assert!(stops.of_campaign(&campaign, noon.before(Duration::from_micros(1))).is_some());
        assert!(stops.of_campaign(&campaign, noon).is_none());
    }

    #[test]
    fn a_stop_of_everything_is_one_of_each_source_and_campaign() {
        let stops = Stops::new(vec![stop(Subject::All, None)]);
        let at = Timestamp::default();
        assert!(stops.of_campaign(&"acme/auto".parse().unwrap(), at).is_some());
        assert!(stops.of_source(&"kart/search".parse().unwrap(), at).is_some());
    }

    #[test]
    fn a_stop_of_one_touches_no_other() {
        let of = |kind, name| Subject::parse(kind, name).unwrap();
        let stops = Stops::new(vec![
            stop(of("source", "kart/search"), None),
            stop(of("campaign", "acme/auto"), None),
        ]);
        let at = Timestamp::default();
        assert!(stops.of_campaign(&"acme/home".parse().unwrap(), at).is_none());
        assert!(stops.of_source(&"kart/social".parse().unwrap(), at).is_none());
        assert_eq!(Subject::parse("all", "acme"), None);
    }
}
