//! One node: what is done with a service, and why not.

mod support;

use std::time::Duration;

use model::object::OrchestrateMode;
use model::status::{Provisioned, State};
use orchestrate::*;
use support::*;

/// What is done next with a service that is down and should be up, after a change.
fn check(change: impl FnOnce(&mut Cluster), expected: &str) {
    let mut cluster = Cluster::new(&["n1"]);
    change(&mut cluster);
    assert_eq!(cluster.next(), expected);
}

#[test]
fn what_keeps_a_service_from_being_started() {
    check(|_| {}, "start");
    check(|it| it.rules().orchestrate = OrchestrateMode::No, "not-orchestrated");
    check(|it| it.rules().disable = true, "disabled");
    check(|it| it.on("n1").frozen = true, "frozen");
    check(|it| it.node("n1").frozen = true, "node-frozen");
    check(|it| it.node("n1").maintenance = Some(at(200)), "maintenance");
    check(|it| it.node("n1").maintenance = Some(at(90)), "start");
    check(|it| it.web().maintenance = Some(at(200)), "maintenance");
    check(|it| it.node("n1").state = NodeState::Init, "node-away");
    check(|it| it.node("n1").state = NodeState::Overloaded, "node-closed");
    check(|it| it.on("n1").config = ConfigState::Missing, "config-missing");
    check(|it| it.web().rules = None, "never-loaded");
    check(|it| it.on("n1").status = None, "status-unknown");
    check(|it| it.on("n1").record.sequence = ActionSequence(7), "status-unknown");
    check(|it| it.on("n1").record.boot = BootPhase::Due, "boot");
    check(|it| it.is("n1", State::Up), "");
    let running = RunningAction { sequence: ActionSequence(1), action: InstanceAction::Stop, cause: ActionCause::Hand };
    check(|it| it.on("n1").running = Some(running), "action-running");
}

#[test]
fn a_configuration_that_breaks_keeps_what_runs_and_starts_nothing() {
    let broken = || ConfigState::Broken { revision: StoreRevision(2), problem: "line 3".to_owned() };
    check(|it| it.on("n1").config = broken(), "config-broken config-broken");
    let mut cluster = Cluster::new(&["n1"]);
    cluster.rules().resources.get_mut(&rid("app#1")).unwrap().restart.budget = 1;
    cluster.is("n1", State::Up);
    cluster.is("n1", State::Down);
    cluster.on("n1").config = broken();
    assert_eq!(cluster.next(), "start app#1");
}

#[test]
fn a_failure_blocks_until_it_is_cleared() {
    let mut cluster = Cluster::new(&["n1"]);
    let start = cluster.decide().action().unwrap().clone();
    cluster.act("n1", &start, ActionEnd::Failure("no address".to_owned()));
    assert_eq!(cluster.next(), "failure");
    assert!(cluster.decide().reasons[0].to_string().contains("start failed on n1: no address"));
    cluster.order(OrderVerb::Clear).unwrap();
    assert_eq!(cluster.step(), "start");
    assert_eq!(cluster.next(), "");
}

#[test]
fn orders_run_to_their_outcome() {
    let steps = |verb: OrderVerb, change: fn(&mut Cluster)| {
        let mut cluster = Cluster::new(&["n1"]);
        cluster.rules().orchestrate = OrchestrateMode::No;
        change(&mut cluster);
        cluster.order(verb).unwrap();
        let mut steps: Vec<String> = Vec::new();
        while steps.len() < 10 && cluster.web().open_intent().is_some() {
            steps.push(cluster.step());
        }
        steps.join(", ")
    };
    let up: fn(&mut Cluster) = |it| it.is("n1", State::Up);
    assert_eq!(steps(OrderVerb::Start, |_| {}), "start, settle done");
    assert_eq!(steps(OrderVerb::Start, up), "settle done");
    assert_eq!(steps(OrderVerb::Stop, up), "stop, settle done");
    assert_eq!(steps(OrderVerb::Stop, |_| {}), "settle done");
    assert_eq!(steps(OrderVerb::Restart, up), "stop, start, settle done");
    assert_eq!(steps(OrderVerb::Restart, |_| {}), "start, settle done");
    assert_eq!(steps(OrderVerb::Unprovision, up), "unprovision, settle done");
    assert_eq!(steps(OrderVerb::Purge, up), "unprovision, bury, delete, settle done");
    let bare: fn(&mut Cluster) = |it| it.on("n1").status.as_mut().unwrap().sums.provisioned = Provisioned::False;
    assert_eq!(steps(OrderVerb::Delete, bare), "delete, settle done");
    // A provision ends with a start, also where there is nothing to provision.
    assert_eq!(steps(OrderVerb::Provision, |_| {}), "start, settle done");
    assert_eq!(steps(OrderVerb::Provision, up), "settle done");
}

/// What destroys data is ordered by its own name alone.
#[test]
fn a_failed_unprovision_is_forgotten_by_clear() {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.rules().orchestrate = OrchestrateMode::No;
    cluster.is("n1", State::Up);
    cluster.order(OrderVerb::Unprovision).unwrap();
    let unprovision = cluster.decide().action().unwrap().clone();
    cluster.act("n1", &unprovision, ActionEnd::Failure("busy".to_owned()));
    assert_eq!(cluster.step(), "settle failed");
    cluster.order(OrderVerb::Clear).unwrap();
    assert!(cluster.web().intent.is_none());
    assert_eq!(cluster.next(), "frozen");
}

#[test]
fn what_is_provisioned_is_not_buried_and_a_deletion_that_failed_can_be_given_up() {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.rules().orchestrate = OrchestrateMode::No;
    cluster.on("n1").status.as_mut().unwrap().sums.provisioned = Provisioned::True;
    assert!(matches!(cluster.order(OrderVerb::Delete), Err(OrderRefusal::Provisioned(_))));
    assert!(!cluster.web().tombstone);
    cluster.on("n1").status.as_mut().unwrap().sums.provisioned = Provisioned::Na;

    cluster.order(OrderVerb::Delete).unwrap();
    let delete = cluster.decide().action().unwrap().clone();
    cluster.act("n1", &delete, ActionEnd::Failure("held".to_owned()));
    assert_eq!(cluster.step(), "settle failed");
    assert!(matches!(cluster.order(OrderVerb::Start), Err(OrderRefusal::Deletion(_))));
    cluster.order(OrderVerb::Clear).unwrap();
    let delete = cluster.decide().action().unwrap().clone();
    assert_eq!(delete.action, InstanceAction::Delete);
    cluster.act("n1", &delete, ActionEnd::Failure("held".to_owned()));
    cluster.order(OrderVerb::Abort).unwrap();
    assert!(!cluster.web().tombstone);
    cluster.order(OrderVerb::Start).unwrap();
    assert_eq!(cluster.step(), "start");
}

#[test]
fn a_failed_order_ends_and_clear_tries_it_again() {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.is("n1", State::Up);
    cluster.order(OrderVerb::Stop).unwrap();
    let stop = cluster.decide().action().unwrap().clone();
    cluster.act("n1", &stop, ActionEnd::Failure("busy".to_owned()));
    assert_eq!(cluster.step(), "settle failed");
    // The target stays, and nothing happens until a person has looked.
    assert_eq!(cluster.next(), "failure");
    cluster.order(OrderVerb::Clear).unwrap();
    assert_eq!(cluster.step(), "stop");
    assert_eq!(cluster.step(), "settle done");
    assert_eq!(cluster.next(), "frozen");
}

#[test]
fn an_aborted_order_leaves_nothing_to_the_next_one() {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.order(OrderVerb::Start).unwrap();
    cluster.now = at(101);
    assert!(matches!(cluster.order(OrderVerb::Stop), Err(OrderRefusal::Busy(_))));
    cluster.order(OrderVerb::Abort).unwrap();
    assert_eq!(cluster.web().intent.as_ref().unwrap().outcome, Some(IntentOutcome::Abortion));
    cluster.now = at(102);
    cluster.order(OrderVerb::Start).unwrap();
    assert_eq!(cluster.step(), "start");
    assert_eq!(cluster.step(), "settle done");
}

#[test]
fn an_order_that_cannot_end_expires() {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.rules().parents = vec![ObjectRelative { path: path("db"), node: None }];
    cluster.order(OrderVerb::Start).unwrap();
    assert_eq!(cluster.next(), "wait-parents");
    cluster.now = cluster.decide().wake_at.unwrap();
    assert_eq!(cluster.step(), "settle expired");
    assert_eq!(cluster.next(), "wait-parents");
}

#[test]
fn parents_are_up_before_and_children_down_after() {
    let mut cluster = Cluster::new(&["n1"]);
    let nodes = [node("n1")];
    cluster.add("db", rules(&nodes));
    cluster.rules().parents = vec![ObjectRelative { path: path("db"), node: None }];
    assert_eq!(cluster.next(), "wait-parents");
    cluster.rules().parents = vec![ObjectRelative { path: path("db"), node: Some(node("n1")) }];
    assert_eq!(cluster.next(), "wait-parents");
    cluster.rules().parents.clear();
    cluster.rules().children = vec![ObjectRelative { path: path("db"), node: None }];
    cluster.is("n1", State::Up);
    cluster.order(OrderVerb::Stop).unwrap();
    assert_eq!(cluster.next(), "stop");
}

/// A service whose application is down since second 50, with this budget of restarts.
fn crashed(budget: u32) -> Cluster {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.rules().resources.get_mut(&rid("app#1")).unwrap().restart.budget = budget;
    cluster.is("n1", State::Up);
    cluster.is("n1", State::Down);
    cluster
}

#[test]
fn a_resource_is_restarted_within_its_budget() {
    let mut cluster = crashed(2);
    let mut steps = Vec::new();
    for second in 100..104 {
        cluster.now = at(second);
        steps.push(cluster.step());
        cluster.is("n1", State::Down);
    }
    assert_eq!(steps, ["start app#1", "wait-restart", "start app#1", "restarts-spent"]);
    // An attempt leaves the window after ten minutes.
    cluster.now = at(700);
    assert_eq!(cluster.next(), "start app#1");
}

#[test]
fn what_a_person_stopped_stays_down() {
    let mut cluster = crashed(2);
    cluster.on("n1").record.stopped.insert(rid("app#1"));
    assert_eq!(cluster.next(), "stopped-by-hand");
    cluster.rules().resources.get_mut(&rid("app#1")).unwrap().restart.budget = 0;
    assert_eq!(cluster.next(), "stopped-by-hand");
}

#[test]
fn a_probe_that_does_not_answer_says_nothing_and_then_warns() {
    let silent = |count: u32| {
        let mut cluster = crashed(1);
        cluster.is("n1", State::Up);
        let rules = cluster.rules().clone();
        let status = cluster.on("n1").status.as_mut().unwrap();
        status.resources.values_mut().for_each(|view| view.silent = count);
        *status = StatusView::of(&rules, status.after, status.resources.clone());
        cluster.next()
    };
    assert_eq!([silent(0), silent(2), silent(3)], ["", "status-unknown", "start app#1"]);
}

#[test]
fn a_monitor_action_is_done_once_and_its_fallback_when_it_fails() {
    let mut cluster = crashed(0);
    cluster.rules().resources.get_mut(&rid("app#1")).unwrap().monitor = true;
    cluster.rules().monitor_actions = vec![MonitorAction::FreezeStop, MonitorAction::Reboot];
    cluster.rules().pre_monitor_action = true;
    assert_eq!(cluster.step(), "prepare");
    let stop = cluster.decide().action().unwrap().clone();
    assert!(stop.freeze && stop.action == InstanceAction::Stop);
    cluster.act("n1", &stop, ActionEnd::Failure("busy".to_owned()));
    cluster.on("n1").record.local_expect = LocalExpect::Started;
    assert_eq!(cluster.next(), "reboot");
    cluster.on("n1").record.monitor = Some(MonitorEpisode::Spent);
    assert_eq!(cluster.next(), "monitor-spent");
}

#[test]
fn a_standby_resource_is_kept_up_where_the_service_is_not() {
    let mut cluster = Cluster::new(&["n1"]);
    cluster.rules().orchestrate = OrchestrateMode::No;
    let standby = ResourceRules { standby: true, restart: RestartRules::new(2, Duration::ZERO), ..resource() };
    cluster.rules().resources.insert(rid("fs#1"), standby);
    let view = ResourceView { state: State::Down, silent: 0, since: at(50), provisioned: Provisioned::True };
    cluster.on("n1").status.as_mut().unwrap().resources.insert(rid("fs#1"), view);
    cluster.is("n1", State::Down);
    assert_eq!(cluster.next(), "startstandby fs#1");
}

#[test]
fn orchestrate_start_starts_once_at_boot() {
    let start = |cluster: &mut Cluster| {
        cluster.rules().orchestrate = OrchestrateMode::Start;
        cluster.on("n1").record.boot = BootPhase::Due;
    };
    let mut cluster = Cluster::new(&["n1"]);
    start(&mut cluster);
    assert_eq!([cluster.step(), cluster.step(), cluster.step()], ["boot", "start", "end-boot"]);
    cluster.is("n1", State::Down);
    cluster.on("n1").record.local_expect = LocalExpect::None;
    assert_eq!(cluster.next(), "not-orchestrated");
    let mut cluster = Cluster::new(&["n1"]);
    start(&mut cluster);
    cluster.on("n1").frozen = true;
    assert_eq!([cluster.step(), cluster.step(), cluster.step()], ["boot", "end-boot", "frozen"]);
}
