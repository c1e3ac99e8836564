//! Another user of the machine, who prepares the agent's places, looks for something to read there, and changes what the agent
//! believes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use crate::world::{OM, World};

crate::trials!(
    a_run_directory_that_another_user_made_is_refused,
    another_user_opens_no_lock_and_reads_no_state,
    what_others_may_write_is_not_believed,
    the_umask_of_the_shell_opens_nothing,
    a_link_that_a_team_made_is_not_followed,
    a_trigger_is_judged_by_the_places_that_it_names,
    an_argument_is_allowed_by_the_place_to_which_it_leads,
);

const MALLORY: u32 = 65534;

const SERVICE: &str = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n";

/// The output of a command of the other user.
fn mallory(line: &str) -> String {
    let mut command = Command::new("/bin/sh");
    let output = command.args(["-c", line]).current_dir("/").uid(MALLORY).gid(MALLORY).output().unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Lets others into the world itself.
fn open(world: &World) {
    fs::set_permissions(world.directory(), Permissions::from_mode(0o755)).unwrap();
}

fn set_mode(world: &World, name: &str, mode: u32) {
    fs::set_permissions(world.path(name), Permissions::from_mode(mode)).unwrap();
}

fn a_run_directory_that_another_user_made_is_refused(world: &World) {
    world.create("web", SERVICE);
    let run = world.path("root/run");
    fs::remove_dir_all(&run).unwrap();
    fs::create_dir(&run).unwrap();
    chown(&run, Some(MALLORY), Some(MALLORY)).unwrap();
    world.om("web start").ends(1).says("root/run").says("chown");
    chown(&run, Some(0), Some(0)).unwrap();
    world.om("web start").ok();
    // A link to a place of the other user's is the same.
    fs::rename(&run, world.path("root/run.old")).unwrap();
    let theirs = world.path("theirs");
    fs::create_dir(&theirs).unwrap();
    chown(&theirs, Some(MALLORY), Some(MALLORY)).unwrap();
    symlink(&theirs, &run).unwrap();
    world.om("web stop").ends(1).says("theirs");
    fs::remove_file(&run).unwrap();
    fs::rename(world.path("root/run.old"), &run).unwrap();
    world.om("web stop").ok();
}

fn another_user_opens_no_lock_and_reads_no_state(world: &World) {
    open(world);
    world.create("web", &(SERVICE.to_owned() + &world.app("1", "")));
    world.om("web start").ok();
    let root = world.path("root").display().to_string();
    let locks = format!("find {root} -name '*.lock' -o -name 'lock*'");
    let of_root = Command::new("/bin/sh").args(["-c", &locks]).output().unwrap();
    assert!(!of_root.stdout.is_empty(), "no lock anywhere");
    let readable = mallory(&format!("find {root}/run {root}/var -type f -readable 2>/dev/null"));
    assert_eq!(readable, "", "the other user reads or locks this");
    assert_eq!(mallory(&format!("ls -A {root}/run 2>/dev/null")), "");
    world.om("web stop").ok();
}

fn what_others_may_write_is_not_believed(world: &World) {
    world.create("web", SERVICE);
    world.create("ns1/svc/web", SERVICE);
    world.write("root/etc/namespaces/ns1/policy", "allow files.write = {rundir}/**\n");
    world.om("web start").ok();
    for name in ["root/etc/web.conf", "root/etc/namespaces/ns1/policy", "root/etc/namespaces/ns1/svc/web.conf"] {
        let object = if name.contains("ns1") { "ns1/svc/web" } else { "web" };
        set_mode(world, name, 0o666);
        world.om(&format!("{object} print status --refresh")).says("chmod go-w").says(name);
        set_mode(world, name, 0o644);
        world.om(&format!("{object} print status --refresh")).ok().does_not_say("chmod");
    }
    // A directory counts like what is in it.
    set_mode(world, "root/etc", 0o777);
    world.om("web stop").ends(1).says("chmod go-w").says("root/etc");
    set_mode(world, "root/etc", 0o755);
    world.om("web stop").ok();
}

fn the_umask_of_the_shell_opens_nothing(world: &World) {
    let file = world.write("web.conf", SERVICE);
    for line in [format!("web create --config {}", file.display()), "web start".to_owned(), "web stop".to_owned()] {
        let mut command = world.command_of("/bin/sh".as_ref());
        let output = command.args(["-c", &format!("umask 0; exec {OM} {line}")]).output().unwrap();
        assert!(output.status.success(), "{line}: {output:?}");
    }
    let open = Command::new("find").arg(world.path("root")).args(["-perm", "/022", "-not", "-type", "l"]).output();
    assert_eq!(String::from_utf8_lossy(&open.unwrap().stdout), "", "others can write this");
}

/// A folder that a team may write is no place for a configuration, and a link in it leads the agent nowhere.
fn a_link_that_a_team_made_is_not_followed(world: &World) {
    world.om("ns1/svc/web create").ok();
    let folder = "root/etc/namespaces/ns1/svc";
    let secret = world.write("secret", "[DEFAULT]\ncomment = of root alone\n");
    symlink(&secret, world.path(&format!("{folder}/x.conf"))).unwrap();
    std::os::unix::fs::lchown(world.path(&format!("{folder}/x.conf")), Some(MALLORY), Some(MALLORY)).unwrap();
    world.om("ns1/svc/x print config").ends(1).does_not_say("of root alone").says("chown");
    world.om("ns1/svc/x set --kw DEFAULT.nodes=n2").ends(1);
    assert_eq!(world.read("secret"), "[DEFAULT]\ncomment = of root alone\n");
}

/// A trigger of a namespace runs with all powers: it is judged by what it leads to, as a program of a driver is, and it is recorded.
fn a_trigger_is_judged_by_the_places_that_it_names(world: &World) {
    world.write("secret", "of root alone\n");
    let policy = "allow files.write = {rundir}/**\nallow exec(caps=all) = /bin/** **\nallow exec(caps=all) = /usr/bin/** **\n\
                  deny exec = /usr/bin/id **\ndeny files.read = {w}/secret\ndeny exec = /usr/bin/stat /etc/passwd\n";
    world.write("root/etc/namespaces/ns1/policy", &world.fill(policy));
    let start = |command: &str| {
        let triggers = format!("blocking_pre_start = {command}\n");
        world.create("ns1/svc/web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n{triggers}"));
        let ran = world.om("ns1/svc/web start");
        world.om("ns1/svc/web stop").ok();
        world.om("ns1/svc/web delete --force --confirm").ok();
        ran.does_not_say("of root alone")
    };
    for command in [
        "/usr/bin/id -u",
        "/bin/id -u",
        "/usr/bin/head -c 20 {w}/secret",
        "/usr/bin/head -c 20 {w}/root/../secret",
        "/usr/bin/head -c 20 /proc/self/root{w}/secret",
        "/usr/bin/stat /etc/../etc/passwd",
        "/bin/stat /proc/self/root/etc/passwd",
    ] {
        start(command).ends(1).says("denied: ");
    }
    start("/bin/true of the team").ok();
    // The trail says both, as triggers' own: their driver asked for nothing.
    let trail = world.om("driver audit --object ns1/svc/web -n 0 --format json").ok();
    trail
        .says("\"trigger\"")
        .says("blocking_pre_start")
        .says("exec = /bin/true of the team")
        .says("exec = /usr/bin/id -u");
}

/// A directory outside of `/tmp`, where links of root's are followed.
struct Shared(PathBuf);

impl Drop for Shared {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A line of a policy allows a command with what its arguments lead to: a link of the team's is not followed for root, and one of root's
/// leads to a place that must be allowed, too.
fn an_argument_is_allowed_by_the_place_to_which_it_leads(world: &World) {
    let shared = Shared(PathBuf::from(format!("/var/lib/hostler-led-{}", std::process::id())));
    let at = |name: &str| shared.0.join(name);
    for directory in ["theirs", "own"] {
        fs::create_dir_all(at(directory)).unwrap();
    }
    fs::write(at("key"), "of root alone\n").unwrap();
    fs::write(at("own/plain"), "for all\n").unwrap();
    chown(at("theirs"), Some(MALLORY), Some(MALLORY)).unwrap();
    symlink(at("key"), at("theirs/link")).unwrap();
    std::os::unix::fs::lchown(at("theirs/link"), Some(MALLORY), Some(MALLORY)).unwrap();
    symlink(at("key"), at("own/link")).unwrap();
    symlink("plain", at("own/inside")).unwrap();
    let home = shared.0.display();
    let policy = |more: &str| {
        let lines = format!(
            "allow exec(caps=all) = /bin/cat -- {home}/theirs/*\nallow exec(caps=all) = /bin/cat -- {home}/own/*\n"
        );
        world.write("root/etc/namespaces/ns1/policy", &format!("{lines}{more}"));
    };
    let run = |more: &str, name: &str| {
        let task = format!("[task#1]\ntype = host\ncommand = /bin/cat -- {home}/{name}\n{more}");
        world.create("ns1/svc/job", &format!("[DEFAULT]\nnodes = n1\n{task}"));
        let ran = world.om("ns1/svc/job run");
        world.om("ns1/svc/job delete --force --confirm").ok();
        ran
    };
    policy("");
    run("", "theirs/link").ends(1).says("not followed").does_not_say("of root alone");
    run("user = nobody\n", "theirs/link").ends(1).says("namespace ns1").does_not_say("of root alone");
    run("", "own/link").ends(1).says("namespace ns1").does_not_say("of root alone");
    run("", "own/../key").ends(1).does_not_say("of root alone");
    run("", "own/plain").ok();
    run("", "own/inside").ok();
    // Nor does one lead to a file that the program is to make.
    symlink(at("made"), at("theirs/new")).unwrap();
    std::os::unix::fs::lchown(at("theirs/new"), Some(MALLORY), Some(MALLORY)).unwrap();
    run("", "theirs/new").ends(1).says("not followed");
    // A trigger is no other way.
    let trigger = format!("blocking_pre_start = /bin/cat -- {home}/theirs/link\n");
    world.create("ns1/svc/web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n{trigger}"));
    world.om("ns1/svc/web start").ends(1).says("not followed").does_not_say("of root alone");
    // Where the site writes the very link, it means what the link leads to.
    policy(&format!("allow exec(caps=all) = /bin/cat -- {home}/own/link\n"));
    run("", "own/link").ok();
}
