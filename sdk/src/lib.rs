//! Write a Hostler driver: typed keywords, typed capabilities, fakes for its tests.
//!
//! A driver is a struct of keywords, an `impl Driver` and the attribute `#[driver]`. It is compiled to a WebAssembly
//! component, which can only call the capabilities below, and each of them only as far as its `GRANTS` and the site allow.
//! `docs/writing-a-driver.md` walks through a driver from the first line to the running service.
//!
//! ```text
//!   driver crate ──▶ Driver, Keywords          what an author writes
//!        │
//!        ▼
//!   block files http mount net netns process state volume   typed capabilities
//!        │
//!        ├──▶ bindings   on wasm32: the imports of wit/
//!        └──▶ fake       elsewhere: an in-memory host, so that `cargo test` needs no root and no sandbox
//! ```

extern crate self as hostler_sdk;

mod attachment;
#[doc(hidden)]
pub mod bindings;
mod capability;
mod check;
pub mod cidr;
mod context;
mod driver;
pub mod errno;
mod error;
#[doc(hidden)]
pub mod export;
#[cfg(not(target_arch = "wasm32"))]
pub mod fake;
pub mod manifest;
pub mod schema;
mod status;
mod value;

pub use attachment::Attachment;
pub use capability::{block, clock, files, holdings, http, log, mount, net, netns, process, progress, state, volume};
pub use context::Context;
pub use driver::{Console, Driver, Fence, Migrate, Sync, Task, each_target};
pub use error::{CapabilityError, Error, Result};
pub use hostler_sdk_derive::{Keywords, driver};
pub use process::Command;
pub use schema::Keywords;
/// JSON, as requests and responses of [`http`] have it: a driver needs no dependency of its own for it.
pub use serde_json::{self, json};
pub use status::{FenceReport, Outcome, Problem, Provisioned, RunReport, State, Status, TargetReport};
pub use value::{Mode, Secret, Size, Value};

/// The names that most drivers need: `use hostler_sdk::prelude::*;`.
pub mod prelude {
    pub use std::path::{Path, PathBuf};
    pub use std::time::Duration;

    pub use crate::{
        Attachment, CapabilityError, Command, Console, Context, Driver, Error, Fence, FenceReport, Keywords, Migrate,
        Mode, Outcome, Problem, Provisioned, Result, RunReport, Secret, Size, State, Status, Sync, TargetReport, Task,
        block, clock, driver, errno, files, holdings, http, json, log, mount, net, netns, process, progress, state,
        volume,
    };
}
