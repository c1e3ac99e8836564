//! The options of `docker run`, as the keyword `run_args` holds them, read into a plain description of a container.
//!
//! Pure: words go in, a [`RunArgs`] or the first mistake comes out. Drivers of containers build their requests to the engine
//! from it, and the host's guard of the engine's socket compares those requests with it. Both read the same words with the
//! same code, so that neither can understand them differently.
//!
//! ```text
//!   words ──▶ words.rs     options and their values, as docker's own command line splits them
//!                │
//!                ▼
//!             options.rs   the table: what each option sets ──▶ spec.rs: RunArgs
//!                │
//!                ▼
//!             value.rs, volume.rs, port.rs   how the values are written
//! ```
//!
//! An unknown option, or one that works on the client's side (`--env-file`, `--cidfile`), is an error that names it: silently
//! dropping it would start a different container from the one that the user described.

#![allow(missing_docs, reason = "fields of plain data are left to their names")]

mod options;
mod port;
mod spec;
mod value;
mod volume;
mod words;

pub use port::PortMapping;
pub use spec::{ContainerLimits, DeviceMapping, HealthCheck, NamedValue, RestartPolicy, RunArgs, TmpfsMount, Ulimit};
pub use volume::VolumeMount;

/// Why the words are not options of a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunArgsError {
    /// There is no such option.
    #[error("{0}: unknown option")]
    Unknown(String),
    /// The option exists, but cannot work here.
    #[error("{option} is not supported: {instead}")]
    NotSupported {
        /// As it was written.
        option: String,
        /// What to do instead.
        instead: &'static str,
    },
    /// The option is the last word, and needs a value.
    #[error("{0} needs a value")]
    NoValue(String),
    /// The option does not take this value.
    #[error("{option} {value:?}: expected {expected}")]
    Value {
        /// As it was written.
        option: String,
        value: String,
        expected: &'static str,
    },
    /// A word stands where an option is expected.
    #[error("{0:?} is not an option: the image and the command have keywords of their own")]
    NoOption(String),
}

/// Reads options. An option that may be repeated adds up; of any other, the last one counts.
pub fn parse<W: AsRef<str>>(words: &[W]) -> Result<RunArgs, RunArgsError> {
    let mut spec = RunArgs::default();
    for given in words::split(words)? {
        options::apply(&mut spec, given)?;
    }
    Ok(spec)
}

#[cfg(test)]
mod tests;
