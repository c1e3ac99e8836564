//! The drivers of services, in the real sandbox and on the real kernel.

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

use driver::{Change, Driver, DriverCall, KeywordValue, SilentLog, Verb};
use model::status::State;
use support::{Bench, bounds, keyword};

/// A driver and the call that the tests make of it.
struct Resource {
    driver: Arc<dyn Driver>,
    call: DriverCall,
}

impl Resource {
    fn new(bench: &Bench, rid: &str, driver: &str, keywords: &[(&str, &[&str])]) -> Resource {
        let keywords = keywords.iter().map(|(name, values)| KeywordValue {
            values: values.iter().map(|&value| value.to_owned()).collect(),
            ..keyword(name, "")
        });
        Resource { driver: bench.load(driver), call: bench.call(rid, driver, keywords.collect()) }
    }

    async fn state(&self) -> State {
        self.driver.status(&self.call, &bounds(), Arc::new(SilentLog)).await.state
    }

    async fn act(&self, verb: Verb) -> (Change, String) {
        let report = self.driver.act(verb, &self.call, &bounds(), Arc::new(SilentLog)).await;
        (report.change, report.result.unwrap_or_else(|error| error.to_string()))
    }

    async fn run(&self) -> i32 {
        self.driver.run(&self.call, &bounds(), Arc::new(SilentLog)).await.unwrap().exit_status
    }

    async fn sync(&self) -> (bool, Option<String>) {
        let targets = ["local".to_owned()];
        let reports = self.driver.sync("update", &targets, &self.call, &bounds(), Arc::new(SilentLog)).await.unwrap();
        (reports[0].changed, reports[0].error.clone())
    }
}

fn script(path: &str, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[tokio::test]
async fn an_application_in_the_foreground_is_supervised() {
    let bench = Bench::new();
    let app = Resource::new(
        &bench,
        "app#1",
        "app.simple",
        &[("start", &["/bin/sleep", "1000"]), ("grace", &["10000"]), ("settle", &["100"])],
    );
    assert_eq!(app.state().await, State::Down);
    let (change, text) = app.act(Verb::Start).await;
    assert_eq!(change, Change::Changed, "{text}");
    let audited: Vec<_> = bench.audit.records().into_iter().map(|record| record.call).collect();
    assert!(audited.iter().any(|call| call == "spawn = /bin/sleep 1000"), "{audited:?}");
    assert_eq!(app.state().await, State::Up);
    assert_eq!(app.act(Verb::Start).await.0, Change::Unchanged);
    assert_eq!(app.act(Verb::Stop).await, (Change::Changed, "stopped 1 process".to_owned()));
    assert_eq!(app.state().await, State::Down);
    assert_eq!(app.act(Verb::Stop).await.0, Change::Unchanged);
}

#[tokio::test]
async fn a_driver_that_keeps_files_finds_their_directory_at_its_first_call() {
    let bench = Bench::new();
    let state = bench.path("state");
    let call = async |driver: &str| {
        fs::remove_dir_all(&state).unwrap();
        let keeper = Resource::new(&bench, "sync#1", driver, &[]);
        let (call, targets) = (&keeper.call, ["local".to_owned()]);
        // Without its keywords it fails before it does anything.
        let answer = keeper.driver.sync("update", &targets, call, &bounds(), Arc::new(SilentLog)).await;
        let failed = answer.map_or(true, |reports| reports.iter().all(|report| report.error.is_some()));
        assert!(failed, "{driver}");
        let there = Path::new(&state).is_dir();
        fs::create_dir_all(&state).unwrap();
        there
    };
    assert!(call("sync.docker").await && call("sync.config").await, "their grants name {{statedir}}");
    assert!(!call("sync.rsync").await, "it keeps nothing");
}

#[tokio::test]
async fn an_application_that_exits_at_once_is_not_up() {
    let bench = Bench::new();
    let keywords: [(&str, &[&str]); 3] = [("start", &["/bin/true"]), ("grace", &["10000"]), ("settle", &["500"])];
    let app = Resource::new(&bench, "app#1", "app.simple", &keywords);
    let text = "/bin/true exited with 0 right after its start".to_owned();
    assert_eq!(app.act(Verb::Start).await, (Change::Changed, text));
}

#[tokio::test]
async fn an_application_with_a_script_is_what_its_check_says() {
    let bench = Bench::new();
    let (program, flag) = (bench.path("app"), bench.path("flag"));
    script(
        &program,
        &format!("#!/bin/sh\ncase $1 in\nstart) touch {flag};;\nstop) rm {flag};;\nstatus) test -e {flag};;\nesac\n"),
    );
    let app = Resource::new(
        &bench,
        "app#1",
        "app.forking",
        &[
            ("script", &[&program]),
            ("start", &["true"]),
            ("stop", &["true"]),
            ("check", &["true"]),
            ("retcodes", &["0:up", "1:down"]),
        ],
    );
    assert_eq!(app.state().await, State::Down);
    assert_eq!(app.act(Verb::Start).await, (Change::Changed, "started".to_owned()));
    assert_eq!(app.state().await, State::Up);
    assert_eq!(app.act(Verb::Start).await, (Change::Unchanged, "already up".to_owned()));
    assert_eq!(app.act(Verb::Stop).await, (Change::Changed, "stopped".to_owned()));
    assert_eq!(app.state().await, State::Down);
}

#[tokio::test]
async fn a_task_returns_the_status_of_its_command() {
    let bench = Bench::new();
    let task = |line: &[&str]| {
        Resource::new(
            &bench,
            "task#1",
            "task.host",
            &[("command", line), ("retcodes", &["0:up", "1:down"]), ("environment", &["CODE=4"])],
        )
    };
    assert_eq!(task(&["/bin/sh", "-c", "exit $CODE"]).run().await, 4);
    assert_eq!(task(&["/bin/true"]).run().await, 0);
}

#[tokio::test]
async fn a_directory_is_copied_once_and_never_emptied_by_an_empty_one() {
    if !Path::new("/usr/bin/rsync").exists() {
        skipped("rsync is not installed");
        return;
    }
    let bench = Bench::new();
    let (source, target) = (bench.path("source"), bench.path("target"));
    let directory = format!("{source}/");
    let keywords: [(&str, &[&str]); 5] = [
        ("src", &[&directory]),
        ("dst", &[&target]),
        ("target", &["local"]),
        ("options", &["--checksum"]),
        ("timeout", &["60000"]),
    ];
    let copy = Resource::new(&bench, "sync#1", "sync.rsync", &keywords);
    fs::create_dir(&source).unwrap();
    for name in ["a", "b"] {
        fs::write(format!("{source}/{name}"), name).unwrap();
    }
    assert_eq!(copy.sync().await, (true, None));
    assert_eq!(fs::read_to_string(format!("{target}/b")).unwrap(), "b");
    assert_eq!(copy.sync().await, (false, None));
    fs::remove_file(format!("{source}/a")).unwrap();
    assert_eq!(copy.sync().await, (true, None));
    assert!(!Path::new(&format!("{target}/a")).exists());
    fs::remove_file(format!("{source}/b")).unwrap();
    let refused = copy.sync().await.1.unwrap();
    assert!(refused.ends_with("mount it, or delete them there if it is to be empty"), "{refused}");
    assert!(Path::new(&format!("{target}/b")).exists());
}

#[test]
fn an_address_comes_and_goes_in_a_network_of_its_own() {
    let thread = std::thread::spawn(|| {
        if let Err(errno) = nix::sched::unshare(nix::sched::CloneFlags::CLONE_NEWNET) {
            return skipped(&format!("no network namespace to be had: {errno}"));
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let bench = Bench::new();
            let keywords: [(&str, &[&str]); 5] = [
                ("name", &["10.0.0.9"]),
                ("dev", &["lo"]),
                ("netmask", &["24"]),
                ("check_carrier", &["true"]),
                ("alias", &["true"]),
            ];
            let ip = Resource::new(&bench, "ip#1", "ip.host", &keywords);
            assert_eq!(ip.state().await, State::Down);
            // The interface is down: a start sets it up.
            let added = "added 10.0.0.9/24 to lo, announced".to_owned();
            assert_eq!(ip.act(Verb::Start).await, (Change::Changed, added));
            assert_eq!(ip.state().await, State::Up);
            assert_eq!(ip.act(Verb::Start).await.0, Change::Unchanged);
            let (change, text) = ip.act(Verb::Stop).await;
            assert!(change == Change::Changed && text.starts_with("removed 10.0.0.9/24"), "{text}");
            assert_eq!(ip.state().await, State::Down);
        });
    });
    thread.join().unwrap();
}

#[expect(clippy::print_stderr, reason = "a test that passes without having tested says so")]
fn skipped(what_is_missing: &str) {
    eprintln!("skipped: {what_is_missing}");
}
