//! The credentials for a registry: read from a file that docker-login(1) writes, and sent as a header of a pull.
//!
//! ```json
//! { "auths": { "registry.example.com:5000": { "auth": "<base64 of user:password>" } } }
//! ```
//!
//! No message contains the content of the file.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE};
use hostler_sdk::files::FileKind;
use hostler_sdk::{Error, Mode, Result, files};
use serde_json::{Value, json};

use super::reference::registry;

/// The names of docker.io in the file.
const HUB: [&str; 3] = ["docker.io", "index.docker.io", "registry-1.docker.io"];

/// The header `X-Registry-Auth` of a pull.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct RegistryCredentials(pub(crate) String);

impl RegistryCredentials {
    /// Reads the credentials for the registry of an image from a file.
    pub(crate) fn read(file: &Path, image: &str) -> Result<RegistryCredentials> {
        let failed = |text: &str| Error::failed(format!("registry_creds: {} {text}", file.display()));
        let stat = files::stat(file)?.ok_or_else(|| failed("does not exist"))?;
        if stat.kind != FileKind::File {
            return Err(failed("is not a regular file"));
        }
        // The host runs as root, so a file that others can read would leak the password of the registry without anyone noticing.
        if stat.mode.0 & 0o077 != 0 {
            let Mode(mode) = stat.mode;
            return Err(failed(&format!("has the mode {mode:04o}, and others could read it: use chmod 600")));
        }
        RegistryCredentials::parse(&files::read(file)?, image).map_err(|text| failed(&text))
    }

    fn parse(content: &[u8], image: &str) -> std::result::Result<RegistryCredentials, String> {
        let content: Value = serde_json::from_slice(content).map_err(|error| format!("is not JSON: {error}"))?;
        let wanted = registry(image);
        let mut entries = content["auths"].as_object().into_iter().flatten();
        let Some((_, entry)) = entries.find(|(name, _)| host(name) == wanted) else {
            return Err(format!("has no entry in \"auths\" for {wanted}: log in there with docker login"));
        };
        let text = |name: &str| entry[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned);
        // docker login writes tokens with an empty `auth`, so they are checked first.
        if let Some(token) = text("identitytoken") {
            return Ok(RegistryCredentials::of(&json!({ "identitytoken": token, "serveraddress": wanted })));
        }
        let pair = match (text("auth"), text("username"), text("password")) {
            (Some(auth), ..) => decoded(&auth),
            (None, Some(user), Some(password)) => Some((user, password)),
            _ => {
                return Err(format!(
                    "contains no password for {wanted}: docker login has it elsewhere, see credsStore"
                ));
            }
        };
        let (user, password) =
            pair.ok_or_else(|| format!("has an entry for {wanted} that is not base64 of user:password"))?;
        Ok(RegistryCredentials::of(&json!({ "username": user, "password": password, "serveraddress": wanted })))
    }

    fn of(document: &Value) -> RegistryCredentials {
        RegistryCredentials(URL_SAFE.encode(document.to_string()))
    }
}

// No derive: the header contains the password.
impl std::fmt::Debug for RegistryCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RegistryCredentials")
    }
}

fn decoded(auth: &str) -> Option<(String, String)> {
    let text = String::from_utf8(STANDARD.decode(auth).ok()?).ok()?;
    let (user, password) = text.split_once(':')?;
    // docker(1) also drops NUL bytes at the end.
    Some((user.to_owned(), password.trim_end_matches('\0').to_owned()))
}

/// The registry of a name in the file. Some names are written as URLs.
fn host(name: &str) -> &str {
    let bare = name.split_once("://").map_or(name, |(_, rest)| rest);
    let host = bare.split('/').next().unwrap_or_default();
    if HUB.contains(&host) { HUB[0] } else { host }
}

#[cfg(test)]
mod tests {
    use hostler_sdk::fake::Host;

    use super::*;

    /// The document that is sent to the engine, or the error.
    fn sent(auths: &Value, image: &str) -> std::result::Result<Value, String> {
        let RegistryCredentials(header) =
            RegistryCredentials::parse(json!({ "auths": auths }).to_string().as_bytes(), image)?;
        Ok(serde_json::from_slice(&URL_SAFE.decode(header).unwrap()).unwrap())
    }

    #[test]
    fn an_entry_counts_for_its_registry_alone() {
        let me = |host: &str| json!({ "username": "me", "password": "p:w", "serveraddress": host });
        let auth = json!({ "auth": STANDARD.encode("me:p:w") });
        for (name, image) in [
            ("reg.example:5000", "reg.example:5000/db:1"),
            ("https://reg.example:5000/v2/", "reg.example:5000/a/b"),
            ("localhost", "localhost/db"),
        ] {
            assert_eq!(sent(&json!({ name: auth }), image), Ok(me(registry(image))), "{name}");
        }
        for image in ["mariadb", "me/app:1", "docker.io/library/mariadb"] {
            assert_eq!(sent(&json!({ "https://index.docker.io/v1/": auth }), image), Ok(me("docker.io")), "{image}");
        }
        let plain = json!({ "reg.example": { "username": "me", "password": "p:w" } });
        assert_eq!(sent(&plain, "reg.example/db"), Ok(me("reg.example")));
        let token = json!({ "reg.example": { "auth": "", "identitytoken": "t" } });
        let expected = json!({ "identitytoken": "t", "serveraddress": "reg.example" });
        assert_eq!(sent(&token, "reg.example/db"), Ok(expected));
        for other in ["reg.example/db", "reg.example:50000/db", "docker.io/reg.example:5000", "mariadb"] {
            assert!(sent(&json!({ "reg.example:5000": auth }), other).is_err(), "{other}");
        }
    }

    #[test]
    fn errors_do_not_quote_the_content_of_the_file() {
        let check = |auths: Value, expected: &str| {
            let error = sent(&auths, "reg.example/db").unwrap_err();
            assert!(error.contains(expected) && !error.contains("hunter2"), "{error}");
        };
        check(json!({}), "has no entry in \"auths\" for reg.example");
        check(json!("hunter2"), "has no entry in \"auths\"");
        check(json!({ "reg.example": {} }), "contains no password for reg.example");
        check(json!({ "reg.example": { "auth": "hunter2" } }), "not base64 of user:password");
        let broken = RegistryCredentials::parse(b"{ \"auths\": hunter2 }", "a").unwrap_err();
        assert!(broken.contains("is not JSON") && !broken.contains("hunter2"), "{broken}");
    }

    #[test]
    fn others_must_not_be_able_to_read_the_file() {
        let file = Path::new("/etc/creds.json");
        let read =
            |host: &Host| host.enter(|| RegistryCredentials::read(file, "reg.example/db").map_err(|e| e.to_string()));
        let host = Host::new();
        assert!(read(&host).unwrap_err().contains("does not exist"));
        let host = host.text_file("/etc/creds.json", "{\"auths\":{\"reg.example\":{\"identitytoken\":\"t\"}}}");
        assert!(read(&host).unwrap_err().contains("has the mode 0644, and others could read it: use chmod 600"));
        host.enter(|| files::set_mode(file, Mode(0o600)).unwrap());
        assert!(read(&host).is_ok());
    }
}
