//! The daemon of another node in place of the agent: objects and their states as that daemon knows them. Orders, events and what
//! else only a daemon does are asked of it like of this node's; all else is done on the node itself.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use model::select::{KeywordSource, SectionSource, TypedValue};
use model::{DriverName, NodeName, ObjectPath, Rid};
use protocol::daemon::{AccessEntry, AccessQuery, StatusDocument};
use protocol::{
    ActionOrder, ActionPlan, ActionResult, AuditEntry, AuditQuery, ConfigChange, ConfigCheck, ConfigDiff,
    ConfigHistory, ConfigOutcome, ConfigProblem, ConfigTarget, ConfigText, ConsoleOrder, DeleteOrder, DriverConsent,
    DriverDoc, DriverGrants, DriverInspection, DriverList, EngineAccess, EvaluatedKeyword, FailureKind, HoldingList,
    InstalledDriver, InstanceDocument, KeyChange, LogQuery, NameKind, ObjectList, PolicyChange, PoolList,
    ResourceSelection, ScheduleDocument,
};

use super::{Backend, DaemonPlaces, InstanceFlag, LogLines, RemoteDaemon, Reply};
use crate::exit::Failure;
use crate::words::ObjectQuery;

/// The daemon of another node.
pub(super) struct ElsewhereBackend {
    pub(super) daemon: RemoteDaemon,
}

/// It needs the agent, and that is on the other node.
fn here_only() -> Failure {
    let text = "not supported here: this is done on the node itself, and not by --server or a context";
    Failure::message(FailureKind::NotSupported, text)
}

impl ElsewhereBackend {
    fn known(&self) -> Reply<StatusDocument> {
        self.daemon.ask(async |client| client.status().await)
    }
}

impl Backend for ElsewhereBackend {
    fn time_in_drivers(&self) -> Duration {
        Duration::ZERO
    }

    fn daemon(&self) -> RemoteDaemon {
        self.daemon.clone()
    }

    fn daemon_places(&self) -> Reply<DaemonPlaces> {
        Err(here_only())
    }

    fn access_trail(&self, query: &AccessQuery) -> Reply<Vec<AccessEntry>> {
        self.daemon.ask(async |client| client.audit(query).await)
    }

    fn objects(&self) -> Reply<ObjectList> {
        let objects = self.known()?.cluster.object.into_keys().collect();
        Ok(ObjectList { objects, strays: Vec::new() })
    }

    fn select(&self, query: &ObjectQuery) -> Reply<Vec<ObjectPath>> {
        // Not looked up: where the user may not see an object, the daemon says which role it needs.
        if let Some(path) = query.selector.as_path() {
            return Ok(vec![path.clone()]);
        }
        let ObjectList { objects, .. } = self.objects()?;
        let unread = UnreadKeywords::default();
        let selected = query.selector.select(&objects, &unread).map_err(anyhow::Error::from)?;
        if unread.0.get() {
            let text = format!("{}: conditions on keywords are not supported with --server or a context", query.text);
            return Err(Failure::message(FailureKind::NotSupported, text));
        }
        Ok(selected.into_iter().cloned().collect())
    }

    fn list(&self, query: &ObjectQuery) -> Reply<ObjectList> {
        // `select` does not look a path up, see there. A list shows only what is there.
        let known = self.objects()?.objects;
        let mut objects = self.select(query)?;
        objects.retain(|path| known.contains(path));
        Ok(ObjectList { objects, strays: Vec::new() })
    }

    fn exists(&self, path: &ObjectPath) -> Reply<bool> {
        Ok(self.known()?.cluster.object.contains_key(path))
    }

    fn peers(&self, _: &ObjectPath) -> Reply<Vec<NodeName>> {
        Err(here_only())
    }

    fn names(&self, _: &ObjectPath, _: NameKind) -> Reply<BTreeSet<String>> {
        Ok(BTreeSet::new())
    }

    fn status(&self, path: &ObjectPath, refresh: bool) -> Reply<InstanceDocument> {
        if refresh {
            self.daemon.ask(async |client| client.refresh(Some(path)).await)?;
        }
        let nodes = self.known()?.cluster.node;
        let found = nodes.into_values().find_map(|mut node| node.instance.remove(path));
        let missing =
            || Failure::message(FailureKind::NoMatch, format!("{path} does not exist, or its user may not see it"));
        let instance = found.ok_or_else(missing)?;
        instance.status.ok_or_else(|| Failure::failed(format!("{path} was not looked at yet")))
    }

    fn logs(&self, _: &LogQuery, _: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Reply<()> {
        Err(here_only())
    }

    fn config_file(&self, _: &ConfigTarget) -> String {
        "the configuration on the node".to_owned()
    }

    fn draft(&self, _: &ConfigTarget) -> PathBuf {
        PathBuf::new()
    }

    fn warm_drivers(&self, _: &(dyn Fn(&str) + Sync)) -> Reply<(usize, usize)> {
        Err(here_only())
    }

    fn create(&self, _: &ObjectPath, _: &str) -> Reply<()> {
        Err(here_only())
    }

    fn delete(&self, _: &ObjectPath, _: &[String], _: DeleteOrder) -> Reply<ConfigOutcome> {
        Err(here_only())
    }

    fn timetable(&self, _: &ObjectPath) -> Reply<ScheduleDocument> {
        Err(here_only())
    }

    fn plan(&self, _: &ObjectPath, _: &ActionOrder) -> Reply<ActionPlan> {
        Err(here_only())
    }

    fn act(&self, _: &ObjectPath, _: &ActionOrder, _: Arc<dyn LogLines>) -> Reply<ActionResult> {
        Err(here_only())
    }

    fn flag(&self, _: &ObjectPath, _: InstanceFlag) -> Reply<bool> {
        Err(here_only())
    }

    fn snooze(&self, _: &ObjectPath, _: Option<jiff::Timestamp>) -> Reply<bool> {
        Err(here_only())
    }

    fn console(&self, _: &ObjectPath, _: Option<&Rid>, _: &ConsoleOrder) -> Reply<i32> {
        Err(here_only())
    }

    fn engine(&self, _: &ObjectPath) -> Reply<EngineAccess> {
        Err(here_only())
    }

    fn holdings(&self, _: Option<&[ObjectPath]>) -> Reply<HoldingList> {
        Err(here_only())
    }

    fn pools(&self) -> Reply<PoolList> {
        Err(here_only())
    }

    fn join_process_group(&self, _: &str) -> Reply<()> {
        Err(here_only())
    }

    fn config(&self, _: &ConfigTarget) -> Reply<ConfigText> {
        Err(here_only())
    }

    fn covered_config(&self, _: &ConfigTarget, _: &str) -> Reply<String> {
        Err(here_only())
    }

    fn covered_value(&self, _: &ConfigTarget, _: &str, _: &str) -> Reply<String> {
        Err(here_only())
    }

    fn change_config(&self, _: &ConfigTarget, _: &ConfigChange) -> Reply<ConfigOutcome> {
        Err(here_only())
    }

    fn save_config(&self, _: &ConfigTarget, _: Option<&str>, _: &str) -> Reply<Vec<String>> {
        Err(here_only())
    }

    fn edited(&self, _: &ConfigTarget, _: &str, _: &ConfigChange) -> Reply<String> {
        Err(here_only())
    }

    fn check_config(&self, _: &ConfigTarget, _: &str) -> Reply<Vec<ConfigProblem>> {
        Err(here_only())
    }

    fn check_file(&self, _: Option<&ObjectPath>, _: &Path, _: Vec<u8>) -> Reply<ConfigCheck> {
        Err(here_only())
    }

    fn written(&self, _: &ConfigTarget, _: &str) -> Reply<Option<String>> {
        Err(here_only())
    }

    fn evaluated(&self, _: &ConfigTarget, _: &str, _: Option<&NodeName>) -> Reply<EvaluatedKeyword> {
        Err(here_only())
    }

    fn sections(&self, _: &ObjectPath, _: &ResourceSelection) -> Reply<Vec<String>> {
        Err(here_only())
    }

    fn config_history(&self, _: &ConfigTarget) -> Reply<ConfigHistory> {
        Err(here_only())
    }

    fn config_diff(&self, _: &ConfigTarget, _: (Option<u64>, Option<u64>)) -> Reply<ConfigDiff> {
        Err(here_only())
    }

    fn roll_config_back(&self, _: &ConfigTarget, _: u64, _: bool) -> Reply<ConfigOutcome> {
        Err(here_only())
    }

    fn keys(&self, _: &ObjectPath) -> Reply<Vec<String>> {
        Err(here_only())
    }

    fn key_value(&self, _: &ObjectPath, _: &str) -> Reply<Vec<u8>> {
        Err(here_only())
    }

    fn change_key(&self, _: &ObjectPath, _: &KeyChange) -> Reply<Vec<Result<String, String>>> {
        Err(here_only())
    }

    fn drivers(&self) -> Reply<DriverList> {
        Err(here_only())
    }

    fn driver_manuals(&self) -> Reply<Vec<DriverDoc>> {
        Err(here_only())
    }

    fn driver_manual(&self, _: &DriverName) -> Reply<Option<DriverDoc>> {
        Err(here_only())
    }

    fn inspect_driver(&self, _: &str) -> Reply<DriverInspection> {
        Err(here_only())
    }

    fn driver_grants(&self, _: &ObjectPath, _: &Rid) -> Reply<DriverGrants> {
        Err(here_only())
    }

    fn install_driver(&self, _: &Path, _: bool) -> Reply<InstalledDriver> {
        Err(here_only())
    }

    fn remove_driver(&self, _: &str, _: bool) -> Reply<DriverName> {
        Err(here_only())
    }

    fn driver_consent(&self, _: &str, _: &[String]) -> Reply<DriverConsent> {
        Err(here_only())
    }

    fn allow_driver(&self, _: &str, _: &[String], _: &str) -> Reply<PolicyChange> {
        Err(here_only())
    }

    fn deny_driver(&self, _: &str, _: &[String]) -> Reply<PolicyChange> {
        Err(here_only())
    }

    fn audit(&self, _: &AuditQuery) -> Reply<Vec<AuditEntry>> {
        Err(here_only())
    }
}

/// Configurations are not read from elsewhere. Notes whether a selector would have needed one.
#[derive(Default)]
struct UnreadKeywords(Cell<bool>);

impl KeywordSource for UnreadKeywords {
    fn has_section(&self, _: &ObjectPath, _: &SectionSource) -> bool {
        self.0.set(true);
        false
    }

    fn is_written(&self, _: &ObjectPath, _: &SectionSource, _: &str) -> bool {
        self.0.set(true);
        false
    }

    fn values(&self, _: &ObjectPath, _: &SectionSource, _: &str) -> Vec<TypedValue> {
        self.0.set(true);
        Vec::new()
    }
}
