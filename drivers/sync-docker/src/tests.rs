//! Copies on a node in memory, whose docker and ssh answer what the test says.

use hostler_sdk::fake::{Case, Host, given};
use hostler_sdk::process::Output;

use super::*;

const SEEN: &str = "/var/lib/hostler/svc/web/driver/sync#1/seen";

fn docker(images: &[&str]) -> ImageSync {
    ImageSync {
        images: images.iter().map(ToString::to_string).collect(),
        target: vec!["nodes".to_owned()],
        socket: "/run/docker.sock".into(),
        container_data_dir: None,
        timeout: Duration::from_secs(60),
    }
}

fn case(host: &Host) -> Case<ImageSync> {
    let context = Context::fake("sync#1").with("nodes", "n1 n2 n3");
    given(docker(&["db:1", "web:2"])).with(context).on(host)
}

fn ended(status: i32, stdout: &str, stderr: &str) -> Output {
    Output { status, stdout: stdout.as_bytes().to_vec(), stderr: stderr.as_bytes().to_vec(), truncated: false }
}

/// A node that has both images, of which a target says `theirs`, and takes what it is sent.
fn host(theirs: impl Fn(&str) -> Output + 'static) -> Host {
    Host::new()
        .program_with("/usr/bin/docker", |run| match (&run.args[2][..], run.args.last().map(String::as_str)) {
            ("save", _) => ended(0, "stream", ""),
            (_, Some("db:1")) => ended(0, "sha256:db\n", ""),
            (_, Some("web:2")) => ended(0, "sha256:web\n", ""),
            (_, image) => ended(1, "\n", &format!("Error: No such image: {}\n", image.unwrap())),
        })
        .program_with("/usr/bin/ssh", move |run| {
            let (node, words) = (&run.args[run.args.len() - 2], run.args.last().unwrap());
            let input = String::from_utf8_lossy(run.stdin).into_owned();
            match words.contains("load -q") {
                true => {
                    assert_eq!(input, "/run/docker.sock\nstream");
                    ended(0, "Loaded image: x\n", "")
                }
                false => {
                    assert_eq!(input, "/run/docker.sock\ndb:1\nweb:2\n");
                    theirs(node)
                }
            }
        })
}

/// The images that were sent, a line a stream.
fn sent(host: &Host) -> Vec<String> {
    let calls = host.calls();
    let saves = calls.iter().filter_map(|call| call.split_once(" save -- "));
    saves.map(|(_, images)| images.to_owned()).collect()
}

#[test]
fn missing_images_are_sent_in_one_stream() {
    for (theirs, expected) in [
        ("\nnone\n\nnone\n", "db:1 web:2"),
        ("\nnone\nsha256:web\n", "db:1"),
        ("sha256:db\nsha256:old\n", "web:2"),
        ("sha256:web\nsha256:web\n", "db:1"),
    ] {
        let host = host(move |_| ended(0, theirs, ""));
        case(&host).sync("update", &["n2"]).reports(&[TargetReport::copied("n2", 6)]);
        assert_eq!(sent(&host), [expected], "{theirs:?}");
    }
}

#[test]
fn a_target_that_has_all_is_sent_nothing_unless_all_is_asked_for() {
    let host = host(|_| ended(0, "sha256:db\nsha256:web\n", ""));
    case(&host).sync("update", &["n2"]).reports(&[TargetReport::unchanged("n2")]);
    assert_eq!(sent(&host), [""; 0]);
    case(&host).sync("full", &["n2"]).reports(&[TargetReport::copied("n2", 6)]);
    assert_eq!(sent(&host), ["db:1 web:2"]);
}

#[test]
fn to_verify_is_to_look() {
    let host = host(|node| ended(0, if node == "n2" { "sha256:db\nsha256:web\n" } else { "none\nsha256:web\n" }, ""));
    case(&host)
        .sync("verify", &["n2", "n3"])
        .reports(&[TargetReport::unchanged("n2"), TargetReport::failed("n3", "it lacks db:1: send with sync update")]);
    assert_eq!(sent(&host), [""; 0]);
}

#[test]
fn a_node_that_does_not_answer_does_not_hold_up_the_others() {
    let down = "Cannot connect to the Docker daemon at unix:///run/docker.sock. Is the docker daemon running?\n";
    let host = host(move |node| match node {
        "n2" => ended(1, "", down),
        "n3" => ended(255, "", "ssh: connect to host n3 port 22: No route to host\n"),
        _ => ended(0, "none\nnone\n", ""),
    });
    case(&host).sync("update", &["n2", "n3", "n4"]).reports(&[
        TargetReport::failed("n2", "no container engine listens on /run/docker.sock there: start it, and sync again"),
        TargetReport::failed("n3", "cannot be reached: ssh: connect to host n3 port 22: No route to host"),
        TargetReport::copied("n4", 6),
    ]);
}

#[test]
fn status_reports_the_last_known_state() {
    let host = host(|node| ended(0, if node == "n2" { "none\nnone\n" } else { "none\nsha256:web\n" }, ""));
    case(&host)
        .status()
        .is(State::NotApplicable)
        .labelled("docker images db:1, web:2 to nodes")
        .is_silent()
        .sync("update", &["n2"])
        .sync("verify", &["n3"])
        .status()
        .mentions("n2 was last seen with all of them")
        .mentions("n3 was last seen without db:1: need update");
    assert_eq!(host.content(SEEN).as_deref(), Some("n2 db:1 web:2\nn3 web:2\n"));
}

#[test]
fn a_missing_image_is_not_sent() {
    let host = host(|_| ended(0, "none\nnone\n", ""));
    let context = || Context::fake("sync#1");
    given(docker(&["db:1", "gone:1"])).with(context()).on(&host).sync("update", &["n2"]).fails_with("pull it");
    let bare = Host::new().program_with("/usr/bin/docker", |_| {
        ended(1, "", "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?\n")
    });
    case(&bare).sync("update", &["n2"]).fails_with("no container engine listens on /run/docker.sock here");
    let own = ImageSync { container_data_dir: Some("/srv/docker".into()), ..docker(&["db:1"]) };
    given(own)
        .with(context())
        .on(&bare)
        .sync("update", &["n2"])
        .fails_with("the object's own engine does not run here");
    assert!(bare.calls().iter().any(|call| call.contains("-H unix:///run/hostler/svc/web/engine/docker.sock ")));
    assert_eq!(sent(&host), [""; 0]);
}

#[test]
fn names_that_mean_something_else_are_refused() {
    let check = |image: &str, expected: &str| {
        given(docker(&[image])).on(&Host::new()).validate().finds(&[("images", expected)]);
        given(docker(&[image])).on(&Host::new()).sync("update", &["n2"]).fails_with(expected);
    };
    check("--output=/etc/passwd", "\"--output=/etc/passwd\" is not an image: expected [registry/]name:tag");
    check("../x:1", "\"../x:1\" is not an image: expected [registry/]name:tag");
    check("db", "db has no tag, and would mean all of them: write db:latest");
    check("db@sha256:00", "db@sha256:00 is a digest: use a tag, which the target keeps");
    given(docker(&[])).on(&Host::new()).validate().finds(&[("images", "no image is given")]);
    case(&Host::new()).sync("resync", &["n2"]).fails(&Error::Unsupported);
}

#[test]
fn the_commands_of_the_grants_are_those_that_are_run() {
    for words in [words::LOOK, words::LOAD] {
        let quoted = format!("-- {{peer}} \"{words}\"");
        assert!(ImageSync::GRANTS.iter().any(|line| line.ends_with(&quoted)), "{words}");
        assert!(!words.replace("\\\"", "").contains(['"', '\'', '`']), "{words}");
    }
}
