//! Plans as an operator sees them.

use crate::support::{asked, planned};
use insta::assert_snapshot;
use plan::{Action, CopyRequest, Plan, render};

const WEB: &str = "
    ip#1 down
    disk#1 up
    fs#1 down start_requires=disk#1
    app#1 down subset=web blocking_pre_start post_start
    app#2 disable subset=web
    parallel app:web";

#[test]
fn a_start_is_a_table_of_stages() {
    assert_snapshot!(render::text(&planned(WEB, Action::Start).unwrap()), @r"
    web on n1: start, 5 steps in 4 stages
      ip         ip#1     start   down
      disk       disk#1   start   already up, nothing to do
      fs         fs#1     start   down, after disk#1
      app:web ∥  app#1    start   down
                 app#2    skip    disabled
    digest d9d4…5f; run exactly this with --if-plan d9d4
    ");
}

#[test]
fn a_stop_is_the_reverse() {
    assert_snapshot!(render::text(&planned(&WEB.replace("down", "up"), Action::Stop).unwrap()), @r"
    web on n1: stop, 5 steps in 4 stages
      app:web ∥  app#2    skip   disabled
                 app#1    stop   up
      fs         fs#1     stop   up
      disk       disk#1   stop   up
      ip         ip#1     stop   up
    digest c4a1…3c; run exactly this with --if-plan c4a1
    ");
}

#[test]
fn a_restart_lists_both_ways() {
    assert_snapshot!(render::text(&planned("fs#1 stdby-up\napp#1 up", Action::Restart).unwrap()), @r"
    web on n1: restart, 4 steps in 4 stages
      app  app#1   stop    up
      fs   fs#1    skip    standby (--force to override)
      fs   fs#1    start   already stdby up, nothing to do
      app  app#1   start   up, stopped before
    digest 577f…0e; run exactly this with --if-plan 577f
    ");
}

#[test]
fn provisioning_says_what_exists() {
    let lines = "disk#1 down unprovisioned\ndisk#2 up\nfs#1 down provision=false optional";
    assert_snapshot!(render::text(&planned(lines, Action::Provision).unwrap()), @r"
    web on n1: provision, 3 steps in 2 stages
      disk  disk#1   provision   not provisioned, down
            disk#2   provision   already up and provisioned, nothing to do
      fs    fs#1     start       provisioned, down (optional)
    digest d217…c6; run exactly this with --if-plan d217
    ");
    let lines = "disk#1 down unprovisioned\ndisk#2 up unprovision=false";
    assert_snapshot!(render::text(&planned(lines, Action::Unprovision).unwrap()), @r"
    web on n1: unprovision, 2 steps in 1 stage
      disk  disk#2   stop          provisioned, up
            disk#1   unprovision   already down and not provisioned, nothing to do
    digest a4c3…d1; run exactly this with --if-plan a4c3
    ");
}

#[test]
fn an_object_without_resources_has_an_empty_plan() {
    assert_snapshot!(render::text(&planned("", Action::Start).unwrap()), @r"
    web on n1: start, 0 steps in 0 stages
    digest fe70…97; run exactly this with --if-plan fe70
    ");
}

#[test]
fn json_has_the_whole_plan() {
    let plan = planned(WEB, Action::Start).unwrap();
    assert_snapshot!(serde_json::to_string_pretty(&render::json(&plan)).unwrap());
}

#[test]
fn dot_is_a_graph_of_boxes() {
    assert_snapshot!(render::dot(&planned(WEB, Action::Start).unwrap()));
}

#[test]
fn the_digest_moves_with_the_states_and_with_nothing_else() {
    let digest = |lines: &str| planned(lines, Action::Start).unwrap().digest;
    assert_eq!(digest("ip#1 down\nfs#1 down"), digest("fs#1 down\nip#1 down"));
    assert_ne!(digest("ip#1 down\nfs#1 down"), digest("ip#1 up\nfs#1 down"));
    let forced = asked("ip#1 down", Action::Start, |request| request.disable_rollback = true).unwrap();
    assert_ne!(digest("ip#1 down"), forced.digest, "what follows a failure is part of the plan");
}

const COPIES: &str = "
    app#1 up
    sync#1 up target=nodes,drpnodes
    sync#2 up target=nodes";

fn copied(verb: &str, places: &str) -> Plan {
    let places = places.split_whitespace().map(|word| word.parse().unwrap()).collect();
    let copy = CopyRequest { verb: verb.to_owned(), places };
    asked(COPIES, Action::Sync, |request| request.copy = copy.clone()).unwrap()
}

#[test]
fn a_sync_says_how_it_copies_and_where_to() {
    assert_snapshot!(render::text(&copied("full", "")));
    assert_snapshot!(render::text(&copied("update", "drp")));
}

#[test]
fn json_and_dot_say_where_copies_go() {
    assert_snapshot!(serde_json::to_string_pretty(&render::json(&copied("full", "n2"))).unwrap());
    assert_snapshot!(render::dot(&copied("full", "n2")));
}

#[test]
fn six_syncs_have_six_digests() {
    let syncs = [("update", ""), ("full", ""), ("update", "nodes"), ("update", "drp"), ("full", "drp"), ("full", "n3")];
    let digests: Vec<String> = syncs.map(|(verb, places)| copied(verb, places).digest.to_string()).to_vec();
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[..at].contains(digest), "{:?} has the digest of another sync", syncs[at]);
    }
    assert_eq!(copied("full", "").digest, copied("full", "nodes drp").digest, "the same copies to the same nodes");
}
