//! The last look at a request that must not carry contact data.

use exchange_model::Lead;
use exchange_model::reason::NotSent;

use crate::call::Call;
use crate::connector::{Connector, Stage};
use crate::request::Request;

/// Lets the request pass, unless its bytes hold contact data of the lead. What a stage says to
/// everybody is no lead's.
///
/// # Errors
/// [`NotSent::ContactInPing`]: a fault of ours or of whoever filled the lead's open fields.
pub(super) fn guarded<R>(
    connector: &Connector,
    call: Call,
    stage: &Stage<R>,
    lead: &Lead,
    request: &Request,
) -> Result<(), NotSent> {
    let uri = request.uri.to_string();
    let headers: Vec<u8> = request
        .headers
        .iter()
        .filter(|(_, value)| !value.is_sensitive())
        .flat_map(|(_, value)| value.as_bytes().iter().chain(b"\n"))
        .copied()
        .collect();
    let parts: [&[u8]; 3] = [uri.as_bytes(), &headers, &request.body];
    let fixed: Vec<&[u8]> = stage.fixed.iter().map(AsRef::as_ref).collect();
    let Some(leak) = lead.leak_guard().find(&parts, &fixed) else { return Ok(()) };
    let (campaign, field) = (connector.campaign(), leak.field(lead.vertical()));
    tracing::error!(%campaign, stage = call.key(), field, "contact data was about to leave");
    Err(NotSent::ContactInPing)
}
