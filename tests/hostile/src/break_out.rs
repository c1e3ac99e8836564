//! Attacks that try to reach the host without the capabilities, through the standard library.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, ToSocketAddrs, UdpSocket};

use hostler_sdk::prelude::*;

/// The text says what was found. It is empty if the sandbox held.
pub(crate) fn attempt(verb: &str, rest: &[&str], context: &Context) -> Option<Result<String>> {
    let found = match (verb, rest) {
        ("std-env", []) => Ok(environment()),
        ("std-read", [path]) => std::fs::read_to_string(path),
        ("std-list", [path]) => std::fs::read_dir(path).map(|entries| entries.count().to_string()),
        ("std-write", [path]) => std::fs::write(path, &context.object).map(|()| "written".to_owned()),
        ("std-input", []) => {
            let mut text = String::new();
            std::io::stdin().read_to_string(&mut text).map(|_| text)
        }
        ("std-connect", [address]) => {
            TcpStream::connect(address).and_then(|mut stream| stream.write_all(b"x")).map(|()| "connected".to_owned())
        }
        ("std-listen", [address]) => TcpListener::bind(address).map(|_| "listening".to_owned()),
        ("std-datagram", [address]) => {
            UdpSocket::bind("0.0.0.0:0").and_then(|socket| socket.send_to(b"x", address)).map(|_| "sent".to_owned())
        }
        ("std-resolve", [name]) => {
            (*name, 80).to_socket_addrs().map(|found| format!("{:?}", found.collect::<Vec<_>>()))
        }
        ("std-exec", [program]) => std::process::Command::new(program).output().map(|_| "ran".to_owned()),
        _ => return None,
    };
    Some(found.map_err(|error| Error::failed(format!("refused: {error}"))))
}

fn environment() -> String {
    let variables = std::env::vars().map(|(name, value)| format!("{name}={value}"));
    variables.chain(std::env::args()).collect::<Vec<_>>().join(" ")
}
