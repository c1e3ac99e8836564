//! Holdings: the lasting things that calls of a resource's driver made on this node, and that nothing has undone yet.
//!
//! ```text
//!  LedgerEvent ──encode──▶ a line of a ledger ──replay──▶ LedgerContent: a HoldingRecord for each thing
//!   intended, held, released                                │
//!                                                           ▼
//!                                                        Holding: the identity of the thing, compared with a look at the kernel
//! ```
//!
//! A holding is known by the thing and not by what the configuration says of it: a mount by its number, a loop device by the inode
//! behind it, an address by the number of its link. This crate has the identities and the record. It looks at nothing:
//! `capability::holdings` writes the record around each call of the kernel, and looks.

mod event;
mod holding;
mod kind;
mod ledger;
mod record;

pub use event::{LedgerEvent, LedgerHeader, LedgerNamespaces, VERSION, encode_event, encode_header};
pub use holding::Holding;
pub use kind::{
    AddressHolding, ContainerHolding, DeclaredHolding, DeviceClass, DeviceIdentity, FileHolding, FileIdentity,
    LinkHolding, LoopHolding, MountHolding, MountIdentity, MountSight, NamespaceIdentity, PreparedMount,
    ProcessHolding, RouteHolding,
};
pub use ledger::{LedgerContent, LedgerDamage, replay};
pub use record::{HoldingRecord, HoldingScope, HoldingStage};
