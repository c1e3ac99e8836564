//! Many nodes, as n1 decides: where a service goes, whose slot counts, and what an order asks of whom.

mod support;

use std::time::Duration;

use model::object::{PlacementPolicy, Topology};
use model::status::State;
use orchestrate::*;
use support::*;

const T: Duration = Duration::from_secs(6);

fn check(change: impl FnOnce(&mut Cluster), expected: &str) {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"]);
    change(&mut cluster);
    assert_eq!(cluster.next(), expected);
}

#[test]
fn a_slot_is_taken_before_a_start_and_given_up_after_a_stop() {
    let mut cluster = Cluster::new(&["n1", "n2", "n3"]);
    assert_eq!([cluster.step(), cluster.step(), cluster.step()], ["take", "start", ""]);
    cluster.order(OrderVerb::Stop).unwrap();
    // The stop is done before the slot is free, and the slot is free whether or not the order has ended.
    assert_eq!([cluster.step(), cluster.step(), cluster.step()], ["stop", "settle done", "release"]);
    assert_eq!(cluster.next(), "frozen");
}

#[test]
fn what_is_only_read_is_asserted_again() {
    let mut cluster = Cluster::new(&["n1", "n2"]);
    cluster.is("n1", State::Up);
    cluster.holds("n1", 0);
    cluster.web().slots[0].confirmed = false;
    assert_eq!(cluster.next(), "reassert");
    // Another incarnation's slot is not its own.
    cluster.node("n1").incarnation = Some(NodeIncarnation { generation: 1, revision: StoreRevision(60) });
    assert_eq!(cluster.next(), "take");
}

#[test]
fn a_slot_of_a_living_owner_is_left_alone() {
    check(|it| it.holds("n2", 0), "placed-elsewhere");
    // Silent is not gone: the owner may still run.
    check(
        |it| {
            it.holds("n2", 0);
            it.node("n2").heard = at(80)
        },
        "placed-elsewhere",
    );
    check(
        |it| {
            it.holds("n2", 0);
            it.node("n2").pinned = true
        },
        "placed-elsewhere",
    );
    let evict = |it: &mut Cluster| {
        it.holds("n2", 0);
        it.node("n2").evicted = true;
        it.node("n2").incarnation = Some(NodeIncarnation { generation: 1, revision: StoreRevision(90) });
    };
    check(evict, "take");
    check(
        |it| {
            evict(it);
            it.web().slots[0].state = SlotState::Blocked
        },
        "placed-elsewhere",
    );
}

#[test]
fn a_lost_owner_is_fenced_before_its_slot_is_taken() {
    let fenced = |state: FenceState, order: bool| {
        let mut cluster = Cluster::new(&["n1", "n2"]);
        cluster.rules().fence = true;
        cluster.holds("n2", 0);
        cluster.node("n2").evicted = true;
        cluster.node("n2").incarnation = Some(NodeIncarnation { generation: 1, revision: StoreRevision(90) });
        cluster.node("n2").fence = state;
        if order {
            cluster.order(OrderVerb::Start).unwrap();
        }
        cluster.next()
    };
    for order in [false, true] {
        assert_eq!(fenced(FenceState::Untried, order), "fence n2");
        assert_eq!(fenced(FenceState::Running, order), "fencing");
        assert_eq!(fenced(FenceState::Failure, order), "fence-failed");
        assert_eq!(fenced(FenceState::Proof, order), "take");
    }
}

#[test]
fn a_peer_that_may_run_it_keeps_it_from_starting_here() {
    check(|it| it.is("n2", State::Up), "placed-elsewhere");
    check(|it| it.on("n2").status = None, "status-unknown");
    check(
        |it| {
            it.on("n2").status = None;
            it.on("n2").config = ConfigState::Missing
        },
        "take",
    );
    let broken = ConfigState::Broken { revision: StoreRevision(2), problem: String::new() };
    check(|it| it.on("n2").config = broken, "take");
}

#[test]
fn placement_ranks_the_nodes() {
    let first = |policy: PlacementPolicy, change: fn(&mut Cluster)| {
        let mut cluster = Cluster::new(&["n1", "n2", "n3"]);
        cluster.rules().placement = policy;
        change(&mut cluster);
        let acceptance = cluster.order(OrderVerb::Giveback).unwrap();
        let goal = acceptance.changes.into_iter().find_map(|change| match change {
            OrderChange::Begin(intent) => Some(intent.goal),
            _ => None,
        });
        let Some(IntentGoal::Placed { on }) = goal else { panic!("no placement") };
        on[0].to_string()
    };
    assert_eq!(first(PlacementPolicy::NodesOrder, |_| {}), "n1");
    assert_eq!(first(PlacementPolicy::NodesOrder, |it| it.rules().flex_primary = Some(node("n3"))), "n3");
    assert_eq!(first(PlacementPolicy::Score, |it| it.node("n2").score = 90), "n2");
    assert_eq!(first(PlacementPolicy::LoadAvg, |it| it.node("n3").load = 10), "n3");
    assert_eq!(first(PlacementPolicy::LastStart, |it| it.on("n2").record.last_start = Some(StoreRevision(9))), "n2");
    assert_eq!(first(PlacementPolicy::Shift, |_| {}), "n1");
    check(|it| it.rules().placement = PlacementPolicy::None, "no-placement");
}

/// A peer `db` that runs on n2, and what `web` on n1 makes of its affinity to it.
fn affine(change: impl FnOnce(&mut AffinityRules)) -> String {
    let mut cluster = Cluster::new(&["n1", "n2"]);
    let nodes = [node("n1"), node("n2")];
    let db = rules(&nodes);
    cluster.add("db", db.clone());
    let object = cluster.objects.get_mut(&path("db")).unwrap();
    let status = object.instances.get_mut(&node("n2")).unwrap().status.as_mut().unwrap();
    status.resources.values_mut().for_each(|view| view.state = State::Up);
    *status = StatusView::of(&db, status.after, status.resources.clone());
    change(&mut cluster.rules().affinity);
    cluster.next()
}

#[test]
fn both_polarities_of_both_affinities() {
    assert_eq!(affine(|_| {}), "take");
    assert_eq!(affine(|it| it.hard = vec![path("db")]), "affinity");
    assert_eq!(affine(|it| it.hard_anti = vec![path("db")]), "take");
    assert_eq!(affine(|it| it.soft = vec![path("db")]), "placed-elsewhere");
    assert_eq!(affine(|it| it.soft_anti = vec![path("db")]), "take");
}

fn flex(cluster: &mut Cluster, target: u32) {
    cluster.rules().topology = Topology::Flex { min: 1, max: None, target };
}

#[test]
fn a_flex_object_is_up_as_often_as_wanted() {
    check(
        |it| {
            flex(it, 2);
            it.is("n2", State::Up);
            it.holds("n2", 0)
        },
        "take",
    );
    check(
        |it| {
            flex(it, 1);
            it.is("n2", State::Up);
            it.holds("n2", 0)
        },
        "placed-elsewhere",
    );
    // Whoever has no slot is surplus.
    let surplus = |it: &mut Cluster| {
        flex(it, 1);
        it.is("n1", State::Up);
        it.is("n2", State::Up);
        it.holds("n2", 0);
    };
    check(surplus, "stop");
    check(
        |it| {
            surplus(it);
            it.on("n1").frozen = true
        },
        "slot-held frozen",
    );
}

#[test]
fn a_drain_stops_what_a_freeze_protects_and_others_take_over() {
    let drained = |it: &mut Cluster| {
        it.is("n1", State::Up);
        it.holds("n1", 0);
        it.on("n1").frozen = true;
        it.node("n1").drain = Some(NodeDrain { deadline: at(120), shutdown: false });
    };
    check(drained, "stop");
    let mut cluster = Cluster::new(&["n1", "n2"]);
    drained(&mut cluster);
    let ends = |cluster: &Cluster| decide_nodes(&cluster.view(), &node("n1"), cluster.now).steps;
    assert_eq!(ends(&cluster), []);
    assert_eq!([cluster.step(), cluster.step()], ["stop", "release"]);
    assert_eq!(ends(&cluster), [NodeStep::EndDrain { left: vec![] }]);
    cluster.is("n1", State::Up);
    cluster.node("n2").heard = at(119);
    cluster.now = at(120);
    assert_eq!(ends(&cluster), [NodeStep::EndDrain { left: vec![path("web")] }]);
}

#[test]
fn a_node_is_evicted_when_its_pair_of_registration_and_beat_is_old_enough() {
    let evicted = |change: fn(&mut NodeView), late: Duration| {
        let mut cluster = Cluster::new(&["n1", "n2"]);
        change(cluster.node("n2"));
        cluster.now = cluster.nodes[&node("n2")].heard + late;
        decide_nodes(&cluster.view(), &node("n1"), cluster.now).steps.len()
    };
    assert_eq!(evicted(|_| {}, T), 0);
    assert_eq!(evicted(|_| {}, T + T / 100), 1);
    assert_eq!(evicted(|it| it.pinned = true, 10 * T), 0);
    assert_eq!(evicted(|it| it.evicted = true, 10 * T), 0);
    assert_eq!(evicted(|it| it.incarnation = None, 10 * T), 0);
}

#[test]
fn a_switch_starts_on_the_target_when_the_source_is_down() {
    let mut cluster = Cluster::new(&["n1", "n2"]);
    cluster.is("n2", State::Up);
    cluster.holds("n2", 0);
    cluster.order(OrderVerb::Takeover).unwrap();
    assert_eq!(cluster.next(), "wait-source");
    cluster.is("n2", State::Down);
    assert_eq!(cluster.next(), "slot-held");
    cluster.web().slots.clear();
    assert_eq!([cluster.step(), cluster.step(), cluster.step()], ["take", "start", "settle done"]);
}

#[test]
fn a_switch_whose_source_does_not_stop_fails_and_starts_nothing() {
    let mut cluster = Cluster::new(&["n1", "n2"]);
    cluster.is("n2", State::Up);
    cluster.holds("n2", 0);
    let acceptance = cluster.order(OrderVerb::Takeover).unwrap();
    let stop = ActionStep {
        action: InstanceAction::Stop,
        scope: ActionScope::Whole,
        cause: ActionCause::Intent(acceptance.id),
        leader: false,
        freeze: false,
        token: None,
    };
    cluster.act("n2", &stop, ActionEnd::Failure("busy".to_owned()));
    assert_eq!(cluster.step(), "settle failed");
    assert_eq!(cluster.next(), "placed-elsewhere");
}

#[test]
fn a_better_placed_node_is_waited_for_after_a_cold_start() {
    let mut cluster = Cluster::new(&["n2", "n1"]);
    cluster.node("n2").incarnation = None;
    let mut parts = ViewParts {
        nodes: Some((StoreRevision(1), cluster.nodes.clone())),
        objects: Some((StoreRevision(1), cluster.view().objects().clone())),
        cluster: None,
        written: None,
    };
    let mut next = |rejoin| {
        let timing = BeatTiming { lost_after: T };
        parts.cluster = Some((StoreRevision(1), ClusterState { timing, maintenance: None, rejoin }));
        let view = View::new(parts.clone(), &node("n1")).unwrap();
        decide_object(&view, &path("web"), &node("n1"), at(100))
    };
    assert_eq!(next(Some(at(110))).reasons[0].code(), "rejoin");
    assert_eq!(next(Some(at(110))).wake_at, Some(at(110)));
    assert_eq!(next(Some(at(100))).steps.len(), 1);
}

#[test]
fn the_queue_lets_the_first_by_priority_act() {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.node("n1").max_parallel = 1;
    let first = ObjectRules { priority: 10, ..rules(&[node("n1")]) };
    cluster.add("db", first);
    let decisions = decide(&cluster.view(), &node("n1"), cluster.now);
    assert!(decisions[&path("db")].action().is_some());
    assert_eq!(decisions[&path("web")].reasons, [Reason::Queue { running: 0 }]);
}
