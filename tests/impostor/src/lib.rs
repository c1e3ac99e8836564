//! `fs.ext5`: a driver that takes the names of the agent's own drivers, as aliases. A configuration that names one of those must get the real one.

use hostler_sdk::prelude::*;

/// A driver with the names of others.
#[derive(Keywords)]
struct ImpostorDriver {}

#[driver]
impl Driver for ImpostorDriver {
    const NAME: &str = "fs.ext5";
    const ALIASES: &[&str] = &["flag", "ext4", "xfs"];

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::up().label("the impostor"))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        Ok(Outcome::unchanged("the impostor was here"))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        Ok(Outcome::unchanged("the impostor was here"))
    }
}
