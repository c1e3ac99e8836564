//! Operations: the API accepts a change at once and executes it later; the client polls until it is done.

use std::time::Duration;

use hostler_sdk::{clock, log};
use serde_json::Value;

use super::place::path_of;
use super::{ComputeClient, ComputeError};

/// The pause before the first poll.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// The longest pause between two polls.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl ComputeClient<'_> {
    /// Waits until an operation is done, with increasing pauses.
    pub(super) fn finish(&self, mut operation: Value, doing: &str) -> Result<(), ComputeError> {
        let path = path_of(&operation["selfLink"]).to_owned();
        let mut pause = FIRST_PAUSE;
        while operation["status"] != "DONE" {
            // The operation goes on at Google. The next action finds its result.
            if self.left() < pause {
                let name = operation["name"].as_str().unwrap_or("an operation");
                log::warn(format!("{doing}: {name} is not done in time"));
                return Err(ComputeError::Unfinished(doing.to_owned()));
            }
            clock::sleep(pause)?;
            pause = (pause * 3 / 2).min(LONGEST_PAUSE);
            operation = self.send("GET", &path, "", None)?;
        }
        match operation.get("error") {
            Some(error) => Err(ComputeError::of_operation(error)),
            None => Ok(()),
        }
    }
}
