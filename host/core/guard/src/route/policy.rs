//! `/containers/NAME/update`: takes back a restart policy that was set behind the agent's back, and changes nothing else.

use crate::case::RequestCase;
use crate::verdict::{ForwardedRequest, NotForwarded};

/// The one body: the engine must not start the container by itself.
const NO_RESTART: &[u8] = br#"{"RestartPolicy":{"Name":"no"}}"#;

/// Judges `POST /containers/NAME/update`. Any other update could change what the container may use, so none is known here.
pub(crate) fn reset(case: &RequestCase<'_>, name: &str) -> Result<ForwardedRequest, NotForwarded> {
    if case.request.body != NO_RESTART {
        return Err(case.unknown().into());
    }
    let container = case.own(name)?;
    case.target.knows(&[])?;
    Ok(ForwardedRequest {
        target: case.target.write(&format!("/containers/{}/update", container.id)),
        headers: case.headers_of_json()?,
        body: NO_RESTART.to_vec(),
        paths: Vec::new(),
        beside: Vec::new(),
        sources: Vec::new(),
        describes: None,
        effect: None,
        image: None,
        what: format!("keep the engine from starting its container {} by itself", container.short_id()),
        stream: None,
    })
}
