//! The certificates of the engine in a whole cluster: each node says which it has and whom it trusts, one authority takes the place of
//! another while all go on reaching each other, and what a node had that was taken out is revoked.
//!
//! ```text
//!   cluster/pki/node/<n>    whom a node trusts, whom its member trusts, its certificate
//!   cluster/pki/rotation    the authority that comes next, sealed, and how far it is
//!   cluster/pki/revoked     serial numbers that members refuse
//!
//!   om cluster cert rotate-ca ─▶ rotation: trust ─▶ issue ─▶ retire ─▶ (removed)
//!   each daemon               ─▶ files, its member's restart in its turn ─▶ says so
//!   the leader's daemon       ─▶ the next phase, when all have said so
//! ```
//!
//! etcd reads its own certificate and the list of revoked ones at each handshake, and the authorities only when it starts.

mod report;
mod rotation;
mod row;
mod turn;

pub(crate) use report::warnings_of;
pub use report::{CertificateLine, CertificateReport, RotationLine, report_certificates};
pub use rotation::RotationPhase;
pub use row::{AuthorityFault, begin_rotation};
pub(crate) use row::{PkiState, fingerprint, fingerprints, read_pki, revoke_node};
pub(crate) use turn::{AuthorityTurn, write_first_list};
