//! Which daemon a command asks: that of this node, or one elsewhere that `--server` or `HOSTLER_CONTEXT` names.
//!
//! A context is a section of one file, `hostler/contexts.conf` below the user's configuration directory:
//!
//! ```text
//! [prod]
//! server = https://n1.example.com:1215
//! ca = ca.pem
//! certificate = alice.pem
//! key = alice.key
//! ```
//!
//! `token` or `token_file` may stand in place of `certificate` and `key`. Files are found from the directory of the file.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use client::{DaemonClient, RemoteAccess};
use config::Document;

use crate::backend::Reply;

/// The keywords of a context.
const KEYWORDS: [&str; 6] = ["server", "ca", "certificate", "key", "token", "token_file"];

/// The daemon elsewhere that is meant, if one is.
pub(crate) fn chosen_server(option: Option<&str>) -> Reply<Option<DaemonClient>> {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let Some(server) = option.map(str::to_owned).or_else(|| variable("HOSTLER_CONTEXT")) else { return Ok(None) };
    // Not an error yet: with a URL no file is needed, and a script or a unit may have no HOME.
    let file = contexts_file();
    let mut access = match server.contains("://") {
        true => file.as_deref().map(|file| of_url(file, &server)).transpose()?.flatten().unwrap_or_default(),
        false => {
            let file = file.context("the contexts are not found: set HOME or XDG_CONFIG_HOME")?;
            of_name(&file, &server)?
        }
    };
    if server.contains("://") {
        access.url = server;
    }
    // For scripts that have no file.
    if let Some(ca) = variable("HOSTLER_CA") {
        access.authority = read(Path::new(&ca))?;
    }
    if let Some(token) = variable("HOSTLER_TOKEN") {
        access.token = Some(token.trim().to_owned());
    }
    Ok(Some(DaemonClient::remote(&access)?))
}

fn contexts_file() -> Option<PathBuf> {
    let directory = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let configurations = directory("XDG_CONFIG_HOME").or_else(|| Some(directory("HOME")?.join(".config")))?;
    Some(configurations.join("hostler").join("contexts.conf"))
}

/// The context of that name.
fn of_name(file: &Path, name: &str) -> anyhow::Result<RemoteAccess> {
    let document =
        contexts(file)?.with_context(|| format!("{} does not exist: it describes the contexts", file.display()))?;
    if document.section(name).is_none() {
        let names = document.sections().iter().map(|section| section.name.clone()).collect::<Vec<_>>().join(" ");
        bail!("{} has no context [{name}]: there is {names}", file.display());
    }
    access(file, &document, name)
}

/// The context of that server, if the file has one.
fn of_url(file: &Path, url: &str) -> anyhow::Result<Option<RemoteAccess>> {
    let Some(document) = contexts(file)? else { return Ok(None) };
    let is_server = |name: &str| document.get(name, "server").is_some_and(|server| same(server, url));
    let name = document.sections().iter().map(|section| section.name.clone()).find(|name| is_server(name));
    name.map(|name| access(file, &document, &name)).transpose()
}

fn same(one: &str, other: &str) -> bool {
    one.trim_end_matches('/') == other.trim_end_matches('/')
}

fn contexts(file: &Path) -> anyhow::Result<Option<Document>> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(Some(Document::parse(text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(anyhow!(error).context(format!("cannot read {}", file.display()))),
    }
}

fn access(file: &Path, document: &Document, name: &str) -> anyhow::Result<RemoteAccess> {
    let place = |keyword: &str| format!("{}: [{name}] {keyword}", file.display());
    for entry in document.sections().iter().filter(|section| section.name == name).flat_map(|section| &section.entries)
    {
        if !KEYWORDS.contains(&entry.key.as_str()) {
            bail!("{}: no such keyword: expected one of {}", place(&entry.key), KEYWORDS.join(" "));
        }
    }
    let value = |keyword: &str| document.get(name, keyword).map(str::to_owned);
    let content = |keyword: &str| {
        let path = value(keyword).map(|path| file.with_file_name(path));
        path.map(|path| read(&path).with_context(|| place(keyword))).transpose()
    };
    let token = match value("token") {
        Some(token) => {
            check_private(file)?;
            Some(token)
        }
        None => content("token_file")?.map(|text| text.trim().to_owned()),
    };
    let identity = match (content("certificate")?, content("key")?) {
        (Some(certificate), Some(key)) => Some((certificate, key)),
        (None, None) => None,
        _ => bail!("{}: certificate and key go together", place("certificate")),
    };
    let url = value("server").with_context(|| format!("{} is missing", place("server")))?;
    Ok(RemoteAccess { url, authority: content("ca")?.unwrap_or_default(), identity, token, pinned: None })
}

/// Who else may read a token may use it.
fn check_private(file: &Path) -> anyhow::Result<()> {
    let mode = std::fs::metadata(file).map(|found| found.permissions().mode()).unwrap_or_default();
    if mode & 0o077 != 0 {
        bail!("{} holds a token and may be read by others: chmod 600 it", file.display());
    }
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contexts(text: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("contexts.conf");
        std::fs::write(&file, text).unwrap();
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(mode)).unwrap();
        std::fs::write(directory.path().join("ca.pem"), "CA").unwrap();
        (directory, file)
    }

    #[test]
    fn a_context_is_found_by_its_name_or_its_server() {
        let (_directory, file) = contexts("[prod]\nserver = https://n1:1215\nca = ca.pem\ntoken = t\n", 0o600);
        let prod = of_name(&file, "prod").unwrap();
        assert_eq!(
            (prod.url.as_str(), prod.authority.as_str(), prod.token.as_deref()),
            ("https://n1:1215", "CA", Some("t"))
        );
        assert_eq!(of_url(&file, "https://n1:1215/").unwrap().unwrap().token.as_deref(), Some("t"));
        assert!(of_url(&file, "https://n2:1215").unwrap().is_none());
    }

    #[test]
    fn a_mistake_names_the_file_and_what_is_expected() {
        let check = |text: &str, mode: u32, expected: &str| {
            let (_directory, file) = contexts(text, mode);
            let error = format!("{:#}", of_name(&file, "prod").unwrap_err());
            assert!(error.contains(expected), "{text}: {error}");
        };
        check("[test]\nserver = https://n1\n", 0o600, "has no context [prod]: there is test");
        check("[prod]\nca = ca.pem\n", 0o600, "[prod] server is missing");
        check("[prod]\nserver = https://n1\npassword = x\n", 0o600, "no such keyword: expected one of server ca");
        check("[prod]\nserver = https://n1\nca = none.pem\n", 0o600, "cannot read");
        check("[prod]\nserver = https://n1\nkey = ca.pem\n", 0o600, "certificate and key go together");
        check("[prod]\nserver = https://n1\ntoken = t\n", 0o644, "may be read by others: chmod 600 it");
    }
}
