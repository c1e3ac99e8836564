//! The version of the API that a client speaks, and what it is told if this daemon does not.

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use protocol::daemon::{API_HEADER, API_OLDEST, API_VERSION};
use protocol::{FailureKind, RequestFailure};

/// The version of the agent that this daemon is.
pub(crate) const AGENT: &str = env!("CARGO_PKG_VERSION");

/// Refuses a client that would be misunderstood. One that names no version, such as curl, is taken at its word.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), RequestFailure> {
    let Some(spoken) = headers.get(API_HEADER) else { return Ok(()) };
    let spoken: Option<u32> = spoken.to_str().ok().and_then(|text| text.parse().ok());
    let advice = match spoken {
        Some(version) if (API_OLDEST..=API_VERSION).contains(&version) => return Ok(()),
        Some(version) if version > API_VERSION => "the daemon is the older one: upgrade it, then om daemon restart",
        Some(_) => "the client is the older one: upgrade it",
        None => "a number is expected",
    };
    let spoken = spoken.map_or("an unknown version".to_owned(), |version| format!("version {version}"));
    let served = if API_OLDEST == API_VERSION { String::new() } else { format!("{API_OLDEST} to ") };
    let message =
        format!("the client speaks {spoken} of the API, and this daemon ({AGENT}) {served}{API_VERSION}: {advice}");
    Err(RequestFailure { kind: FailureKind::NotSupported, message })
}

/// The header of every answer.
pub(crate) fn header() -> HeaderValue {
    HeaderValue::from(API_VERSION)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_client_of_another_version_learns_which_of_the_two_to_upgrade() {
        let check = |version: &str| {
            let headers = HeaderMap::from_iter([(API_HEADER.parse().unwrap(), version.parse().unwrap())]);
            super::check(&headers).err().map_or(String::new(), |failure| failure.message)
        };
        assert_eq!(check(&API_VERSION.to_string()), "");
        assert!(check(&(API_VERSION + 1).to_string()).ends_with("then om daemon restart"));
        assert!(check(&(API_OLDEST - 1).to_string()).ends_with("the client is the older one: upgrade it"));
        assert!(check("new").contains("a number is expected"));
        assert_eq!(super::check(&HeaderMap::new()), Ok(()));
    }
}
