//! The errors of the agent as failures of a command. Each keeps its own kind.

use agent::ActError;
use agent::console::ConsoleError;
use agent::datastore::DataStoreError;
use agent::edit::{ConfigError, DeleteError};
use agent::engine::EngineError;
use agent::flags::FlagError;
use agent::history::HistoryError;
use agent::log::LogReadError;
use agent::node::EngineAway;
use agent::object::ObjectError;
use agent::policy::PolicyChangeError;
use agent::process_group::ProcessGroupError;
use protocol::FailureKind;

use crate::exit::Failure;

macro_rules! failures {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                // The agent says which kind it is, so that the exit code does not depend on the words of a message.
                Failure::new(error.kind(), error)
            }
        })*
    };
}

failures!(ActError, ConfigError, ConsoleError, DeleteError, ObjectError, PolicyChangeError, ProcessGroupError);

macro_rules! plain_failures {
    ($($error:ty),*) => {
        $(impl From<$error> for Failure {
            fn from(error: $error) -> Failure {
                // These errors know no kind: a script cannot tell them apart from any other failure.
                Failure::new(FailureKind::Failed, error)
            }
        })*
    };
}

plain_failures!(EngineAway, EngineError, FlagError, HistoryError, LogReadError);

impl From<DataStoreError> for Failure {
    fn from(error: DataStoreError) -> Failure {
        match error {
            // Adding a key does not create the store, so the message names the command that does.
            DataStoreError::Object(ObjectError::Missing(store)) => {
                Failure::message(FailureKind::NoMatch, format!("{store} does not exist: om {store} create makes it"))
            }
            other => Failure::new(other.kind(), other),
        }
    }
}
