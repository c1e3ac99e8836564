//! Files that are no drivers, and a driver that writes to the operator's terminal: by its words, and by a program of its own.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

use nix::sys::stat::Mode;

use crate::component::component;
use crate::ran::Ran;
use crate::world::World;

crate::trials!(
    what_is_no_component_is_refused_at_once,
    a_component_that_was_exchanged_does_not_run,
    the_cache_keeps_what_is_installed,
    more_memory_than_a_sandbox_has_is_refused,
    foreign_text_steers_no_terminal,
    a_console_program_has_a_terminal_of_its_own,
);

static COMPONENT: LazyLock<PathBuf> = LazyLock::new(|| component("hostile-driver"));

fn install(world: &World) {
    world.om(&format!("driver install {}", COMPONENT.display())).ok();
    world.om("driver allow app.hostile --yes").ok();
}

/// The command in a terminal, 200 columns wide.
fn in_terminal(world: &World, line: &str) -> Ran {
    let mut command = world.command_of("/usr/bin/script".as_ref());
    let shell = world.fill(&format!("stty cols 200 rows 50; tty; exec {{om}} {line}"));
    let output = command.env("TERM", "xterm").args(["-qec", &shell, "/dev/null"]).output().unwrap();
    Ran::new(&format!("script om {line}"), output)
}

fn what_is_no_component_is_refused_at_once(world: &World) {
    let fifo = world.path("fifo.wasm");
    nix::unistd::mkfifo(&fifo, Mode::S_IRWXU).unwrap();
    let large = world.path("large.wasm");
    fs::File::create(&large).unwrap().set_len(1 << 40).unwrap();
    let text = world.write("text.wasm", "a text");
    let cut = world.path("cut.wasm");
    let whole = fs::read(&*COMPONENT).unwrap();
    fs::write(&cut, &whole[..whole.len() / 2]).unwrap();
    let began = Instant::now();
    for file in [fifo, "/dev/zero".into(), "/dev/tty".into(), "/proc/kmsg".into(), large, text, cut, "/etc".into()] {
        world.om(&format!("driver install {}", file.display())).ends(1).says(&file.display().to_string());
    }
    assert!(began.elapsed() < Duration::from_secs(20), "{:?}", began.elapsed());
    assert!(!world.om("driver ls").ok().stdout.contains("app.hostile"));
}

fn a_component_that_was_exchanged_does_not_run(world: &World) {
    install(world);
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = std-env\n");
    world.om("web start").ok();
    let file = world.path("root/var/drivers/app.hostile.wasm");
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    // Of the same length, with the old time: only the kernel's own time of change and the content tell.
    let mut bytes = fs::read(&file).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&file, bytes).unwrap();
    fs::File::options().write(true).open(&file).unwrap().set_modified(before).unwrap();
    world.om("web start").ends(1).says("app.hostile");
    world.om(&format!("driver install --force {}", COMPONENT.display())).ok();
    world.om("web start").ok();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).unwrap();
    world.om("web start").ends(1).says("chmod go-w");
}

fn the_cache_keeps_what_is_installed(world: &World) {
    let cache = world.path("cache").display().to_string();
    let om = |line: &str| world.om_with(line, &[("HOSTLER_CACHE", &cache)]).ok();
    let hostile = || {
        let listed = fs::read_dir(&cache).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        listed.filter(|name| name.contains("hostile")).count()
    };
    om(&format!("driver install {}", COMPONENT.display()));
    om("driver allow app.hostile --yes");
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = std-env\n");
    om("web start");
    let before = fs::read_dir(&cache).unwrap().count();
    assert!(before > 0, "nothing was compiled");
    om("driver remove --force app.hostile");
    assert!(fs::read_dir(&cache).unwrap().count() < before && hostile() == 0, "the cache keeps a removed driver");
}

fn more_memory_than_a_sandbox_has_is_refused(world: &World) {
    world.write("root/etc/drivers.d/fs.flag.policy", "allow files.write = {rundir}/**\nlimit memory 1g\n");
    world.create("web", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n");
    world.om("web start").ends(1).says("64m");
}

fn foreign_text_steers_no_terminal(world: &World) {
    install(world);
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = screen\n");
    world.om("web start").ok();
    let config = world.path("root/etc/web.conf");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "# \u{1b}[2J\u{202e}\u{9b}2J\n[env]\nnote = \u{1b}]0;owned\u{7}\n").unwrap();
    for line in [
        "web print status --refresh",
        "web print status --format json",
        "web print status --format yaml",
        "web print config",
        "web config validate",
        "web get --kw env.note",
        "web explain",
        "web logs",
        "mon",
        "driver audit -n 0",
        "driver inspect app.hostile",
        "driver ls",
        "web start",
        "web get --kw \u{1b}[2J.x",
        "\u{1b}[2Jweb start",
    ] {
        let ran = in_terminal(world, line);
        for steering in ["\u{1b}[2J", "\u{1b}]", "\u{9b}", "\u{202e}", "\u{7}"] {
            assert!(!ran.stdout.contains(steering), "{line}: {steering:?} in {:?}", ran.stdout);
        }
    }
    in_terminal(world, "web print status").ok().says("is well");
    // A file gets what was written.
    assert!(world.om("web print config").stdout.contains("\u{1b}]0;owned\u{7}"));
}

/// What it can open, write to and type into is not the operator's.
fn a_console_program_has_a_terminal_of_its_own(world: &World) {
    install(world);
    let program = world.write(
        "console",
        "#!/bin/sh\necho \"its $(tty)\"\nfor fd in 0 1 2; do echo \"has $(readlink /proc/self/fd/$fd)\"; done\n\
         (echo \"opens $(tty </dev/tty)\")\necho \"size $(stty size </dev/tty)\"\nexit 3\n",
    );
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    let program = program.display();
    let config = format!("[app#1]\ntype = hostile\nattempt = process {program}\nconsole_program = {program}\n");
    // By force, as the driver's own check of its keywords is an attempt too.
    let file = world.write("web.conf", &format!("[DEFAULT]\nnodes = n1\n{config}"));
    world.om(&format!("web create --force --config {}", file.display())).ok();
    let ran = in_terminal(world, "web enter --rid app#1").ends(3);
    let own = ran.stdout.lines().next().unwrap().trim().to_owned();
    assert!(own.starts_with("/dev/pts/"), "{ran}");
    let its: Vec<&str> = ran.stdout.lines().filter_map(|line| Some(line.trim().split_once("its ")?.1)).collect();
    assert!(matches!(its[..], [name] if name.starts_with("/dev/pts/") && name != own), "{ran}");
    assert_eq!(ran.stdout.matches(&own).count(), 1, "{ran}");
    assert!(ran.stdout.contains("size 50 200"), "{ran}");
    // Without a terminal there is none, and what it writes arrives.
    world.om("web enter --rid app#1").ends(3).says("its not a tty");
}
