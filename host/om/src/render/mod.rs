//! The output for people and for programs: pure functions from documents to text.

pub(crate) mod daemon;
pub(crate) mod diagnostic;
pub(crate) mod doc;
pub(crate) mod event;
pub(crate) mod explain;
pub(crate) mod moment;
pub(crate) mod mon;
pub(crate) mod note;
pub(crate) mod order;
pub(crate) mod status;
pub(crate) mod structured;
pub(crate) mod table;
pub(crate) mod trace;
pub(crate) mod value;
