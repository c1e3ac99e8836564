//! Ways out that were open once: of a driver's author, of a user of a namespace, of a user of the node. Each is run as its attacker
//! would, harmless in what it does, and must be refused for the reason that the refusal names.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use crate::component::component;
use crate::ran::Ran;
use crate::world::World;

crate::trials!(
    an_authors_default_grants_nothing,
    an_authors_default_is_shown_before_it_is_allowed,
    a_group_is_the_users_own_or_in_the_grant,
    a_directory_goes_to_a_group_of_its_owner_or_of_the_grant,
    a_working_directory_is_granted,
    a_program_of_root_gets_no_variable_that_loads_code,
    a_file_runs_as_its_owner_only_by_a_grant_for_that,
    the_options_of_a_mount_are_read_once,
    what_a_namespace_mounts_brings_no_programs_of_root_and_no_devices,
    a_namespace_mounts_no_loop_device_of_another_object,
    what_is_opened_counts_and_not_its_name,
    a_star_in_a_host_is_no_address,
    the_audit_says_what_the_line_does_not,
    another_build_is_not_what_was_allowed,
    a_driver_in_use_stays
);

static COMPONENT: LazyLock<PathBuf> = LazyLock::new(|| component("hostile-driver"));

/// A user of the node that the database knows, with a group of its own.
const NOBODY: u32 = 65534;

pub(crate) fn install(world: &World) {
    world.om(&format!("driver install {}", COMPONENT.display())).ok();
    world.om("driver allow app.hostile --yes").ok();
}

/// One attempt of the hostile driver, in an object of a namespace (`ns1/svc/`) or of root (nothing).
pub(crate) fn attempt(world: &World, namespace: &str, attempt: &str, more: &str) -> Ran {
    let name = format!("{namespace}evil");
    let file = world.write(
        "evil.conf",
        &world.fill(&format!("[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = {attempt}\n{more}")),
    );
    world.om(&format!("{name} create --config {}", file.display())).ok();
    let ran = world.om(&format!("{name} start --disable-rollback"));
    world.om(&format!("{name} delete --force --i-know --confirm")).ok();
    ran
}

pub(crate) fn policy(world: &World, namespace: &str, text: &str) {
    world.write(&format!("root/etc/namespaces/{namespace}/policy"), &world.fill(text));
}

fn an_authors_default_grants_nothing(world: &World) {
    install(world);
    let lure = Path::new("/srv/hostler-lure");
    attempt(world, "", "write /srv/hostler-lure/x text", "").ends(1).says("the driver's author wrote").says("lure = …");
    assert!(!lure.exists());
    attempt(world, "", "write {w}/mine/x text", "lure = {w}/mine\n").ends(1).says("not found");
    fs::create_dir(world.path("mine")).unwrap();
    attempt(world, "", "write {w}/mine/x text", "lure = {w}/mine\n").ok();
    attempt(world, "", "run-with HOSTILE default /usr/bin/env", "program = /usr/bin/env\n").ends(1).says("HOSTILE");
    attempt(world, "", "run-with HOSTILE written /usr/bin/env", "program = /usr/bin/env\ntuning = HOSTILE=written\n")
        .ends(1)
        .says("env=HOSTILE");
    attempt(world, "", "run-with-group shadow /usr/bin/id", "program = /usr/bin/id\n").ends(1).says("group=shadow");
    // Nor does it leave by another section.
    let config = "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = log 1\n[fs#1]\ntype = directory\npath = {app#1.lure}\n";
    let file = world.write("peek.conf", config);
    world.om(&format!("peek create --config {}", file.display())).ends(1).says("the default of an installed driver");
}

fn an_authors_default_is_shown_before_it_is_allowed(world: &World) {
    world.om(&format!("driver install {}", COMPONENT.display())).ok();
    let shown = world.om("driver allow app.hostile --yes").ok();
    shown.says("lure = /srv/hostler-lure").says("allow files.write = {kw:lure}/**");
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = log 1\nown = {w}/own\n");
    let effective = world.om("driver inspect app.hostile --effective web app#1").ok();
    effective
        .says("own = ")
        .says("(line 6 of the configuration)")
        .says("lure = /srv/hostler-lure (default of the driver's author");
    // A secret that a grant names is shown nowhere.
    world.om("web set --kw app#1.password=s3cretly99").ok();
    for format in ["", " --format json"] {
        let shown = world.om(&format!("driver inspect app.hostile --effective web app#1{format}")).ok();
        shown.says("/bin/echo").does_not_say("s3cretly99");
    }
}

fn a_group_is_the_users_own_or_in_the_grant(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = {w}/id\nuser = nobody\ngroup = shadow\n";
    let script = world.write("id", "#!/bin/sh\nid -gn >\"$(dirname \"$0\")\"/out/group\n");
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    fs::set_permissions(world.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    fs::create_dir(world.path("out")).unwrap();
    chown(world.path("out"), Some(NOBODY), Some(NOBODY)).unwrap();
    let group = || world.read("out/group").trim().to_owned();
    policy(world, "ns1", "allow exec(user=nobody, caps=all) = {w}/**\n");
    world.create("ns1/svc/job", config);
    world.om("ns1/svc/job run").ends(1).says("exec(").says("group=shadow");
    assert_eq!(group(), "");
    policy(world, "ns1", "allow exec(user=nobody, caps=all, group=shadow) = {w}/**\n");
    world.om("ns1/svc/job run").ok();
    assert_eq!(group(), "shadow");
    // In the namespace root the configuration is root's own word.
    world.create("job", config);
    world.om("job run").ok();
    world.om("job set --kw task#1.group=nogroup").ok();
    world.om("job run").ok();
    assert_eq!(group(), "nogroup");
}

fn a_directory_goes_to_a_group_of_its_owner_or_of_the_grant(world: &World) {
    let place = world.path("srv/ns1");
    fs::create_dir_all(&place).unwrap();
    let config = |more: &str| {
        world.fill(&format!(
            "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = directory\npath = {{w}}/srv/ns1/d\nperm = 2770\n{more}"
        ))
    };
    let start = |namespace: &str, more: &str| {
        let file = world.write("dir.conf", &config(more));
        world.om(&format!("{namespace}dir create --config {}", file.display())).ok();
        let ran = world.om(&format!("{namespace}dir start"));
        world.om(&format!("{namespace}dir delete --force --i-know --confirm")).ok();
        ran
    };
    let group = || fs::metadata(place.join("d")).map(|found| found.gid()).unwrap_or(0);
    policy(world, "ns1", "allow files.write = {w}/srv/ns1/**\n");
    for more in ["group = shadow", "group = 42", "user = nobody\ngroup = shadow", "user = nobody\ngroup = root"] {
        start("ns1/svc/", &format!("{more}\n")).ends(1).says("files.write(group=");
        assert_eq!(group(), 0, "{more}");
    }
    start("ns1/svc/", "user = nobody\ngroup = nogroup\n").ok();
    assert_eq!(group(), NOBODY);
    policy(world, "ns1", "allow files.write(group=shadow) = {w}/srv/ns1/**\n");
    start("ns1/svc/", "group = daemon\n").ends(1).says("group=daemon");
    start("ns1/svc/", "group = shadow\n").ok();
    assert_ne!(group(), NOBODY);
    policy(world, "ns1", "allow files.write(group=shadow) = {w}/srv/ns1/**\ndeny files.write = {w}/srv/ns1/d\n");
    start("ns1/svc/", "group = shadow\n").ends(1).says("denied");
    // A file system of a namespace's own has files of its group, too.
    policy(world, "ns1", "allow mount = tmpfs * on {w}/srv/ns1/**\nallow files.write = {w}/srv/ns1/**\n");
    fs::create_dir(place.join("t")).unwrap();
    let mounted = |options: &str| {
        let text = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = tmpfs\nmnt = {w}/srv/ns1/t\nmnt_opt = ";
        let file = world.write("t.conf", &world.fill(&format!("{text}{options}\n")));
        world.om(&format!("ns1/svc/t create --config {}", file.display())).ok();
        let ran = world.om("ns1/svc/t start");
        world.om("ns1/svc/t stop").ok();
        world.om("ns1/svc/t delete --force --i-know --confirm").ok();
        ran
    };
    mounted("size=1m,mode=2777,gid=42").ends(1).says("gid=42");
    mounted(&format!("size=1m,uid={NOBODY},gid={NOBODY}")).ok();
    // In the namespace root the configuration is root's own word.
    start("", "group = shadow\n").ok();
}

fn a_working_directory_is_granted(world: &World) {
    install(world);
    fs::create_dir(world.path("there")).unwrap();
    attempt(world, "", "run-in {w}/there /usr/bin/id", "program = /usr/bin/id\n").ends(1).says("cwd=");
    attempt(world, "", "run-in {w}/there /usr/bin/id", "program = /usr/bin/id\ncwd = {w}/there\n").ok();
    attempt(world, "", "run-in {w} /usr/bin/id", "program = /usr/bin/id\ncwd = {w}/there\n").ends(1).says("cwd=");
    let config = "program = /usr/bin/id\ncwd = {w}/there\n";
    policy(world, "ns1", "allow exec = /usr/bin/id\n");
    attempt(world, "ns1/svc/", "run-in {w}/there /usr/bin/id", config).ends(1).says("namespace ns1");
    attempt(world, "ns1/svc/", "run /usr/bin/id", config).ok();
    policy(world, "ns1", "allow exec(cwd={w}/there) = /usr/bin/id\n");
    attempt(world, "ns1/svc/", "run-in {w}/there /usr/bin/id", config).ok();
}

fn a_program_of_root_gets_no_variable_that_loads_code(world: &World) {
    install(world);
    for variable in [
        "LD_PRELOAD",
        "GCONV_PATH",
        "BASH_ENV",
        "PYTHONPATH",
        "PERL5OPT",
        "RSYNC_RSH",
        "RSYNC_CONNECT_PROG",
        "GIT_SSH",
        "PATH",
        "TAR_OPTIONS",
        "XTABLES_LIBDIR",
        "TC_LIB_DIR",
        "SSH_ASKPASS",
        "VIMINIT",
        "LVM_SYSTEM_DIR",
        "DOTNET_STARTUP_HOOKS",
        "npm_config_script_shell",
    ] {
        let config = format!("program = /usr/bin/env\nenvironment = {variable}=/nowhere\n");
        let refused = attempt(world, "", &format!("run-with {variable} /nowhere /usr/bin/env"), &config).ends(1);
        refused.says("makes programs load code");
    }
    // Where a program looks for its settings is root's word in the namespace root alone.
    let home = "program = /usr/bin/env\nenvironment = HOME=/nowhere\n";
    attempt(world, "", "run-with HOME /nowhere /usr/bin/env", home).ok();
    // A language or a time zone is a name. The C library takes a path for a file of its own, which it parses.
    for (name, value) in
        [("LC_ALL", "../../srv/own/x"), ("LANG", "/srv/own/x"), ("TZ", ":/srv/own/x"), ("TZ", "/etc/shadow")]
    {
        let refused = attempt(world, "", &format!("run-with {name} {value} /usr/bin/env"), "program = /usr/bin/env\n");
        refused.ends(1).says("no keyword of the resource holds");
    }
    attempt(world, "", "run-with LC_ALL de_DE.UTF-8@euro /usr/bin/env", "program = /usr/bin/env\n").ok();
    attempt(world, "", "run-with TZ Europe/Paris /usr/bin/env", "program = /usr/bin/env\n").ok();
    attempt(world, "", "run-with PORT 80 /usr/bin/env", "program = /usr/bin/env\nenvironment = PORT=80\n").ok();
    // No list of such variables is whole: elsewhere a line must name what a program of root gets, as for installed drivers it must.
    let attempt_with = |namespace: &str, variable: &str| {
        let config = format!("program = /usr/bin/env\nenvironment = {variable}=/nowhere\n");
        attempt(world, namespace, &format!("run-with {variable} /nowhere /usr/bin/env"), &config)
    };
    for variable in ["GNUMAKEFLAGS", "DOCKER_HOST", "MODE"] {
        attempt_with("", variable)
            .ends(1)
            .says(&format!("write env={variable}"))
            .says("etc/drivers.d/app.hostile.policy");
    }
    attempt_with("", "KUBECONFIG").ok();
    policy(world, "ns1", "allow exec = /usr/bin/env\n");
    for variable in ["PORT", "HOME", "KUBECONFIG"] {
        attempt_with("ns1/svc/", variable)
            .ends(1)
            .says(&format!("write env={variable}"))
            .says("etc/namespaces/ns1/policy");
    }
    policy(world, "ns1", "allow exec(env=PORT+HOME) = /usr/bin/env\n");
    attempt_with("ns1/svc/", "PORT").ok();
    attempt_with("ns1/svc/", "HOME").ok();
    attempt_with("ns1/svc/", "KUBECONFIG").ends(1).says("write env=KUBECONFIG");
    // A star is for what an application calls its own.
    policy(world, "ns1", "allow exec(env=*) = /usr/bin/env\n");
    attempt_with("ns1/svc/", "PORT").ok();
    attempt_with("ns1/svc/", "HOME").ends(1).says("write env=HOME");
    // The agent's own drivers in a namespace: a program of another user has what its configuration says, and one of root has not.
    let job = |user: &str| {
        let task = "[task#1]\ntype = host\ncommand = /usr/bin/env\nenvironment = GNUMAKEFLAGS=x PORT=80\n";
        world.create("ns1/svc/job", &format!("[DEFAULT]\nnodes = n1\n{task}{user}"));
        let ran = world.om("ns1/svc/job run");
        world.om("ns1/svc/job delete --force --i-know --confirm").ok();
        ran
    };
    policy(world, "ns1", "allow exec(caps=all) = /usr/bin/env\n");
    job("user = nobody\n").ok();
    job("").ends(1).says("write env=GNUMAKEFLAGS");
    policy(world, "ns1", "allow exec(caps=all, env=GNUMAKEFLAGS+PORT) = /usr/bin/env\n");
    job("").ok();
}

fn a_file_runs_as_its_owner_only_by_a_grant_for_that(world: &World) {
    install(world);
    fs::create_dir(world.path("own")).unwrap();
    let bits = |name: &str| fs::metadata(world.path(name)).map(|found| found.mode() & 0o7777).unwrap_or(0);
    for mode in ["4755", "2755", "6711"] {
        attempt(world, "", &format!("write-mode {{w}}/own/tool {mode}"), "own = {w}/own\n").ends(1).says("setid");
        world.write("own/there", "");
        attempt(world, "", &format!("chmod {{w}}/own/there {mode}"), "own = {w}/own\n").ends(1).says("setid");
        assert_eq!((bits("own/tool"), bits("own/there") & 0o6000), (0, 0), "{mode}");
    }
    attempt(world, "", "chmod {w}/own 2750", "own = {w}/own\n").ok();
    assert_eq!(bits("own"), 0o2750);
    // A user of the node, who may write in the directory, has put a file in the place of the directory that the object names.
    let race = world.path("race");
    fs::create_dir(&race).unwrap();
    world.write("race/x", "");
    for path in [&race, &race.join("x")] {
        chown(path, Some(1001), Some(1001)).unwrap();
    }
    world.create(
        "dir",
        "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = directory\npath = {w}/race/x\nuser = root\nperm = 4755\n",
    );
    world.om("dir start").ends(1);
    let found = fs::metadata(race.join("x")).unwrap();
    assert_eq!((found.uid(), found.mode() & 0o6000), (1001, 0));
}

fn the_options_of_a_mount_are_read_once(world: &World) {
    install(world);
    for directory in ["low", "up", "work", "secret", "mnt"] {
        fs::create_dir(world.path(directory)).unwrap();
    }
    world.write("secret/x", "");
    let own = "own = {w}/low\noverlay = {w}/mnt\n";
    for (options, says) in [
        ("lowerdir={w}/low upperdir={w}/secret workdir={w}/work", "files.write"),
        ("lowerdir=\"{w}/secret\"", "files.read"),
        ("lowerdir=\"{w}/low\"\"{w}/secret\"", "quote"),
        ("\"lowerdir\"={w}/secret", "quote"),
        ("lowerdir=low:secret", "absolute paths"),
        ("lowerdir={w}/low datadir+={w}/secret", "files.read"),
    ] {
        let refused = attempt(world, "", &format!("mount overlay overlay {{w}}/mnt {options}"), own).ends(1);
        refused.says(says);
        assert!(!world.exists("mnt/x"), "{options}");
    }
    policy(
        world,
        "ns1",
        "allow mount = * * on {w}/**\nallow files.write = {w}/**\nallow block.read = *\nallow block.loop = {w}/**\n",
    );
    for options in [
        "logdev=/dev/loop0",
        "logdev=\"/dev/loop0\"",
        "rtdev=dev/loop0",
        "journal_dev=0x700",
        "errors=panic",
        "context=x",
    ] {
        let (fstype, options) =
            if options.contains('j') || options.contains("errors") { ("ext4", options) } else { ("xfs", options) };
        let config = format!(
            "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = {fstype}\ndev = {{w}}/none\nmnt = {{w}}/mnt\nmnt_opt = {options}\n"
        );
        let file = world.write("m.conf", &world.fill(&config));
        world.om(&format!("ns1/svc/m create --config {}", file.display())).ok();
        world.om("ns1/svc/m start").ends(1);
        world.om("ns1/svc/m delete --force --i-know --confirm").ok();
    }
}

/// Makes an ext4 image that holds a set-user-id program and a device.
fn image(world: &World, name: &str) -> bool {
    let source = world.path(&format!("{name}.d"));
    fs::create_dir(&source).unwrap();
    fs::copy("/bin/true", source.join("tool")).unwrap();
    fs::set_permissions(source.join("tool"), fs::Permissions::from_mode(0o4755)).unwrap();
    let image = world.path(&format!("srv/ns1/{name}"));
    fs::create_dir_all(image.parent().unwrap()).unwrap();
    let made = Command::new("mke2fs").args(["-q", "-t", "ext4", "-d"]).arg(&source).arg(&image).arg("8m").output();
    made.is_ok_and(|made| made.status.success())
}

pub(crate) const OWN_VOLUMES: &str = "allow files.write = {w}/srv/{namespace}/**\nallow files.write = {rundir}/**\nallow files.write = {statedir}/**\n\
    allow block.loop = {w}/srv/{namespace}/*\nallow block.read = /dev/loop*\nallow mount = ext4 /dev/loop* on {w}/srv/{namespace}/**\n\
    allow mount = bind {w}/srv/{namespace}/** on {w}/srv/{namespace}/**\nallow exec = /sbin/e2fsck -p -- /dev/loop*\n\
    allow exec = /sbin/e2fsck ** \nallow exec = /usr/sbin/e2fsck **\nallow exec = /sbin/mkfs.ext4 **\nallow exec = /usr/sbin/mkfs.ext4 **\n";

fn options_of(target: &Path) -> String {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let line = mounts.lines().rfind(|line| line.split(' ').nth(1) == target.to_str());
    line.and_then(|line| line.split(' ').nth(3)).unwrap_or_default().to_owned()
}

fn what_a_namespace_mounts_brings_no_programs_of_root_and_no_devices(world: &World) {
    if !image(world, "team.img") {
        return;
    }
    policy(world, "ns1", OWN_VOLUMES);
    fs::create_dir_all(world.path("srv/ns1/mnt")).unwrap();
    let config = "[DEFAULT]\nnodes = n1\n[disk#1]\ntype = loop\nfile = {w}/srv/ns1/team.img\n\
                  [fs#1]\ntype = ext4\ndev = {disk#1.exposed_devs[0]}\nmnt = {w}/srv/ns1/mnt\nmnt_opt = suid,dev,exec\n";
    world.create("ns1/svc/data", config);
    world.om("ns1/svc/data start").ok();
    let options = options_of(&world.path("srv/ns1/mnt"));
    assert!(options.contains("nosuid") && options.contains("nodev"), "{options}");
    assert!(world.exists("srv/ns1/mnt/tool"));
    let audit = world.om("driver audit --object ns1/svc/data --format json").ok();
    assert!(audit.stdout.contains("nosuid,nodev"), "{audit}");
    world.om("ns1/svc/data stop").ok();
    // A bind takes no restriction of its source away, and writes only what may be written.
    fs::create_dir_all(world.path("srv/ns1/to")).unwrap();
    fs::create_dir_all(world.path("srv/ns1/tmp")).unwrap();
    let bound = world.path("srv/ns1/tmp");
    let mounted =
        Command::new("mount").args(["-t", "tmpfs", "-o", "nosuid,nodev,noexec,ro", "x"]).arg(&bound).status().unwrap();
    assert!(mounted.success());
    world.create("ns1/svc/bind", "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {w}/srv/ns1/tmp\nmnt = {w}/srv/ns1/to\nmnt_opt = suid,dev,exec,rw\n");
    world.om("ns1/svc/bind start").ok();
    let options = options_of(&world.path("srv/ns1/to"));
    for kept in ["ro", "nosuid", "nodev", "noexec"] {
        assert!(options.split(',').any(|option| option == kept), "{kept}: {options}");
    }
    world.om("ns1/svc/bind stop").ok();
    assert!(Command::new("umount").arg(&bound).status().unwrap().success());
    fs::create_dir_all(world.path("common")).unwrap();
    policy(
        world,
        "ns1",
        &format!(
            "{OWN_VOLUMES}allow mount = bind {{w}}/common on {{w}}/srv/{{namespace}}/**\nallow files.read = {{w}}/common/**\n"
        ),
    );
    for (options, allowed) in [("defaults", false), ("ro", true), ("ro,rw", false)] {
        let config = format!(
            "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = {{w}}/common\nmnt = {{w}}/srv/ns1/to\nmnt_opt = {options}\n"
        );
        world.create("ns1/svc/common", &config);
        let started = world.om("ns1/svc/common start");
        if allowed {
            started.ok()
        } else {
            started.ends(1).says("files.write")
        };
        world.om("ns1/svc/common stop").ok();
        world.om("ns1/svc/common delete --force --i-know --confirm").ok();
    }
}

fn a_namespace_mounts_no_loop_device_of_another_object(world: &World) {
    if !image(world, "foreign.img") {
        return;
    }
    let attached =
        Command::new("losetup").args(["--show", "-f"]).arg(world.path("srv/ns1/foreign.img")).output().unwrap();
    if !attached.status.success() {
        return;
    }
    let device = String::from_utf8(attached.stdout).unwrap().trim().to_owned();
    policy(world, "ns1", OWN_VOLUMES);
    fs::create_dir_all(world.path("srv/ns1/mnt")).unwrap();
    world.create(
        "ns1/svc/thief",
        &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = ext4\ndev = {device}\nmnt = {{w}}/srv/ns1/mnt\n"),
    );
    world.om("ns1/svc/thief start").ends(1).says("a loop device that no resource of this object attached");
    world.om("ns1/svc/thief provision").ends(1).says("loop device");
    // Nor by what is on it: a label is no secret.
    assert!(Command::new("e2label").args([&device, "theirs"]).status().unwrap().success());
    policy(
        world,
        "ns1",
        &format!("{OWN_VOLUMES}allow mount = ext4 LABEL=* on {{w}}/srv/{{namespace}}/**\nallow block.read = LABEL=*\n"),
    );
    world.om("ns1/svc/thief set --kw fs#1.dev=LABEL=theirs").ok();
    world.om("ns1/svc/thief start").ends(1).says("LABEL=theirs").does_not_say(&device);
    assert_eq!(options_of(&world.path("srv/ns1/mnt")), "");
    assert!(Command::new("losetup").args(["-d", &device]).status().unwrap().success());
}

fn what_is_opened_counts_and_not_its_name(world: &World) {
    install(world);
    fs::create_dir(world.path("real")).unwrap();
    world.write("real/key", "secret text");
    symlink(world.path("real"), world.path("link")).unwrap();
    fs::set_permissions(world.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    // Links are followed only where no other user can write, and /tmp is not such a place.
    let home = Path::new("/var/lib").join(format!("hostler-places-{}", std::process::id()));
    fs::create_dir_all(home.join("real")).unwrap();
    fs::write(home.join("real/key"), "secret text").unwrap();
    symlink(home.join("real"), home.join("link")).unwrap();
    let shown = home.display();
    let reads = format!("reads = {shown}/link/key\n");
    attempt(world, "", &format!("read {shown}/link/key"), &reads).ok();
    let file = world.path("root/etc/drivers.d/app.hostile.policy");
    let allowed = fs::read_to_string(&file).unwrap();
    for denied in [format!("{shown}/real/**"), format!("{shown}/link/**")] {
        fs::write(&file, format!("{allowed}deny files.read = {denied}\n")).unwrap();
        for name in ["link", "real"] {
            let reads = format!("reads = {shown}/{name}/key\n");
            attempt(world, "", &format!("read {shown}/{name}/key"), &reads).ends(1).says("denied");
        }
    }
    fs::write(&file, format!("{allowed}deny exec = /usr/bin/id **\ndeny exec = /usr/bin/id\n")).unwrap();
    for program in ["/usr/bin/id", "/bin/id"] {
        attempt(world, "", &format!("run {program}"), &format!("program = {program}\n")).ends(1).says("denied");
    }
    fs::write(&file, &allowed).unwrap();
    // What a policy allows is a place as well: a link in it leads to no other.
    policy(world, "ns1", &format!("allow files.read = {shown}/only/**\n"));
    fs::create_dir(home.join("only")).unwrap();
    symlink(home.join("real/key"), home.join("only/key")).unwrap();
    let reads = format!("reads = {shown}/only/key\n");
    attempt(world, "ns1/svc/", &format!("read {shown}/only/key"), &reads).ends(1).says("real/key");
    policy(world, "ns1", &format!("allow files.read = {shown}/link/**\n"));
    let reads = format!("reads = {shown}/link/key\n");
    attempt(world, "ns1/svc/", &format!("read {shown}/link/key"), &reads).ok();
    fs::remove_dir_all(home).unwrap();
}

fn a_star_in_a_host_is_no_address(world: &World) {
    install(world);
    let file = world.path("root/etc/drivers.d/app.hostile.policy");
    let allowed =
        fs::read_to_string(&file).unwrap().replace("allow http = GET {kw:url}", "allow http = GET http://*:8931/**");
    fs::write(&file, allowed).unwrap();
    for host in ["[::1]", "[::ffff:127.0.0.1]", "[::]", "127.0.0.1", "[fd00:ec2::254]", "169.254.169.254"] {
        let url = format!("http://{host}:8931/x");
        attempt(world, "", &format!("get {url}"), &format!("url = {url}\n")).ends(1).says("http = GET");
    }
}

fn the_audit_says_what_the_line_does_not(world: &World) {
    install(world);
    fs::create_dir(world.path("there")).unwrap();
    let program = "program = /usr/bin/id\ncwd = {w}/there\nenvironment = PORT=8123\nown = {w}/there\n";
    attempt(world, "", "run-in {w}/there /usr/bin/id", program).ok();
    attempt(world, "", "run-with PORT 8123 /usr/bin/id", program).ok();
    attempt(world, "", "run-with-group nogroup /usr/bin/id", &format!("{program}group = nogroup\n")).ok();
    attempt(world, "", "write-mode {w}/there/x 640", program).ok();
    attempt(world, "", "chmod {w}/there/x 604", program).ok();
    attempt(world, "", "mount tmpfs tmpfs {w}/there size=1m noexec", program).ok();
    assert!(Command::new("umount").arg(world.path("there")).status().unwrap().success());
    let directory = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = directory\npath = {w}/d\nuser = nobody\ngroup = nogroup\n\
                     [task#1]\ntype = host\ncommand = /usr/bin/id\nuser = nobody\n";
    world.create("d", directory);
    world.om("d start").ok();
    world.om("d run").ok();
    let audit: Vec<String> = ["evil", "d"]
        .map(|object| world.om(&format!("driver audit --object {object} -n 0 --format json")).ok().stdout)
        .join("\n")
        .split('}')
        .map(|record| record.split_whitespace().collect())
        .collect();
    for said in [
        r#""cwd":"{w}/there""#,
        r#""env":"PORT""#,
        r#""group":"nogroup""#,
        r#""mode":"640""#,
        r#""mode":"604""#,
        r#""options":"size=1m,noexec""#,
        r#""owner":"nobody:nogroup""#,
        r#""user":"nobody""#,
    ] {
        let said = world.fill(said);
        assert!(audit.iter().any(|record| record.contains(&said)), "{said} in {audit:#?}");
    }
    // The value of a variable may be a secret.
    assert!(!audit.iter().any(|record| record.contains("8123\"")), "{audit:#?}");
}

fn another_build_is_not_what_was_allowed(world: &World) {
    install(world);
    let file = world.path("root/etc/drivers.d/app.hostile.policy");
    let allowed = fs::read_to_string(&file).unwrap();
    let digest = allowed.lines().find(|line| line.starts_with("digest")).unwrap();
    let stale = allowed.replace(digest, &format!("digest sha256:{}", "0".repeat(64)));
    let stale = stale.replace("allow files.read = {kw:reads}\n", "allow files.read = {kw:former}/x\n");
    fs::write(&file, &stale).unwrap();
    attempt(world, "", "stat {w}/own", "own = {w}/own\n")
        .ends(1)
        .says("another build of app.hostile")
        .says("for 000000000000");
    let added = world
        .command()
        .args(["driver", "allow", "app.hostile", "--yes", "--add", "files.read = /srv/x"])
        .output()
        .unwrap();
    Ran::new("allow --add", added).ends(1).says("another build");
    assert_eq!(fs::read_to_string(&file).unwrap(), stale);
    let again = world.om("driver allow app.hostile --yes").ok();
    again
        .says("+ files.read = {kw:reads}")
        .says("- files.read = {kw:former}/x")
        .says("another build was allowed, 000000000000");
    assert!(!fs::read_to_string(&file).unwrap().contains("former"));
    attempt(world, "", "stat {w}/own", "own = {w}/own\n").ok();
    let idle = world
        .command()
        .args(["driver", "allow", "app.hostile", "--yes", "--add", "exec = /usr/sbin/multipath -r"])
        .output()
        .unwrap();
    Ran::new("allow --add", idle).ok().says("it does not ask for this, so it has no effect");
}

fn a_driver_in_use_stays(world: &World) {
    install(world);
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = hostile\nattempt = log 1\n");
    world.om("driver remove app.hostile").ends(1).says("web app#1");
    world.om("driver remove app.hostile --force").ok();
}
