//! `wit/process.wit`.

use std::time::Duration;

use driver::Verb;
use hostler_capability::process::{ProcessCommand, run, running, spawn, terminate, watch};
use hostler_capability::{CapabilityError, control_group};

use crate::harness::{Resource, changes, skipped};

fn command(line: &[&str]) -> ProcessCommand {
    let (program, args) = line.split_first().unwrap();
    let args = args.iter().map(|&arg| arg.to_owned()).collect();
    ProcessCommand { program: (*program).to_owned(), args, ..ProcessCommand::default() }
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

const CHECK: [&str; 3] = ["/bin/sh", "-c", "echo checked"];
const START: [&str; 3] = ["/bin/sh", "-c", "echo started; exit 3"];

fn application() -> Resource {
    Resource::new(&["exec(read) = {command:check}", "exec = {command:start}"])
        .keyword("check", &CHECK)
        .keyword("start", &START)
}

#[tokio::test]
async fn a_granted_program_runs_and_its_output_is_logged() {
    let resource = application();
    let context = resource.context(Verb::Start);
    assert_eq!(run(&context, command(&START)).await.unwrap().status, 3);
    assert_eq!(resource.log(), ["Info run: /bin/sh -c 'echo started; exit 3'", "Info | started"]);
    assert_eq!(changes(&context), 1);
    run(&context, command(&CHECK)).await.unwrap();
    assert_eq!(changes(&context), 1);
}

#[tokio::test]
async fn status_runs_only_programs_that_read() {
    let resource = application();
    let context = resource.context(Verb::Status);
    assert_eq!(run(&context, command(&CHECK)).await.unwrap().stdout, b"checked\n");
    assert!(matches!(run(&context, command(&START)).await, Err(CapabilityError::Denied(_))));
    assert!(matches!(spawn(&context, command(&START)).await, Err(CapabilityError::Denied(_))));
    assert!(matches!(terminate(&context, "TERM", 0).await, Err(CapabilityError::Denied(_))));
    assert_eq!(changes(&context), 0);
}

#[tokio::test]
async fn another_argument_or_program_is_denied_and_a_relative_one_makes_no_sense() {
    let context = application().context(Verb::Start);
    for line in [&["/bin/sh", "-c", "echo started"][..], &["/bin/true"], &["/bin/sh"]] {
        assert!(matches!(run(&context, command(line)).await, Err(CapabilityError::Denied(_))), "{line:?}");
    }
    for line in [&["sh"][..], &["/bin/../bin/sh"], &[""]] {
        assert!(matches!(run(&context, command(line)).await, Err(CapabilityError::Invalid(_))), "{line:?}");
    }
}

#[tokio::test]
async fn a_driver_cannot_smuggle_power_in_beside_the_arguments() {
    let environment = ["/usr/bin/env"];
    let resource = Resource::new(&["exec = {command:start}"])
        .keyword("start", &environment)
        .keyword("environment", &["COLOUR=red", "EMPTY="]);
    let context = resource.context(Verb::Start);
    let with = |env: &[(&str, &str)]| ProcessCommand { env: pairs(env), ..command(&environment) };
    for env in [("LD_PRELOAD", "/tmp/x.so"), ("COLOUR", "blue"), ("BASH_ENV", "/tmp/x")] {
        assert!(matches!(run(&context, with(&[env])).await, Err(CapabilityError::Denied(_))), "{env:?}");
    }
    for env in [("HOSTLER_ID", "other"), ("OPENSVC_RID", "x"), ("", "x"), ("A=B", "c"), ("1A", "x")] {
        assert!(matches!(run(&context, with(&[env])).await, Err(CapabilityError::Invalid(_))), "{env:?}");
    }
    let grouped = ProcessCommand { group: Some("disk".to_owned()), ..command(&environment) };
    assert!(matches!(run(&context, grouped).await, Err(CapabilityError::Denied(_))));
    for settings in [("niceness", "-20"), ("limit.wishes", "3"), ("umask", "9")] {
        let set = ProcessCommand { settings: pairs(&[settings]), ..command(&environment) };
        assert!(matches!(run(&context, set).await, Err(CapabilityError::Invalid(_))), "{settings:?}");
    }
    let output = run(&context, with(&[("COLOUR", "red"), ("EMPTY", ""), ("LC_ALL", "C")])).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let home = kernel::process::login_variables(None).remove(0).1;
    let home = format!("HOME={}", home.to_str().unwrap());
    for line in ["COLOUR=red", "EMPTY=", "LC_ALL=C", "HOSTLER_ID=web", "OPENSVC_RID=app#1", "OPENSVC_LEADER=0", &home] {
        assert!(text.lines().any(|found| found == line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn a_program_that_was_killed_for_its_time_may_have_changed_something() {
    let sleep = ["/bin/sleep", "1000"];
    let resource = Resource::new(&["exec = {command:start}"]).keyword("start", &sleep);
    let context = resource.context(Verb::Start);
    let hasty = ProcessCommand { timeout_ms: 50, ..command(&sleep) };
    assert_eq!(run(&context, hasty).await, Err(CapabilityError::TimedOut));
    assert_eq!(changes(&context), 1);
    let at_the_deadline = Resource { deadline: Duration::from_millis(50), ..resource };
    assert_eq!(run(&at_the_deadline.context(Verb::Start), command(&sleep)).await, Err(CapabilityError::TimedOut));
}

#[tokio::test]
async fn the_exit_of_a_program_is_awaited_with_its_last_lines() {
    let fails = ["/bin/sh", "-c", "echo one; echo; echo two >&2; exit 98"];
    let resource = Resource::new(&["spawn = {command:start}"]).keyword("start", &fails);
    let context = resource.context(Verb::Start);
    let pid = spawn(&context, command(&fails)).await.unwrap();
    let exit = watch(&context, pid, 30_000).await.unwrap().unwrap();
    assert_eq!((exit.status, exit.last_lines), (98, vec!["one".to_owned(), "two".to_owned()]));
    // Only of the program that this resource has started last.
    assert!(matches!(watch(&context, 1, 0).await, Err(CapabilityError::Invalid(_))));
    let sleep = ["/bin/sleep", "1000"];
    let resource = Resource::new(&["spawn = {command:start}"]).keyword("start", &sleep);
    let context = resource.context(Verb::Start);
    let pid = spawn(&context, command(&sleep)).await.unwrap();
    assert_eq!(watch(&context, pid, 20).await.unwrap(), None);
    terminate(&context, "KILL", 0).await.unwrap();
    assert_eq!(watch(&context, pid, 30_000).await.unwrap().unwrap().status, 137);
}

/// A program and a child of it. The shell would become the last command of its script, so there is one more.
const FAMILY: [&str; 3] = ["/bin/sh", "-c", "sleep 1000 & sleep 1000; true"];

async fn lives_across_calls(resource: &Resource) {
    let context = resource.context(Verb::Start);
    assert_eq!(running(&context).await.unwrap(), []);
    let pid = spawn(&context, command(&FAMILY)).await.unwrap();
    assert_eq!(changes(&context), 1);
    let again = resource.context(Verb::Status);
    let found = running(&again).await.unwrap();
    let first = found.iter().find(|process| process.pid == pid).unwrap();
    assert_eq!(first.argv, FAMILY);
    let stopping = resource.context(Verb::Stop);
    assert!(terminate(&stopping, "TERM", 10_000).await.unwrap() >= 1);
    assert_eq!(changes(&stopping), 1);
    assert_eq!(running(&again).await.unwrap(), []);
    assert_eq!(terminate(&stopping, "TERM", 10_000).await.unwrap(), 0);
    assert_eq!(changes(&stopping), 1);
}

#[tokio::test]
async fn a_program_that_reads_leaves_no_process_behind() {
    let slice = format!("hostler-test-looks-{}.slice", std::process::id());
    let Some(top) = kernel::cgroup::available(&slice) else {
        skipped("no control groups of version 2, or no right to make any");
        return;
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    let left = format!("setsid sleep 600 </dev/null >/dev/null 2>&1 & echo $! >{}", file.path().display());
    let look = ["/bin/sh", "-c", &left];
    let grants = Resource::new(&["exec(read) = {command:check}"]).keyword("check", &look);
    let resource = Resource { slice: Some(top.clone()), ..grants };
    // To its end, and given up before it: the first leaves a process of another session behind.
    run(&resource.context(Verb::Status), command(&look)).await.unwrap();
    let pid: i32 = std::fs::read_to_string(file.path()).unwrap().trim().parse().unwrap();
    // The parent of what is left may be slow to ask for its end.
    let state = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    assert!(state.is_empty() || state.contains(") Z "), "it still runs: {state}");
    let waits = ["/bin/sh", "-c", "setsid sleep 601 & sleep 602"];
    let grants = Resource::new(&["exec(read) = {command:check}"]).keyword("check", &waits);
    let resource = Resource { slice: Some(top.clone()), ..grants };
    let late = ProcessCommand { timeout_ms: 300, ..command(&waits) };
    assert_eq!(run(&resource.context(Verb::Status), late).await, Err(CapabilityError::TimedOut));
    let looks = top.with_extension("looks");
    for _ in 0..1000 {
        if !looks.exists() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(!looks.exists(), "a group of a program that was given up is left");
    assert!(!top.exists());
}

fn service() -> Resource {
    Resource::new(&["spawn = {command:start}"]).keyword("start", &FAMILY)
}

#[tokio::test]
async fn a_spawned_program_is_found_again_by_its_control_group() {
    let slice = format!("hostler-test-capability-{}.slice", std::process::id());
    let Some(top) = kernel::cgroup::available(&slice) else {
        skipped("no control groups of version 2, or no right to make any");
        return;
    };
    let cgroup = control_group(&top, &"web".parse().unwrap(), &"app#1".parse().unwrap());
    let resource = Resource { slice: Some(top.clone()), ..service() };
    lives_across_calls(&resource).await;
    assert!(!cgroup.exists());
    assert!(!resource.log().iter().any(|line| line.contains("weaker")), "{:?}", resource.log());
    assert!(!top.exists(), "an empty slice was left");
}

#[tokio::test]
async fn a_spawned_program_is_found_again_by_its_environment_and_the_log_says_so() {
    let resource = service();
    lives_across_calls(&resource).await;
    let weaker = "Warn supervised by environment: weaker, as there are no control groups here";
    assert!(resource.log().contains(&weaker.to_owned()), "{:?}", resource.log());
}

#[tokio::test]
async fn two_agents_on_one_machine_do_not_take_each_others_processes() {
    let (one, other) = (service(), service());
    spawn(&one.context(Verb::Start), command(&FAMILY)).await.unwrap();
    assert_eq!(running(&other.context(Verb::Status)).await.unwrap(), []);
    assert_eq!(terminate(&other.context(Verb::Stop), "TERM", 0).await.unwrap(), 0);
    assert!(terminate(&one.context(Verb::Stop), "KILL", 0).await.unwrap() >= 1);
}

#[tokio::test]
async fn without_a_spawn_grant_there_are_no_processes_to_see() {
    let context = Resource::new(&["files.read = /etc"]).context(Verb::Stop);
    assert!(matches!(running(&context).await, Err(CapabilityError::Denied(_))));
    assert!(matches!(terminate(&context, "TERM", 0).await, Err(CapabilityError::Denied(_))));
    assert!(matches!(terminate(&service().context(Verb::Stop), "SEGV", 0).await, Err(CapabilityError::Invalid(_))));
}
