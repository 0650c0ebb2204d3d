//! What a ping is built from: a view without contact data, and the words of the ping itself.
//!
//! Nothing in this file can name contact data or the right to send it.

/// What a ping may say beside the lead's open fields.
#[derive(Clone, Copy, Debug)]
pub struct PingContext<'a> {
    /// `{{ ping.id }}`: our handle of this ping.
    pub ping_id: &'a str,
    /// `{{ source.alias }}`: what this buyer may know of where the lead comes from.
    pub source_alias: &'a str,
}
