//! Keywords and functions for the drivers of applications and tasks: the settings of commands, and the meaning of their exit
//! statuses.

mod retcodes;
mod stores;
mod surroundings;
mod task;

pub use retcodes::RetcodeTable;
pub use stores::StoreVariables;
pub use surroundings::CommandSettings;
pub use task::TaskKeywords;
