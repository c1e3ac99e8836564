//! `wit/volume.wit`: volumes.

use bindings::driver::hostler::driver::types::{self as wit, Kv};
use bindings::driver::hostler::driver::volume::{Host, VolumeReport as WireReport};
use capability::volume::{self, VolumeAction, VolumeReport};
use driver::LogSeverity;
use model::status::{Provisioned, State};

use super::bounds::within_bounds;
use super::{ImportAnswer, answer, kvs, pairs};
use crate::sandbox::GuestState;

impl Host for GuestState {
    async fn look(&mut self, name: String) -> ImportAnswer<Option<WireReport>> {
        within_bounds!(name);
        answer(volume::look(&self.scope, &name).await.map(|seen| seen.map(report)))
    }

    async fn make(&mut self, name: String, request: Vec<Kv>) -> ImportAnswer<bool> {
        within_bounds!(name, request);
        answer(volume::make(&self.scope, &name, pairs(request)).await)
    }

    async fn provision(&mut self, name: String) -> ImportAnswer<String> {
        within_bounds!(name);
        answer(volume::act(&self.scope, &name, VolumeAction::Provision).await)
    }

    async fn start(&mut self, name: String) -> ImportAnswer<String> {
        within_bounds!(name);
        answer(volume::act(&self.scope, &name, VolumeAction::Start).await)
    }

    async fn stop(&mut self, name: String) -> ImportAnswer<String> {
        within_bounds!(name);
        answer(volume::act(&self.scope, &name, VolumeAction::Stop).await)
    }

    async fn unprovision(&mut self, name: String) -> ImportAnswer<String> {
        within_bounds!(name);
        answer(volume::act(&self.scope, &name, VolumeAction::Unprovision).await)
    }

    async fn install(&mut self, name: String) -> ImportAnswer<Vec<String>> {
        within_bounds!(name);
        answer(volume::install(&self.scope, &name).await)
    }
}

fn report(seen: VolumeReport) -> WireReport {
    let VolumeReport { state, provisioned, messages, mount_point, devices, is_used, users } = seen;
    let fact = |name: &str, value: String| (name.to_owned(), value);
    let facts = mount_point.map(|place| fact("mnt", place.to_string_lossy().into_owned()));
    let facts = facts.into_iter().chain(devices.into_iter().map(|device| fact("device", device)));
    let facts = facts.chain(is_used.then(|| fact("used", "true".to_owned())));
    let facts = facts.chain(users.into_iter().map(|user| fact("user", user)));
    let message = |said: driver::ReportMessage| wit::Message { level: level(said.level).to_owned(), text: said.text };
    WireReport {
        state: match state {
            // The contract knows no standby: to its user, a volume that is kept up is up.
            State::Up | State::StdbyUp => wit::State::Up,
            State::Down | State::StdbyDown => wit::State::Down,
            State::Warn => wit::State::Warn,
            State::Na => wit::State::NotApplicable,
            State::Undef => wit::State::Undefined,
        },
        provisioned: match provisioned {
            Provisioned::True => wit::Provisioned::Yes,
            Provisioned::False => wit::Provisioned::No,
            Provisioned::Mixed => wit::Provisioned::Mixed,
            Provisioned::Na => wit::Provisioned::NotApplicable,
            Provisioned::Undef => wit::Provisioned::Unknown,
        },
        messages: messages.into_iter().map(message).collect(),
        facts: kvs(facts.collect()),
    }
}

fn level(severity: LogSeverity) -> &'static str {
    match severity {
        LogSeverity::Trace | LogSeverity::Debug | LogSeverity::Info => "info",
        LogSeverity::Warn => "warn",
        LogSeverity::Error => "error",
    }
}
