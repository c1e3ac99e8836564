//! Two programs at once on the real kernel, one of which reads the output of the other.

use std::path::{Path, PathBuf};
use std::time::Duration;

use hostler_kernel::process::{
    CapabilityBounds, CheckedProgram, PipeListener, PipeOutput, ProgramLaunch, RunError, pipe,
};

const LONG: Duration = Duration::from_secs(30);

fn shell(script: &str) -> ProgramLaunch {
    ProgramLaunch {
        program: CheckedProgram::open(Path::new("/bin/sh"), None).unwrap(),
        args: vec!["-c".to_owned(), script.to_owned()],
        env: vec![("PATH".to_owned(), "/usr/bin:/bin".into())],
        cwd: PathBuf::from("/"),
        account: None,
        umask: 0o022,
        limits: Vec::new(),
        bounds: CapabilityBounds::NONE,
        cgroup: None,
        files: None,
    }
}

async fn piped(source: &str, sink: &str, before: &str, timeout: Duration) -> Result<PipeOutput, RunError> {
    let (mut lines, mut total) = (Vec::new(), 0);
    let listener =
        PipeListener { on_line: &mut |line: &str| lines.push(line.to_owned()), on_bytes: &mut |bytes| total = bytes };
    let piped = pipe(shell(source), shell(sink), before.as_bytes(), timeout, listener).await?;
    assert_eq!(total, piped.bytes, "the last count is the total");
    Ok(piped)
}

#[tokio::test]
async fn all_that_the_one_writes_is_read_by_the_other_after_its_own_input() {
    let piped =
        piped("head -c 3000000 /dev/zero; echo end >&2", "read first; echo $first; wc -c", "hello\n", LONG).await;
    let piped = piped.unwrap();
    assert_eq!((piped.source.status, piped.sink.status, piped.bytes), (0, 0, 3_000_000));
    assert_eq!(String::from_utf8(piped.sink.stdout).unwrap(), "hello\n3000000\n");
    assert_eq!((piped.source.stdout, piped.source.stderr), (Vec::new(), b"end\n".to_vec()));
}

#[tokio::test]
async fn a_reader_that_stops_early_stops_the_writer() {
    let piped = piped("cat /dev/zero", "head -c 10; exit 3", "", LONG).await.unwrap();
    assert_eq!((piped.source.status, piped.sink.status), (128 + 13, 3), "SIGPIPE");
}

#[tokio::test]
async fn a_writer_that_fails_is_distinguished_from_a_reader_that_fails() {
    let piped = piped("echo half; exit 4", "cat >&2", "", LONG).await.unwrap();
    assert_eq!((piped.source.status, piped.sink.status, piped.sink.stderr), (4, 0, b"half\n".to_vec()));
}

#[tokio::test]
async fn both_are_killed_when_the_future_is_dropped() {
    let directory = tempfile::tempdir().unwrap();
    let place = |name: &str| directory.path().join(name);
    let marked = |name: &str| format!("echo $$ >{}; exec sleep 600", place(name).display());
    let pid = |name: &str| std::fs::read_to_string(place(name)).ok().filter(|text| text.ends_with('\n'));
    let (source, sink) = (marked("a"), marked("b"));
    let both_run = async {
        while pid("a").is_none() || pid("b").is_none() {
            tokio::task::yield_now().await;
        }
    };
    tokio::select! {
        ended = piped(&source, &sink, "", LONG) => panic!("{ended:?}"),
        () = both_run => {}
    }
    for name in ["a", "b"] {
        let stat = format!("/proc/{}/stat", pid(name).unwrap().trim());
        // A killed process may need a moment to go.
        while std::fs::read_to_string(&stat).is_ok_and(|text| !text.contains(") Z")) {
            tokio::task::yield_now().await;
        }
    }
}
