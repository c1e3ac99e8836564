//! Converts between the contract's types and the agent's own: the context of a call, and a driver's answers.

use std::time::Duration;

use bindings::driver::hostler::driver::types as wit;
use driver::{
    ActionError, ConsoleAttachment, DriverCall, KeywordProblem, LogSeverity, ReportMessage, StatusReport, TargetReport,
};
use model::status::{Provisioned, State};

/// The longest list of a report. More entries are dropped: no honest driver has that many, and each is kept in memory.
const MANY: usize = 1000;

pub(crate) fn context(call: &DriverCall, deadline: Duration) -> wit::ResourceContext {
    wit::ResourceContext {
        object: call.object.to_string(),
        rid: call.rid.to_string(),
        node: call.node.to_string(),
        keywords: call
            .keywords
            .iter()
            .map(|keyword| wit::Keyword { name: keyword.name.clone(), values: keyword.values.clone() })
            .collect(),
        vars: call.vars.iter().map(|(key, value)| wit::Kv { key: key.clone(), value: value.clone() }).collect(),
        deadline_ms: u64::try_from(deadline.as_millis()).unwrap_or(u64::MAX),
    }
}

pub(crate) fn action_error(error: wit::ActionError) -> ActionError {
    match error {
        wit::ActionError::InvalidConfig(text) => ActionError::InvalidConfig(text),
        wit::ActionError::Unsupported => ActionError::Unsupported,
        // The caller adds the way out: it knows who refused.
        wit::ActionError::NeedsGrant(line) => ActionError::NeedsGrant { line, way_out: String::new() },
        wit::ActionError::Retryable(text) => ActionError::Retryable(text),
        wit::ActionError::Failed(text) => ActionError::Failed(text),
    }
}

pub(crate) fn status(report: wit::StatusReport) -> StatusReport {
    StatusReport {
        state: match report.state {
            wit::State::Up => State::Up,
            wit::State::Down => State::Down,
            wit::State::Warn => State::Warn,
            wit::State::NotApplicable => State::Na,
            wit::State::Undefined => State::Undef,
        },
        provisioned: match report.provisioned {
            wit::Provisioned::Yes => Provisioned::True,
            wit::Provisioned::No => Provisioned::False,
            wit::Provisioned::Mixed => Provisioned::Mixed,
            wit::Provisioned::NotApplicable => Provisioned::Na,
            wit::Provisioned::Unknown => Provisioned::Undef,
        },
        label: report.label,
        messages: report.messages.into_iter().take(MANY).map(message).collect(),
        exposes: pairs(report.exposes),
        uses: pairs(report.uses),
        fault: None,
    }
}

/// The status of a resource whose driver could not answer. Only a call that the host had to stop is a fault of the driver.
pub(crate) fn no_status(error: ActionError) -> StatusReport {
    let (fault, messages) = match error {
        ActionError::Fault(fault) => (Some(fault), Vec::new()),
        error => (None, vec![ReportMessage { level: LogSeverity::Error, text: error.to_string() }]),
    };
    StatusReport {
        state: State::Undef,
        provisioned: Provisioned::Undef,
        label: String::new(),
        messages,
        exposes: Vec::new(),
        uses: Vec::new(),
        fault,
    }
}

pub(crate) fn problem(problem: wit::Problem) -> KeywordProblem {
    KeywordProblem { keyword: problem.keyword, text: problem.text }
}

pub(crate) fn target(report: bindings::sync::exports::hostler::driver::sync::TargetReport) -> TargetReport {
    TargetReport { target: report.target, bytes: report.bytes, changed: report.changed, error: report.error }
}

pub(crate) fn attachment(
    attachment: bindings::console::exports::hostler::driver::console::Attachment,
) -> ConsoleAttachment {
    use bindings::console::exports::hostler::driver::console::Attachment as Wire;
    match attachment {
        Wire::Process(argv) => ConsoleAttachment::Process(argv),
        Wire::HttpUpgrade((socket, method, path, body)) => {
            ConsoleAttachment::HttpUpgrade { socket, method, path, body }
        }
    }
}

fn message(message: wit::Message) -> ReportMessage {
    let level = match message.level.as_str() {
        "error" => LogSeverity::Error,
        "warn" => LogSeverity::Warn,
        // A later version of the contract may add words.
        _ => LogSeverity::Info,
    };
    ReportMessage { level, text: message.text }
}

fn pairs(list: Vec<wit::Kv>) -> Vec<(String, String)> {
    list.into_iter().take(MANY).map(|kv| (kv.key, kv.value)).collect()
}
