//! The processes of a resource or of an action, found again at any time and stopped together.

mod abandoned;
mod environ;
mod processes;

pub use abandoned::kill_abandoned;
pub use environ::ProcessMarkers;
pub use processes::{FirstProcess, MemberProcess, ResourceProcesses};
