//! Deadlines, cancellation, and a journal that cannot be created.

use std::os::unix::fs::PermissionsExt;
use std::time::Duration;

use driver::{Change, Verb};
use exec::journal::JournalError;
use exec::{ActionEnding, ExecutionRefusal, StepOutcome, execute};
use plan::Action;

use crate::world::{Behaviour, set, world};

#[tokio::test(start_paused = true)]
async fn a_step_that_never_ends_times_out_and_is_undone() {
    for behaviour in [Behaviour::TimesOut, Behaviour::Hangs] {
        let (_directory, world) = world();
        world.when("fs#1", Verb::Start, behaviour);
        let report = world.run("ip#1\nfs#1", Action::Start).await;
        assert_eq!(report.ending, ActionEnding::TimedOut("fs#1".parse().unwrap()));
        assert_eq!(world.calls().last().unwrap(), "stop ip#1");
        world.lines.has("ERR fs#1: no answer within 3600s");
        assert_eq!(world.up(), set(&[]));
    }
}

#[tokio::test]
async fn a_driver_that_says_itself_that_it_took_too_long_times_out_with_all_that_needs_it() {
    let (_directory, world) = world();
    world.when("fs#1", Verb::Start, Behaviour::GivesUp);
    let report = world.run("ip#1\nfs#1", Action::Start).await;
    assert_eq!(report.ending, ActionEnding::TimedOut("fs#1".parse().unwrap()));
    world.when("task#1", Verb::Run, Behaviour::GivesUp);
    let report = world.run("task#1", Action::Run).await;
    assert_eq!(report.ending.code(), "timed_out");
    world.when("task#2", Verb::Run, Behaviour::Fails(Change::Unchanged));
    let report = world.run("task#1\ntask#2", Action::Run).await;
    assert_eq!(report.ending.code(), "failed", "one that failed is not a timeout");
}

#[tokio::test]
async fn a_verb_that_no_driver_has_is_unsupported_and_not_failed() {
    let (_directory, world) = world();
    world.when("task#1", Verb::Run, Behaviour::Lacks);
    let report = world.run("task#1 optional", Action::Run).await;
    assert_eq!(report.ending.code(), "unsupported");
    world.lines.has("ERR task#1: not supported by this driver");
    world.when("task#2", Verb::Run, Behaviour::Fails(Change::Unchanged));
    assert_eq!(world.run("task#1\ntask#2", Action::Run).await.ending.code(), "failed");
}

#[tokio::test(start_paused = true)]
async fn a_cancelled_start_is_undone_and_interrupted() {
    for behaviour in [Behaviour::AwaitsCancel, Behaviour::Hangs] {
        let (_directory, world) = world();
        world.when("fs#1", Verb::Start, behaviour);
        let cancel = world.cancel.clone();
        let operator = async move {
            tokio::time::sleep(Duration::from_secs(1)).await;
            cancel.cancel();
        };
        let (report, ()) = tokio::join!(world.run("ip#1\nfs#1\napp#1", Action::Start), operator);
        assert_eq!(report.ending, ActionEnding::Interrupted);
        assert_eq!(world.calls(), ["start ip#1", "start fs#1", "stop fs#1", "stop ip#1"]);
        assert!(matches!(report.steps[2].end, StepOutcome::NotReached));
        assert!(report.elapsed < Duration::from_secs(10), "{:?}", report.elapsed);
        assert_eq!(world.up(), set(&[]));
    }
}

#[tokio::test]
async fn a_cancellation_that_comes_too_late_is_none() {
    let (_directory, world) = world();
    let plan = world.plan("fs#1 disable", Action::Start, |_, _| {});
    world.cancel.cancel();
    let report = execute(&plan, world.facilities().as_ref(), &world.session()).await.unwrap();
    assert_eq!(report.ending, ActionEnding::Done);
}

#[tokio::test]
async fn without_a_journal_a_start_is_refused_and_a_stop_goes_on() {
    let (_directory, world) = world();
    world.put("fs#1", true);
    let mut session = world.session();
    session.journal = "/proc/no/such/directory".into();
    let start = world.plan("fs#1\nfs#2", Action::Start, |_, _| {});
    let refused = execute(&start, world.facilities().as_ref(), &session).await.unwrap_err();
    assert!(!matches!(refused, ExecutionRefusal(JournalError::Held(_))), "{refused}");
    assert_eq!(world.calls(), [""; 0], "refused before anything was touched");
    let stop = world.plan("fs#1\nfs#2", Action::Stop, |_, _| {});
    let report = execute(&stop, world.facilities().as_ref(), &session).await.unwrap();
    assert_eq!(report.ending, ActionEnding::Done);
    assert_eq!(world.up(), set(&[]));
    let lines = world.lines.all();
    assert!(lines.iter().any(|line| line.starts_with("WRN continues without a journal: ")), "{lines:?}");
}

/// A file system of one mebibyte, full to the last byte.
#[tokio::test]
async fn on_a_full_disk_a_start_is_refused_and_a_stop_is_journalled_where_there_was_room_before() {
    use rustix::mount::{MountFlags, UnmountFlags, mount, unmount};
    let (directory, world) = world();
    let full = directory.path().join("full");
    std::fs::create_dir(&full).unwrap();
    let options = c"size=1m";
    if mount("none", &full, "tmpfs", MountFlags::empty(), options).is_err() {
        skip("needs the right to mount");
        return;
    }
    let _unmount = Guard(|| unmount(&full, UnmountFlags::DETACH).unwrap());
    std::fs::set_permissions(&full, PermissionsExt::from_mode(0o700)).unwrap();
    let mut session = world.session();
    session.journal = full.join("journal");
    let start = world.plan("fs#1", Action::Start, |_, _| {});
    execute(&start, world.facilities().as_ref(), &session).await.unwrap();

    let filler = std::fs::File::create(full.join("filler")).unwrap();
    let mut writer = std::io::BufWriter::new(filler);
    while std::io::Write::write_all(&mut writer, &[1; 4096]).is_ok() {}
    drop(writer.into_parts());

    // A longer story than that of the start: it needs the room that was set aside.
    let many: String = (1..100).map(|n| format!("fs#{n}\n")).collect();
    let stop = world.plan(&many, Action::Stop, |_, _| {});
    execute(&stop, world.facilities().as_ref(), &session).await.unwrap();
    assert_eq!(world.up(), set(&[]));
    let lines = world.lines.all();
    assert!(!lines.iter().any(|line| line.contains("without a journal")), "{lines:?}");

    session.journal = full.join("another");
    let start = world.plan("fs#1", Action::Start, |_, _| {});
    let refused = execute(&start, world.facilities().as_ref(), &session).await.unwrap_err();
    assert!(refused.to_string().starts_with("cannot reserve "), "{refused}");
    assert_eq!(world.up(), set(&[]));
}

#[expect(clippy::print_stderr, reason = "a test that is not run says so")]
pub(crate) fn skip(why: &str) {
    eprintln!("not run: {why}");
}

struct Guard<F: FnMut()>(F);

impl<F: FnMut()> Drop for Guard<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}
