//! The closed list of reasons.
//!
//! The same codes appear in the API, the command line, metrics, records and config tests. Four
//! families of refusal, told apart by who refused whom:
//!
//! | family | meaning |
//! |---|---|
//! | [`Invalid`] | we refuse the seller's request |
//! | [`Ineligible`] | a campaign was never pinged |
//! | [`NoBid`] | a campaign was pinged and made no usable bid |
//! | [`Rejection`] | a buyer's answer to a post |
//!
//! Then what became of a usable bid that did not buy ([`Passed`]), why a post never left
//! ([`NotSent`]), and why its outcome is unknown ([`Unknown`]).

use std::fmt;

use crate::money::Money;

/// Longest text kept of a buyer's own words, in bytes.
pub const BUYER_TEXT_MAX: usize = 256;

macro_rules! codes {
    ($(#[$doc:meta])* $type:ident { $($(#[$vdoc:meta])* $variant:ident = $code:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
        pub enum $type {
            $($(#[$vdoc])* $variant,)+
        }

        impl $type {
            /// Every code, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)+];

            /// The name that appears in API replies, metrics and exports; it never changes.
            #[must_use]
            pub const fn code(self) -> &'static str {
                match self { $(Self::$variant => $code,)+ }
            }

            /// The reason with this code.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                match code { $($code => Some(Self::$variant),)+ _ => None }
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.code())
            }
        }
    };
}

codes!(
    /// Why we refuse a seller's request.
    Invalid {
        /// A required field is absent or empty.
        MissingField = "missing_field",
        /// The value has another type than the field.
        BadType = "bad_type",
        /// The value is of the right type but not allowed.
        BadValue = "bad_value",
        /// More than a limit allows: body, fields, depth, length.
        TooLarge = "too_large",
        /// The body cannot be read at all.
        Malformed = "malformed",
        /// The media type is none we read.
        UnsupportedMedia = "unsupported_media",
        /// No key, or none that we accept.
        Unauthorised = "unauthorised",
        /// The source is paused.
        SourceDisabled = "source_disabled",
        /// The body did not arrive in time.
        TooSlow = "too_slow",
        /// Nothing by that name that this key may see.
        NotFound = "not_found",
        /// The promise of this ping has ended.
        PingExpired = "ping_expired",
        /// This ping was posted already, under another key or body.
        PingUsed = "ping_used",
        /// The post names other attributes than the ping did.
        PingMismatch = "ping_mismatch",
        /// The idempotency key was used with another body.
        KeyReused = "key_reused",
        /// The source sends more than its rate allows.
        RateLimited = "rate_limited",
        /// The source has sent as many leads as its cap allows.
        SourceCap = "source_cap",
        /// We take no new leads at the moment.
        Overloaded = "overloaded",
    }
);

codes!(
    /// The family of reasons why a campaign was never pinged, without its detail.
    IneligibleKind {
        /// The buyer or campaign is paused.
        Paused = "paused",
        /// Outside its hours, or on a closed date.
        Closed = "closed",
        /// A filter does not accept the lead.
        Filtered = "filtered",
        /// A cap has no room.
        Cap = "cap",
        /// The buyer's balance or credit line does not cover the price.
        NoCredit = "no_credit",
        /// The seller's source never sells to this buyer.
        BlockedBySeller = "blocked_by_seller",
        /// A secret of the connector is missing.
        NoSecret = "no_secret",
        /// The time left cannot hold its ping and post.
        NoTimeLeft = "no_time_left",
        /// The buyer's list names this person.
        Suppressed = "suppressed",
        /// The buyer bought this person within its own window.
        Duplicate = "duplicate",
        /// As many pings as the buyer wants at a time are out already.
        PingRate = "ping_rate",
        /// The buyer asks for much and buys little: most of its pings are left out.
        Throttled = "throttled",
        /// The buyer fails too often and is left alone for a while.
        BreakerOpen = "breaker_open",
        /// It sells to no number of buyers that this tier or request allows.
        ShareMode = "share_mode",
        /// The request excludes this buyer.
        Excluded = "excluded",
        /// The consumer has not agreed to hear from this buyer.
        NoConsent = "no_consent",
        /// The condition of its tier or of its place in it does not hold.
        WhenNotMet = "when_not_met",
        /// It was asked for this lead before, at this price or less, and declined.
        DeclinedBefore = "declined_before",
        /// It refused a post of this lead, or may have it.
        PostedBefore = "posted_before",
        /// An earlier tier sold the lead.
        TierNotReached = "tier_not_reached",
    }
);

codes!(
    /// Which cap had no room.
    CapKind {
        /// Leads per second.
        Second = "second",
        /// Leads per hour.
        Hour = "hour",
        /// Leads per day.
        Day = "day",
        /// Leads per week, from Monday on.
        Week = "week",
        /// Leads per month.
        Month = "month",
        /// Leads in all.
        Total = "total",
        /// Spend per hour.
        HourSpend = "hour_spend",
        /// Spend per day.
        DaySpend = "day_spend",
        /// Spend per week, from Monday on.
        WeekSpend = "week_spend",
        /// Spend per month.
        MonthSpend = "month_spend",
        /// Spend in all.
        TotalSpend = "total_spend",
        /// What a day's cap allows by this hour.
        Pace = "pace",
        /// Leads handed over and not finished.
        Open = "open",
    }
);

/// Whose leads a cap counts.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum CapOwner {
    /// The campaign's own.
    Campaign,
    /// What the campaign takes from this source.
    Source,
    /// All campaigns of the buyer together.
    Buyer,
    /// The campaigns of the group of this name together.
    Group(String),
}

/// One cap by whose it is and which.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CapName {
    /// Whose.
    pub owner: CapOwner,
    /// Which.
    pub kind: CapKind,
}

impl CapName {
    /// Reads what is displayed.
    #[must_use]
    pub fn from_text(text: &str) -> Option<Self> {
        let (owner, kind) = match text.rsplit_once(' ') {
            None => (CapOwner::Campaign, text),
            Some(("source", kind)) => (CapOwner::Source, kind),
            Some(("buyer", kind)) => (CapOwner::Buyer, kind),
            Some((owner, kind)) => {
                (CapOwner::Group(owner.strip_prefix("group ")?.to_owned()), kind)
            }
        };
        Some(Self { owner, kind: CapKind::from_code(kind)? })
    }
}

/// The campaign's own cap of this kind.
impl From<CapKind> for CapName {
    fn from(kind: CapKind) -> Self {
        Self { owner: CapOwner::Campaign, kind }
    }
}

/// `day`, `source day`, `buyer day`, `group texas day`.
impl fmt::Display for CapName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.owner {
            CapOwner::Campaign => {}
            CapOwner::Source => f.write_str("source ")?,
            CapOwner::Buyer => f.write_str("buyer ")?,
            CapOwner::Group(name) => write!(f, "group {name} ")?,
        }
        f.write_str(self.kind.code())
    }
}

/// Why a campaign was never pinged.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Ineligible {
    /// A reason that needs no detail.
    Plain(IneligibleKind),
    /// The filter on this field does not accept the lead.
    Filtered {
        /// The field's name in the vertical.
        field: String,
    },
    /// This cap has no room.
    Cap(CapName),
}

impl Ineligible {
    /// The family, for metrics.
    #[must_use]
    pub fn kind(&self) -> IneligibleKind {
        match self {
            Self::Plain(kind) => *kind,
            Self::Filtered { .. } => IneligibleKind::Filtered,
            Self::Cap(_) => IneligibleKind::Cap,
        }
    }
}

/// `closed`, `filtered(state)`, `cap(buyer day)`.
impl fmt::Display for Ineligible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plain(kind) => f.write_str(kind.code()),
            Self::Filtered { field } => write!(f, "filtered({field})"),
            Self::Cap(cap) => write!(f, "cap({cap})"),
        }
    }
}

codes!(
    /// The class of a buyer's refusal, mapped by the connector from the buyer's own word.
    RejectClass {
        /// The buyer has this person already.
        Duplicate = "duplicate",
        /// The buyer has enough.
        Cap = "cap",
        /// The lead is not what the buyer wants.
        Filter = "filter",
        /// The buyer finds fault with our request.
        Invalid = "invalid",
        /// The price is not right.
        Price = "price",
        /// The buyer cancelled the post at our request.
        Voided = "voided",
        /// Anything else.
        Other = "other",
    }
);

/// A buyer's refusal: its class, and its own words where it gave any.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    /// The class the connector mapped the buyer's word to.
    pub class: RejectClass,
    /// The buyer's words, cut at [`BUYER_TEXT_MAX`].
    pub text: Option<String>,
    /// What the buyer would have paid instead (of a post only).
    pub counter: Option<Money>,
}

impl Rejection {
    /// A refusal without a counter-offer.
    #[must_use]
    pub const fn new(class: RejectClass, text: Option<String>) -> Self {
        Self { class, text, counter: None }
    }
}

/// Why a pinged campaign made no usable bid.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum NoBid {
    /// The buyer said no.
    Declined(Rejection),
    /// No answer before the tier closed.
    Timeout,
    /// A bid came after the tier closed.
    Late(Money),
    /// Below the campaign's floor.
    BelowFloor(Money),
    /// Above the campaign's ceiling; alarmed, never clamped.
    AboveCeiling(Money),
    /// Below what the tier sells at.
    BelowReserve(Money),
    /// The payout it allows is below what the seller takes.
    BelowMinPrice(Money),
    /// It leaves less margin than the tree asks for.
    BelowMargin(Money),
    /// The bid names another currency than the campaign.
    WrongCurrency,
    /// No connection to the buyer.
    ConnectError(NotSent),
    /// An answer without a readable body and a status that is no success.
    HttpError(u16),
    /// The reply cannot be read; names what was looked for.
    BadReply(String),
    /// The buyer says that it failed itself.
    BuyerFailed,
    /// The pool of this buyer's connections is full.
    Saturated,
}

impl NoBid {
    /// The code, without the detail.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Declined(_) => "declined",
            Self::Timeout => "timeout",
            Self::Late(_) => "late",
            Self::BelowFloor(_) => "below_floor",
            Self::AboveCeiling(_) => "above_ceiling",
            Self::BelowReserve(_) => "below_reserve",
            Self::BelowMinPrice(_) => "below_min_price",
            Self::BelowMargin(_) => "below_margin",
            Self::WrongCurrency => "wrong_currency",
            Self::ConnectError(_) => "connect_error",
            Self::HttpError(_) => "http_error",
            Self::BadReply(_) => "bad_reply",
            Self::BuyerFailed => "buyer_failed",
            Self::Saturated => "saturated",
        }
    }
}

/// `late(31.00)`, `declined(duplicate)`.
impl fmt::Display for NoBid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code();
        match self {
            Self::Declined(rejection) => write!(f, "{code}({})", rejection.class),
            Self::Late(price)
            | Self::BelowFloor(price)
            | Self::AboveCeiling(price)
            | Self::BelowReserve(price)
            | Self::BelowMinPrice(price)
            | Self::BelowMargin(price) => write!(f, "{code}({})", price.amount_text()),
            Self::ConnectError(why) => write!(f, "{code}({why})"),
            Self::HttpError(status) => write!(f, "{code}({status})"),
            Self::BadReply(at) => write!(f, "{code}({at})"),
            Self::Timeout | Self::WrongCurrency | Self::BuyerFailed | Self::Saturated => {
                f.write_str(code)
            }
        }
    }
}

codes!(
    /// Why a usable bid did not buy.
    Passed {
        /// Another bid ranked higher.
        Outbid = "outbid",
        /// Equal to the winner; lost the tie.
        TieLost = "tie_lost",
        /// Would have broken the price promised to the seller.
        BelowPromise = "below_promise",
        /// The cascade ended before its turn.
        NotNeeded = "not_needed",
        /// Commit A refused it: a cap or credit ran out since the ping.
        Refused = "refused",
        /// The buyer's token had expired before its turn.
        Expired = "expired",
    }
);

codes!(
    /// Why a request provably never reached the buyer.
    NotSent {
        /// The name did not resolve.
        Dns = "dns",
        /// No connection.
        Connect = "connect",
        /// No trusted TLS session.
        Tls = "tls",
        /// The connection handed the request back unwritten.
        Unwritten = "unwritten",
        /// The address is not one we may call.
        Forbidden = "forbidden_address",
        /// No token from the buyer's token service.
        Token = "token",
        /// The pool of this buyer's connections is full.
        Saturated = "saturated",
        /// Our own template could not be filled for this lead.
        Unrendered = "unrendered",
        /// The time left was used up before the request could leave.
        NoTimeLeft = "no_time_left",
        /// The call that must come before it failed.
        PreCall = "pre_call",
        /// The buyer fails too often and is left alone for a while.
        BreakerOpen = "breaker_open",
        /// The bytes of a ping held contact data: a fault of ours, alarmed.
        ContactInPing = "contact_in_ping",
    }
);

codes!(
    /// Why the outcome of a post is unknown.
    Unknown {
        /// No answer in time.
        Timeout = "timeout",
        /// The connection broke after the request began.
        Reset = "reset",
        /// The answer was cut off or over the limit.
        Truncated = "truncated",
        /// A server error of the buyer.
        Http5xx = "http_5xx",
        /// An answer that no rule of the connector recognises.
        Unreadable = "unreadable",
        /// The exchange stopped while the post was out.
        Crash = "crash",
        /// The buyer will decide later.
        Pending = "pending",
    }
);

codes!(
    /// Why commit A refused a post. Nothing left the house.
    Refused {
        /// A cap has no room.
        Cap = "cap",
        /// The buyer's balance or credit does not cover the hold.
        NoCredit = "no_credit",
        /// The lead was claimed by another request meanwhile.
        Duplicate = "duplicate",
        /// A buyer whose answer had counted as lost has bought the lead meanwhile.
        Sold = "sold",
        /// An operator stopped the buyer, the campaign or the source at once.
        Stopped = "stopped",
        /// The buyer bought this person within its own window.
        BuyerDuplicate = "buyer_duplicate",
        /// A list that the buyer gave us names this person.
        Suppressed = "suppressed",
        /// As many buyers as the lead may have, have it or may have it.
        NoSlot = "no_slot",
    }
);

codes!(
    /// How a lead ended.
    LeadStatus {
        /// Bought and booked.
        Sold = "sold",
        /// Nobody bought it.
        Unsold = "unsold",
        /// The same person was here within the source's window.
        Duplicate = "duplicate",
        /// A buyer's answer is outstanding; nobody else is offered the lead.
        Pending = "pending",
        /// The seller left, or we stopped, before anything left the house.
        Abandoned = "abandoned",
        /// Pending past its resolve-by: a person must settle it.
        Unresolved = "unresolved",
    }
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_within_a_family_and_read_back() {
        for code in Invalid::ALL {
            assert_eq!(Invalid::from_code(code.code()), Some(*code));
        }
        for code in IneligibleKind::ALL {
            assert_eq!(IneligibleKind::from_code(code.code()), Some(*code));
        }
        for cap in ["day", "pace", "open", "buyer day_spend", "group texas day", "source week"] {
            let name = CapName::from_text(cap).unwrap();
            assert_eq!(Ineligible::Cap(name).to_string(), format!("cap({cap})"));
        }
        assert_eq!(CapName::from_text("house day"), None);
    }
}
