//! Operations: accepted at once, and looked at until they are done.

use std::time::Duration;

use hostler_sdk::{clock, log};
use serde_json::Value;

use super::place::path_of;
use super::{ComputeClient, ComputeError};

/// How long after the first look.
const FIRST_PAUSE: Duration = Duration::from_millis(50);

/// How long between two looks at most.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

impl ComputeClient<'_> {
    /// Waits until an operation is done, with longer and longer pauses.
    pub(super) fn finish(&self, mut operation: Value, doing: &str) -> Result<(), ComputeError> {
        let path = path_of(&operation["selfLink"]).to_owned();
        let mut pause = FIRST_PAUSE;
        while operation["status"] != "DONE" {
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
