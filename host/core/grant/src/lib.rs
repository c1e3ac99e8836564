//! Grants: what a driver requested ∩ what the site allows ∩ what the namespace allows, for one resource.
//!
//! Pure: no input or output. Only this crate makes a [`Permit`], and every kernel call on a driver's behalf needs one.
//! docs/grants.md explains the grammar.
//!
//! ```text
//! requests ┐                      a request matches
//! keywords ┤                      and the site allows it
//! site     ┼─▶ Grants ─▶ permit ─▶ and the namespace allows it ─▶ Permit
//! namespace┘                      or Denied: the missing line, and who refused
//! ```

#![allow(missing_docs, reason = "fields of plain data are left to their names")]

mod bind;
mod capability;
mod explain;
mod grants;
mod guard;
mod line;
mod operation;
mod permit;
mod policy;
mod request;

pub use bind::context::{BindError, DeviceLedger, GrantContext, GrantKeyword, NoDeviceLedger};
pub use capability::{NetnsReference, NetnsReferenceError, op};
pub use explain::{EffectiveGrant, GrantSentence, GrantStatus, WideGrants, consent, suggested_request};
pub use grants::{Grants, PathFollower};
pub use guard::SocketGuard;
pub use operation::{Access, Operation};
pub use permit::{Permit, PermitDenial, Refuser};
pub use policy::{ComponentDigest, DigestError, DriverTrust, Policy, PolicyError, SandboxLimits, SitePolicy};
pub use request::{GrantRequest, GrantRequestError};
