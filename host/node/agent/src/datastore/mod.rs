//! Data stores: objects of the kinds `sec` and `cfg`, which hold keys with values. Secret values are sealed with a key of the
//! node. Drivers see no store: references to keys reach them as variables, resolved just before the call.

mod error;
mod sealing;
mod stores;
#[cfg(test)]
mod tests;
pub(crate) mod variables;

pub use error::DataStoreError;
pub use sealing::SealingError;
pub use stores::{DataStores, PutMode};
