//! The limits of what a service runs, on the control groups of this machine, whichever version they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::world::World;

crate::trials!(
    limits_of_the_object_its_subsets_and_its_resources_hold,
    a_program_that_takes_more_memory_than_it_may_is_killed,
    what_no_limit_can_be_is_told_before_the_start,
);

/// A file of the control groups that the process is in, of the controller in version 1 or of version 2, `up` levels above.
fn file_of(pid: &str, controller: &str, up: usize, names: [&str; 2]) -> Option<String> {
    let text = fs::read_to_string(format!("/proc/{pid}/cgroup")).unwrap();
    let groups: Vec<Vec<&str>> = text.lines().map(|line| line.splitn(3, ':').collect()).collect();
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let mount = |kind: &str, option: &str| {
        let mounts = mounts.lines().map(|line| line.split(' ').collect::<Vec<_>>());
        let found = mounts.into_iter().find(|mount| mount[2] == kind && mount[3].split(',').any(|word| word == option));
        found.map(|mount| PathBuf::from(mount[1]))
    };
    let directory = |top: PathBuf, group: &str| {
        let whole = top.join(group.trim_start_matches('/'));
        whole.ancestors().nth(up).map(Path::to_owned)
    };
    let old = groups.iter().find(|group| group[1].split(',').any(|name| name == controller));
    let old = old.and_then(|group| directory(mount("cgroup", controller)?, group[2])).map(|path| path.join(names[0]));
    let new = groups.iter().find(|group| group[0] == "0");
    let new = new.and_then(|group| directory(mount("cgroup2", "rw")?, group[2])).map(|path| path.join(names[1]));
    let found = [old, new].into_iter().flatten().find_map(|path| fs::read_to_string(path).ok());
    found.map(|text| text.trim().to_owned())
}

/// Whether a start would warn of a limit of memory.
fn can_limit_memory(world: &World) -> bool {
    let text = "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 1\npg_mem_limit = 1m\n";
    let file = world.write("probe.conf", text);
    let can = !world.om(&format!("config validate {}", file.display())).ok().stderr.contains("not in force");
    if !can {
        println!("limits: skipped: no controller of memory");
    }
    can
}

fn limits_of_the_object_its_subsets_and_its_resources_hold(world: &World) {
    if !can_limit_memory(world) {
        return;
    }
    world.create(
        "web",
        "[DEFAULT]\nnodes = n1\npg_mem_limit = 300m\npg_cpus = 0\n[subset#app:g1]\npg_mem_limit = 200m\n\
         [app#1]\ntype = simple\nstart = /bin/sleep 884\nsubset = g1\npg_mem_limit = 100m\npg_cpu_quota = 30 %@2\n\
         [app#2]\ntype = simple\nstart = /bin/sleep 885\n",
    );
    world.om("web start").ok().does_not_say("is not in force");
    assert_eq!(world.states("web"), "app#1 up, app#2 up");
    let pid = |rid: &str| world.status("web")["resources"][rid]["exposes"][0]["value"].as_str().unwrap().to_owned();
    let memory = |pid: &str, up: usize| {
        file_of(pid, "memory", up, ["memory.limit_in_bytes", "memory.max"]).unwrap().parse::<u64>().unwrap() >> 20
    };
    let (first, second) = (pid("app#1"), pid("app#2"));
    assert_eq!([0, 1, 2].map(|up| memory(&first, up)), [100, 200, 300]);
    assert_eq!(memory(&second, 1), 300);
    let quota = file_of(&first, "cpu", 0, ["cpu.cfs_quota_us", "cpu.max"]).unwrap();
    assert!(["60000", "60000 100000", "30000", "30000 100000"].contains(&quota.as_str()), "{quota}");
    for pid in [&first, &second] {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("\nCpus_allowed_list:\t0\n"), "{status}");
    }
    // The group of a subset that has a limit no longer is not the one in which its programs run.
    world.om("web unset --kw subset#app:g1.pg_mem_limit").ok();
    assert_eq!(world.states("web"), "app#1 up, app#2 up");
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "app#1 down, app#2 down");
    world.om("web delete").ok();
}

fn a_program_that_takes_more_memory_than_it_may_is_killed(world: &World) {
    if !can_limit_memory(world) {
        return;
    }
    // tail keeps what it may have to print.
    let take = world.write("take", "head -c 60m /dev/zero | tail -c 60m | wc -c; [ $? = 0 ]\n");
    let config =
        format!("[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = /bin/bash -o pipefail {}\n", take.display());
    world.create("web", &config);
    world.om("web run").ok().says("62914560");
    world.om("web set --kw task#1.pg_mem_limit=20m --kw task#1.pg_vmem_limit=20m").ok();
    world.om("web run").ends(1).does_not_say("62914560");
    world.om("web set --kw task#1.create_pg=false --kw DEFAULT.create_pg=false").ends(1);
    world.om("web set --kw DEFAULT.create_pg=false").ok();
    world.om("web run").ok().says("62914560");
    world.om("web delete").ok();
}

fn what_no_limit_can_be_is_told_before_the_start(world: &World) {
    let validate = |lines: &str| {
        let text = format!("[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 1\n{lines}\n");
        let file = world.write("some.conf", &text);
        world.om(&format!("config validate {}", file.display()))
    };
    validate("pg_cpu_quota = 50@").ends(1).says("expected a part of processors such as 50%@all");
    validate("pg_mem_limit = 2m\npg_vmem_limit = 1m").ends(1).says("expected at least the value of pg_mem_limit");
    validate("pg_cpus = all").ends(1).says("expected processors such as 0-2");
    validate("[fs#1]\ntype = flag\npg_mem_limit = 1m").ok().says("has no effect: its driver runs no program");
    let docker = "[container#1]\ntype = docker\nimage = x\npg_mem_limit = 1m";
    validate(docker).ok().says("its engine keeps the processes: say run_args = --memory");
}
