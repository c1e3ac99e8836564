//! Grants: what a driver asked for ∩ what the site allows ∩ what the namespace allows, for one resource.
//!
//! Pure: no input or output. A [`Permit`] is made here alone, and every kernel call of `capability` needs one. The grammar
//! is explained in docs/grants.md.
//!
//! ```text
//! requests ┐                      a request matches
//! keywords ┤                      and the site allows it
//! site     ┼─▶ Grants ─▶ permit ─▶ and the namespace allows it ─▶ Permit
//! namespace┘                      or Denied: the missing line, and who said no
//! ```

mod argv;
mod bind;
mod caps;
mod glob;
mod grants;
mod guard;
mod inspect;
mod line;
mod line_binding;
mod mount_option;
mod net;
mod netns;
mod operation;
mod permit;
mod policy;
mod policy_file;
mod request;
mod rule;
mod template;
mod token;
mod web;

pub mod consent;
pub mod op;

pub use bind::{BindError, Context, Keyword, Ledger, NoLedger};
pub use grants::Grants;
pub use guard::Guard;
pub use inspect::{Effective, Sentence, Standing};
pub use netns::{Netns, NoNetns};
pub use op::Access;
pub use operation::Operation;
pub use permit::{Denied, Permit, Refuser};
pub use policy::Policy;
pub use policy_file::{Digest, Limits, NoDigest, PolicyError, SitePolicy, Trust};
pub use request::{Request, RequestError};
