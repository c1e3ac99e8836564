//! Every verb of every driver that comes with the agent, where nothing is granted and where everything is.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use capability::AuditVerdict;
use driver::{
    ActionError, ActionReport, CallBounds, Change, Driver, DriverCall, FenceWork, KeywordValue, SilentLog, Verb,
};
use model::convert::convert;
use model::keyword::{Keyword, ValueKind};

use crate::support::Bench;

/// A site without a policy for the driver: nothing is granted.
const NOTHING: &str = "digest sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Keywords that a driver declares only to refuse them: in DEFAULT they are meant for other drivers.
const REFUSED: [(&str, &str); 2] =
    [("container.oci", "container_data_dir"), ("container.podman", "container_data_dir")];

/// The result of a verb's call.
struct Ended {
    verb: String,
    change: Change,
    error: Option<ActionError>,
}

async fn every_verb(driver: &dyn Driver, call: &DriverCall) -> Vec<Ended> {
    let log = || Arc::new(SilentLog);
    let unchanged = |verb: &str, error| Ended { verb: verb.to_owned(), change: Change::Unchanged, error };
    let status = driver.status(call, &bounds(), log()).await;
    let mut ended = vec![
        unchanged("validate", driver.validate(call, &bounds(), log()).await.err()),
        unchanged("status", status.fault.map(ActionError::Fault)),
        unchanged("run", driver.run(call, &bounds(), log()).await.err()),
        unchanged("sync", driver.sync("update", &["n2".to_owned()], call, &bounds(), log()).await.err()),
        unchanged("fence", driver.fence(FenceWork::Fence, "n2", call, &bounds(), log()).await.err()),
        unchanged("test", driver.fence(FenceWork::Test, "n2", call, &bounds(), log()).await.err()),
    ];
    let mut acted = |verb: Verb, report: ActionReport| {
        ended.push(Ended { verb: verb.to_string(), change: report.change, error: report.result.err() });
    };
    for verb in [Verb::Start, Verb::Stop, Verb::Provision, Verb::Unprovision] {
        acted(verb, driver.act(verb, call, &bounds(), log()).await);
    }
    acted(Verb::Migrate, driver.migrate("n2", call, &bounds(), log()).await);
    ended
}

/// A plausible value, in canonical form. Paths lie below the directory of the test.
fn value(bench: &Bench, keyword: &Keyword) -> KeywordValue {
    // A default of references is no value yet.
    let default = keyword.default.as_ref().filter(|text| !text.contains('{'));
    let written = keyword.candidates.first().or(default).unwrap_or(&keyword.example);
    let values = match keyword.kind {
        ValueKind::Path => vec![bench.path(&keyword.name)],
        ValueKind::Command | ValueKind::Launcher => vec!["/bin/true".to_owned()],
        _ if written.contains('{') || written.starts_with('/') => {
            let slash = if written.ends_with('/') { "/" } else { "" };
            vec![bench.path(&keyword.name) + slash]
        }
        ValueKind::Integer | ValueKind::Size | ValueKind::Duration | ValueKind::Mode if written.is_empty() => {
            vec!["1".to_owned()]
        }
        ValueKind::Boolean if written.is_empty() => vec!["true".to_owned()],
        kind => convert(kind, written).unwrap(),
    };
    KeywordValue { kind: keyword.kind, secret: keyword.secret, ..KeywordValue::new(&keyword.name, values) }
}

/// Enough time for a program that a driver runs, on a machine that does other work too.
fn bounds() -> CallBounds {
    CallBounds::within(Duration::from_secs(60))
}

/// Everything below a directory.
fn tree(directory: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let entry = entry.unwrap();
        let (path, seen) = (entry.path(), entry.metadata().unwrap());
        found.insert(format!("{} {} {:?}", path.display(), seen.len(), seen.modified().unwrap()));
        if seen.is_dir() {
            found.extend(tree(&path));
        }
    }
    found
}

/// A resource of each driver, without keywords and with one of each.
fn resources(policy: Option<&str>, mut check: impl AsyncFnMut(&Bench, &dyn Driver, DriverCall)) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for builtin in builtin::drivers() {
        let bench = Bench::new();
        if let Some(policy) = policy {
            std::fs::write(bench.path(&format!("{}.policy", builtin.name)), policy).unwrap();
        }
        let driver = bench.load(builtin.name);
        let group = builtin.name.split('.').next().unwrap();
        let accepted = |keyword: &&Keyword| !REFUSED.contains(&(builtin.name, &keyword.name));
        let full = driver.manifest().keywords.iter().filter(accepted).map(|keyword| value(&bench, keyword)).collect();
        for keywords in [vec![], full] {
            let call = bench.call(&format!("{group}#1"), builtin.name, keywords);
            runtime.block_on(check(&bench, &*driver, call));
        }
    }
}

/// The optional exports are found by their names, and the manifest knows of them.
#[test]
fn a_driver_has_the_optional_exports_that_its_manifest_tells_of() {
    resources(Some(NOTHING), async |_, driver, call| {
        let lacks = |error: Option<ActionError>| error == Some(ActionError::Unsupported);
        let log = || Arc::new(SilentLog);
        let has = [
            (Verb::Run, !lacks(driver.run(&call, &bounds(), log()).await.err())),
            (Verb::Sync, !lacks(driver.sync("update", &["n2".to_owned()], &call, &bounds(), log()).await.err())),
            (Verb::Fence, !lacks(driver.fence(FenceWork::Fence, "n2", &call, &bounds(), log()).await.err())),
            (Verb::Migrate, !lacks(driver.migrate("n2", &call, &bounds(), log()).await.result.err())),
        ];
        for (verb, has) in has {
            assert_eq!(has, driver.manifest().verbs.contains(&verb), "{} {verb}", call.driver);
        }
    });
}

#[test]
fn where_nothing_is_granted_every_verb_answers_and_changes_nothing() {
    resources(Some(NOTHING), async |bench, driver, call| {
        let directory = bench.path("");
        let before = tree(Path::new(&directory));
        for Ended { verb, change, error } in every_verb(driver, &call).await {
            let what = format!("{} {verb} {:?}: {error:?}", call.driver, call.keywords);
            assert!(!matches!(error, Some(ActionError::Fault(_))), "{what}");
            assert_eq!(change, Change::Unchanged, "{what}");
        }
        assert_eq!(tree(Path::new(&directory)), before, "{}", call.driver);
        let done: Vec<_> =
            bench.audit.records().into_iter().filter(|r| matches!(r.verdict, AuditVerdict::Done(_))).collect();
        assert!(done.is_empty(), "{done:?}");
    });
}

#[test]
fn where_all_that_they_ask_for_is_granted_status_and_validate_change_nothing() {
    resources(None, async |bench, driver, call| {
        let directory = bench.path("");
        let before = tree(Path::new(&directory));
        let status = driver.status(&call, &bounds(), Arc::new(SilentLog)).await;
        assert_eq!(status.fault, None, "{}", call.driver);
        let problems = driver.validate(&call, &bounds(), Arc::new(SilentLog)).await;
        assert!(!matches!(problems, Err(ActionError::Fault(_) | ActionError::NeedsGrant { .. })), "{problems:?}");
        // This shows that the driver answered, and not only its reader of keywords.
        assert!(call.keywords.is_empty() || problems == Ok(vec![]), "{}: {problems:?}", call.driver);
        assert_eq!(tree(Path::new(&directory)), before, "{}", call.driver);
        // Calls that only read are not recorded here, so an empty record means: no change, and nothing was denied.
        assert_eq!(bench.audit.records(), [], "{}", call.driver);
    });
}
