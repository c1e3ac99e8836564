//! Golden renderings of `om mon`.

use std::collections::BTreeMap;

use anstream::adapter::strip_str;
use model::status::{Provisioned, State};
use protocol::InstanceDocument;
use protocol::daemon::*;

use super::*;

fn node(load: f64, mem: u64, frozen: bool, state: &str) -> ClusterNode {
    let stats = NodeStats { load_15m: load, mem_total_mb: 24064, mem_avail: mem, ..NodeStats::default() };
    ClusterNode {
        status: NodeSummary { frozen, drain: None, agent: "0.1.0".to_owned(), booted_at: 0.0 },
        monitor: NodeMonitor { state: state.to_owned(), updated_at: 0.0 },
        stats,
        daemon: NodeDaemon { pid: 1, started_at: 0.0, state: "running".to_owned() },
        instance: BTreeMap::new(),
    }
}

struct Instance {
    avail: State,
    overall: State,
    marks: &'static str,
    state: &'static str,
    target: &'static str,
}

const QUIET: Instance = Instance { avail: State::Up, overall: State::Up, marks: "", state: "idle", target: "none" };

fn instance(path: &str, one: &Instance) -> InstanceSummary {
    let has = |mark| one.marks.contains(mark);
    let status = InstanceDocument {
        path: path.parse().unwrap(),
        node: "n1".parse().unwrap(),
        avail: one.avail,
        overall: one.overall,
        optional: State::Na,
        provisioned: if has('P') { Provisioned::False } else { Provisioned::True },
        frozen: has('*'),
        updated_at: 0,
        notes: Vec::new(),
        orphans: Vec::new(),
        resources: Vec::new(),
        internal: None,
    };
    InstanceSummary {
        config: InstanceConfig { checksum: String::new(), priority: 50, problem: None },
        monitor: InstanceMonitor {
            state: one.state.to_owned(),
            local_expect: "none".to_owned(),
            global_expect: one.target.to_owned(),
            is_leader: has('^'),
            updated_at: 0.0,
        },
        status: (!has('?')).then_some(status),
    }
}

/// The service of the seed, on the nodes whose columns it has.
struct Service {
    path: &'static str,
    avail: State,
    overall: State,
    topology: &'static str,
    optimal: bool,
    instances: &'static [(&'static str, Instance)],
}

fn services() -> Vec<Service> {
    use State::{Down, Na, StdbyUp, Up, Warn};
    let one = |path, avail, overall, topology, optimal, instances| Service {
        path,
        avail,
        overall,
        topology,
        optimal,
        instances,
    };
    vec![
        one("collector", Up, Up, "failover", true, &[("aubergine", Instance { marks: "^", ..QUIET })]),
        one(
            "ha1",
            Warn,
            Warn,
            "failover",
            false,
            &[
                ("aubergine", Instance { avail: Warn, overall: Warn, ..QUIET }),
                ("nuc", Instance { avail: Warn, overall: Warn, marks: "^", ..QUIET }),
            ],
        ),
        one(
            "ns1/svc/copy",
            StdbyUp,
            StdbyUp,
            "failover",
            true,
            &[
                ("aubergine", Instance { avail: StdbyUp, overall: StdbyUp, ..QUIET }),
                ("nuc", Instance { marks: "?", ..QUIET }),
            ],
        ),
        one(
            "testapplim2",
            Na,
            Na,
            "flex",
            true,
            &[
                ("aubergine", Instance { avail: Na, overall: Na, marks: "*", ..QUIET }),
                ("nuc", Instance { avail: Na, overall: Na, marks: "*", ..QUIET }),
            ],
        ),
        one(
            "testdrbd",
            Na,
            Na,
            "failover",
            true,
            &[
                ("aubergine", Instance { avail: Na, overall: Na, marks: "P", ..QUIET }),
                ("nuc", Instance { avail: Na, overall: Na, marks: "P", ..QUIET }),
            ],
        ),
        one(
            "testmd",
            Up,
            Warn,
            "flex",
            true,
            &[
                ("aubergine", Instance { avail: Down, overall: Warn, ..QUIET }),
                ("nuc", Instance { overall: Warn, marks: "^", ..QUIET }),
            ],
        ),
        one(
            "web",
            Down,
            Down,
            "failover",
            true,
            &[
                (
                    "aubergine",
                    Instance { avail: Down, overall: Down, marks: "^", state: "start failed", target: "started" },
                ),
                ("nuc", Instance { avail: Down, overall: Down, state: "blocked", ..QUIET }),
            ],
        ),
    ]
}

pub(crate) fn status() -> StatusDocument {
    let mut nodes = BTreeMap::from([
        ("aubergine".parse().unwrap(), node(0.6, 31, false, "idle")),
        ("nuc".parse().unwrap(), node(0.0, 12, true, "draining")),
    ]);
    let mut objects = BTreeMap::new();
    for service in services() {
        let path: ObjectPath = service.path.parse().unwrap();
        for (name, one) in service.instances {
            let node = nodes.get_mut(&name.parse().unwrap()).unwrap();
            node.instance.insert(path.clone(), instance(service.path, one));
        }
        let up = service.instances.iter().filter(|(_, one)| one.avail == State::Up && one.marks != "?").count();
        let object = ClusterObject {
            avail: service.avail,
            overall: service.overall,
            provisioned: Provisioned::True,
            frozen: "thawed".to_owned(),
            placement_state: if service.optimal { "optimal" } else { "non-optimal" }.to_owned(),
            topology: service.topology.to_owned(),
            orchestrate: if service.avail == State::Na { "no" } else { "ha" }.to_owned(),
            priority: 50,
            up_instances: up,
            wanted_instances: usize::from(service.avail != State::Na),
            scope: service.instances.iter().map(|(name, _)| name.parse().unwrap()).collect(),
            order: None,
        };
        objects.insert(path, object);
    }
    let thread = |id: &str, state: &str, detail: &str| DaemonThread {
        id: id.to_owned(),
        state: state.to_owned(),
        detail: detail.to_owned(),
        peers: BTreeMap::new(),
    };
    StatusDocument {
        cluster: ClusterDocument {
            config: ClusterSummary { name: "c".to_owned(), nodes: nodes.keys().cloned().collect() },
            engine: EngineDocument {
                name: "redb".to_owned(),
                revision: 42,
                state: "running".to_owned(),
                outage: None,
                warnings: Vec::new(),
            },
            node: nodes,
            object: objects,
        },
        daemon: DaemonDocument {
            nodename: "aubergine".parse().unwrap(),
            pid: 1,
            started_at: 0.0,
            last_event: 0,
            threads: vec![
                thread("daemon", "running", ""),
                thread("engine", "running", "redb r42"),
                thread("listener", "running", "/run/hostler/daemon.sock"),
                thread("monitor", "running", ""),
                thread("scheduler", "running", ""),
            ],
        },
    }
}

#[track_caller]
fn check(view: &MonView, status: &StatusDocument, expected: &str) {
    let lines = view.lines(status);
    let text: String = lines.iter().map(|line| format!("{}\n", strip_str(&line.text))).collect();
    assert!(view.width.is_none_or(|width| text.lines().all(|line| line.chars().count() <= width)), "too wide:\n{text}");
    assert_eq!(text, expected, "\n{text}");
}

#[test]
fn the_cluster_at_a_glance() {
    let expected = "\
Threads                                  aubergine                 nuc
 daemon       running                  | O                         O
 engine       running redb r42
 listener     running /run/hostler/daemon.sock
 monitor      running
 scheduler    running

Nodes                                    aubergine                 nuc
 15m                                   | 0.6                       0.0
 mem                                   | 31%23.5g                  12%23.5g
 swap                                  | -                         -
 state                                 |                           * draining

Services                                 aubergine                 nuc
 collector    up       failover ha 1/1 | O^
 ha1          warn!^   failover ha 0/1 | !!                        !!^
 testapplim2  n/a      flex     no     | /*                        /*
 testdrbd     n/a      failover no     | /P                        /P
 testmd       up!      flex     ha 1/1 | X!                        O!^
 web          down     failover ha 0/1 | X^ start failed >started  X blocked
 ns1/svc/copy stdby up failover ha 0/1 | o                         ?
";
    check(&MonView { width: Some(200), ..MonView::default() }, &status(), expected);
    check(&MonView::default(), &status(), expected);
}

/// Eighty columns: long names are cut first, then what a cell says behind its markers.
#[test]
fn on_a_small_terminal_nothing_is_wider_than_it() {
    let expected = "\
Services ~ *                                     aubergine             nuc
 web                  down     failover ha 0/1 | X^ start failed >st…  X blocked
 ns1/svc/copy         stdby up failover ha 0/1 | o                     ?
>ns1/svc/osvprdcolle… up       failover ha 1/1 | ?
";
    let mut status = status();
    let long: ObjectPath = "ns1/svc/osvprdcollector.opensvc.com".parse().unwrap();
    let collector = status.cluster.object["collector".parse::<ObjectPath>().as_ref().unwrap()].clone();
    status.cluster.object.insert(long.clone(), collector);
    let paths = ["web", "ns1/svc/copy"].map(|path| path.parse().unwrap()).into_iter().chain([long.clone()]).collect();
    let view = MonView {
        width: Some(80),
        sections: vec![MonSection::Services],
        selection: Some(MonSelection { text: "*".to_owned(), paths }),
        marked: Some(long),
        ..MonView::default()
    };
    check(&view, &status, expected);
}

#[test]
fn what_is_wrong_is_said_in_a_sentence() {
    let mut status = status();
    status.cluster.engine.state = "down: no space left on device".to_owned();
    let nuc = status.cluster.node.get_mut(&"nuc".parse::<NodeName>().unwrap()).unwrap();
    nuc.status.agent = "0.2.0".to_owned();
    let web = nuc.instance.get_mut(&"web".parse::<ObjectPath>().unwrap()).unwrap();
    web.config.problem = Some("/etc/hostler/web.conf:3:1: unknown keyword".to_owned());
    let expected = "\
engine down: no space left on device: services go on as they are, and no order is taken

Nodes                               nuc
 15m                              | 0.0
 mem                              | 12%23.5g
 swap                             | -
 state                            | * draining

Services ~ web                      nuc
 web         down failover ha 0/1 | X blocked

web@nuc: /etc/hostler/web.conf:3:1: unknown keyword: the last good configuration stays in force
";
    let nodes = vec!["nuc".parse().unwrap()];
    let nobody = Some(MonSelection { text: "web".to_owned(), paths: ["web".parse().unwrap()].into() });
    let sections = vec![MonSection::Nodes, MonSection::Services];
    check(&MonView { nodes, sections, selection: nobody, ..MonView::default() }, &status, expected);
}

#[test]
fn an_engine_that_is_away_is_the_first_line() {
    let check = |silent: &[&str], failsafe, cut_in, expected: &str| {
        let mut status = status();
        let silent = silent.iter().map(|node| (*node).to_owned()).collect();
        status.cluster.engine.outage = Some(EngineOutage { seconds: 12, nodes: 3, silent, failsafe, cut_in });
        let lines = MonView { sections: vec![MonSection::Threads], ..MonView::default() }.lines(&status);
        assert_eq!(strip_str(&lines[0].text).to_string(), expected);
    };
    check(&[], true, None, "engine down for 12s: failsafe, 3 of 3 nodes answer; no moves, no edits");
    let one =
        "engine down for 12s: no failsafe, 2 of 3 nodes answer, not n3; services are cut in 2s; no moves, no edits";
    check(&["n3"], false, Some(2), one);
    check(&[], false, None, "engine down for 12s: no failsafe, the other nodes are not known; no moves, no edits");
}

#[test]
fn a_row_about_paths_has_a_marker_for_each_peer() {
    let mut status = status();
    let peers = BTreeMap::from([("nuc".parse().unwrap(), "down".to_owned())]);
    let (state, detail) = ("running".to_owned(), "10.0.0.1:1215".to_owned());
    status.daemon.threads = vec![DaemonThread { id: "hb#2.rx".to_owned(), state, detail, peers }];
    let view = MonView { sections: vec![MonSection::Threads], ..MonView::default() };
    let expected = "\
Threads                              aubergine  nuc
 hb#2.rx     running 10.0.0.1:1215 | /          X
";
    check(&view, &status, expected);
}
