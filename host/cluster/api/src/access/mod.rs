//! Who asks, and what the user may do.
//!
//! ```text
//!  unix socket: the kernel's credentials ┐
//!  TLS: a client certificate             ├─▶ Caller ─▶ RateLimiter ─▶ AccessRule of the route ─▶ the route
//!  either: Authorization: Bearer TOKEN   ┘     │                          │
//!                                              └─ 401, 429                └─ 403: all of them in the AccessTrail
//! ```
//!
//! A token or a certificate names a user, and nothing more: what the user may do is looked up at each request, so that a change
//! of a `usr` object, and a revocation, hold at once. [`AccessRule`] is the one place that decides.

mod caller;
mod certificates;
mod control;
mod count;
mod limit;
mod register;
mod rule;
mod source;
mod token;
mod token_desk;
mod trail;

pub(crate) use caller::{Caller, CallerCredential, ClientLink};
pub(crate) use certificates::CertificateDesk;
pub(crate) use control::AccessControl;
pub(crate) use limit::RateLimiter;
pub(crate) use rule::AccessRule;
pub use source::{AccessPlaces, AccessSource, ListenerSettings};
pub use trail::read_trail;
pub(crate) use trail::{AccessRecord, AccessTrail, recorded_options};
