//! Requests to the metadata server: the token of the service account, and the instance's project and zone.

use std::time::Duration;

use hostler_sdk::clock;
use hostler_sdk::http::{HttpRequest, HttpResponse};

use super::{CloudKeywords, ComputeError};

/// The address of the metadata server. Its host name would resolve to this link-local address, which the host contacts only if a
/// grant names it.
const METADATA: &str = "http://169.254.169.254/computeMetadata/v1";

/// How long the metadata server may take. It runs on the same physical host.
const PATIENCE: Duration = Duration::from_secs(5);

/// How long before its expiry a token counts as expired.
const MARGIN: Duration = Duration::from_secs(10);

/// An access token of the service account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccessToken {
    pub(super) text: String,
    /// The time of expiry, since the node's boot.
    end: Duration,
}

impl AccessToken {
    /// Requests a token.
    pub(super) fn ask(cloud: &CloudKeywords) -> Result<AccessToken, ComputeError> {
        // The time before the request, because the token's lifetime starts when the server issues it.
        let asked = clock::since_boot();
        let answer = metadata(cloud, "instance/service-accounts/default/token")?;
        let answer = answer.json().map_err(|error| ComputeError::Metadata(error.to_string()))?;
        let (Some(text), Some(seconds)) = (answer["access_token"].as_str(), answer["expires_in"].as_u64()) else {
            return Err(ComputeError::Metadata("the answer contains no token".to_owned()));
        };
        Ok(AccessToken { text: text.to_owned(), end: asked + Duration::from_secs(seconds) })
    }

    /// Whether the token can be used.
    pub(super) fn is_good(&self) -> bool {
        clock::since_boot() + MARGIN < self.end
    }
}

/// A value of the metadata server.
pub(super) fn read(cloud: &CloudKeywords, path: &str) -> Result<String, ComputeError> {
    Ok(metadata(cloud, path)?.text())
}

fn metadata(cloud: &CloudKeywords, path: &str) -> Result<HttpResponse, ComputeError> {
    let base = cloud.gce_metadata.as_deref().unwrap_or(METADATA);
    let request =
        HttpRequest::new("GET", format!("{base}/{path}")).header("Metadata-Flavor", "Google").timeout(PATIENCE);
    let answer = request.send().map_err(|error| ComputeError::metadata(base, error))?;
    match answer.status {
        200 => Ok(answer),
        404 if path.ends_with("token") => Err(ComputeError::Metadata(
            "this instance has no service account: give it one with the scope cloud-platform".to_owned(),
        )),
        status => Err(ComputeError::Metadata(format!("it answered {status} to {path}: {}", answer.text().trim()))),
    }
}
