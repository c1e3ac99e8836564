//! What a driver can do: one module an imported interface of `wit/`.
//!
//! Every function checks its arguments, asks the [`Scope`] for a permit, acts through `kernel`, and is audited. Nothing
//! here knows the sandbox: `runtime` converts between the contract's types and these.

mod argument;
mod audit;
pub mod block;
pub mod clock;
pub mod console;
mod crew;
mod demux;
mod dial;
mod engine;
mod environment;
mod error;
pub mod files;
pub mod http;
mod lane;
mod ledger;
pub mod log;
pub mod mount;
pub mod net;
pub mod netns;
mod nfs;
pub mod process;
pub mod progress;
mod redact;
mod scope;
pub mod state;
mod supervision;
mod trail;

pub use audit::{Audit, FileAudit, KEEP as AUDIT_FILES, MemoryAudit, NoAudit, Record, Verdict};
pub use engine::guarded;
pub use error::Error;
pub use lane::{Lanes, Stuck};
pub use ledger::{FileLedger, Ledger, MemoryLedger};
pub use redact::{Redactor, hide_telling_values, tells};
pub use scope::{Effect, Host, OUTPUT_BUDGET, Paths, Scope, Setup};
pub use supervision::{control_group, control_group_of_object, output_prefix};
