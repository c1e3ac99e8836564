//! Requests to the API: with the token, tried again while that makes sense.

use std::cell::{Cell, OnceCell, RefCell};
use std::time::Duration;

use hostler_sdk::http::HttpRequest;
use hostler_sdk::{Context, clock};
use serde_json::Value;

use super::place::segment;
use super::token::{self, AccessToken};
use super::{CloudKeywords, ComputeError};

/// Where the API is on Google.
const API: &str = "https://compute.googleapis.com/compute/v1";

/// How often a request is sent at most.
const TRIES: u32 = 4;

/// How long after the first.
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// A client for the length of one call of a driver.
pub struct ComputeClient<'a> {
    cloud: &'a CloudKeywords,
    context: &'a Context,
    token: RefCell<Option<AccessToken>>,
    project: OnceCell<String>,
    zone: OnceCell<String>,
    /// When it must have come to an end, since the boot of the node.
    end: Duration,
    /// How many changes were asked for so far.
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
            // A call that is ended by the host says nothing; one that gives up in time says what it waited for.
            end: clock::since_boot().saturating_add(context.deadline.mul_f32(0.9)),
            changes: Cell::new(0),
        }
    }

    /// The instance that this node is.
    pub fn instance(&self) -> &str {
        let name = self.cloud.gce_instance.as_deref().unwrap_or(&self.context.node);
        name.split('.').next().unwrap_or(name)
    }

    /// The path of that instance within the project.
    pub fn own_path(&self) -> Result<String, ComputeError> {
        Ok(format!("zones/{}/instances/{}", self.zone()?, segment("gce_instance", self.instance())?))
    }

    /// The zone.
    pub fn zone(&self) -> Result<&str, ComputeError> {
        let ask = || {
            let told = token::told(self.cloud, "instance/zone")?;
            Ok(told.trim().rsplit('/').next().unwrap_or_default().to_owned())
        };
        known(&self.zone, "gce_zone", self.cloud.gce_zone.as_ref(), ask)
    }

    /// The id of the project.
    pub fn project(&self) -> Result<&str, ComputeError> {
        let ask = || Ok(token::told(self.cloud, "project/project-id")?.trim().to_owned());
        known(&self.project, "gce_project", self.cloud.gce_project.as_ref(), ask)
    }

    /// How much time is left.
    pub(super) fn left(&self) -> Duration {
        self.end.saturating_sub(clock::since_boot())
    }

    /// What is at a path within the project: `zones/z/disks/d`. None if nothing is.
    pub fn get(&self, path: &str) -> Result<Option<Value>, ComputeError> {
        match self.send("GET", path, "", None) {
            Ok(found) => Ok(Some(found)),
            Err(ComputeError::NotFound(_)) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Asks for a change, and waits until it is done. `query` is that of the request, `doing` says what is done.
    pub fn change(
        &self,
        method: &str,
        path: &str,
        query: &str,
        body: Option<&Value>,
        doing: &str,
    ) -> Result<(), ComputeError> {
        self.changes.set(self.changes.get() + 1);
        let join = if query.is_empty() { "" } else { "&" };
        let query = format!("{query}{join}requestId={}", self.request_id(method, path));
        let operation = self.send(method, path, &query, body)?;
        self.finish(operation, doing)
    }

    /// Sends a request until it succeeds, cannot succeed, or was tried often enough.
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
                Err(ComputeError::Unauthorized(_)) if !is_renewed => {
                    is_renewed = true;
                    self.token.take();
                }
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

    /// A token that is good, the same one while it is.
    fn token(&self) -> Result<String, ComputeError> {
        let known = self.token.borrow().as_ref().filter(|token| token.is_good()).map(|token| token.text.clone());
        if let Some(known) = known {
            return Ok(known);
        }
        let fresh = AccessToken::ask(self.cloud)?;
        Ok(self.token.borrow_mut().insert(fresh).text.clone())
    }

    /// A UUID for a change: the same when the request is sent again, another for every other change.
    fn request_id(&self, method: &str, path: &str) -> String {
        self.context.new_uuid((self.changes.get(), method, path))
    }
}

/// What a keyword says, or else what is asked for once.
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
    let word = segment(keyword, &word)?;
    Ok(cell.get_or_init(|| word))
}
