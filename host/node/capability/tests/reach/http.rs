//! `wit/http.wit`, against servers with a fixed response.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Receiver, channel};

use driver::Verb;
use hostler_capability::CapabilityError;
use hostler_capability::http::{HttpEndpoint, HttpRequest, send};

use crate::harness::{Resource, changes};

/// Answers every connection with the same bytes, and hands on the requests.
fn serve<S: Read + Write + Send + 'static>(
    mut accept: impl FnMut() -> Option<S> + Send + 'static,
    answer: Vec<u8>,
) -> Receiver<String> {
    let (requests, received) = channel();
    std::thread::spawn(move || {
        while let Some(mut stream) = accept() {
            let mut request = Vec::new();
            let mut byte = [0];
            while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|count| count > 0) {
                request.extend(byte);
            }
            // A client that closes early fails its own assertion.
            let _ = stream.write_all(&answer);
            if requests.send(String::from_utf8_lossy(&request).into_owned()).is_err() {
                return;
            }
        }
    });
    received
}

fn server(answer: &[u8]) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    (address, serve(move || listener.accept().ok().map(|(stream, _)| stream), answer.to_vec()))
}

fn request(method: &str, endpoint: HttpEndpoint) -> HttpRequest {
    let headers = vec![("X-Trace".to_owned(), "7".to_owned())];
    HttpRequest { method: method.to_owned(), endpoint, headers, body: Vec::new(), timeout_ms: 0 }
}

fn to(address: &str, path: &str) -> HttpEndpoint {
    HttpEndpoint::Url(format!("{address}{path}"))
}

fn granted(address: &str) -> Resource {
    Resource::new(&[&format!("http = GET,POST {address}/v1/**")])
}

#[tokio::test]
async fn every_answer_of_the_server_is_passed_on_redirects_included() {
    let (address, requests) =
        server(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 5\r\n\r\nthere");
    let context = granted(&address).context(Verb::Start);
    let response = send(&context, request("GET", to(&address, "/v1/a?b=c"))).await.unwrap();
    assert_eq!((response.status, response.body.as_slice()), (302, &b"there"[..]));
    assert!(response.headers.contains(&("location".to_owned(), "http://127.0.0.1:1/".to_owned())));
    let seen = requests.recv().unwrap();
    assert!(seen.starts_with("GET /v1/a?b=c HTTP/1.1\r\n"), "{seen}");
    assert!(seen.contains(&format!("host: {}\r\n", address.trim_start_matches("http://"))), "{seen}");
    assert!(seen.contains("x-trace: 7\r\n"), "{seen}");
    assert_eq!(changes(&context), 0);
}

#[tokio::test]
async fn other_paths_methods_and_hosts_are_denied() {
    let (address, _requests) = server(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    let context = granted(&address).context(Verb::Start);
    for (method, endpoint) in [
        ("GET", to(&address, "/v2/a")),
        ("GET", to(&address, "/v1/../v2")),
        ("DELETE", to(&address, "/v1/a")),
        ("GET", to("http://127.0.0.1:1", "/v1/a")),
        ("GET", HttpEndpoint::Unix("/run/docker.sock".to_owned(), "/v1/a".to_owned())),
    ] {
        let result = send(&context, request(method, endpoint.clone())).await;
        assert!(matches!(result, Err(CapabilityError::Denied(_))), "{method} {endpoint:?}: {result:?}");
    }
}

#[tokio::test]
async fn posting_is_a_change_even_if_the_answer_is_lost() {
    let (address, _requests) = server(b"HTTP/1.1 200");
    let resource = granted(&address);
    let post = || request("POST", to(&address, "/v1/a"));
    assert!(matches!(send(&resource.context(Verb::Status), post()).await, Err(CapabilityError::Denied(_))));
    let context = resource.context(Verb::Start);
    let lost = send(&context, post()).await;
    assert!(matches!(lost, Err(CapabilityError::Other(_))), "{lost:?}");
    assert_eq!(changes(&context), 1);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let mut endless = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    endless.resize(17 << 20, b'x');
    let (address, _requests) = server(&endless);
    let context = granted(&address).context(Verb::Status);
    let result = send(&context, request("GET", to(&address, "/v1/a"))).await;
    assert_eq!(result.unwrap_err(), CapabilityError::Invalid("the answer is longer than 16777216 bytes".to_owned()));
}

#[tokio::test]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let context = granted(&address).context(Verb::Status);
    let hasty = HttpRequest { timeout_ms: 50, ..request("GET", to(&address, "/v1/a")) };
    assert_eq!(send(&context, hasty).await, Err(CapabilityError::TimedOut));
}

#[tokio::test]
async fn a_unix_socket_is_reached_but_not_through_a_link_of_others() {
    let resource = Resource::new(&[]);
    let (socket, link) = (resource.path("socket"), resource.path("open/link"));
    let listener = UnixListener::bind(&socket).unwrap();
    let requests = serve(
        move || listener.accept().ok().map(|(stream, _)| stream),
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec(),
    );
    let open = resource.path("open");
    std::fs::create_dir(&open).unwrap();
    std::fs::set_permissions(&open, std::os::unix::fs::PermissionsExt::from_mode(0o777)).unwrap();
    std::os::unix::fs::symlink(&socket, &link).unwrap();
    let grants = [&socket, &link].map(|path| format!("http.unix = GET {path} /v1/**"));
    let resource = Resource { grants: grants.into(), ..resource };
    let context = resource.context(Verb::Status);
    let get = |path: &str| request("GET", HttpEndpoint::Unix(path.to_owned(), "/v1/ping".to_owned()));
    assert_eq!(send(&context, get(&socket)).await.unwrap().body, b"ok");
    assert!(requests.recv().unwrap().starts_with("GET /v1/ping HTTP/1.1\r\nhost: localhost\r\n"));
    let refused = send(&context, get(&link)).await;
    assert!(matches!(refused, Err(CapabilityError::Invalid(_))), "{refused:?}");
}
