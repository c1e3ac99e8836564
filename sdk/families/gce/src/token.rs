//! The metadata server: the token of the service account, and what the instance is told of itself.

use std::time::Duration;

use hostler_sdk::clock;
use hostler_sdk::http::{HttpRequest, HttpResponse};

use super::{CloudKeywords, ComputeError};

/// Where the metadata server is on Google. Its name would do, but it stands for a link-local address, which the host reaches
/// only where a grant names it.
const METADATA: &str = "http://169.254.169.254/computeMetadata/v1";

/// How long the metadata server may take. It is on the machine beside.
const PATIENCE: Duration = Duration::from_secs(5);

/// A token is taken for expired this long before it is.
const MARGIN: Duration = Duration::from_secs(10);

/// A token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AccessToken {
    pub(super) text: String,
    /// When it expires, since the boot of the node.
    end: Duration,
}

impl AccessToken {
    /// Asks for one.
    pub(super) fn ask(cloud: &CloudKeywords) -> Result<AccessToken, ComputeError> {
        let asked = clock::since_boot();
        let answer = metadata(cloud, "instance/service-accounts/default/token")?;
        let answer = answer.json().map_err(|error| ComputeError::Metadata(error.to_string()))?;
        let (Some(text), Some(seconds)) = (answer["access_token"].as_str(), answer["expires_in"].as_u64()) else {
            return Err(ComputeError::Metadata("the answer holds no token".to_owned()));
        };
        Ok(AccessToken { text: text.to_owned(), end: asked + Duration::from_secs(seconds) })
    }

    /// Whether it can be used.
    pub(super) fn is_good(&self) -> bool {
        clock::since_boot() + MARGIN < self.end
    }
}

/// What the metadata server says of something.
pub(super) fn told(cloud: &CloudKeywords, path: &str) -> Result<String, ComputeError> {
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
