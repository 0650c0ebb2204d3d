//! The calls that a connector makes, and what each of them may know.

/// A stage of a connector that sends a request.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) enum Call {
    /// Gets a token of the buyer's own making; kept, so it belongs to no lead.
    Token,
    /// Before each ping.
    PrePing,
    /// Asks for a bid.
    Ping,
    /// Before each post.
    PrePost,
    /// Delivers the lead.
    Post,
    /// After an accepted post.
    Confirm,
    /// Asks what became of a post.
    Status,
    /// Cancels a post.
    Void,
}

impl Call {
    /// Its table's name in a connector.
    pub(crate) const fn key(self) -> &'static str {
        match self {
            Self::Token => "token",
            Self::PrePing => "pre_ping",
            Self::Ping => "ping",
            Self::PrePost => "pre_post",
            Self::Post => "post",
            Self::Confirm => "confirm",
            Self::Status => "status",
            Self::Void => "void",
        }
    }

    /// Whether contact data may leave in it. In every other call contact data needs an anonymiser.
    pub(crate) const fn carries_contact(self) -> bool {
        matches!(self, Self::Post)
    }

    /// Whether it is about one lead whose fields are at hand.
    pub(crate) const fn has_lead(self) -> bool {
        matches!(self, Self::PrePing | Self::Ping | Self::PrePost | Self::Post)
    }

    /// Whether a sale is being asked for, so that a price, a token and a key are known.
    pub(crate) const fn has_sale(self) -> bool {
        matches!(self, Self::PrePost | Self::Post | Self::Confirm | Self::Status | Self::Void)
    }

    /// Whether the buyer's answer to the post is known.
    pub(crate) const fn is_after_post(self) -> bool {
        matches!(self, Self::Confirm | Self::Status | Self::Void)
    }
}
