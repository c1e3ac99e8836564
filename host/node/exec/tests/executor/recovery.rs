//! Recovery from the journal of an unfinished action: locks, other boots, damage.

use driver::{Change, Verb};
use exec::journal::{Journal, JournalError, JournalTail};
use exec::{ActionEnding, ExecutionRefusal, RecoveryReport, RecoveryVerdict, execute, recover};
use plan::Action;

use crate::world::{Behaviour, World, set, world};

const START: &str = "ip#1\nfs#1\napp#1";

/// Begins an action in this process and drops it in the middle of `fs#1`, as a kill would.
async fn abandoned(world: &std::sync::Arc<World>, action: Action) {
    abandoned_of(world, START, action).await;
}

async fn abandoned_of(world: &std::sync::Arc<World>, lines: &str, action: Action) {
    world.when("fs#1", Verb::Start, Behaviour::Hangs);
    world.when("fs#1", Verb::Stop, Behaviour::Hangs);
    let plan = world.plan(lines, action, |_, _| {});
    let (facilities, session) = (world.facilities(), world.session());
    let reached = async {
        while !world.calls().iter().any(|call| call.ends_with("fs#1")) {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        _ = execute(&plan, facilities.as_ref(), &session) => panic!("fs#1 hangs"),
        () = reached => {}
    }
    world.wait_for_the_journal().await;
}

fn summary(recovery: Option<RecoveryReport>) -> (RecoveryVerdict, Vec<String>) {
    match recovery {
        Some(RecoveryReport::Finished { recovered, undone, .. }) => {
            (recovered, undone.iter().map(|undone| undone.rid.to_string()).collect())
        }
        other => panic!("no story: {other:?}"),
    }
}

#[tokio::test]
async fn an_abandoned_start_is_shown_then_undone_and_then_forgotten() {
    let (directory, world) = world();
    abandoned(&world, Action::Start).await;
    let story = Journal::pending(&world.journal()).unwrap().unwrap();
    assert_eq!((story.action.as_str(), story.sid.as_str(), story.tail), ("start", "5e55", JournalTail::Clean));
    let changes: Vec<Change> = story.steps.iter().map(|step| step.change()).collect();
    assert_eq!(changes, [Change::Changed, Change::Unknown, Change::Unchanged]);

    let after = World::new(directory.path());
    let refused =
        execute(&after.plan(START, Action::Start, |_, _| {}), after.facilities().as_ref(), &after.session()).await;
    assert!(matches!(refused.unwrap_err().0, JournalError::Unfinished { .. }));

    let recovery = recover(after.facilities().as_ref(), &after.session()).await.unwrap();
    assert_eq!(summary(recovery), (RecoveryVerdict::Undone, vec!["fs#1".to_owned(), "ip#1".to_owned()]));
    after.lines.has("WRN an earlier start (sid 5e55) was interrupted, and is now rolled back");
    after.lines.has("INF rollback: ip#1: stop done");
    assert_eq!(after.up(), set(&[]));
    assert!(recover(after.facilities().as_ref(), &after.session()).await.unwrap().is_none());
    assert_eq!(after.run(START, Action::Start).await.ending, ActionEnding::Done);
}

#[tokio::test]
async fn remains_of_an_earlier_longer_story_are_not_part_of_the_next() {
    let (_directory, world) = world();
    let many: String = (0..20).map(|n| format!("disk#{n}\n")).collect();
    world.run(&many, Action::Start).await;
    abandoned(&world, Action::Start).await;
    let story = Journal::pending(&world.journal()).unwrap().unwrap();
    assert_eq!((story.steps.len(), story.tail), (3, JournalTail::Clean));
}

/// A status reads the beginning of a journal first, which is all of a short one.
#[tokio::test]
async fn a_long_story_is_told_whole() {
    let (_directory, world) = world();
    let many: String = (0..40).map(|n| format!("disk#{n}\n")).collect();
    abandoned_of(&world, &format!("{many}{START}"), Action::Start).await;
    let story = Journal::pending(&world.journal()).unwrap().unwrap();
    let changed = story.steps.iter().filter(|step| step.change() == Change::Changed).count();
    assert_eq!((story.steps.len(), changed, story.tail), (43, 41, JournalTail::Clean));
}

#[tokio::test]
async fn an_abandoned_stop_is_only_reported() {
    let (directory, world) = world();
    ["ip#1", "fs#1", "app#1"].iter().for_each(|rid| world.put(rid, true));
    abandoned(&world, Action::Stop).await;
    let after = World::new(directory.path());
    let recovery = recover(after.facilities().as_ref(), &after.session()).await.unwrap();
    assert_eq!(summary(recovery), (RecoveryVerdict::Interrupted, Vec::new()));
    assert_eq!(after.up(), set(&["ip#1", "fs#1"]));
}

#[tokio::test]
async fn effects_that_the_last_boot_removed_are_not_undone() {
    for persistent in [false, true] {
        let directory = tempfile::tempdir().unwrap();
        let world = World::booted(directory.path(), "boot-1", persistent);
        abandoned(&world, Action::Start).await;
        let after = World::booted(directory.path(), "boot-2", persistent);
        let recovery = recover(after.facilities().as_ref(), &after.session()).await.unwrap();
        match persistent {
            true => {
                assert_eq!(summary(recovery), (RecoveryVerdict::Undone, vec!["fs#1".to_owned(), "ip#1".to_owned()]))
            }
            false => assert_eq!(summary(recovery), (RecoveryVerdict::Interrupted, Vec::new())),
        }
    }
}

#[tokio::test]
async fn the_journal_of_a_running_action_tells_nothing_and_keeps_others_away() {
    let (_directory, world) = world();
    world.when("fs#1", Verb::Start, Behaviour::AwaitsCancel);
    let plan = world.plan(START, Action::Start, |_, _| {});
    let (facilities, session) = (world.facilities(), world.session());
    let other = async {
        while !world.calls().iter().any(|call| call == "start fs#1") {
            tokio::task::yield_now().await;
        }
        assert!(Journal::pending(&world.journal()).unwrap().is_none());
        let refused = execute(&plan, facilities.as_ref(), &session).await.unwrap_err();
        assert!(matches!(refused, ExecutionRefusal(JournalError::Held(_))), "{refused}");
        world.cancel.cancel();
    };
    let (report, ()) = tokio::join!(execute(&plan, facilities.as_ref(), &session), other);
    assert_eq!(report.unwrap().ending, ActionEnding::Interrupted);
}

/// Locks the journal as a child of the dead process does from its fork until its exec, which closes the copied descriptor.
fn inherited(world: &World) -> std::fs::File {
    let file = std::fs::File::open(world.journal()).unwrap();
    rustix::fs::flock(&file, rustix::fs::FlockOperation::LockExclusive).unwrap();
    file
}

#[tokio::test]
async fn recovery_waits_for_a_child_that_has_not_closed_the_journal_yet() {
    let (directory, world) = world();
    abandoned(&world, Action::Start).await;
    let inherited = inherited(&world);
    assert!(Journal::pending(&world.journal()).unwrap().is_none(), "a status does not wait");
    let child = std::thread::spawn(move || {
        std::thread::sleep(std::time::Duration::from_millis(20));
        drop(inherited);
    });
    let after = World::new(directory.path());
    let recovery = recover(after.facilities().as_ref(), &after.session()).await.unwrap();
    assert_eq!(summary(recovery), (RecoveryVerdict::Undone, vec!["fs#1".to_owned(), "ip#1".to_owned()]));
    child.join().unwrap();
}

#[tokio::test]
async fn a_journal_that_stays_locked_is_an_error_and_not_an_empty_one() {
    let (directory, world) = world();
    abandoned(&world, Action::Start).await;
    let _inherited = inherited(&world);
    let after = World::new(directory.path());
    let refused = recover(after.facilities().as_ref(), &after.session()).await.unwrap_err();
    assert!(matches!(refused, JournalError::Held(_)), "{refused}");
    assert_eq!(after.calls(), [""; 0]);
}

#[tokio::test]
async fn a_damaged_journal_undoes_nothing() {
    let (directory, world) = world();
    abandoned(&world, Action::Start).await;
    let mut bytes = std::fs::read(world.journal()).unwrap();
    let second = bytes.windows(7).position(|window| window == b"\"begin\"").unwrap();
    bytes[second] ^= 1;
    std::fs::write(world.journal(), bytes).unwrap();
    let after = World::new(directory.path());
    let recovery = recover(after.facilities().as_ref(), &after.session()).await.unwrap();
    assert_eq!(summary(recovery), (RecoveryVerdict::Damaged, Vec::new()));
    assert_eq!(after.up(), set(&["ip#1"]));
    assert!(Journal::pending(&world.journal()).unwrap().is_none());
}

#[tokio::test]
async fn a_journal_without_a_readable_beginning_is_set_apart() {
    let (_directory, world) = world();
    abandoned(&world, Action::Start).await;
    let mut bytes = std::fs::read(world.journal()).unwrap();
    bytes[0] ^= 1;
    std::fs::write(world.journal(), bytes).unwrap();
    let Some(RecoveryReport::SetApart(apart)) = recover(world.facilities().as_ref(), &world.session()).await.unwrap()
    else {
        panic!("not set apart");
    };
    assert!(apart.exists() && !world.journal().exists());
}

#[tokio::test]
async fn an_undo_that_fails_is_reported_and_does_not_come_back() {
    let (directory, world) = world();
    abandoned(&world, Action::Start).await;
    let after = World::new(directory.path());
    after.when("ip#1", Verb::Stop, Behaviour::Fails(Change::Unchanged));
    recover(after.facilities().as_ref(), &after.session()).await.unwrap();
    after.lines.has("ERR rollback: ip#1: stop is impossible");
    assert!(recover(after.facilities().as_ref(), &after.session()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_journal_that_cannot_be_written_keeps_nothing_from_being_undone() {
    use rustix::fs::{Mode, OFlags, open};
    use rustix::mount::{MountFlags, UnmountFlags, mount_bind, mount_remount, unmount};
    let (directory, world) = world();
    abandoned(&world, Action::Start).await;
    let there = directory.path().join("journal-directory");
    std::fs::create_dir(&there).unwrap();
    std::fs::copy(world.journal(), there.join("journal")).unwrap();
    if mount_bind(&there, &there).is_err() {
        crate::limits::skip("needs the right to mount");
        return;
    }
    mount_remount(&there, MountFlags::BIND | MountFlags::RDONLY, c"").unwrap();
    let after = World::new(directory.path());
    let mut session = after.session();
    session.journal = there.join("journal");
    let recovery = recover(after.facilities().as_ref(), &session).await;
    let stop = execute(&after.plan(START, Action::Stop, |_, _| {}), after.facilities().as_ref(), &session).await;
    let writable = open(&session.journal, OFlags::WRONLY, Mode::empty());
    unmount(&there, UnmountFlags::DETACH).unwrap();
    assert!(writable.is_err(), "the test would test nothing");
    assert_eq!(summary(recovery.unwrap()), (RecoveryVerdict::Undone, vec!["fs#1".to_owned(), "ip#1".to_owned()]));
    assert_eq!(stop.unwrap().ending, ActionEnding::Done);
    assert_eq!(after.up(), set(&[]));
}
