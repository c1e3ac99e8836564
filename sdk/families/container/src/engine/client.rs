//! The connection to an engine, and the requests about images. Those about containers are in `containers.rs`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_sdk::http::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;

use super::credentials::RegistryCredentials;
use super::error::EngineError;
use super::reference::name_and_tag;
use super::wire::{EngineObject, EngineRefusal, PullProgress};

/// The oldest and newest version of the API that this client supports. It uses the newest one that the engine also supports.
pub(crate) const OLDEST: ApiVersion = ApiVersion(1, 41);
const NEWEST: ApiVersion = ApiVersion(1, 47);

/// How long a query may take.
const QUESTION: Duration = Duration::from_secs(30);

/// A version of the API: `1.41`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ApiVersion(u32, u32);

impl std::fmt::Display for ApiVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.0, self.1)
    }
}

impl std::str::FromStr for ApiVersion {
    type Err = ();

    fn from_str(text: &str) -> Result<ApiVersion, ()> {
        let (major, minor) = text.split_once('.').ok_or(())?;
        Ok(ApiVersion(major.parse().map_err(drop)?, minor.parse().map_err(drop)?))
    }
}

/// A client of an engine that answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineClient {
    socket: PathBuf,
    version: ApiVersion,
}

pub(crate) type EngineResult<T> = Result<T, EngineError>;

impl EngineClient {
    /// Connects to the engine at a socket and negotiates the version of the API.
    pub fn connect(socket: &Path) -> EngineResult<EngineClient> {
        const DOING: &str = "cannot ask the container engine";
        // /_ping needs no version, so it works with every engine and returns the newest version that it supports.
        let request = HttpRequest::unix("GET", socket, "/_ping").timeout(QUESTION);
        let response = request.send().map_err(|error| EngineError::of(socket, DOING, error))?;
        let spoken = response.header("api-version").unwrap_or_default();
        match spoken.parse::<ApiVersion>() {
            Ok(version) if version >= OLDEST => {
                Ok(EngineClient { socket: socket.to_owned(), version: version.min(NEWEST) })
            }
            _ => Err(EngineError::TooOld { socket: socket.to_owned(), found: format!("{spoken:?}") }),
        }
    }

    /// The socket of the engine.
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// The path of a request, with the version of the API in front.
    pub fn path(&self, path: &str) -> String {
        format!("/v{}{path}", self.version)
    }

    /// The id of an image, if the engine has it.
    pub fn image(&self, reference: &str) -> EngineResult<Option<String>> {
        let doing = format!("cannot look for the image {reference}");
        let answer = self.ask(&doing, &format!("/images/{reference}/json"));
        some(answer.and_then(|response| read::<EngineObject>(&doing, &response)).map(|image| image.id))
    }

    /// Pulls an image. The engine reports a failure not as the status, but in the stream of progress messages.
    pub(crate) fn pull(
        &self,
        reference: &str,
        by: Option<&RegistryCredentials>,
        timeout: Duration,
    ) -> EngineResult<()> {
        let doing = format!("cannot pull the image {reference}");
        // Without a tag the engine would pull all tags of the image.
        let (name, tag) = name_and_tag(reference);
        let path = format!("/images/create?fromImage={}&tag={}", escaped(name), escaped(tag));
        let request = self.request("POST", &path).timeout(timeout);
        let request = match by {
            Some(RegistryCredentials(header)) => request.header("x-registry-auth", header),
            None => request,
        };
        let response = self.send(&doing, &request)?;
        let lines = response.text();
        // Each line of the response is one JSON document. Lines that are not JSON carry no error.
        let failure = lines.lines().filter_map(|line| serde_json::from_str::<PullProgress>(line).ok());
        match failure.map(|progress| progress.error).find(|error| !error.is_empty()) {
            Some(message) => Err(EngineError::Refused { doing, status: response.status, message }),
            None => Ok(()),
        }
    }

    pub(super) fn request(&self, method: &str, path: &str) -> HttpRequest {
        HttpRequest::unix(method, &self.socket, self.path(path))
    }

    pub(super) fn ask(&self, doing: &str, path: &str) -> EngineResult<HttpResponse> {
        self.send(doing, &self.request("GET", path).timeout(QUESTION))
    }

    /// Sends a request and ignores the content of the response.
    pub(super) fn order(&self, doing: &str, method: &str, path: &str) -> EngineResult<()> {
        self.send(doing, &self.request(method, path)).map(drop)
    }

    /// Sends a request. 304 means that nothing had to be changed, which is a success.
    pub(super) fn send(&self, doing: &str, request: &HttpRequest) -> EngineResult<HttpResponse> {
        let response = request.send().map_err(|error| EngineError::of(&self.socket, doing, error))?;
        if response.succeeded() || response.status == 304 {
            return Ok(response);
        }
        // Podman and docker put the reason into `message`, but proxies in front of them may not.
        let message = match serde_json::from_slice::<EngineRefusal>(&response.body) {
            Ok(EngineRefusal { message }) if !message.is_empty() => message,
            _ => format!("the engine answers {} {}", response.status, response.text()),
        };
        Err(EngineError::Refused { doing: doing.to_owned(), status: response.status, message })
    }
}

pub(super) fn read<T: DeserializeOwned>(doing: &str, response: &HttpResponse) -> EngineResult<T> {
    serde_json::from_slice(&response.body)
        .map_err(|error| EngineError::Unreadable { doing: doing.to_owned(), why: error.to_string() })
}

/// Turns "not found" into None.
pub(super) fn some<T>(answer: EngineResult<T>) -> EngineResult<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

pub(super) fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Percent-encodes a value of a query, see RFC 3986 §2.1.
pub(super) fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    text.bytes().map(|byte| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!("1.100".parse::<ApiVersion>() > "1.41".parse::<ApiVersion>());
        assert!("1.9".parse::<ApiVersion>().unwrap() < OLDEST);
        assert!("".parse::<ApiVersion>().is_err());
    }

    #[test]
    fn a_query_is_escaped() {
        assert_eq!(escaped("{\"a\":[\"b=c#1\"]}"), "%7B%22a%22%3A%5B%22b%3Dc%231%22%5D%7D");
    }
}
