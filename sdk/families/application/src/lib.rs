//! What the drivers of applications and tasks share: how the commands of a configuration are run, and what their exit
//! statuses mean.

mod retcodes;
mod stores;
mod surroundings;
mod task;

pub use retcodes::RetcodeTable;
pub use stores::StoreVariables;
pub use surroundings::CommandSettings;
pub use task::TaskKeywords;
