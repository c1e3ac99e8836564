//! Requests to the API: with the token, and with retries.

use std::cell::{Cell, OnceCell, RefCell};
use std::time::Duration;

use hostler_sdk::http::HttpRequest;
use hostler_sdk::{Context, clock};
use serde_json::Value;

use super::place::segment;
use super::token::{self, AccessToken};
use super::{CloudKeywords, ComputeError};

/// The address of the API.
const API: &str = "https://compute.googleapis.com/compute/v1";

/// How often a request is sent, at most.
const TRIES: u32 = 4;

/// The pause after the first try.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long a response may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client of the Compute API, for one call of a driver.
pub struct ComputeClient<'a> {
    cloud: &'a CloudKeywords,
    context: &'a Context,
    token: RefCell<Option<AccessToken>>,
    project: OnceCell<String>,
    zone: OnceCell<String>,
    /// The time at which it gives up, since the node's boot.
    end: Duration,
    /// The number of changes that were requested so far.
    changes: Cell<u32>,
}

impl<'a> ComputeClient<'a> {
    pub(super) fn new(cloud: &'a CloudKeywords, context: &'a Context) -> ComputeClient<'a> {
        ComputeClient {
            cloud,
            context,
            token: RefCell::default(),
            project: OnceCell::new(),
            zone: OnceCell::new(),
            // If the host stopped the call at its deadline, there would be no message. Giving up earlier allows to report what
            // the client was waiting for.
            end: clock::since_boot().saturating_add(context.deadline.mul_f32(0.9)),
            changes: Cell::new(0),
        }
    }

    /// The name of this node's instance.
    pub fn instance(&self) -> &str {
        let name = self.cloud.gce_instance.as_deref().unwrap_or(&self.context.node);
        // Nodes are often called by their full name, instances by its first part.
        name.split('.').next().unwrap_or(name)
    }

    /// The path of this node's instance within the project.
    pub fn own_path(&self) -> Result<String, ComputeError> {
        Ok(format!("zones/{}/instances/{}", self.zone()?, segment("gce_instance", self.instance())?))
    }

    /// The zone of the resource.
    pub fn zone(&self) -> Result<&str, ComputeError> {
        let ask = || {
            let zone = token::read(self.cloud, "instance/zone")?;
            // The metadata server returns `projects/NUMBER/zones/ZONE`.
            Ok(zone.trim().rsplit('/').next().unwrap_or_default().to_owned())
        };
        known(&self.zone, "gce_zone", self.cloud.gce_zone.as_ref(), ask)
    }

    /// The id of the project.
    pub fn project(&self) -> Result<&str, ComputeError> {
        let ask = || Ok(token::read(self.cloud, "project/project-id")?.trim().to_owned());
        known(&self.project, "gce_project", self.cloud.gce_project.as_ref(), ask)
    }

    /// How much time is left.
    pub(super) fn left(&self) -> Duration {
        self.end.saturating_sub(clock::since_boot())
    }

    /// The resource at a path within the project, such as `zones/z/disks/d`. None if it does not exist.
    pub fn get(&self, path: &str) -> Result<Option<Value>, ComputeError> {
        match self.send("GET", path, "", None) {
            Ok(found) => Ok(Some(found)),
            Err(ComputeError::NotFound(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Requests a change, and waits until it is done. `query` is that of the request; `doing` describes the change in messages.
    pub fn change(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: Option<&Value>,
        doing: &str,
    ) -> Result<(), ComputeError> {
        // A part of the id: the API ignores a change whose id it knows, also one that is meant a second time.
        self.changes.set(self.changes.get() + 1);
        let join = if query.is_empty() { "" } else { "&" };
        let query = format!("{query}{join}requestId={}", self.request_id(method, path));
        let operation = self.send(method, path, &query, body)?;
        self.finish(operation, doing)
    }

    /// Sends a request, and repeats it after temporary errors.
    pub(super) fn send(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: Option<&Value>,
    ) -> Result<Value, ComputeError> {
        let (mut tries, mut pause, mut is_renewed) = (1, FIRST_PAUSE, false);
        loop {
            match self.send_once(method, path, query, body) {
                // A token may be revoked before it expires, so the first refusal only discards it.
                Err(ComputeError::Unauthorized(_)) if !is_renewed => {
                    is_renewed = true;
                    self.token.take();
                }
                // Not repeated if the pause would exceed the time that is left: the error is more helpful than a timeout.
                Err(fault) if fault.is_transient() && tries < TRIES && pause < self.left() => {
                    clock::sleep(pause)?;
                    tries += 1;
                    pause *= 2;
                }
                answer => return answer,
            }
        }
    }

    fn send_once(&self, method: &str, path: &str, query: &str, body: Option<&Value>) -> Result<Value, ComputeError> {
        let base = self.cloud.gce_endpoint.as_deref().unwrap_or(API);
        let mark = if query.is_empty() { "" } else { "?" };
        let url = format!("{base}/projects/{}/{path}{mark}{query}", self.project()?);
        let mut request = HttpRequest::new(method, url).header("Authorization", format!("Bearer {}", self.token()?));
        request = request.timeout(PATIENCE.min(self.left()));
        if let Some(body) = body {
            request = request.json(body);
        }
        let answer = request.send().map_err(ComputeError::unsent)?;
        if answer.succeeded() { Ok(answer.json()?) } else { Err(ComputeError::of(&answer)) }
    }

    /// A valid token. It is reused until it expires.
    fn token(&self) -> Result<String, ComputeError> {
        let known = self.token.borrow().as_ref().filter(|token| token.is_good()).map(|token| token.text.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let fresh = AccessToken::ask(self.cloud)?;
        Ok(self.token.borrow_mut().insert(fresh).text.clone())
    }

    /// A UUID for a change. It stays the same when the request is sent again.
    fn request_id(&self, method: &str, path: &str) -> String {
        self.context.new_uuid((self.changes.get(), method, path))
    }
}

/// The value of a keyword, or else the answer of `ask`, which is called once.
fn known<'c>(
    cell: &'c OnceCell<String>,
    keyword: &str,
    written: Option<&String>,
    ask: impl FnOnce() -> Result<String, ComputeError>,
) -> Result<&'c str, ComputeError> {
    if let Some(known) = cell.get() {
        return Ok(known);
    }
    let word = match written {
        Some(word) => word.clone(),
        None => ask()?,
    };
    // The keyword may be wrong as well, and becomes part of a path.
    let word = segment(keyword, &word)?;
    Ok(cell.get_or_init(|| word))
}
