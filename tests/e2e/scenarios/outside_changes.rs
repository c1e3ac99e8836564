//! The promise of a stop as a property: whatever somebody does to the machine and to the configuration between start and stop,
//! after a stop that exits 0 nothing of the resources is left, and nothing that was not theirs is gone.
//!
//! HOSTLER_ROUNDS sets how many random sequences are tried, HOSTLER_SEED where they begin.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::symlink;
use std::process::{Child, Command};

use hostler_tests::dockerd::{Dockerd, IMAGE};

use crate::containers::{create, node_engine, sleeping};
use crate::holdings::in_another_namespace;
use crate::mounts::TrustedPlace;
use crate::world::World;

crate::trials!(
    nothing_is_left_and_nothing_else_is_gone_after_any_changes,
    no_container_is_left_and_no_other_is_gone_after_any_changes,
);

const CONFIG: &str = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                      [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n\
                      [fs#2]\ntype = tmpfs\nmnt = {w}/real/fast\nsize = 1m\n\
                      [fs#3]\ntype = tmpfs\nmnt = {p}/cur/linked\nsize = 1m\n";

pub(crate) fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A generator whose sequences can be repeated: that of Knuth's MMIX.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }

    /// The kinds of changes of the round of this seed: some by turn, so that a few rounds have all of them, and then some at random.
    pub(crate) fn kinds(&mut self, seed: u64, by_turn: u64, all: u64) -> Vec<u64> {
        let turns = (0..by_turn).map(|at| (seed * by_turn + at) % all);
        let more = (0..self.below(3)).map(|_| self.below(all)).collect::<Vec<_>>();
        turns.chain(more).collect()
    }
}

/// What is outside of Hostler's care.
struct Outside {
    /// A directory in which links are followed.
    place: TrustedPlace,
    done: Vec<String>,
    others: Vec<Child>,
    /// The numbers of mounts, and the names of loop devices, that somebody else made.
    strangers: BTreeSet<String>,
}

fn nothing_is_left_and_nothing_else_is_gone_after_any_changes(_: &World) {
    let (first, rounds) = (number_of("HOSTLER_SEED", 1), number_of("HOSTLER_ROUNDS", 6));
    (first..first + rounds).for_each(round);
}

fn round(seed: u64) {
    let (world, mut dice) = (World::new(), Dice(seed));
    let mut outside =
        Outside { place: TrustedPlace::new(&world), done: Vec::new(), others: Vec::new(), strangers: BTreeSet::new() };
    let place = outside.place.at("");
    for directory in ["real/fast", "stranger", "second"] {
        fs::create_dir_all(world.path(directory)).unwrap();
    }
    for name in ["v1", "v2"] {
        fs::create_dir(outside.place.at(name)).unwrap();
    }
    symlink("v1", outside.place.at("cur")).unwrap();
    world.create("web", &CONFIG.replace("{p}/", &place));
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "disk#1 up, fs#1 up, fs#2 up, fs#3 up");
    let own = lines(&world, &place, &mounts("self"));
    let device = devices(&world);
    for kind in dice.kinds(seed, 3, KINDS) {
        change(&world, kind, &mut outside, device.split_whitespace().next().unwrap());
    }
    let stopped = world.om("web stop");
    let context = format!("seed {seed}: {}", outside.done.join(", "));
    let here = mounts("self");
    for stranger in &outside.strangers {
        assert!(here.contains(stranger) || devices(&world).contains(stranger), "{context}: {stranger} is gone");
    }
    if stopped.code == Some(0) {
        let of_others: Vec<String> = outside.others.iter().map(|other| mounts(&other.id().to_string())).collect();
        let device_number = |line: &String| line.split(' ').nth(2).unwrap().to_owned();
        for mount in own {
            // By device: a copy in another namespace has another number. Below this world: the kernel gives the device number of a tmpfs
            // that is gone to the next one, which may be that of another test.
            let device = format!(" {} ", device_number(&mount));
            // The number may be another one's by now.
            let is_stranger = |line: &str| {
                let number = line.split(' ').nth(2);
                outside.strangers.iter().any(|stranger| number.is_some() && stranger.split(' ').nth(2) == number)
            };
            let is_own = |line: &str| line.contains(&device) && !is_stranger(line) && is_inside(&world, &place, line);
            let is_left = of_others.iter().chain([&here]).any(|table| table.lines().any(is_own));
            assert!(!is_left, "{context}: exit 0, and {mount} is left");
        }
        let left: Vec<String> = devices(&world)
            .lines()
            .filter(|line| !outside.strangers.iter().any(|s| line.contains(s)))
            .map(str::to_owned)
            .collect();
        assert!(left.is_empty(), "{context}: exit 0, and {left:?} is left");
    } else {
        assert!(stopped.stderr.contains("ERR") || stopped.stdout.contains("ERR"), "{context}: failed without a reason");
    }
    clean_up(&world, outside);
}

/// How many kinds of changes there are.
const KINDS: u64 = 16;

fn change(world: &World, kind: u64, outside: &mut Outside, device: &str) {
    let path = |name: &str| world.path(name).display().to_string();
    let set = |keyword: &str| drop(world.om(&format!("web set --kw {keyword}")));
    let run = |words: &[&str]| Command::new(words[0]).args(&words[1..]).status().unwrap().success();
    let what = match kind {
        0 => {
            let _ = fs::rename(world.path("web.img"), world.path("moved.img"));
            "the image is renamed"
        }
        1 => {
            set(&format!("disk#1.file={}", path("new.img")));
            "disk#1.file is edited"
        }
        2 => {
            set(&format!("fs#1.mnt={}", path("elsewhere")));
            "fs#1.mnt is edited"
        }
        3 => {
            set(&format!("fs#2.mnt={}", path("stranger")));
            "fs#2.mnt is edited"
        }
        4 => {
            let _ = fs::rename(world.path("real"), world.path("renamed"));
            "the directory of a mount is renamed"
        }
        5 => {
            run(&["mount", device, &path("second")]);
            "the device is mounted a second time"
        }
        6 => {
            if run(&["mount", "-t", "tmpfs", "stranger", &path("stranger")]) {
                outside.strangers.insert(last_on(&path("stranger")));
            }
            "a stranger is mounted"
        }
        8 => {
            let _ = fs::remove_file(outside.place.at("cur"));
            symlink("v2", outside.place.at("cur")).unwrap();
            "the link to a mount is turned"
        }
        9 => {
            run(&["mount", "-o", "remount,ro", &path("site")]);
            "a file system is remounted"
        }
        10 => {
            if run(&["umount", &path("real/fast")]) && run(&["mount", "-t", "tmpfs", "stranger", &path("real/fast")]) {
                outside.strangers.insert(last_on(&path("real/fast")));
            }
            "a tmpfs is unmounted, and a stranger is in its place"
        }
        11 => {
            let twin = Command::new("losetup").args(["--find", "--show", &path("web.img")]).output().unwrap();
            outside
                .strangers
                .extend(twin.status.success().then(|| String::from_utf8(twin.stdout).unwrap().trim().to_owned() + " "));
            "the image is attached a second time"
        }
        12 => {
            run(&["mount", "--bind", &path("real/fast"), &path("second")]);
            "a tmpfs is bound elsewhere"
        }
        13 => {
            run(&["umount", "-l", &path("site")]);
            "a file system is unmounted lazily"
        }
        14 => {
            set("fs#2.disable=true");
            "fs#2 is disabled"
        }
        7 => {
            outside.others.push(in_another_namespace(world));
            "another namespace has a copy"
        }
        _ => {
            fs::File::create(world.path("foreign.img")).unwrap().set_len(1 << 20).unwrap();
            let attached = Command::new("losetup").args(["--find", "--show", &path("foreign.img")]).output().unwrap();
            outside.strangers.insert(String::from_utf8(attached.stdout).unwrap().trim().to_owned() + " ");
            "a stranger is attached"
        }
    };
    outside.done.push(what.to_owned());
}

fn mounts(process: &str) -> String {
    fs::read_to_string(format!("/proc/{process}/mountinfo")).unwrap_or_default()
}

/// The lines about mount points of this round.
fn lines(world: &World, place: &str, table: &str) -> Vec<String> {
    table.lines().filter(|line| is_inside(world, place, line)).map(str::to_owned).collect()
}

fn is_inside(world: &World, place: &str, line: &str) -> bool {
    line.contains(world.directory().to_str().unwrap()) || line.contains(place)
}

/// The beginning of the line of the topmost mount on a path.
fn last_on(path: &str) -> String {
    let table = mounts("self");
    let line = table.lines().rfind(|line| line.contains(&format!(" {path} "))).unwrap();
    // Without its path, which changes when a directory above it is renamed.
    line.split(' ').take(4).collect::<Vec<_>>().join(" ") + " "
}

/// The loop devices on files in the world's directory.
fn devices(world: &World) -> String {
    crate::holdings::devices(world).lines().map(|line| format!("{line} ")).collect::<Vec<_>>().join("\n")
}

fn clean_up(world: &World, outside: Outside) {
    for mut other in outside.others {
        other.kill().unwrap();
        other.wait().unwrap();
    }
    for line in lines(world, &outside.place.at(""), &mounts("self")).iter().rev() {
        let _ = Command::new("umount").arg("-l").arg(line.split(' ').nth(4).unwrap()).status();
    }
    for line in devices(world).lines() {
        let _ = Command::new("losetup").args(["--detach", line.split_whitespace().next().unwrap()]).status();
    }
}

fn no_container_is_left_and_no_other_is_gone_after_any_changes(world: &World) {
    let Some(engine) = node_engine(world) else { return };
    let mut engine = WatchedEngine { engine, is_away: false, own: Vec::new(), strangers: Vec::new() };
    let (first, rounds) = (number_of("HOSTLER_SEED", 1), number_of("HOSTLER_ROUNDS", 3));
    (first..first + rounds).for_each(|seed| container_round(world, &mut engine, seed));
}

/// An engine that is killed and started again. One that starts ends what ran under it before, so programs are known by their pids.
struct WatchedEngine {
    engine: Dockerd,
    is_away: bool,
    /// The programs of the object's containers, and those of others.
    own: Vec<u32>,
    strangers: Vec<u32>,
}

impl WatchedEngine {
    fn kill(&mut self) {
        if !self.is_away {
            self.engine.kill().unwrap();
        }
        self.is_away = true;
    }

    /// The output of docker(1), with the engine there.
    fn docker(&mut self, line: &str) -> String {
        if self.is_away {
            self.engine.revive().unwrap();
        }
        self.is_away = false;
        self.engine.docker(line).unwrap().trim().to_owned()
    }

    fn pid(&mut self, id: &str) -> u32 {
        self.docker(&format!("inspect --format {{{{.State.Pid}}}} {id}")).parse().unwrap()
    }

    /// Makes a container of somebody else.
    fn add_stranger(&mut self, name: &str) {
        let id = self.docker(&format!("run -d --net none --name {name} {IMAGE} sleep 1000"));
        let pid = self.pid(&id);
        self.strangers.push(pid);
    }

    /// The running containers of a resource, by its label.
    fn of(&mut self, rid: &str) -> Vec<String> {
        let listed = self.docker(&format!("ps -q --no-trunc --filter label=hostler.rid={rid}"));
        listed.lines().map(str::to_owned).collect()
    }
}

/// Those of the programs that run.
fn alive(pids: &[u32]) -> Vec<u32> {
    let runs = |pid: &&u32| fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|name| name.trim() == "sleep");
    let is_zombie = |pid: &u32| fs::read_to_string(format!("/proc/{pid}/stat")).is_ok_and(|stat| stat.contains(") Z "));
    pids.iter().filter(runs).filter(|pid| !is_zombie(pid)).copied().collect()
}

fn container_round(world: &World, engine: &mut WatchedEngine, seed: u64) {
    let mut dice = Dice(seed);
    create(world, &(sleeping("1", "") + &sleeping("2", "")));
    world.om("web provision").ok();
    for rid in ["container#1", "container#2"] {
        let id = engine.of(rid).pop().unwrap();
        let pid = engine.pid(&id);
        engine.own.push(pid);
    }
    engine.add_stranger("stranger");
    let kinds = dice.kinds(seed, 3, CONTAINER_KINDS).into_iter();
    let done: Vec<&str> = kinds.map(|kind| change_containers(world, kind, engine)).collect();
    let others = alive(&engine.strangers);
    let stopped = world.om("web stop");
    let context = format!("seed {seed}: {}", done.join(", "));
    assert_eq!(alive(&engine.strangers), others, "{context}: a stranger is gone");
    match stopped.code {
        Some(0) => assert_eq!(alive(&engine.own), [0; 0], "{context}: exit 0, and it runs"),
        // Of a container whose engine cannot be asked it may not be known that it is down.
        _ => assert!(
            engine.is_away || context.contains("socket is edited"),
            "{context}: {}{}",
            stopped.stdout,
            stopped.stderr
        ),
    }
    let all = engine.docker("ps -aq --no-trunc").replace('\n', " ");
    engine.docker(&format!("rm -f {all}"));
    (engine.own, engine.strangers) = (Vec::new(), Vec::new());
    let again = world.om("web stop");
    assert!(again.code == Some(0) || context.contains("socket is edited"), "{context}: {}", again.stderr);
    world.om("web delete --force").ok();
}

/// How many kinds of changes of containers there are.
const CONTAINER_KINDS: u64 = 7;

fn change_containers(world: &World, kind: u64, engine: &mut WatchedEngine) -> &'static str {
    match kind {
        0 => {
            engine.kill();
            engine.docker("ps");
            "the engine is started again"
        }
        1 => {
            engine.kill();
            "the engine is killed"
        }
        2 => {
            for id in engine.of("container#1") {
                engine.docker(&format!("rename {id} renamed-{id}"));
            }
            "a container is renamed"
        }
        3 => {
            world.om("web set --kw container#1.name=other");
            "container#1.name is edited"
        }
        4 => {
            for id in engine.of("container#2") {
                engine.docker(&format!("restart -t 0 {id}"));
                let pid = engine.pid(&id);
                engine.own.push(pid);
            }
            "a container is restarted"
        }
        5 => {
            for id in engine.of("container#2") {
                engine.docker(&format!("rm -f {id}"));
                engine.add_stranger("web.container.2");
            }
            "a container is removed, and one of another owner has its name"
        }
        _ => {
            let other = world.path("no-engine.sock");
            world.om(&format!("web set --kw container#2.socket={}", other.display()));
            "container#2.socket is edited"
        }
    }
}
