//! The output of commands, and its handling when it cannot be written.

use std::fs::{self, File};
use std::io::Read;
use std::path::Path;
use std::process::Stdio;

use crate::ran::Ran;
use crate::world::{World, until};

crate::trials!(
    output_that_cannot_be_written_is_an_error,
    a_reader_that_goes_away_is_not_an_error,
    the_log_shows_what_was_done_and_can_be_followed,
    a_completion_knows_the_objects_and_what_is_in_them,
    every_command_has_its_manual_page,
    a_command_joins_the_processes_of_a_resource,
    a_program_that_exits_at_once_leaves_its_output_at_the_named_place,
    invalid_object_names_are_reported_and_dangling_links_are_not,
);

const FLAG: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";

fn output_that_cannot_be_written_is_an_error(world: &World) {
    world.create("web", FLAG);
    world.om("web start").ok();
    for line in [
        "* ls",
        "web print status",
        "web print config",
        "web logs",
        "driver ls",
        "completion elvish",
        "completion bash",
        "man",
        "--help",
        "web start --dry-run",
    ] {
        let full = File::options().write(true).open("/dev/full").unwrap();
        let output = world.command().args(line.split(' ')).stdout(full).output().unwrap();
        let ran = Ran::new(&format!("om {line} >/dev/full"), output);
        ran.ends(1).says("No space left on device");
    }
    world.om("web stop").ok();
}

fn a_reader_that_goes_away_is_not_an_error(world: &World) {
    world.create("web", FLAG);
    for line in ["completion powershell", "man", "driver ls", "web print config"] {
        let mut command = world.command();
        let mut om = command.args(line.split(' ')).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(om.stdout.take());
        Ran::new(&format!("om {line} |"), om.wait_with_output().unwrap()).ok();
    }
}

fn the_log_shows_what_was_done_and_can_be_followed(world: &World) {
    world.create("web", FLAG);
    world.om("web start").ok();
    world.om("web logs").ok().says(">>> do start [").says("<<< done start");
    let one = world.om("web logs --rid fs#1").ok();
    assert_eq!(one.stdout.lines().count(), 1, "{one}");
    assert_eq!(world.om("web logs -n 2").ok().stdout.lines().count(), 2);
    let mut follows = world.spawn("web logs --follow -n 1");
    let mut reader = follows.stdout.take().unwrap();
    let mut byte = [0];
    reader.read_exact(&mut byte).unwrap();
    world.om("web stop").ok();
    let mut followed = Vec::new();
    until("the stop is logged", || {
        reader.read_exact(&mut byte).unwrap();
        followed.push(byte[0]);
        String::from_utf8_lossy(&followed).contains("<<< done stop")
    });
    follows.kill().unwrap();
    follows.wait().unwrap();
}

fn a_completion_knows_the_objects_and_what_is_in_them(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\ntags = red\nsubset = s1\n[app#2]\ntype = simple\nstart = /bin/true\n");
    let complete = |line: &str| {
        let words: Vec<&str> = line.split(' ').collect();
        let at = (words.len() - 1).to_string();
        let mut command = world.command();
        let ran = command.args(["completion", "bash", "--at", &at, "--"]).args(&words).output().unwrap();
        let ran = Ran::new(line, ran).ok();
        ran.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(complete("om w"), ["web"]);
    assert_eq!(complete("om web start --rid fs"), ["fs", "fs#1"]);
    assert_eq!(complete("om web start --rid fs#1,a"), ["fs#1,app", "fs#1,app#2"]);
    assert_eq!(complete("om web start --tags "), ["red"]);
    assert_eq!(complete("om web start --subsets "), ["s1"]);
    assert!(complete("om web set --kw app#2.st").contains(&"app#2.start".to_owned()));
    assert!(complete("om web get --kw no").contains(&"nodes".to_owned()));
    assert_eq!(complete("om driver inspect fs.fl"), ["fs.flag"]);
    // The name of a key may be another user's.
    world.om("cfg/k create").ok();
    world.om("cfg/k add --key z$(id) --value x").ok();
    assert_eq!(complete("om cfg/k decode --key z"), [r"z\$\(id\)"]);
    let script = world.om("completion bash").ok().stdout;
    let line = "COMP_WORDS=(om cfg/k decode --key z); COMP_CWORD=4; _om; echo \"${COMPREPLY[@]}\"";
    let path = format!("{}:/usr/bin:/bin", Path::new(crate::world::OM).parent().unwrap().display());
    let mut bash = world.command_of(Path::new("bash"));
    let found = bash.args(["-c", &format!("{script}\n{line}")]).env("PATH", path).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "z\\$\\(id\\)\n", "{found:?}");
    let found = complete("om web l");
    assert!(["logs", "ls", "list"].iter().all(|name| found.iter().any(|word| word == name)), "{found:?}");
    for shell in ["bash", "zsh", "fish"] {
        world.om(&format!("completion {shell}")).ok().says("om completion");
    }
}

fn every_command_has_its_manual_page(world: &World) {
    world.om(&format!("man --to {}", world.path("man").display())).ok();
    for page in ["om", "om-driver", "om-object", "om-object-start"] {
        assert!(world.read(&format!("man/{page}.1")).contains(".TH"), "{page}");
    }
    world.om("man").ok().says(".TH");
}

fn a_command_joins_the_processes_of_a_resource(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 600\n");
    world.om("web start").ok();
    let ran = world.om("exec --pg hostler-svc.web.slice/hostler-svc.web-app.1.slice -- /bin/cat /proc/self/cgroup");
    match ran.code {
        // Without control groups there is none to join.
        Some(4) => drop(ran.says("needs control groups")),
        _ => drop(ran.ok().says("hostler-svc.web-app.1.slice")),
    }
    world.om("exec --pg ../.. -- /bin/true").ends(1).says("not a process group");
    world.om("web stop").ok();
}

fn a_program_that_exits_at_once_leaves_its_output_at_the_named_place(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[app#5]\ntype = simple\nstart = /bin/sh -c 'echo last words; exit 3'\n";
    world.create("web", config);
    world
        .om("web start")
        .ends(1)
        // Right after it or soon after it, as this machine is fast or slow.
        .says("exited with 3 ")
        .says(" after its start: last words")
        .says(&world.path("root/log/web.app.5.out").display().to_string());
    assert_eq!(world.read("root/log/web.app.5.out").trim(), "last words");
    world.om("web delete").ok();
    let left: Vec<_> = ["log", "run/lock/svc", "var/svc", "etc"]
        .iter()
        .flat_map(|directory| fs::read_dir(world.path(&format!("root/{directory}"))).into_iter().flatten().flatten())
        .filter(|entry| entry.file_name().to_string_lossy().starts_with("web"))
        .map(|entry| entry.path())
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

fn invalid_object_names_are_reported_and_dangling_links_are_not(world: &World) {
    world.create("web", FLAG);
    fs::write(world.path("root/etc/Bad Name.conf"), FLAG).unwrap();
    std::os::unix::fs::symlink("nowhere", world.path("root/etc/gone.conf")).unwrap();
    let ran = world.om("** ls").ok();
    assert_eq!(ran.stdout, "web\n");
    ran.says("Bad Name.conf");
}
