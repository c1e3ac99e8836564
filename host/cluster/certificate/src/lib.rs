//! The certificates of the API: who issues them, what they say, which are revoked, and where they are kept.
//!
//! ```text
//!  CertificatePlace (a directory) ─▶ CertificateAuthority ─▶ leaf of a node: its names, 90 days, renewed with 30 left
//!                                           │            └─▶ leaf of a user: a public key in, a certificate out
//!                                           └─ IssuedRegister: each serial number, and whether it was revoked
//! ```
//!
//! An authority is a directory, so that a cluster has a second one for its engine by a second directory. Nothing here knows HTTP,
//! a socket or a user's rights. Private keys are written with mode 0600, and that of a user never comes here.

mod authority;
mod facts;
mod foreign_key;
mod leaf;
mod place;
mod register;
mod revocation;
mod succession;
mod user_key;

pub use authority::{CertificateAuthority, CertificateError};
pub use facts::CertificateFacts;
pub use leaf::{KeyedLeaf, LEAF_LIFE, LeafSubject, RENEW_LEFT, serial_of};
pub use place::{CertificatePlace, PlaceError};
pub use register::{IssuedLeaf, IssuedRegister};
pub use user_key::UserKey;
