//! The version of the API of a container engine in which the host asks for something itself. Drivers negotiate their own.

use std::path::Path;

use hyper::Method;
use tokio::time::Instant;

use super::guarded::ask;
use crate::CapabilityError;

/// A version of the API: `1.41`.
type ApiVersion = (u32, u32);

/// What is spoken with an engine that does not say which version it has.
const OLDEST: ApiVersion = (1, 41);

/// The newest version whose answers the host can read.
const NEWEST: ApiVersion = (1, 47);

/// The path of a request, with the version in front that the engine and the host have both: an engine refuses versions that are older
/// than it likes, and those that it does not have yet.
pub async fn engine_path(socket: &Path, path: &str, deadline: Instant) -> Result<String, CapabilityError> {
    // This path needs no version, and its answer says the newest one of the engine.
    let answer = ask(socket, Method::GET, "/_ping", deadline).await?;
    let spoken = answer.headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("api-version"));
    let (major, minor) = common(spoken.map(|(_, version)| version.as_str()));
    Ok(format!("/v{major}.{minor}{path}"))
}

fn common(spoken: Option<&str>) -> ApiVersion {
    let parsed = spoken.and_then(|spoken| {
        let (major, minor) = spoken.trim().split_once('.')?;
        Some((major.parse().ok()?, minor.parse().ok()?))
    });
    parsed.unwrap_or(OLDEST).min(NEWEST)
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    #[test]
    fn the_version_is_one_that_both_have() {
        for (spoken, expected) in [
            (Some("1.41"), (1, 41)),
            (Some("1.44"), (1, 44)),
            // Docker 29, which refuses all below 1.44.
            (Some("1.52"), (1, 47)),
            (Some("1.40"), (1, 40)),
            (Some("2.0"), (1, 47)),
            (Some("soon"), (1, 41)),
            (None, (1, 41)),
        ] {
            assert_eq!(common(spoken), expected, "{spoken:?}");
        }
    }

    #[tokio::test]
    async fn the_engine_is_asked_for_its_version_first() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("engine.sock");
        let engine = tokio::net::UnixListener::bind(&socket).unwrap();
        let served = tokio::spawn(async move {
            let (mut stream, _) = engine.accept().await.unwrap();
            let mut asked = [0; 1024];
            let length = stream.read(&mut asked).await.unwrap();
            let answer = "HTTP/1.1 200 OK\r\nApi-Version: 1.46\r\nContent-Length: 2\r\n\r\nOK";
            stream.write_all(answer.as_bytes()).await.unwrap();
            String::from_utf8_lossy(&asked[..length]).into_owned()
        });
        let deadline = Instant::now() + std::time::Duration::from_secs(10);
        let path = engine_path(&socket, "/containers/json", deadline).await.unwrap();
        assert_eq!(path, "/v1.46/containers/json");
        assert!(served.await.unwrap().starts_with("GET /_ping "));
    }
}
