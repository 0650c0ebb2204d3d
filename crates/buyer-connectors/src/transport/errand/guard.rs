//! The last look at a request that must not carry contact data.

use exchange_model::Lead;
use exchange_model::reason::NotSent;

use crate::call::Call;
use crate::connector::{Connector, Stage};
use crate::request::Request;
use crate::transport::exchange::Attempt;

/// What is known of a request beside its bytes.
pub(super) struct Guard<'a> {
    pub(super) attempt: &'a Attempt,
    pub(super) connector: &'a Connector,
    pub(super) lead: &'a Lead,
}

impl Guard<'_> {
    /// Lets the request pass, unless its bytes hold contact data of the lead. What a stage says to
    /// everybody is no lead's.
    ///
    /// # Errors
    /// [`NotSent::ContactInPing`]: a fault of ours or of whoever filled the lead's open fields.
    pub(super) fn pass<R>(
        &self,
        call: Call,
        stage: &Stage<R>,
        request: &Request,
    ) -> Result<(), NotSent> {
        let uri = request.uri.to_string();
        let headers = open_headers(request);
        let parts: [&[u8]; 3] = [uri.as_bytes(), &headers, &request.body];
        let fixed: Vec<&[u8]> = stage.fixed.iter().map(AsRef::as_ref).collect();
        let Some(leak) = self.lead.leak_guard().find(&parts, &fixed) else { return Ok(()) };
        let (campaign, field) = (self.connector.campaign(), leak.field(self.lead.vertical()));
        tracing::error!(%campaign, stage = call.key(), field, "contact data was about to leave");
        self.attempt.line.pool.count_contact_stopped();
        Err(NotSent::ContactInPing)
    }
}

/// The headers that say anything: credentials and signatures are the buyer's own or random.
fn open_headers(request: &Request) -> Vec<u8> {
    let open = request.headers.iter().filter(|(_, value)| !value.is_sensitive());
    open.flat_map(|(_, value)| value.as_bytes().iter().chain(b"\n")).copied().collect()
}
