//! A driver reaches its own things, and no others.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::sync::Arc;

use capability::AuditVerdict;
use driver::{ActionError, Verb};

use crate::guest::{Hostile, silent};
use crate::support::bounds;

/// Asserts that the driver is refused, and that the refusal names the missing line.
async fn check_denied(hostile: &Hostile, words: &[&str], line: &str) {
    let error = hostile.start(words).await.unwrap_err();
    assert!(matches!(error, ActionError::NeedsGrant { .. }), "{words:?}: {error}");
    let found = error.to_string();
    assert_eq!(found.lines().next(), Some(format!("denied: needs the grant {line}").as_str()), "{words:?}");
}

/// Attempts to reach things that are not the resource's own, with the grant that each would need.
const BEYOND: [(&[&str], &str); 38] = [
    (&["read", "/etc/shadow"], "files.read = /etc/shadow"),
    (&["stat", "/root"], "files.read = /root"),
    (&["list", "/"], "files.read = /"),
    (&["write", "/etc/cron.d/x", "x"], "files.write = /etc/cron.d/x"),
    (&["remove", "/etc/passwd"], "files.write = /etc/passwd"),
    (&["remove-tree", "/srv"], "files.write = /srv/**"),
    (&["set-mode", "/etc/shadow"], "files.write = /etc/shadow"),
    (&["mount", "tmpfs", "tmpfs", "/etc"], "mount = tmpfs tmpfs on /etc"),
    (&["mount", "ramfs", "tmpfs", "OWN"], "mount = ramfs tmpfs on OWN"),
    (&["mount", "bind", "/etc", "OWN"], "mount = bind /etc on OWN"),
    (&["unmount", "/proc"], "mount = * * on /proc"),
    (&["probe", "/dev/sda"], "block.read = /dev/sda"),
    (&["attach-loop", "/etc/passwd"], "block.loop = /etc/passwd"),
    (&["add-address", "lo", "10.0.0.10/24"], "net.addr = 10.0.0.10/24 on lo"),
    (&["add-address", "eth0", "10.0.0.9/24"], "net.addr = 10.0.0.9/24 on eth0"),
    (&["set-up", "eth0"], "net.link = eth0"),
    (&["add-route", "10.7.0.0/16"], "net.route = 10.7.0.0/16 dev lo"),
    (&["look-into", "container#2"], "netns = container#2"),
    (&["look-into", "/proc/1/ns/net"], "netns = /proc/1/ns/net"),
    (&["look-into", "blue"], "netns = /run/netns/blue"),
    (&["look-at-volume", "other"], "volume = other"),
    (&["start-volume", "other"], "volume = other"),
    (&["make-volume", "other"], "volume = other"),
    (&["plug", "container#1", "bridge", "br1"], "netns.link = bridge br1 in container#1"),
    (&["plug", "container#1", "dedicated", "br0"], "netns.link = dedicated br0 in container#1"),
    (&["plug", "container#2", "bridge", "br0"], "netns.link = bridge br0 in container#2"),
    (&["unplug", "container#2", "bridge", "br0"], "netns.link = bridge br0 in container#2"),
    (&["unplug", "container#1", "dedicated", "eth0"], "netns.link = dedicated eth0 in container#1"),
    (&["add-inside", "container#1", "10.0.0.10/24"], "netns.addr = 10.0.0.10/24 in container#1"),
    (&["announce-inside", "/proc/1/ns/net", "10.0.0.9"], "netns.addr = 10.0.0.9 in /proc/1/ns/net"),
    (&["route-inside", "container#1", "10.7.0.0/16"], "netns.route = 10.7.0.0/16 dev lo in container#1"),
    (&["run", "/bin/cat", "hello"], "exec = /bin/cat hello"),
    (&["run", "/bin/echo", "other"], "exec = /bin/echo other"),
    (&["run", "/bin/echo", "hello", "more"], "exec = /bin/echo hello more"),
    (&["spawn", "/bin/echo", "hello"], "spawn = /bin/echo hello"),
    (&["get", "http://127.0.0.1/"], "http = GET http://127.0.0.1/"),
    (&["ask", "POST", "SOCKET", "/info"], "http.unix = POST SOCKET /info"),
    (&["ask", "GET", "/run/docker.sock", "/info"], "http.unix = GET /run/docker.sock /info"),
];

#[tokio::test]
async fn foreign_things_are_denied_and_the_missing_line_is_reported() {
    let hostile = Hostile::trusted();
    let (own, socket) = (hostile.bench.path("own"), hostile.bench.path("socket"));
    let own_things = |text: &str| text.replace("OWN", &own).replace("SOCKET", &socket);
    for (words, line) in BEYOND {
        let words: Vec<String> = words.iter().map(|word| own_things(word)).collect();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        check_denied(&hostile, &words, &own_things(line)).await;
    }
    let records = hostile.bench.audit.records();
    assert_eq!(records.len(), BEYOND.len());
    assert!(records.iter().all(|record| matches!(record.verdict, AuditVerdict::Denied(_))), "{records:?}");
}

#[tokio::test]
async fn another_spelling_of_a_path_does_not_get_around_the_grant() {
    let hostile = Hostile::trusted();
    let own = hostile.bench.path("own");
    for path in [format!("{own}/../secret"), format!("{own}/./x"), format!("{own}//x"), "own/x".to_owned()] {
        let error = hostile.start(&["write", &path, "x"]).await.unwrap_err();
        assert!(matches!(error, ActionError::Failed(_)), "{path}: {error}");
    }
    assert_eq!(fs::read_dir(own).unwrap().count(), 0);
}

#[tokio::test]
async fn a_link_that_was_planted_leads_nowhere() {
    let hostile = Hostile::trusted();
    let (own, secret) = (hostile.bench.path("own"), hostile.bench.path("secret"));
    fs::create_dir(&secret).unwrap();
    fs::write(format!("{secret}/key"), "secret").unwrap();
    // Links where only root can write are root's own, and are followed.
    fs::set_permissions(&own, fs::Permissions::from_mode(0o777)).unwrap();
    symlink(&secret, format!("{own}/directory")).unwrap();
    symlink(format!("{secret}/key"), format!("{own}/file")).unwrap();
    for path in ["directory/key", "file"].map(|name| format!("{own}/{name}")) {
        let read = hostile.start(&["read", &path]).await;
        assert!(!format!("{read:?}").contains("\"secret\""), "{read:?}");
        assert!(read.is_err(), "{path}");
        let _ = hostile.start(&["write", &path, "overwritten"]).await;
        let _ = hostile.start(&["set-mode", &path]).await;
    }
    let _ = hostile.start(&["remove-tree", &format!("{own}/directory")]).await;
    assert_eq!(fs::read_to_string(format!("{secret}/key")).unwrap(), "secret");
}

#[tokio::test]
async fn the_standard_library_finds_an_empty_world() {
    let hostile = Hostile::trusted();
    assert_eq!(hostile.start(&["std-env"]).await.unwrap(), "");
    assert_eq!(hostile.start(&["std-input"]).await.unwrap(), "");
    let own = hostile.bench.path("own/file");
    let (server, peer) = listener();
    for words in [
        ["std-read", "/etc/passwd"],
        ["std-read", "/proc/self/environ"],
        ["std-list", "/"],
        ["std-list", "."],
        ["std-write", &own],
        ["std-connect", &peer],
        ["std-listen", "127.0.0.1:0"],
        ["std-datagram", &peer],
        ["std-resolve", "localhost"],
        ["std-exec", "/bin/true"],
    ] {
        let error = hostile.start(&words).await.unwrap_err();
        assert!(error.to_string().starts_with("refused: "), "{words:?}: {error}");
    }
    assert!(server.accept().is_err(), "a client connected");
}

/// A server that never blocks.
fn listener() -> (std::net::TcpListener, String) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap().to_string();
    (listener, address)
}

#[tokio::test]
async fn status_and_validate_change_nothing() {
    let hostile = Hostile::trusted();
    let file = hostile.bench.path("own/file");
    for words in [&["write", &file, "x"][..], &["run", "/bin/echo", "hello"], &["remember", "x"]] {
        let call = hostile.attempt(words);
        let error = hostile.driver.validate(&call, &bounds(), silent()).await.unwrap_err();
        assert!(matches!(error, ActionError::NeedsGrant { .. }), "{words:?}: {error}");
        let status = hostile.driver.status(&call, &bounds(), silent()).await;
        assert!(status.messages[0].text.starts_with("denied: "), "{words:?}: {:?}", status.messages);
        hostile.driver.act(Verb::Start, &call, &bounds(), silent()).await.result.unwrap();
        let _ = fs::remove_file(&file);
    }
}

#[tokio::test]
async fn an_installed_driver_may_do_what_the_site_says_and_no_more() {
    let words = ["run", "/bin/echo", "hello"];
    let line = "exec = /bin/echo hello";
    check_denied(&Hostile::installed(""), &words, line).await;
    check_denied(&Hostile::installed("allow exec = /bin/echo *"), &words, line).await;
    check_denied(&Hostile::installed("digest DIGEST\nallow exec = /bin/cat *"), &words, line).await;
    check_denied(
        &Hostile::installed("digest DIGEST\nallow exec = /bin/echo *\ndeny exec = /bin/echo hello"),
        &words,
        line,
    )
    .await;
    let allowed = Hostile::installed("digest DIGEST\nallow exec = /bin/echo *\nallow exec = /bin/cat *");
    assert_eq!(allowed.start(&words).await.unwrap().trim(), "hello");
    // The site allows it, but the driver never asked for it.
    check_denied(&allowed, &["run", "/bin/cat", "hello"], "exec = /bin/cat hello").await;
}

#[tokio::test]
async fn a_keyword_that_would_be_an_option_is_not_an_argument() {
    let hostile = Hostile::trusted();
    let mut call = hostile.attempt(&["run", "/bin/echo", "-e"]);
    for keyword in Arc::make_mut(&mut call.keywords).iter_mut().filter(|keyword| keyword.name == "word") {
        keyword.values = vec!["-e".to_owned()];
    }
    let error = hostile.driver.act(Verb::Start, &call, &bounds(), silent()).await.result.unwrap_err();
    assert!(matches!(error, ActionError::InvalidConfig(_)), "{error}");
    assert!(hostile.bench.audit.records().is_empty());
}
