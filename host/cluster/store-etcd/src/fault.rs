//! How asking a member fails, and what the store's callers learn of it.

use std::error::Error;
use std::time::Duration;

use store::{FaultKind, StoreFault};
use thiserror::Error;
use tonic::{Code, ConnectError, Status};

use crate::{EtcdVersion, MarkFault};

/// Why one member did not do what it was asked.
#[derive(Debug, Clone, Error)]
pub enum CallFault {
    /// Nothing was sent to it.
    #[error("no connection: {0}")]
    NotSent(String),
    #[error("no answer within {0:?}")]
    Silent(Duration),
    /// It, or the connection to it, answered with an error.
    #[error("{message} ({code:?})")]
    Refusal { code: Code, message: String },
    #[error(transparent)]
    Mark(#[from] MarkFault),
    #[error("etcd {0} is too old: 3.4 is the first that can be used")]
    TooOld(EtcdVersion),
    #[error("an answer that makes no sense: {0}")]
    Senseless(&'static str),
}

impl CallFault {
    pub(crate) fn of(status: &Status) -> Self {
        // tonic says Unavailable of this as of a connection that broke behind the request: only its cause tells
        // them apart.
        if status.source().is_some_and(never_connected) {
            return CallFault::NotSent(chain(status.source()));
        }
        let mut message = status.message().to_owned();
        let cause = chain(status.source());
        if !cause.is_empty() {
            message = format!("{message}: {cause}");
        }
        CallFault::Refusal { code: status.code(), message }
    }

    /// Whether the member cannot have received the request.
    pub(crate) fn is_unsent(&self) -> bool {
        matches!(self, CallFault::NotSent(_))
    }

    /// Codes are shared by errors of very different meaning, so an error is known by its text.
    pub(crate) fn says(&self, text: &str) -> bool {
        matches!(self, CallFault::Refusal { message, .. } if message.contains(text))
    }

    pub(crate) fn is_compacted(&self) -> bool {
        self.says("required revision has been compacted")
    }

    pub(crate) fn is_future(&self) -> bool {
        self.says("required revision is a future revision")
    }

    fn kind(&self) -> FaultKind {
        match self {
            CallFault::Mark(_) => FaultKind::Regressed,
            fault if fault.says("database space exceeded") => FaultKind::Full,
            fault if fault.says("corrupt cluster") => FaultKind::Damaged,
            _ => FaultKind::Unreachable,
        }
    }
}

/// What each of the members that were asked said.
#[derive(Debug, Clone, Error)]
#[error("{}", .0.iter().map(|(member, fault)| format!("{member}: {fault}")).collect::<Vec<_>>().join("; "))]
pub struct EtcdFault(pub Vec<(String, CallFault)>);

impl EtcdFault {
    pub(crate) fn one(member: &str, fault: CallFault) -> Self {
        EtcdFault(vec![(member.to_owned(), fault)])
    }

    /// As the store's callers see it. That members are unreachable says less than what another one says.
    pub(crate) fn into_fault(self) -> StoreFault {
        let kinds = self.0.iter().map(|(_, fault)| fault.kind());
        let kind = kinds.into_iter().find(|kind| *kind != FaultKind::Unreachable).unwrap_or(FaultKind::Unreachable);
        StoreFault::caused(kind, self)
    }
}

fn never_connected(error: &(dyn Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(this) = error {
        if this.is::<ConnectError>() {
            return true;
        }
        error = this.source();
    }
    false
}

/// An error and its causes, without those that only repeat the one before.
fn chain(error: Option<&(dyn Error + 'static)>) -> String {
    let mut texts: Vec<String> = Vec::new();
    let mut error = error;
    while let Some(this) = error {
        let text = this.to_string();
        if !texts.iter().any(|known| known.contains(&text)) {
            texts.push(text);
        }
        error = this.source();
    }
    texts.join(": ")
}
