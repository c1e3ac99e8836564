//! The programs that a configuration names: their search path, their environment, what is shown of it, and which namespaces
//! may name one.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use crate::world::World;

crate::trials!(
    a_program_is_looked_for_where_a_shell_would,
    variables_reach_tasks_and_triggers_and_secrets_reach_no_log,
    a_trigger_in_a_namespace_needs_its_policy,
    true_is_the_script_and_not_a_program,
    an_application_is_waited_for_and_all_of_it_is_stopped,
    a_program_in_a_session_of_its_own_is_stopped,
    a_program_has_the_login_of_its_user_and_the_names_of_its_object,
    nothing_of_who_starts_a_service_is_in_it,
    a_file_that_is_not_a_program_is_named_as_such,
    an_application_that_exits_soon_is_not_up,
    a_program_that_does_not_exist_is_a_warning,
    a_helper_without_its_application_is_no_application,
    what_a_start_leaves_running_goes_on_writing,
    what_still_runs_stands_in_the_way_of_a_start,
    what_a_trigger_leaves_running_is_held_until_a_stop_ends_it,
);

fn a_program_is_looked_for_where_a_shell_would(world: &World) {
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = sleep 600\n");
    world.om("web set --kw app#1.start=nosuchprogram").ends(1).says("app#1.start").says("nosuchprogram");
    world.om("web start").ok().says("/sleep 600").says("process group hostler.slice/");
    world.om("web stop").ok();
}

fn variables_reach_tasks_and_triggers_and_secrets_reach_no_log(world: &World) {
    world.write("say", "#!/bin/sh\necho \"$1 $COLOUR $DB_PASSWORD\" >>{w}/said; echo \"$DB_PASSWORD\"\n");
    let say = world.write("say", &world.fill(&world.read("say")));
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[task#1]\ntype = host\ncommand = /bin/sh {say} task\n\
         [fs#1]\ntype = flag\npre_start = /bin/sh {say} trigger DB_PASSWORD=hunter7\n",
        say = say.display()
    );
    world.create("web", &config);
    for line in ["web run -e COLOUR=red -e DB_PASSWORD=hunter8", "web start -e COLOUR=red -e DB_PASSWORD=hunter8"] {
        world.om(line).ok().says("***").does_not_say("hunter");
    }
    assert_eq!(world.read("said"), "task red hunter8\ntrigger red hunter8\n");
    assert!(!world.read("root/log/web.log").contains("hunter"));
    world.om("web stop").ok();
}

fn a_trigger_in_a_namespace_needs_its_policy(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\nblocking_pre_start = {w}/act mark ran\n";
    world.create("ns1/svc/web", config);
    world.om("ns1/svc/web start").ends(1).says("denied").says("etc/namespaces/ns1/policy");
    assert_eq!(world.marks(), "");
    world.write(
        "root/etc/namespaces/ns1/policy",
        &world.fill("allow files.write = {rundir}/**\nallow exec(caps=all) = {w}/act mark ran\n"),
    );
    world.om("ns1/svc/web start").ok();
    assert_eq!(world.marks(), "ran");
    world.om("ns1/svc/web stop").ok();
}

/// A script that takes the words of a launcher, and has a file while it is up.
fn launcher(world: &World, body: &str) {
    world.write("launcher", &world.fill(&format!("#!/bin/sh\ncd {{w}}; echo $1 >>said\n{body}\n")));
    fs::set_permissions(world.path("launcher"), fs::Permissions::from_mode(0o755)).unwrap();
}

fn true_is_the_script_and_not_a_program(world: &World) {
    launcher(world, "case $1 in start) touch up ;; stop) rm -f up ;; status) test -e up ;; esac");
    for (start, stop, check) in [("true", "true", "true"), ("Yes", "on", "1"), ("50", "01", "50")] {
        let words = format!("start = {start}\nstop = {stop}\ncheck = {check}\n");
        world.create("web", &format!("[DEFAULT]\nnodes = n1\n[app#1]\nscript = {{w}}/launcher\n{words}"));
        assert_eq!(world.states("web"), "app#1 down", "{start} {check}");
        world.om("web start").ok();
        assert!(world.exists("up"));
        assert_eq!(world.states("web"), "app#1 up");
        world.om("web stop").ok();
        assert!(!world.exists("up"));
        world.om("web delete").ok();
    }
    // Without a script there is nothing to call, and so nothing that could be up.
    let bare = world.write("bare.conf", "[DEFAULT]\nnodes = n1\n[app#1]\nstart = true\ncheck = true\n");
    world.om(&format!("web create --force --config {}", bare.display())).ok();
    world.om("web config validate").ends(1).says("check is true, but script is not set");
    assert!(!world.states("web").contains("up"));
    world.om("web start").ends(1);
    world.om("web delete --force").ok();
}

fn an_application_is_waited_for_and_all_of_it_is_stopped(world: &World) {
    let config = |more: &str| {
        format!(
            "[DEFAULT]\nnodes = n1\n[app#1]\nscript = {{w}}/launcher\nstart = true\nstop = true\ncheck = true\n{more}"
        )
    };
    // It is ready, and gone, some time after its commands have returned.
    launcher(
        world,
        "case $1 in start) (sleep 1; touch up) >/dev/null 2>&1 & ;; stop) (sleep 1; rm -f up) >/dev/null 2>&1 & ;; status) test -e up ;; esac",
    );
    world.create("web", &config(""));
    world.om("web start").ok();
    world.om("web stop").ok();
    // A start that fails halfway is undone by the stop command, although the check has always said down.
    launcher(
        world,
        "case $1 in start) sleep 777 >/dev/null 2>&1 & echo $! >pid; exit 1 ;; stop) kill $(cat pid) ;; *) false ;; esac",
    );
    world.write("said", "");
    world.om("web start").ends(1).says("rollback: app#1: stopped");
    assert!(world.read("said").contains("stop"));
    world.om("web stop").ok();
    // What its stop command leaves is named.
    launcher(
        world,
        "case $1 in start) sleep 778 >/dev/null 2>&1 & echo $! >pid; touch up ;; stop) rm -f up ;; *) test -e up ;; esac",
    );
    world.om("web set --kw app#1.stop_timeout=1s").ok();
    world.om("web start").ok();
    world.om("web stop").ends(1).says("it still holds processes").says("sleep 778");
    assert_eq!(world.states("web"), "app#1 warn");
    let pid = world.read("pid");
    assert!(Command::new("kill").arg(pid.trim()).status().unwrap().success());
    world.om("web stop").ok();
    // A check that hangs keeps nobody from stopping it.
    launcher(
        world,
        "case $1 in status) test ! -e up || sleep 60; exit 1 ;; start) touch up ;; stop) rm -f up; exit 0 ;; esac",
    );
    world.om("web set --kw app#1.check_timeout=1s").ok();
    world.write("up", "");
    world.write("said", "");
    world.om("web stop").ok();
    assert!(world.read("said").contains("stop") && !world.exists("up"));
    world.om("web delete").ok();
}

/// As pam_systemd(8) does with what su(1) starts: the first process leaves the control group of its resource.
fn a_program_in_a_session_of_its_own_is_stopped(world: &World) {
    let Some(top) = kernel_groups() else {
        println!("programs: skipped: no control groups of version 2");
        return;
    };
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sh {w}/run\n");
    world.write("run", &world.fill("/bin/sleep 882 & echo $! >{w}/pid; exec /bin/sleep 881"));
    world.om("web start").ok();
    let exposed = world.status("web")["resources"]["app#1"]["exposes"][0]["value"].as_str().unwrap().to_owned();
    let session = format!("{top}/session-{}.scope", std::process::id());
    fs::create_dir(&session).unwrap();
    fs::write(format!("{session}/cgroup.procs"), &exposed).unwrap();
    assert_eq!(world.states("web"), "app#1 up");
    world.om("web start").ok().says("nothing to do");
    // Its helper leaves, too. What is left of the resource is in no group of it then.
    let helper = world.path("pid");
    crate::world::until("the helper is known", || helper.exists());
    fs::write(format!("{session}/cgroup.procs"), world.read("pid").trim()).unwrap();
    world.om("web stop").ok();
    let is_gone = || fs::read_to_string(format!("{session}/cgroup.procs")).is_ok_and(|pids| pids.is_empty());
    crate::world::until("the group is empty", is_gone);
    fs::remove_dir(&session).unwrap();
    world.om("web delete").ok();
}

/// Where the control groups of version 2 are mounted.
fn kernel_groups() -> Option<String> {
    let mounts = fs::read_to_string("/proc/self/mounts").unwrap();
    let line = mounts.lines().find(|line| line.split(' ').nth(2) == Some("cgroup2"))?;
    line.split(' ').nth(1).map(str::to_owned)
}

fn a_program_has_the_login_of_its_user_and_the_names_of_its_object(world: &World) {
    let text = "#!/bin/sh\necho \"$1 $HOME $USER $LOGNAME $SHELL $OPENSVC_SVCNAME $OPENSVC_SVCPATH $OPENSVC_RID $OPENSVC_LEADER\" >>{w}/said\n";
    let say = world.write("say", &world.fill(text));
    let say = format!("/bin/sh {}", say.display());
    let config = format!(
        "[DEFAULT]\nnodes = n1\n[app#1]\nstart = {say} app\nstop = {say} stop\nenvironment = HOME=/srv\n\
         [app#2]\nuser = nobody\nstart = {say} user\n[task#1]\ncommand = {say} task\ntype = host\n\
         [fs#1]\ntype = flag\npre_start = {say} trigger\npre_unprovision = {say} trigger\n"
    );
    // The user must be able to write there.
    world.write("said", "");
    fs::set_permissions(world.path("said"), fs::Permissions::from_mode(0o666)).unwrap();
    fs::set_permissions(world.directory(), fs::Permissions::from_mode(0o755)).unwrap();
    world.create("web", &config);
    for line in ["web start", "web run", "web unprovision --rid fs#1 --confirm"] {
        world.om(line).ok();
    }
    let passwd = fs::read_to_string("/etc/passwd").unwrap();
    let login = |user: &str| {
        let line = passwd.lines().find(|line| line.starts_with(&format!("{user}:"))).unwrap();
        let fields: Vec<&str> = line.split(':').collect();
        format!("{user} {user} {}", fields[6])
    };
    let home = |user: &str| passwd.lines().find(|line| line.starts_with(user)).unwrap().split(':').nth(5).unwrap();
    let (of_root, of_nobody) = (login("root"), login("nobody"));
    let said = world.read("said");
    let mut said: Vec<&str> = said.lines().collect();
    said.sort_unstable();
    let expected = [
        format!("app /srv {of_root} web web app#1 0"),
        format!("task {} {of_root} web web task#1 0", home("root")),
        format!("trigger {} {of_root} web web fs#1 0", home("root")),
        format!("trigger {} {of_root} web web fs#1 1", home("root")),
        format!("user {} {of_nobody} web web app#2 0", home("nobody")),
    ];
    assert_eq!(said, expected);
    world.om("web stop").ok();
    world.om("web delete --local").ok();
}

/// The priority and the limits are those of any service, whoever types.
fn nothing_of_who_starts_a_service_is_in_it(world: &World) {
    let script =
        "echo $(nice) $(ulimit -n) $(ulimit -c) $(ulimit -f) $(umask) $(cat /proc/self/oom_score_adj) >{w}/said";
    let run = world.write("run", &world.fill(&format!("{script}; exec sleep 882\n")));
    let one = format!("[app#1]\ntype = simple\nstart = /bin/sh {}\n", run.display());
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{one}limit_fsize = 1g\n"));
    let om = world.command();
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(
        r#"ulimit -S -n 300; ulimit -S -c 7; umask 077; echo 55 >/proc/self/oom_score_adj; exec nice -n 7 "$0" web start"#,
    );
    command.arg(om.get_program()).envs(om.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
    crate::world::until("it has said so", || world.read("said").ends_with('\n'));
    // 1 GiB in blocks of 512 bytes.
    assert_eq!(world.read("said"), "0 1024 0 2097152 0022 0\n");
    world.om("web stop").ok();
    world.om("web delete").ok();
}

fn a_file_that_is_not_a_program_is_named_as_such(world: &World) {
    let executable = |name: &str, text: &str| {
        let path = world.write(name, text);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    };
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\nscript = {w}/launcher\nstart = true\n");
    for (text, why) in [
        ("echo $1\n", "it is not a program: it has no #! line"),
        ("#!/nowhere/sh\n", "the program of its #! line, /nowhere/sh, does not exist"),
    ] {
        executable("launcher", text);
        world.om("web start").ends(1).says(why);
    }
    executable("web.service", "[Unit]\n");
    world.om(&format!("web set --kw app#1.script={}", world.path("web.service").display())).ok();
    world.om("web start").ends(1).says("it is a unit of systemd");
    // What cannot be set is found before the start, at its own keyword.
    for (type_, command) in [("app#1", "start = /bin/true"), ("task#1", "type = host\ncommand = /bin/true")] {
        let file =
            world.write("bad.conf", &format!("[DEFAULT]\nnodes = n1\n[{type_}]\n{command}\nenvironment = A=1 B\n"));
        let ran = world.om(&format!("config validate {}", file.display())).ends(1);
        ran.says("environment holds \"B\": expected NAME=VALUE").says("^^^^^");
    }
    let file =
        world.write("bad.conf", "[DEFAULT]\nnodes = n1\n[app#1]\nstart = /usr/bin/curl -w %{http_code} http://n1\n");
    world
        .om(&format!("config validate {}", file.display()))
        .ends(1)
        .says("that the program is to see are written \\{http_code}");
    world.om("web delete").ok();
}

/// Many a program needs a moment to find that another has its port.
fn an_application_that_exits_soon_is_not_up(world: &World) {
    let dies = "start = /bin/sh -c 'sleep 0.3; echo Address already in use >&2; exit 98'\n";
    let lives = "[app#1]\ntype = simple\nstart = /bin/sleep 883\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{lives}[app#2]\ntype = simple\n{dies}"));
    world
        .om("web start")
        .ends(1)
        .says("app#2: | Address already in use")
        .says("exited with 98 soon after its start: Address already in use")
        .says("failed at app#2, rolled back, instance status is down");
    assert_eq!(world.states("web"), "app#1 down, app#2 down");
    // An optional one does not undo the others.
    world.om("web set --kw app#2.optional=true").ok();
    world.om("web start").ok().says("(optional: ignored)").says("instance status is now up");
    assert_eq!(world.states("web"), "app#1 up, app#2 down");
    world.om("web stop").ok();
    world.om("web delete").ok();
    // What leaves others running is up, and says so.
    let leaves = "start = /bin/sh -c 'sleep 884 & sleep 0.3; exit 4'\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{lives}[app#2]\ntype = simple\n{leaves}"));
    world.om("web start").ok().says("exited with 4 soon after its start, and others of it are left");
    assert_eq!(world.states("web"), "app#1 up, app#2 warn");
    world.om("web stop").ok();
    world.om("web delete").ok();
}

fn a_program_that_does_not_exist_is_a_warning(world: &World) {
    let config = "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /usr/bin/pithon3 x\n\
                  [app#2]\nscript = {w}/nowhere/launcher\nstart = true\npre_start = /nowhere/trigger\n\
                  [fs#1]\ntype = flag\n";
    let file = world.write("web.conf", &world.fill(config));
    let file = file.display();
    // A file may be meant for another node.
    world.om(&format!("config validate {file}")).ok().does_not_say("not there");
    world.om(&format!("web create --config {file}")).ok().says("3 warnings");
    world
        .om("web config validate")
        .ok()
        .says("app#1.start runs a program that is not there")
        .says("/usr/bin/pithon3 does not exist on this node")
        .says("app#2.script runs a program that is not there")
        .says("app#2.pre_start runs a program that is not there");
    world.om("web set --kw app#1.start=/nowhere/app").ok();
    world.om("web start --rid app#1").ends(1).says("app#1: /nowhere/app: not found");
    world.om("web delete").ok();
    // It may come with a file system of the service.
    world.create(
        "web",
        "[DEFAULT]\nnodes = n1\n[fs#1]\ntype = bind\ndev = /srv\nmnt = {w}/mnt\n[app#1]\nstart = {w}/mnt/bin/app\n",
    );
    world.om("web config validate").ok().does_not_say("not there");
    world.om("web delete").ok();
}

fn a_helper_without_its_application_is_no_application(world: &World) {
    // The helper survives the application.
    let run = world.write("run", "sleep 886 &\nexec sleep 887\n");
    let config = format!("[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sh {}\n", run.display());
    world.create("web", &config);
    world.om("web start").ok();
    assert_eq!(world.states("web"), "app#1 up");
    let first = || {
        let status = world.status("web");
        let exposed = status["resources"]["app#1"]["exposes"].as_array().unwrap().clone();
        let pids = exposed.iter().map(|one| one["value"].as_str().unwrap().to_owned());
        pids.into_iter()
            .find(|pid| fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap().contains("887"))
            .unwrap()
    };
    let before = first();
    assert!(Command::new("kill").arg(&before).status().unwrap().success());
    crate::world::until("it has exited", || !std::path::Path::new(&format!("/proc/{before}")).exists());
    assert_eq!(world.states("web"), "app#1 warn");
    world.om("web print status").says(&format!("its first process {before} has exited, and others of it are left"));
    world.om("web start").ok().says("stopping what it left");
    assert_eq!(world.states("web"), "app#1 up");
    assert_ne!(first(), before);
    world.om("web stop").ok();
    assert_eq!(world.states("web"), "app#1 down");
    world.om("web delete").ok();
}

/// A daemon that goes on printing has something to print to, also when the command that started it is over.
fn what_a_start_leaves_running_goes_on_writing(world: &World) {
    let stop = "stop) kill $(cat pid); rm -f pid ;; status) test -e pid && kill -0 $(cat pid) ;; esac";
    launcher(
        world,
        &format!("case $1 in start) (while echo tick; do sleep 0.05; done) & echo $! >pid; echo begun >&2 ;; {stop}"),
    );
    let app = "[app#1]\nscript = {w}/launcher\nstart = true\nstop = true\ncheck = true\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{app}"));
    world.om("web start").ok().says("| begun");
    let output = world.path("root/log/web.app.1.out");
    let ticks = || fs::read_to_string(&output).unwrap().matches("tick").count();
    crate::world::until("it goes on writing", || ticks() > 30);
    assert_eq!(world.states("web"), "app#1 up");
    world.om("web stop").ok();
    // A command that fails is still quoted.
    launcher(world, &format!("case $1 in start) echo no room >&2; exit 7 ;; {stop}"));
    world.om("web start").ends(1).says("exited with 7: no room");
    world.om("web delete").ok();
}

/// A second application would work on the data of the first.
fn what_still_runs_stands_in_the_way_of_a_start(world: &World) {
    let script = |name: &str, sign: &str| {
        let start = format!("start) setsid sleep 1101 >/dev/null 2>&1 & echo $! >pid; touch {sign} ;;");
        let stop = format!("stop) kill $(cat pid); rm -f {sign} ;; status) test -e {sign} ;; esac");
        launcher(world, &format!("case $1 in {start} {stop}"));
        fs::rename(world.path("launcher"), world.path(name)).unwrap();
    };
    script("first", "one");
    script("second", "two");
    let app = "[app#1]\nscript = {w}/first\nstart = true\nstop = true\ncheck = true\n";
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n{app}"));
    world.om("web start").ok();
    let pid = world.read("pid");
    world.om(&world.fill("web set --kw app#1.script={w}/second")).ok();
    let refused = world.om("web start").ends(1).says("the check says down, but ").says("sleep 1101 (process ");
    refused.says(&format!("(process {}) still runs: stop the resource first", pid.trim()));
    assert!(!world.exists("two"), "the start was run");
    world.om(&world.fill("web set --kw app#1.script={w}/first")).ok();
    world.om("web stop").ok();
    world.om("web delete").ok();
    // The same where the driver was another one.
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 1102\n");
    world.om("web start").ok();
    world.om("web set --kw app#1.type=forking --kw app#1.check=/bin/false").ok();
    assert_eq!(world.states("web"), "app#1 warn");
    world.om("web start").ends(1).says("/bin/sleep 1102 (process ").says("still runs: stop the resource first");
    // Without a check it says nothing at all, and hides nothing.
    world.om("web unset --kw app#1.check").ok();
    assert_eq!(world.states("web"), "app#1 warn");
    world.om("web print status").ok().says("its driver says n/a, but it still holds processes in");
    // Nor does a stop need a command for what it did not start.
    world.om("web stop").ok().says("started when the type was another");
    world.om("web delete").ok();
}

fn what_a_trigger_leaves_running_is_held_until_a_stop_ends_it(world: &World) {
    let trigger = |name: &str| {
        let command = format!("/bin/sh -c 'setsid sleep 991 >/dev/null 2>&1 & echo $! >{{w}}/pid.{name}'");
        format!("{name} = {command}\n")
    };
    let names = ["pre_start", "post_start", "pre_stop", "post_stop"];
    let triggers: String = names.map(trigger).concat();
    world.create("web", &format!("[DEFAULT]\nnodes = n1\n[fs#1]\ntype = flag\n{triggers}"));
    world.om("web start").ok().says("WRN web: fs#1: left running: ").says("a stop of the instance ends it");
    assert_eq!(world.states("web"), "fs#1 up");
    world.om("web print holdings").ok().says("fs#1  process-group  present").says("processes of a trigger in");
    world.om("web delete").ends(1).says("fs#1");
    let stopped = world.om("web stop").ok().says("fs#1: ended 3 processes that a trigger had left running");
    stopped.says("fs#1: ended 1 process that a trigger had left running");
    for name in names {
        // One that has exited and was not waited for yet has none.
        let command = format!("/proc/{}/cmdline", world.read(&format!("pid.{name}")).trim());
        assert_eq!(fs::read_to_string(command).unwrap_or_default(), "", "{name}");
    }
    world.om("web print holdings").ok().does_not_say("fs#1");
    assert_eq!(world.states("web"), "fs#1 down");
    world.om("web delete").ok();
}
