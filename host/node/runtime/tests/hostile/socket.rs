//! A socket to which the driver may send one request: nothing else arrives there.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixListener;
use std::sync::mpsc::{Receiver, channel};

use driver::ActionError;

use crate::guest::Hostile;

/// Answers every request, and reports its first line.
fn serve(path: &str) -> Receiver<String> {
    let listener = UnixListener::bind(path).unwrap();
    let (sender, first_lines) = channel();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut first = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            lines.read_line(&mut first).unwrap();
            if sender.send(first.trim_end().to_owned()).is_err() {
                return;
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok").unwrap();
        }
    });
    first_lines
}

#[tokio::test]
async fn a_granted_socket_hears_what_is_granted_and_nothing_else() {
    let hostile = Hostile::trusted();
    let socket = hostile.bench.path("socket");
    let heard = serve(&socket);
    assert_eq!(hostile.start(&["ask", "GET", &socket, "/info"]).await.unwrap(), "ok");
    assert_eq!(heard.try_iter().collect::<Vec<_>>(), ["GET /info HTTP/1.1"]);

    for (method, path) in
        [("GET", "/other"), ("GET", "/info/more"), ("GET", "/"), ("POST", "/info"), ("DELETE", "/info")]
    {
        let error = hostile.start(&["ask", method, &socket, path]).await.unwrap_err();
        let line = format!("denied: needs the grant http.unix = {method} {socket} {path}");
        assert_eq!(error.to_string().lines().next(), Some(&*line));
    }
    // A path that a server could read differently from the grant is refused.
    for path in ["/info/../other", "/%2e%2e/other", "/info\r\nX: y", "info"] {
        let error = hostile.start(&["ask", "GET", &socket, path]).await.unwrap_err();
        assert!(matches!(&error, ActionError::Failed(text) if text.contains("plain form")), "{path:?}: {error}");
    }
    assert_eq!(heard.try_iter().count(), 0);
}
