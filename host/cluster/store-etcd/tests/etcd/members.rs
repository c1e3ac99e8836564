//! What members say of themselves, and how one joins and leaves.

use std::time::{Duration, Instant};

use store_etcd::EtcdVersion;

use crate::engine::{EtcdEngine, PATIENCE, can_run, wait_for};

#[tokio::test]
async fn member_joins_as_a_learner_votes_and_leaves() {
    if !can_run() {
        return;
    }
    let mut engine = EtcdEngine::start(1);
    let store = engine.store().await;
    let plan = engine.plan();
    let peers = store.add_learner(&plan.peer()).await.unwrap();
    let learner = peers.iter().find(|peer| peer.is_learner).unwrap();
    assert_eq!((peers.len(), learner.name.as_str()), (2, ""));

    // A client that asks a learner first goes on to a voter.
    engine.join(plan);
    let mut settings = engine.settings();
    settings.members.rotate_left(1);
    let both = store_etcd::EtcdStore::new(settings);
    wait_for(&both).await;

    let begun = Instant::now();
    while let Err(error) = store.promote(learner.id).await {
        assert!(begun.elapsed() < PATIENCE, "{error:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    let peers = store.peers().await.unwrap();
    assert_eq!(peers.iter().filter(|peer| peer.is_learner).count(), 0);

    let begun = Instant::now();
    let reports = loop {
        // The member itself learns a moment later that it votes.
        let reports = both.examine_members().await;
        if reports.iter().all(|(_, report)| report.is_ok()) {
            break reports;
        }
        assert!(begun.elapsed() < PATIENCE, "{reports:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    assert_eq!(reports.len(), 2);
    for (address, report) in reports {
        let report = report.unwrap();
        assert!(report.version >= EtcdVersion::new(3, 4, 0) && report.leader != 0, "{address}: {report:?}");
        assert!(report.raft_applied_index <= report.raft_index && report.bytes > 0, "{address}: {report:?}");
    }

    // A voter that leaves: the other one goes on alone.
    let begun = Instant::now();
    loop {
        // For some seconds after a change etcd refuses the next one, "unhealthy cluster", although nothing is wrong.
        match store.remove_member(learner.id).await {
            Ok(peers) => break assert_eq!(peers.len(), 1),
            Err(error) => assert!(begun.elapsed() < PATIENCE, "{error:?}"),
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    wait_for(&store).await;
}
