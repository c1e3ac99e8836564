//! TLS between the client and the API: who trusts whom, what is refused and with which words, and what changes without a restart.

mod fake;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::time::Duration;

use api::ListenerSettings;
use certificate::{CertificateAuthority, CertificatePlace, LeafSubject, UserKey};
use client::{ClientError, DaemonClient, RemoteAccess};
use fake::FakeDaemon;
use protocol::FailureKind;
use protocol::daemon::{AccessQuery, CertificateRequest, EventKind, TokenRequest};
use serde_json::Value;

/// A daemon that answers by TLS on loopback.
struct TlsDaemon {
    daemon: FakeDaemon,
    port: u16,
}

impl TlsDaemon {
    async fn start(limits: (u32, u32)) -> TlsDaemon {
        // A port that was free a moment ago.
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let addresses = vec![Ipv4Addr::LOCALHOST.into()];
        let (rate, burst) = limits;
        let settings = ListenerSettings { addresses, port, rate, burst, ..ListenerSettings::default() };
        let started = TlsDaemon { daemon: FakeDaemon::start_on(settings), port };
        started.until("it listens", async |daemon| listener(daemon).await.1 == format!("127.0.0.1:{port}")).await;
        started
    }

    /// Waits until something is so, for ten seconds at most.
    async fn until(&self, what: &str, so: impl AsyncFn(&FakeDaemon) -> bool) {
        for _ in 0..1000 {
            if so(&self.daemon).await {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not in time: {what}");
    }

    fn authority(&self) -> String {
        std::fs::read_to_string(self.daemon.run.join("var/certificate/api/ca.pem")).unwrap()
    }

    fn access(&self) -> RemoteAccess {
        let url = format!("https://localhost:{}", self.port);
        RemoteAccess { url, authority: self.authority(), ..RemoteAccess::default() }
    }

    fn client(&self, access: &RemoteAccess) -> DaemonClient {
        DaemonClient::remote(access).unwrap().within(Duration::from_secs(10))
    }

    async fn token(&self, user: &str, duration: u64) -> RemoteAccess {
        let wanted = TokenRequest { user: Some(user.to_owned()), duration: Some(duration), ..TokenRequest::default() };
        let token = self.daemon.client.make_token(&wanted).await.unwrap().token;
        RemoteAccess { token: Some(token), ..self.access() }
    }

    async fn certificate(&self, user: &str) -> (RemoteAccess, String) {
        let key = UserKey::new().unwrap();
        let request = CertificateRequest { user: user.to_owned(), public_key: key.public };
        let signed = self.daemon.client.sign_certificate(&request).await.unwrap();
        let identity = Some((signed.certificate, key.private));
        (RemoteAccess { identity, ..self.access() }, signed.serial)
    }
}

async fn listener(daemon: &FakeDaemon) -> (String, String) {
    let status = daemon.client.status().await.unwrap();
    let thread = status.daemon.threads.into_iter().find(|thread| thread.id == "listener").unwrap();
    (thread.state, thread.detail)
}

#[tokio::test]
async fn a_user_is_known_by_a_certificate_or_a_token_and_by_nothing_else() {
    let tls = TlsDaemon::start((0, 1)).await;
    tls.daemon.node.add_user("alice", "guest:ns1");
    let (by_certificate, serial) = tls.certificate("alice").await;
    let caller = tls.client(&by_certificate).whoami().await.unwrap();
    assert_eq!((caller.user.as_str(), caller.auth.as_str(), caller.credential), ("alice", "certificate", Some(serial)));
    assert_eq!(caller.address.as_deref(), Some("127.0.0.1"));
    let by_token = tls.token("alice", 60).await;
    let caller = tls.client(&by_token).whoami().await.unwrap();
    assert_eq!((caller.user.as_str(), caller.auth.as_str()), ("alice", "token"));
    // The certificate's user is another than the token's: the token is what is said.
    tls.daemon.node.add_user("bob", "guest:ns2");
    let both = RemoteAccess { token: tls.token("bob", 60).await.token, ..by_certificate };
    assert_eq!(tls.client(&both).whoami().await.unwrap().user, "bob");
    let nobody = tls.client(&tls.access()).version().await.unwrap_err();
    assert!(matches!(nobody, ClientError::Unknown(_)) && nobody.kind() == FailureKind::Denied, "{nobody}");
    assert!(nobody.to_string().starts_with("nothing says who you are"), "{nobody}");
    // What is forbidden names the role that it needs.
    let forbidden = tls.client(&both).freeze_node(true).await.unwrap_err();
    assert!(forbidden.to_string().contains("user bob may not do this: it needs the role root"), "{forbidden}");
}

#[tokio::test]
async fn a_revoked_certificate_a_deleted_user_and_an_expired_token_are_refused_with_the_reason() {
    let tls = TlsDaemon::start((0, 1)).await;
    tls.daemon.node.add_user("alice", "guest:ns1");
    let (first, serial) = tls.certificate("alice").await;
    let (second, _) = tls.certificate("alice").await;
    tls.daemon.client.revoke_certificate(&serial).await.unwrap();
    let revoked = tls.client(&first).whoami().await.unwrap_err().to_string();
    assert_eq!(revoked, format!("the certificate {serial} of user alice was revoked"));
    tls.client(&second).whoami().await.unwrap();
    let token = tls.token("alice", 1).await;
    tls.until("the token expires", async |_| tls.client(&token).whoami().await.is_err()).await;
    let expired = tls.client(&token).whoami().await.unwrap_err().to_string();
    assert!(expired.contains("the token expired") && expired.contains("om daemon auth makes a new one"), "{expired}");
    tls.daemon.node.users.lock().unwrap().clear();
    let gone = tls.client(&second).whoami().await.unwrap_err().to_string();
    assert!(gone.starts_with("user alice does not exist: om usr/alice create"), "{gone}");
    let unsigned = CertificateRequest { user: "alice".to_owned(), public_key: UserKey::new().unwrap().public };
    assert_eq!(tls.daemon.client.sign_certificate(&unsigned).await.unwrap_err().kind(), FailureKind::NoMatch);
}

/// Neither side takes a certificate of another authority for the other's, and each says what to do.
#[tokio::test]
async fn another_authority_is_trusted_by_neither_side() {
    let tls = TlsDaemon::start((0, 1)).await;
    tls.daemon.node.add_user("alice", "guest:ns1");
    let place = tempfile::tempdir().unwrap();
    let now = std::time::SystemTime::now();
    let other = CertificateAuthority::open(&CertificatePlace::new(place.path()), "other", now).unwrap();
    let wrong = RemoteAccess { authority: other.certificate().to_owned(), ..tls.token("alice", 60).await };
    let error = tls.client(&wrong).whoami().await.unwrap_err();
    assert!(matches!(error, ClientError::Untrusted { .. }), "{error:?}");
    assert!(error.to_string().contains("of another authority than this context's ca"), "{error}");
    let alice = LeafSubject::User("alice".to_owned());
    let forged = other.issue(&alice, now, Duration::from_secs(3600)).unwrap();
    let forged = RemoteAccess { identity: Some((forged.certificate, forged.key)), ..tls.access() };
    let error = tls.client(&forged).whoami().await.unwrap_err();
    assert!(matches!(error, ClientError::Certificate { .. }), "{error:?}");
    let denied = AccessQuery { denied: true, ..AccessQuery::default() };
    tls.until("the refusal is recorded", async |daemon| {
        let told = daemon.client.audit(&denied).await.unwrap();
        told.iter().any(|one| one.text("asked") == "handshake" && one.text("reason").contains("certificate is refused"))
    })
    .await;
    let elsewhere = RemoteAccess { url: format!("https://127.0.0.2:{}", tls.port), ..tls.access() };
    tls.daemon.node.listener.lock().unwrap().addresses.push(Ipv4Addr::new(127, 0, 0, 2).into());
    let error = tls.client(&elsewhere).whoami().await.unwrap_err();
    assert!(matches!(error, ClientError::Unreachable(..)), "{error:?}");
}

#[tokio::test]
async fn plain_http_is_told_to_speak_tls_and_a_silent_client_holds_nobody_up() {
    let tls = TlsDaemon::start((0, 1)).await;
    let port = tls.port;
    let silent = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
    let plain = tokio::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.write_all(b"GET /status HTTP/1.1\r\nHost: n1\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = plain.await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400 ") && answer.ends_with("this port speaks TLS only: ask it by https://\n"));
    tls.daemon.node.add_user("alice", "guest:ns1");
    tls.client(&tls.token("alice", 60).await).status().await.unwrap();
    drop(silent);
}

/// A new address, a new certificate, and no listener any more: each holds at once, and who is connected stays so.
#[tokio::test]
async fn the_listener_follows_its_settings_without_a_restart() {
    let tls = TlsDaemon::start((0, 1)).await;
    tls.daemon.node.add_user("alice", "guest:ns1");
    let access = tls.token("alice", 60).await;
    let mut open = tls.client(&access).events(&client::EventWish::default()).await.unwrap();
    let serial = async |daemon: &FakeDaemon| {
        let all = daemon.client.certificates().await.unwrap();
        all.into_iter().find(|leaf| leaf.in_use).unwrap().serial
    };
    let reload = || tls.daemon.handle.events().add(0.0, EventKind::NodeConfig, None, Value::Null);
    let first = serial(&tls.daemon).await;
    tls.daemon.client.renew_certificate().await.unwrap();
    let renewed = serial(&tls.daemon).await;
    assert_ne!(renewed, first);
    tls.client(&access).status().await.unwrap();

    let second = Ipv4Addr::new(127, 0, 0, 2);
    tls.daemon.node.listener.lock().unwrap().addresses.push(second.into());
    reload();
    let both = format!("127.0.0.1:{port} 127.0.0.2:{port}", port = tls.port);
    tls.until("it listens on both", async |daemon| listener(daemon).await.1 == both).await;
    assert_ne!(serial(&tls.daemon).await, renewed, "the certificate names the new address");
    let elsewhere = RemoteAccess { url: format!("https://{second}:{}", tls.port), ..access.clone() };
    tls.client(&elsewhere).status().await.unwrap();

    tls.daemon.node.listener.lock().unwrap().addresses.clear();
    reload();
    tls.until("it listens no more", async |_| tls.client(&access).version().await.is_err()).await;
    assert_eq!(open.next().await.unwrap().unwrap().kind, EventKind::NodeConfig);
    let off = tls.daemon.client.renew_certificate().await.unwrap_err().to_string();
    assert!(off.contains("the listener is off"), "{off}");
    // An address that the node does not have is said, and tried again.
    *tls.daemon.node.listener.lock().unwrap() = ListenerSettings {
        addresses: vec!["192.0.2.77".parse().unwrap()],
        port: tls.port,
        ..ListenerSettings::default()
    };
    reload();
    tls.until("it fails", async |daemon| listener(daemon).await.0 == "failed").await;
    assert!(listener(&tls.daemon).await.1.contains("cannot listen on 192.0.2.77"), "{:?}", listener(&tls.daemon).await);
}

/// A client that asks too fast is slowed down by the client itself; one that guesses tokens is cut off; root's socket stays free.
#[tokio::test]
async fn guessing_is_slow_and_a_client_that_is_told_to_wait_waits() {
    let tls = TlsDaemon::start((2, 10)).await;
    let guess = RemoteAccess { token: Some("guess".to_owned()), ..tls.access() };
    let mut answered = 0;
    for _ in 0..40 {
        let error = tls.client(&guess).within(Duration::from_millis(900)).status().await.unwrap_err();
        answered += u32::from(matches!(error, ClientError::Unknown(_)));
    }
    assert!(answered < 20, "{answered} of 40 guesses were looked at");
    tls.daemon.client.status().await.unwrap();
    let calm = TlsDaemon::start((20, 2)).await;
    calm.daemon.node.add_user("alice", "guest:ns1");
    let client = calm.client(&calm.token("alice", 60).await);
    for _ in 0..4 {
        client.status().await.unwrap();
    }
}

#[test]
fn an_address_that_cannot_be_asked_is_explained() {
    let check = |url: &str, expected: &str| {
        let access = RemoteAccess { url: url.to_owned(), ..RemoteAccess::default() };
        let error = DaemonClient::remote(&access).unwrap_err().to_string();
        assert!(error.contains(expected), "{url}: {error}");
    };
    check("n1:1215", "expected https://HOST[:PORT]");
    check("http://n1", "expected https://HOST[:PORT]");
    check("https://n1/status", "expected https://HOST[:PORT]");
    check("https://n1", "the certificate of its authority is missing");
}
