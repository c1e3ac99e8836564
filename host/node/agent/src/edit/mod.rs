//! Changes and checks of configurations, an object's or the node's own, as an operator asks for them.
//!
//! A change is checked before it is saved: it is refused for an error that it causes, not for one that was there before.
//! While the drivers check it, no lock is held; it is then saved only over the text that it was made from.

mod change;
mod delete;
mod evaluate;
mod held;

pub use change::ConfigError;
pub use delete::DeleteError;
