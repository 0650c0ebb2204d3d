//! What is made durable about a request before anybody is pinged.

use std::fmt;
use std::sync::Arc;

use crate::repost::NotRepostable;
pub use exchange_core::duplicates::{Claim, Dealing, Print};
use exchange_core::record::{Answer, CapAmount, CapLimit, Window};
use exchange_model::reason::CapKind;
use exchange_model::{BrandList, Lead, LeadId, SourceId, Timestamp};

/// Longest idempotency key, in bytes.
pub const IDEMPOTENCY_KEY_MAX: usize = 255;

/// Which request it was.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum IntakeKind {
    /// A whole lead: a direct post, or a post on a ping (then it has the ping's bits).
    Lead,
    /// Attributes only. The "lead" of the intake carries the ping's bits as its id.
    Ping,
}

impl IntakeKind {
    /// `lead` or `ping`, as stored.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::Lead => "lead",
            Self::Ping => "ping",
        }
    }

    pub(crate) fn from_code(code: &str) -> Option<Self> {
        match code {
            "lead" => Some(Self::Lead),
            "ping" => Some(Self::Ping),
            _ => None,
        }
    }
}

/// The text is no idempotency key.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("an idempotency key has 1 to {IDEMPOTENCY_KEY_MAX} bytes")]
pub struct BadIdempotencyKey;

/// The seller's name for one request of one kind; kept as a keyed hash, since sellers put anything
/// into it.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct IdempotencyKey {
    kind: IntakeKind,
    text: String,
}

impl IdempotencyKey {
    /// The key of a request of this kind: the same text names another request when pinging than
    /// when posting.
    ///
    /// # Errors
    /// [`BadIdempotencyKey`].
    pub fn new(kind: IntakeKind, text: &str) -> Result<Self, BadIdempotencyKey> {
        if (1..=IDEMPOTENCY_KEY_MAX).contains(&text.len()) {
            Ok(Self { kind, text: text.to_owned() })
        } else {
            Err(BadIdempotencyKey)
        }
    }

    /// What kind of request it names.
    #[must_use]
    pub fn kind(&self) -> IntakeKind {
        self.kind
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

impl fmt::Debug for IdempotencyKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "IdempotencyKey({}, [redacted])", self.kind.code())
    }
}

/// What a request asks of whoever buys its lead.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct BuyerLimits {
    /// To how many buyers it may go at most.
    pub max_buyers: Option<u8>,
    /// Who has it already, by name or hash.
    pub exclude: BrandList,
}

/// One request, before anybody is pinged.
#[derive(Clone, Debug)]
pub struct Intake {
    /// The lead; its contact data is sealed before it is written. For a ping, its id has the
    /// ping's bits.
    pub lead: Arc<Lead>,
    /// Lead or ping.
    pub kind: IntakeKind,
    /// Whose.
    pub source: SourceId,
    /// The seller's name for the request.
    pub idempotency: Option<IdempotencyKey>,
    /// A keyed hash of the body ([`crate::vault::DerivedKeys::body_fingerprint`]).
    pub fingerprint: [u8; 32],
    /// When the request's first byte arrived: decides hours and cap windows.
    pub received_at: Timestamp,
    /// The version of the config that routes it.
    pub config_version: String,
    /// Where the seller wants to hear of a late outcome.
    pub callback_url: Option<String>,
    /// What must not have come from the same source lately; taken here, whatever becomes of the
    /// lead. None for a request that is meant to come again.
    pub resubmission: Vec<Claim>,
    /// The caps of its source, decided when it is written. Pings are not counted.
    pub caps: Vec<CapLimit>,
    /// What it asks of whoever buys it: kept with a ping for the post on it.
    pub limits: BuyerLimits,
    /// The first of the leads that this one is posted again after.
    pub repost_of: Option<LeadId>,
}

/// A cap of a source that has no room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct FullCap {
    /// Which.
    pub kind: CapKind,
    /// The stretch of time it counts in.
    pub window: Window,
    /// How much it allows.
    pub limit: CapAmount,
}

/// What became of an [`Intake`].
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum IntakeReply {
    /// It is durable.
    Accepted,
    /// The idempotency key names an earlier request; nothing was written. See
    /// [`crate::ExchangeStore::replay`].
    KeyInUse {
        /// That request's lead (for a ping: its bits).
        lead: LeadId,
    },
    /// The ping was posted before; nothing was written.
    PingUsed,
    /// It is durable, and the source sent the same person lately: it must not run.
    Resubmitted {
        /// The lead that came first.
        first: LeadId,
    },
    /// Its source has sent as many leads as this cap allows; nothing was written.
    SourceCap(FullCap),
    /// The lead may not be posted again; nothing was written.
    NotRepostable(NotRepostable),
}

/// An answer as the seller got it, byte for byte.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct StoredReply {
    /// The HTTP status.
    pub http_status: u16,
    /// The body.
    pub body: Vec<u8>,
}

/// Writes a reply for the seller from the answer that is durable.
///
/// Called inside the commit, so that the reply that is stored, the one that is sent and the record
/// say the same. It must be quick, and must not panic.
#[derive(Clone)]
pub struct Renderer(Arc<dyn Fn(&Answer) -> StoredReply + Send + Sync>);

impl Renderer {
    /// By this function.
    #[must_use]
    pub fn new(render: impl Fn(&Answer) -> StoredReply + Send + Sync + 'static) -> Self {
        Self(Arc::new(render))
    }

    /// The reply to this answer.
    #[must_use]
    pub fn render(&self, answer: &Answer) -> StoredReply {
        (self.0)(answer)
    }
}

impl fmt::Debug for Renderer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Renderer")
    }
}

/// The same reply to every answer.
impl From<StoredReply> for Renderer {
    fn from(reply: StoredReply) -> Self {
        Self::new(move |_answer| reply.clone())
    }
}
