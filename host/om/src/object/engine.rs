//! `om <path> docker …`, `podman …`: the engine's own client, on the engine that the object's containers are on. The words
//! `%instances%` and `%images%` stand for the object's containers there, and for their images.

use std::os::unix::process::CommandExt;
use std::process::Command;

use anyhow::anyhow;
use protocol::EngineContainer;

use crate::exit::{Failure, Outcome};
use crate::session::Session;
use crate::words::Target;

/// The clients that are known, with the options that name a socket.
const CLIENTS: [(&str, &[&str]); 2] = [("docker", &["--host"]), ("podman", &["--remote", "--url"])];

/// The words for the object's containers, and for their images.
const INSTANCES: [&str; 2] = ["%instances%", "{instances}"];
const IMAGES: [&str; 2] = ["%images%", "{images}"];
/// The word for the service's account at a registry, which OpenSVC had.
const AS_SERVICE: [&str; 2] = ["%as_service%", "{as_service}"];

/// Whether the action is the name of a client.
pub(crate) fn is_client(word: &str) -> bool {
    CLIENTS.iter().any(|(client, _)| *client == word)
}

/// Becomes the client.
pub(crate) fn run(session: &Session, target: &Target, words: &[String]) -> Outcome {
    let [client, args @ ..] = words else { return Err(anyhow!("expected a command of the engine's client").into()) };
    let args = match args {
        // Where to act may be typed before the client's name: `words` moved it here, in front of the client's own
        // options.
        [place, ..] if place == "--cluster" => {
            return Err(Failure::not_supported(&format!("{client} on other nodes, which needs the daemon")));
        }
        [place, rest @ ..] if place == "--local" => rest,
        args => args,
    };
    let engine = session.backend.engine(&target.path()?)?;
    let args = substituted(args, &engine.containers)?;
    let options = CLIENTS.iter().find(|(known, _)| known == client).map_or(&[][..], |(_, options)| options);
    let address = format!("unix://{}", engine.socket.display());
    // The client replaces this process, so that the terminal, signals and the exit code are its own.
    // The address comes first, because clients take it only before their command.
    let error = Command::new(client).args(options).arg(address).args(args).exec();
    Err(anyhow::Error::from(error).context(format!("cannot run {client}")).into())
}

/// The words, each of those that stand for several replaced by as many.
fn substituted(words: &[String], containers: &[EngineContainer]) -> Result<Vec<String>, Failure> {
    let mut out = Vec::new();
    for word in words {
        match word.as_str() {
            // Only a whole word is replaced: `x%images%` belongs to the client.
            word if INSTANCES.contains(&word) => out.extend(containers.iter().map(|one| one.name.clone())),
            word if IMAGES.contains(&word) => {
                let mut images: Vec<String> = containers.iter().map(|one| one.image.clone()).collect();
                // Several containers may be of one image.
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
        let one = |name: &str| EngineContainer { name: name.to_owned(), image: "busybox".to_owned() };
        let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let replaced = |text| substituted(&words(text), &[one("a.container.1"), one("a.container.2")]).unwrap();
        assert_eq!(replaced("rm -f %instances%"), words("rm -f a.container.1 a.container.2"));
        assert_eq!(replaced("rmi {images} x%images%"), words("rmi busybox x%images%"));
        assert!(substituted(&words("login %as_service%"), &[]).is_err());
    }
}
