//! A power loss at every operation of the disk, with torn writes: the store opens with everything that was acknowledged, and
//! with nothing else than the commit that was under way.

use store::conformance::{RandomWords, StoreModel, random_request};
use store::{Draft, KeyQuery, KeyRange, Timeline};

use crate::StoreFileError;
use crate::fault_disk::FaultDisk;
use crate::file::StoreFile;
use crate::medium::StoreMedium;

/// The file of an empty store.
pub(crate) fn empty_store() -> Vec<u8> {
    let disk = FaultDisk::default();
    StoreFile::create(disk.open().unwrap()).unwrap().close().unwrap();
    disk.content()
}

/// What a run of the script knows when it ends or the disk does.
pub(crate) struct ScriptRun {
    pub(crate) model: StoreModel,
    /// The revision that was made durable last.
    pub(crate) acknowledged: u64,
    /// What was compacted, and what may be.
    pub(crate) compacted: [u64; 2],
}

const STEPS: usize = 24;

/// Opens the store, changes it in many ways, and closes it.
pub(crate) fn run_script(disk: &FaultDisk, close: bool) -> ScriptRun {
    let mut run = ScriptRun { model: StoreModel::new(0), acknowledged: 0, compacted: [0, 0] };
    let mut words = RandomWords::Seed(3);
    // An error is the death of the disk.
    let _ = try_script(disk, &mut run, &mut words, close);
    run
}

fn try_script(
    disk: &FaultDisk,
    run: &mut ScriptRun,
    words: &mut RandomWords,
    close: bool,
) -> Result<(), StoreFileError> {
    let file = StoreFile::open(disk.open()?)?;
    let mut timeline = file.load()?;
    for step in 0..STEPS {
        if step % 8 == 7 {
            let revision = run.acknowledged - 2;
            run.compacted[1] = revision;
            file.compact(revision, timeline.revision(), &timeline.compacted_by(revision))?;
            timeline.compact(revision);
            run.compacted[0] = revision;
        }
        // Two requests in one commit, as the writer does.
        let mut draft = Draft::new(&timeline);
        for _ in 0..2 {
            let request = random_request(words, &run.model);
            if request.check().is_ok() {
                assert_eq!(draft.apply(&request), run.model.apply(&request));
            }
        }
        let changes = draft.into_changes();
        file.append(&changes)?;
        timeline.extend(changes);
        run.acknowledged = run.model.revision();
    }
    if close {
        return file.close();
    }
    std::mem::forget(file);
    Ok(())
}

/// Checks that a timeline is the model's up to its revision.
pub(crate) fn check_timeline(timeline: &Timeline, model: &StoreModel) {
    for revision in timeline.compacted().max(model.first())..=timeline.revision() {
        let listing = timeline.list(&KeyQuery::at(KeyRange::all(), revision)).unwrap();
        assert_eq!(listing.entries, model.entries(revision), "at revision {revision}");
        if revision > timeline.compacted() {
            let (change, _) = timeline.next_change(&KeyRange::all(), revision).unwrap();
            assert_eq!(change.as_ref(), Some(&model.change(revision)));
        }
    }
}

#[test]
fn power_loss_at_any_operation_loses_nothing_that_was_acknowledged() {
    let content = empty_store();
    let whole = FaultDisk::holding(content.clone());
    let expected = run_script(&whole, true);
    assert_eq!(expected.acknowledged, expected.model.revision());
    for dies_at in 1..=whole.operations() {
        let disk = FaultDisk::holding(content.clone());
        disk.state().dies_at = Some(dies_at);
        let run = run_script(&disk, true);
        for seed in 0..6 {
            let torn = FaultDisk::holding(disk.after_power_loss(&mut RandomWords::Seed(dies_at << 8 | seed)));
            check_survivor(&torn, &run, dies_at);
        }
    }
}

fn check_survivor(disk: &FaultDisk, run: &ScriptRun, dies_at: u64) {
    let file = StoreFile::open(disk.open().unwrap()).unwrap_or_else(|error| panic!("operation {dies_at}: {error:?}"));
    let timeline = file.load().unwrap();
    let revision = timeline.revision();
    assert!(revision == run.acknowledged || revision == run.model.revision(), "operation {dies_at}: {revision}");
    assert!(run.compacted.contains(&timeline.compacted()));
    check_timeline(&timeline, &run.model);

    // It goes on from there.
    let mut draft = Draft::new(&timeline);
    draft.apply(&store::TxnRequest::new().put("after", "the crash"));
    file.append(&draft.into_changes()).unwrap();
    file.close().unwrap();
    let again = StoreFile::open(disk.open().unwrap()).unwrap();
    assert_eq!(again.revision().unwrap(), revision + 1);
}
