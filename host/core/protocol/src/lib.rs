//! The documents that leave the process: what the command line prints as JSON, what the agent keeps in cache files, and what
//! an API will send.
//!
//! Each document is plain data with serde's names, and converts to and from the types of the core, which know no serde. There
//! is one document for each thing, and one table of words for each enumeration, for all readers. No behaviour is here.

mod action;
mod audit;
mod config;
pub mod daemon;
mod diagnostic;
mod driver_document;
mod failure;
mod history;
mod holding;
mod level;
mod log;
mod object;
mod pool;
mod schedule;
mod status;
mod word;

pub use action::{ActionOrder, ActionPlan, ActionResult, ConsoleOrder, CopyOrder, EndingDocument, ResourceSelection};
pub use audit::{AuditEntry, AuditQuery};
pub use config::{
    ConfigChange, ConfigEdit, ConfigOutcome, ConfigTarget, ConfigText, EvaluatedKeyword, KeyChange, KeywordKind,
};
pub use diagnostic::{ConfigCheck, ConfigProblem, LocatedProblem, ProblemSeverity};
pub use driver_document::{
    BrokenDriverDocument, DriverConsent, DriverDoc, DriverDocSummary, DriverGrants, DriverInspection, DriverList,
    DriverPolicy, DriverSummary, EngineAccess, EngineContainer, GrantDocument, GrantLimits, GrantVerdict,
    GuardedRequests, InspectedKeyword, InstalledDriver, KeywordManual, PolicyChange, SectionDoc,
};
pub use failure::{FailureKind, RequestFailure};
pub use history::{ConfigDiff, ConfigHistory, ConfigRevision, KeywordChange};
pub use holding::{DeleteOrder, HoldingDocument, HoldingList, UnverifiedRecord};
pub use level::LogLevel;
pub use log::LogQuery;
pub use object::{NameKind, ObjectList, ObjectSummary};
pub use pool::{PoolDocument, PoolList};
pub use schedule::{ScheduleDocument, ScheduledAction};
pub use status::{
    AbsentInstance, ExposedValue, FaultDocument, InstanceDocument, InternalInstanceDocument, InternalResourceDocument,
    NoteDocument, OrphanDocument, ResourceDocument, StatusMessage,
};
