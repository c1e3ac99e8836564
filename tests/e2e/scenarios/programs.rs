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
    world.om("web config validate").ends(1).says("check is true, and there is no script");
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
    world.create("web", "[DEFAULT]\nnodes = n1\n[app#1]\ntype = simple\nstart = /bin/sleep 881\n");
    world.om("web start").ok();
    let exposed = world.status("web")["resources"]["app#1"]["exposes"][0]["value"].as_str().unwrap().to_owned();
    let session = format!("{top}/session-{}.scope", std::process::id());
    fs::create_dir(&session).unwrap();
    fs::write(format!("{session}/cgroup.procs"), &exposed).unwrap();
    assert_eq!(world.states("web"), "app#1 up");
    world.om("web start").ok().says("nothing to do");
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
