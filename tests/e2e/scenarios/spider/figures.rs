//! The durations on one node: `cargo bench -p hostler-om --test scenarios`, the second half of `make bench`.
//!
//! It prints a table and always succeeds, as the first half does. The cost of the agent is the time of a command during which
//! no driver works: `om --debug` prints both.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use hostler_tests::dockerd::docker;

use super::pods::PODS;
use super::surroundings::{bridge, cloud, hub, serve};
use super::{Node, ROOT, on_a_machine_of_its_own};
use crate::own_engine::own_socket;
use crate::ran::Ran;
use crate::world::World;

/// The number of repetitions of every repeatable measurement.
const RUNS: usize = 5;

/// The promised duration of a status.
const STATUS: Duration = Duration::from_millis(150);
/// The promised share of the agent in a duration.
const OVERHEAD: f64 = 0.05;
/// How often two versions start and stop everything in turn.
const ROUNDS: usize = 15;
/// The promised share of the record of what is held in a start and a stop: an earlier version kept none.
const MORE_THAN_EARLIER: f64 = 0.02;

/// The duration of a command, and the part of it that passed without any driver.
#[derive(Clone, Copy, PartialEq, PartialOrd)]
struct Figure {
    all: Duration,
    outside: Option<Duration>,
}

impl Figure {
    fn of(all: Duration) -> Figure {
        Figure { all, outside: None }
    }

    fn and(self, other: Figure) -> Figure {
        let outside = self.outside.zip(other.outside).map(|(one, other)| one + other);
        Figure { all: self.all + other.all, outside }
    }

    fn share(self) -> f64 {
        self.outside.unwrap_or_default().as_secs_f64() / self.all.as_secs_f64()
    }
}

pub(crate) fn figures(world: &World) {
    on_a_machine_of_its_own(|| measured(world));
}

fn measured(world: &World) {
    let hub = hub(world);
    let server = cloud(world);
    bridge();
    let node = Node::new(world, "spd01", "root");
    node.is_configured(&server);
    let provision = [node.timed("provision --local")];
    serve(PODS, "spider 1");
    let status: Vec<Figure> = (0..4 * RUNS).map(|_| node.timed("print status --refresh")).collect();
    let (mut stop, mut start) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        stop.push(node.timed("stop --local --force"));
        start.push(node.timed("start --local --force"));
    }
    let (mut stop_containers, mut start_containers, mut until_they_run) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..RUNS {
        stop_containers.push(node.timed("stopcontainer --tags sm"));
        let (figure, ran) = node.timed_with_output("startcontainer --tags sm");
        until_they_run.push(until_all_run(&ran));
        start_containers.push(figure);
    }
    let (run, remove) = by_hand(&own_socket(world));
    let versions = earlier_version().map(|om| beside(&node, &om));
    node.om("unprovision --local --confirm --force");
    let (run, remove) = (Some(("docker run, 8 times", run)), Some(("docker stop and rm, 8 times", remove)));
    let together = [&provision[..], &start, &stop, &status].map(median).into_iter().reduce(Figure::and).unwrap();
    println!("\n| examples/spider on spd01 | median | outside drivers | beside it | promised | |");
    println!("|---|--:|--:|---|---|---|");
    line("provision all 66 resources", median(&provision), None, None);
    line("start all", median(&start), None, None);
    line("stop all", median(&stop), None, None);
    line("status of all", median(&status), None, Some((format!("≤ {}", time(STATUS)), median(&status).all <= STATUS)));
    let promised = (format!("≤ {:.0} % outside", OVERHEAD * 100.0), together.share() <= OVERHEAD);
    line("these four together", together, None, Some(promised));
    line("start 8 containers, until they run", Figure::of(median(&until_they_run)), run, None);
    line("the same, until they have their addresses, each probed for 1 s", median(&start_containers), None, None);
    line("stop and remove 8 containers", median(&stop_containers), remove, None);
    for (verb, [own, earlier]) in versions.into_iter().flatten() {
        let other = ("the version to compare with", median(&earlier).all);
        let figure = Figure::of(median(&own).all);
        let most = other.1.mul_f64(1.0 + MORE_THAN_EARLIER);
        let promised = (format!("≤ {}", time(most)), figure.all <= most);
        line(&format!("{verb} all, in turn with an earlier version"), figure, Some(other), Some(promised));
    }
    drop((server, hub));
}

impl Node<'_> {
    fn timed(&self, line: &str) -> Figure {
        self.timed_with_output(line).0
    }

    fn timed_with_output(&self, line: &str) -> (Figure, Ran) {
        let began = Instant::now();
        let ran = self.om(&format!("{line} --debug"));
        let all = began.elapsed();
        let in_drivers = ran.stderr.lines().rev().find_map(|line| {
            let (_, drivers) = line.strip_prefix("took ")?.split_once(" ms, ")?;
            drivers.strip_suffix(" ms of it in drivers")?.parse::<f64>().ok()
        });
        let inside = in_drivers.unwrap_or_else(|| panic!("no duration in {ran}"));
        let outside = all.saturating_sub(Duration::from_secs_f64(inside / 1e3));
        (Figure { all, outside: Some(outside) }, ran)
    }
}

/// The `om` of an earlier version, as in the first half of `make bench`.
fn earlier_version() -> Option<PathBuf> {
    std::env::var_os("HOSTLER_BENCH_BASE").filter(|om| !om.is_empty()).map(PathBuf::from)
}

/// Everything is started and stopped by both versions in turn: by each verb, the figures of this version and of the earlier one.
/// Each stops what it has started, and begins every second round.
fn beside(node: &Node<'_>, earlier: &Path) -> [(&'static str, [Vec<Figure>; 2]); 2] {
    let directory = node.world.path("earlier");
    fs::create_dir_all(&directory).unwrap();
    symlink(earlier, directory.join("svcmgr")).unwrap();
    let mut figures = [("start", [Vec::new(), Vec::new()]), ("stop", [Vec::new(), Vec::new()])];
    node.om("stop --local --force");
    for round in 0..2 * ROUNDS {
        let version = (round / 2 + round) % 2;
        let program = ["svcmgr", "earlier/svcmgr"][version];
        for (verb, figures) in &mut figures {
            let began = Instant::now();
            node.called(program, &format!("{verb} --local --force")).ok();
            figures[version].push(Figure::of(began.elapsed()));
        }
    }
    figures
}

/// The same containers by docker(1), one after another, without addresses. As often as `om` was asked.
fn by_hand(engine: &Path) -> (Duration, Duration) {
    let (mut runs, mut removals) = (Vec::new(), Vec::new());
    for _ in 0..RUNS {
        let began = Instant::now();
        for pod in PODS {
            let directory = format!("{ROOT}/pod{pod:02}/sm");
            let words = format!(
                "run -d --name by-hand-{pod} --net=none -e MYSQL_ROOT_PASSWORD=changeme -v /etc/localtime:/etc/localtime:ro \
                 -v {directory}/data:/var/lib/mysql:rw -v {directory}/conf:/etc/mysql/conf.d:rw \
                 -v {directory}/init:/docker-entrypoint-initdb.d:rw tanji/spdc"
            );
            docker(engine, &words).unwrap();
        }
        runs.push(began.elapsed());
        let began = Instant::now();
        for pod in PODS {
            docker(engine, &format!("stop by-hand-{pod}")).unwrap();
            docker(engine, &format!("rm by-hand-{pod}")).unwrap();
        }
        removals.push(began.elapsed());
    }
    (median(&runs), median(&removals))
}

fn median<T: Copy + PartialOrd>(runs: &[T]) -> T {
    let mut sorted = runs.to_vec();
    sorted.sort_by(|one, other| one.partial_cmp(other).unwrap());
    sorted[sorted.len() / 2]
}

/// From the first line of an action's log to the last container that runs.
fn until_all_run(ran: &Ran) -> Duration {
    let times = |what: &'static str| ran.stderr.lines().filter(move |line| line.contains(what)).filter_map(time_of_day);
    let (began, last) = (times(">>> do start").next(), times(" is running from ").next_back());
    let (began, last) = began.zip(last).unwrap_or_else(|| panic!("no container was started: {ran}"));
    last.saturating_sub(began)
}

/// The `09:12:49.512` that a line of a log begins with.
fn time_of_day(line: &str) -> Option<Duration> {
    let mut parts = line.split(' ').next()?.split(':');
    let (hours, minutes) = (parts.next()?.parse::<f64>().ok()?, parts.next()?.parse::<f64>().ok()?);
    let seconds = parts.next()?.parse::<f64>().ok()?;
    Some(Duration::from_secs_f64(hours * 3600.0 + minutes * 60.0 + seconds))
}

fn line(what: &str, figure: Figure, beside: Option<(&str, Duration)>, promised: Option<(String, bool)>) {
    let outside = figure.outside.map(|outside| format!("{}, {:.1} %", time(outside), figure.share() * 100.0));
    let beside = beside.map(|(name, other)| {
        format!("{name}: {}, {:.1} × as long", time(other), other.as_secs_f64() / figure.all.as_secs_f64())
    });
    let (promised, verdict) = match promised {
        Some((promised, met)) => (promised, if met { "met" } else { "not met" }),
        None => (String::new(), ""),
    };
    let [outside, beside] = [outside, beside].map(Option::unwrap_or_default);
    println!("| {what} | {} | {outside} | {beside} | {promised} | {verdict} |", time(figure.all));
}

fn time(time: Duration) -> String {
    match time.as_secs_f64() {
        seconds if seconds < 1.0 => format!("{:.1} ms", seconds * 1e3),
        seconds => format!("{seconds:.2} s"),
    }
}
