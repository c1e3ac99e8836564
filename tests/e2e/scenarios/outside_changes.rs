//! The promise of a stop as a property: whatever somebody does to the machine and to the configuration between start and stop,
//! after a stop that exits 0 nothing of the resources is left, and nothing that was not theirs is gone.
//!
//! HOSTLER_ROUNDS sets how many random sequences are tried, HOSTLER_SEED where they begin.

use std::collections::BTreeSet;
use std::fs;
use std::process::{Child, Command};

use hostler_tests::dockerd::{Dockerd, IMAGE};

use crate::containers::{create, node_engine, sleeping};
use crate::holdings::in_another_namespace;
use crate::world::World;

crate::trials!(
    nothing_is_left_and_nothing_else_is_gone_after_any_changes,
    no_container_is_left_and_no_other_is_gone_after_any_changes,
);

const CONFIG: &str = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/web.img\nsize = 32m\n\
                      [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/site\n\
                      [fs#2]\ntype = tmpfs\nmnt = {w}/real/fast\nsize = 1m\n";

fn number_of(name: &str, default: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

/// A generator whose sequences can be repeated: that of Knuth's MMIX.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % limit
    }
}

/// What is outside of Hostler's care.
#[derive(Default)]
struct Outside {
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
    let (world, mut dice, mut outside) = (World::new(), Dice(seed), Outside::default());
    for directory in ["real/fast", "stranger", "second"] {
        fs::create_dir_all(world.path(directory)).unwrap();
    }
    world.create("web", CONFIG);
    world.om("web provision").ok();
    assert_eq!(world.states("web"), "disk#1 up, fs#1 up, fs#2 up");
    let own = lines(&world, &mounts("self"));
    let device = devices(&world);
    for _ in 0..=dice.below(4) {
        change(&world, &mut dice, &mut outside, device.split_whitespace().next().unwrap());
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
            let (device, place) = (format!(" {} ", device_number(&mount)), world.directory().display().to_string());
            let is_own = |line: &str| line.contains(&device) && line.contains(&place);
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

fn change(world: &World, dice: &mut Dice, outside: &mut Outside, device: &str) {
    let path = |name: &str| world.path(name).display().to_string();
    let set = |keyword: &str| drop(world.om(&format!("web set --kw {keyword}")));
    let run = |words: &[&str]| Command::new(words[0]).args(&words[1..]).status().unwrap().success();
    let what = match dice.below(9) {
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

/// The lines about mount points in the world's directory.
fn lines(world: &World, table: &str) -> Vec<String> {
    let directory = world.directory().to_str().unwrap();
    table.lines().filter(|line| line.contains(directory)).map(str::to_owned).collect()
}

/// The beginning of the line of the topmost mount on a path.
fn last_on(path: &str) -> String {
    let table = mounts("self");
    let line = table.lines().rfind(|line| line.contains(&format!(" {path} "))).unwrap();
    line.split(' ').take(5).collect::<Vec<_>>().join(" ")
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
    for line in lines(world, &mounts("self")).iter().rev() {
        let _ = Command::new("umount").arg(line.split(' ').nth(4).unwrap()).status();
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
    let done: Vec<&str> = (0..=dice.below(4)).map(|_| change_containers(world, &mut dice, engine)).collect();
    let others = alive(&engine.strangers);
    let stopped = world.om("web stop");
    let context = format!("seed {seed}: {}", done.join(", "));
    assert_eq!(alive(&engine.strangers), others, "{context}: a stranger is gone");
    match stopped.code {
        Some(0) => assert_eq!(alive(&engine.own), [0; 0], "{context}: exit 0, and it runs"),
        _ => assert!(engine.is_away, "{context}: {}{}", stopped.stdout, stopped.stderr),
    }
    let all = engine.docker("ps -aq --no-trunc").replace('\n', " ");
    engine.docker(&format!("rm -f {all}"));
    (engine.own, engine.strangers) = (Vec::new(), Vec::new());
    world.om("web stop").ok();
    world.om("web delete --force").ok();
}

fn change_containers(world: &World, dice: &mut Dice, engine: &mut WatchedEngine) -> &'static str {
    match dice.below(7) {
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
