//! The suite of every engine, on members that are well, paused, or restarted. One client goes through all of it.

use std::sync::Arc;

use store::Store;
use store::conformance::cases;

use crate::engine::{EtcdEngine, can_run, clear, wait_for};

/// A pause or a restart is undone and another one made after so many cases.
const CASES_BETWEEN: usize = 6;

/// Runs all cases; `disturb` may change the engine before the case of this number.
async fn run_suite(engine: &mut EtcdEngine, mut disturb: impl FnMut(&mut EtcdEngine, usize)) {
    let store = Arc::new(engine.store().await);
    for (index, case) in cases().into_iter().enumerate() {
        disturb(engine, index);
        wait_for(&store).await;
        clear(&store).await;
        let handle: Arc<dyn Store> = Arc::<store_etcd::EtcdStore>::clone(&store);
        // In a task of its own, so that a failure names the case.
        if let Err(error) = tokio::spawn((case.run)(handle)).await {
            panic!("{}: {error}", case.name);
        }
    }
}

#[tokio::test]
async fn one_member_passes() {
    if can_run() {
        run_suite(&mut EtcdEngine::start(1), |_, _| {}).await;
    }
}

#[tokio::test]
async fn three_members_pass_while_one_is_paused() {
    if can_run() {
        let mut engine = EtcdEngine::start(3);
        run_suite(&mut engine, |engine, index| {
            if index % CASES_BETWEEN == 0 {
                let turn = index / CASES_BETWEEN;
                engine.members[(turn + 2) % 3].resume();
                engine.members[turn % 3].pause();
            }
        })
        .await;
    }
}

#[tokio::test]
async fn member_that_is_restarted_passes() {
    if can_run() {
        run_suite(&mut EtcdEngine::start(1), |engine, index| {
            if index % CASES_BETWEEN == 1 {
                engine.members[0].start_again();
            }
        })
        .await;
    }
}
