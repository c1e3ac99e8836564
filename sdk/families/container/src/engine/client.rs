//! The requests of the Docker Engine API that the drivers need.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_sdk::http::{HttpRequest, HttpResponse};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::credentials::RegistryCredentials;
use super::error::EngineError;
use super::reference::name_and_tag;
use super::wire::{ContainerEntry, ContainerInfo, EngineObject, EngineRefusal, PullProgress, unframed};

/// The oldest and newest version of the API that this client supports. It uses the newest one that the engine also supports.
pub(crate) const OLDEST: ApiVersion = ApiVersion(1, 41);
const NEWEST: ApiVersion = ApiVersion(1, 47);

/// How long a query may take.
const QUESTION: Duration = Duration::from_secs(30);

/// How long the answer to a stop may take after the grace period.
const AFTER_GRACE: Duration = Duration::from_secs(10);

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

type EngineResult<T> = Result<T, EngineError>;

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

    /// A container, by its name or id.
    pub fn container(&self, name: &str) -> EngineResult<Option<ContainerInfo>> {
        let doing = format!("cannot look at the container {name}");
        some(self.ask(&doing, &format!("/containers/{name}/json")).and_then(|response| read(&doing, &response)))
    }

    /// The ids of the containers with all of these labels: only those that run, or all.
    pub fn containers(&self, labels: &[(&str, &str)], all: bool) -> EngineResult<Vec<String>> {
        const DOING: &str = "cannot list the containers";
        let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
        // Filters are JSON in the query, so quotes and braces must be escaped.
        let filters = escaped(&json!({ "label": labels }).to_string());
        let path = format!("/containers/json?all={all}&filters={filters}");
        let listed: Vec<ContainerEntry> = read(DOING, &self.ask(DOING, &path)?)?;
        Ok(listed.into_iter().map(|container| container.id).collect())
    }

    /// Creates a container, and returns its id and the engine's warnings.
    pub fn create(&self, name: &str, body: &Value) -> EngineResult<(String, Vec<String>)> {
        let doing = format!("cannot create the container {name}");
        let request = self.request("POST", &format!("/containers/create?name={}", escaped(name))).json(body);
        let created: EngineObject = read(&doing, &self.send(&doing, &request)?)?;
        Ok((created.id, created.warnings))
    }

    /// Starts a container.
    pub fn start(&self, id: &str) -> EngineResult<()> {
        self.order(&format!("cannot start the container {}", short(id)), "POST", &format!("/containers/{id}/start"))
    }

    /// Stops a container: sends its stop signal, then KILL after `grace`.
    pub fn stop(&self, id: &str, grace: Duration) -> EngineResult<()> {
        let doing = format!("cannot stop the container {}", short(id));
        let path = format!("/containers/{id}/stop?t={}", grace.as_secs());
        self.send(&doing, &self.request("POST", &path).timeout(grace + AFTER_GRACE)).map(drop)
    }

    /// Sends a signal to the first process of a container.
    pub fn kill(&self, id: &str, signal: &str) -> EngineResult<()> {
        let doing = format!("cannot send {signal} to the container {}", short(id));
        self.order(&doing, "POST", &format!("/containers/{id}/kill?signal={signal}"))
    }

    /// Removes a container and its anonymous volumes, whether it runs or not.
    pub fn remove(&self, id: &str) -> EngineResult<()> {
        let doing = format!("cannot remove the container {}", short(id));
        // v=true removes anonymous volumes, which nothing else refers to; named volumes stay.
        match self.order(&doing, "DELETE", &format!("/containers/{id}?force=true&v=true")) {
            // Another resource or the operator may have removed it in the meantime.
            Err(error) if error.is_not_found() => Ok(()),
            answer => answer,
        }
    }

    /// Prepares a command in a container, and returns its id. Nothing runs yet.
    pub fn prepare(&self, id: &str, body: &Value) -> EngineResult<String> {
        let doing = format!("cannot prepare a command in the container {}", short(id));
        let request = self.request("POST", &format!("/containers/{id}/exec")).json(body);
        let prepared: EngineObject = read(&doing, &self.send(&doing, &request)?)?;
        Ok(prepared.id)
    }

    /// The path of a request, with the version of the API in front.
    pub fn path(&self, path: &str) -> String {
        format!("/v{}{path}", self.version)
    }

    /// The last lines of a container's log, `count` at most.
    pub fn last_lines(&self, container: &ContainerInfo, count: u32) -> EngineResult<Vec<String>> {
        let doing = format!("cannot read the log of the container {}", container.short_id());
        let path = format!("/containers/{}/logs?stdout=true&stderr=true&tail={count}", container.id);
        let body = self.ask(&doing, &path)?.body;
        // A container with a terminal has one stream, which the engine sends without frames.
        let text = if container.config.tty { body } else { unframed(&body) };
        Ok(String::from_utf8_lossy(&text).lines().map(|line| line.trim_end().to_owned()).collect())
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

    fn request(&self, method: &str, path: &str) -> HttpRequest {
        HttpRequest::unix(method, &self.socket, self.path(path))
    }

    fn ask(&self, doing: &str, path: &str) -> EngineResult<HttpResponse> {
        self.send(doing, &self.request("GET", path).timeout(QUESTION))
    }

    /// Sends a request and ignores the content of the response.
    fn order(&self, doing: &str, method: &str, path: &str) -> EngineResult<()> {
        self.send(doing, &self.request(method, path)).map(drop)
    }

    /// Sends a request. 304 means that nothing had to be changed, which is a success.
    fn send(&self, doing: &str, request: &HttpRequest) -> EngineResult<HttpResponse> {
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

fn read<T: DeserializeOwned>(doing: &str, response: &HttpResponse) -> EngineResult<T> {
    serde_json::from_slice(&response.body)
        .map_err(|error| EngineError::Unreadable { doing: doing.to_owned(), why: error.to_string() })
}

/// Turns "not found" into None.
fn some<T>(answer: EngineResult<T>) -> EngineResult<Option<T>> {
    match answer {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

/// Percent-encodes a value of a query, see RFC 3986 §2.1.
fn escaped(text: &str) -> String {
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
