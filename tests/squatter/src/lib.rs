//! `fs.squatter`: a driver that says that it is up at a place which only its own default names. What is written into a volume of it must
//! not go there.

use std::path::PathBuf;

use hostler_sdk::prelude::*;

/// A driver at a place of others.
#[derive(Keywords)]
#[expect(dead_code, reason = "the host alone reads the place")]
struct SquatterDriver {
    /// Where it says that it is.
    #[keyword(place, default = "/srv/hostler-lure")]
    mnt: PathBuf,
}

#[driver]
impl Driver for SquatterDriver {
    const NAME: &str = "fs.squatter";

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::up().label("the squatter"))
    }

    fn start(&self, _: &Context) -> Result<Outcome> {
        Ok(Outcome::unchanged("the squatter was here"))
    }

    fn stop(&self, _: &Context) -> Result<Outcome> {
        Ok(Outcome::unchanged("the squatter was here"))
    }
}
