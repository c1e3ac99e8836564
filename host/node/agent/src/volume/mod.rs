//! Volumes: objects that resources `volume#` of other objects make, start and stop on this node.
//!
//! ```text
//!  driver of volume# ──▶ capability::volume ──▶ VolumeKeeper ──▶ the ordinary action on the object vol/NAME
//!                                                  │
//!      make: a pool of the node ──▶ its text       ├─ users: which resources of this node use it, until the next boot
//!      content: keys of data stores ──▶ its files  └─ look: its state, its mount point, its devices
//!      place: where these may go
//! ```
//!
//! Locks are taken in this order: the action lock of the service, the lock of the users of its volume, the action lock of the volume.
//! A volume uses no volumes, so that two actions never wait for each other.

mod act;
mod content;
mod keeper;
mod look;
mod make;
mod place;
mod pools;
mod signals;
mod users;

pub(crate) use keeper::VolumeKeeper;
pub(crate) use users::{give_up_use, give_up_users, refuse_if_used, volumes_of};
