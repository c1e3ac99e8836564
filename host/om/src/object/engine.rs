//! `om <path> docker …`, `podman …`: the engine's own client, on the engine that the object's containers are on. The words
//! `%instances%` and `%images%` stand for the object's containers there, and for their images.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, anyhow, bail};
use model::ObjectPath;
use serde_json::{Value, json};

use crate::exit::{Failure, Outcome};
use crate::object::life::block_on;
use crate::session::Session;
use crate::words::Target;

/// The clients that are known, with the options that name a socket.
const CLIENTS: [(&str, &[&str]); 2] = [("docker", &["--host"]), ("podman", &["--remote", "--url"])];

/// What stands for the object's containers, and for their images.
const INSTANCES: [&str; 2] = ["%instances%", "{instances}"];
const IMAGES: [&str; 2] = ["%images%", "{images}"];
/// What stood for the service's account at a registry of the ancestors'.
const AS_SERVICE: [&str; 2] = ["%as_service%", "{as_service}"];

/// Whether the action is a client's name.
pub(crate) fn is_client(word: &str) -> bool {
    CLIENTS.iter().any(|(client, _)| *client == word)
}

/// Becomes the client.
pub(crate) fn run(session: &Session, target: &Target, words: &[String]) -> Outcome {
    let [client, args @ ..] = words else { return Err(anyhow!("expected a command of the engine's client").into()) };
    let args = match args {
        [place, ..] if place == "--cluster" => {
            return Err(Failure::not_supported(&format!("{client} on other nodes, which needs the daemon")));
        }
        [place, rest @ ..] if place == "--local" => rest,
        args => args,
    };
    let path = target.path()?;
    let sockets = block_on(session.agent.engines(&path))?.map_err(anyhow::Error::from)?;
    let socket = sockets.iter().find(|socket| socket.exists());
    let socket = socket.ok_or_else(|| no_engine(&path, &sockets))?;
    let node = session.agent.node().name.to_string();
    let containers = containers(socket, &path, &node).with_context(|| format!("cannot ask {}", socket.display()))?;
    let args = substituted(args, &containers)?;
    let options = CLIENTS.iter().find(|(known, _)| known == client).map_or(&[][..], |(_, options)| options);
    let address = format!("unix://{}", socket.display());
    let error = Command::new(client).args(options).arg(address).args(args).exec();
    Err(anyhow::Error::from(error).context(format!("cannot run {client}")).into())
}

fn no_engine(path: &ObjectPath, sockets: &[PathBuf]) -> Failure {
    let listed: Vec<String> = sockets.iter().map(|socket| socket.display().to_string()).collect();
    match listed.is_empty() {
        true => anyhow!("{path} has no resource on a container engine").into(),
        false => anyhow!("no container engine of {path} is here: there is no {}", listed.join(" and no ")).into(),
    }
}

/// A container of the object.
#[derive(Debug, PartialEq, Eq)]
struct Container {
    name: String,
    image: String,
}

/// The object's containers on this node, by their labels.
fn containers(socket: &Path, path: &ObjectPath, node: &str) -> anyhow::Result<Vec<Container>> {
    let labels = [format!("hostler.object={path}"), format!("hostler.node={node}")];
    let filters: String = json!({ "label": labels }).to_string().bytes().map(|byte| format!("%{byte:02X}")).collect();
    let mut stream = UnixStream::connect(socket)?;
    // HTTP/1.0: the answer is over when the connection is.
    let request = format!("GET /v1.41/containers/json?all=1&filters={filters} HTTP/1.0\r\nHost: localhost\r\n\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let (head, body) = answer.split_once("\r\n\r\n").context("the answer is not HTTP")?;
    if head.split(' ').nth(1) != Some("200") {
        bail!("{}", body.trim());
    }
    let list: Vec<Value> = serde_json::from_str(body).context("the answer is not a list")?;
    Ok(list.iter().filter_map(container).collect())
}

fn container(value: &Value) -> Option<Container> {
    let name = value.get("Names")?.get(0)?.as_str()?.trim_start_matches('/').to_owned();
    Some(Container { name, image: value.get("Image")?.as_str()?.to_owned() })
}

/// The words, each of those that stand for several replaced by as many.
fn substituted(words: &[String], containers: &[Container]) -> Result<Vec<String>, Failure> {
    let mut out = Vec::new();
    for word in words {
        match word.as_str() {
            word if INSTANCES.contains(&word) => out.extend(containers.iter().map(|one| one.name.clone())),
            word if IMAGES.contains(&word) => {
                let mut images: Vec<String> = containers.iter().map(|one| one.image.clone()).collect();
                images.sort();
                images.dedup();
                out.extend(images);
            }
            word if AS_SERVICE.contains(&word) => {
                return Err(Failure::not_supported(&format!(
                    "{word}: there are no accounts of services at registries"
                )));
            }
            word => out.push(word.to_owned()),
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_stand_for_the_object_s_containers() {
        let one = |name: &str| Container { name: name.to_owned(), image: "busybox".to_owned() };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let replaced = |text| substituted(&words(text), &[one("a.container.1"), one("a.container.2")]).unwrap();
        assert_eq!(replaced("rm -f %instances%"), words("rm -f a.container.1 a.container.2"));
        assert_eq!(replaced("rmi {images} x%images%"), words("rmi busybox x%images%"));
        assert!(substituted(&words("login %as_service%"), &[]).is_err());
    }
}
