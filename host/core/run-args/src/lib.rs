//! The options of `docker run`, as the keyword `run_args` holds them, read into a plain description of a container.
//!
//! Pure: words go in, a [`RunArgs`] or the first mistake comes out. The drivers of containers build from it what they ask
//! the engine for, and the host's guard of the engine's socket holds their requests against it: both read the same words
//! with the same code, so that neither can see in them what the other does not.
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
//! What an option would do on the client's side (`--env-file`, `--cidfile`), and what is not known, is an error that
//! names it: an option that were dropped in silence would start another container than the one that was asked for.

mod options;
mod port;
mod spec;
mod value;
mod volume;
mod words;

pub use port::PortMapping;
pub use spec::{ContainerLimits, DeviceMapping, NamedValue, RestartPolicy, RunArgs, TmpfsMount, Ulimit};
pub use volume::VolumeMount;

/// Why the words are no options of a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunArgsError {
    /// Nobody knows the option.
    #[error("{0}: unknown option")]
    Unknown(String),
    /// The option is known, and cannot work here.
    #[error("{option} is not supported: {instead}")]
    NotSupported {
        /// As it was written.
        option: String,
        /// What to do.
        instead: &'static str,
    },
    /// The option is the last word, and wants another.
    #[error("{0} needs a value")]
    NoValue(String),
    /// The value is not what the option takes.
    #[error("{option} {value:?}: expected {expected}")]
    Value {
        /// As it was written.
        option: String,
        /// What it was given.
        value: String,
        /// What it takes.
        expected: &'static str,
    },
    /// A word that is no option where one should be.
    #[error("{0:?} is no option: the image and the command have keywords of their own")]
    NoOption(String),
}

/// Reads options. One that may be given several times adds up; of the others, the last one counts.
pub fn parse<W: AsRef<str>>(words: &[W]) -> Result<RunArgs, RunArgsError> {
    let mut spec = RunArgs::default();
    for given in words::split(words)? {
        options::apply(&mut spec, given)?;
    }
    Ok(spec)
}

#[cfg(test)]
mod tests;
