//! The engines at both ends, used through docker(1): this node's engine, and the target's engine at the same socket.

use std::time::Duration;

use hostler_family_remote::{command, failure};
use hostler_sdk::process::Output;
use hostler_sdk::{Command, Error, Result};

use crate::words::{LOAD, LOOK};

/// The messages of different versions of docker(1) if the engine does not answer.
const UNANSWERED: [&str; 2] = ["Cannot connect to the Docker daemon", "failed to connect to the docker API"];

/// The engines at both ends.
pub(crate) struct EnginePair {
    pub(crate) socket: String,
    /// Whether they are the object's own engines.
    pub(crate) is_own: bool,
    pub(crate) timeout: Duration,
}

impl EnginePair {
    /// The id of the image with this name on this node.
    pub(crate) fn id(&self, image: &str) -> Result<String> {
        let output = self.docker(&["image", "inspect", "--format", "{{.Id}}", "--", image]).run()?;
        match output.succeeded() {
            true => Ok(output.text()),
            false if says(&output, "No such image") => Err(Error::failed(format!(
                "the image {image} is not on this node: pull it, or provision the container that needs it"
            ))),
            false => Err(self.why("here", "docker image inspect", &output)),
        }
    }

    /// The ids of the images with these names on a target.
    pub(crate) fn ids(&self, node: &str, images: &[String]) -> Result<Vec<Option<String>>> {
        let output = self.on(node, LOOK, images).run()?;
        if !output.succeeded() {
            return Err(self.why("there", "docker", &output));
        }
        let text = output.text();
        // docker(1) prints an empty line if it finds nothing.
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let ids: Vec<Option<String>> = lines.map(|line| (line != "none").then(|| line.to_owned())).collect();
        // The count shows that every query was answered; otherwise ids would be attributed to the wrong images.
        match ids.len() == images.len() {
            true => Ok(ids),
            false => Err(Error::failed(format!("expected one line per image from docker there: {text:?}"))),
        }
    }

    /// Sends images to a target. Returns the number of bytes.
    pub(crate) fn send(&self, node: &str, images: &[String]) -> Result<u64> {
        let images: Vec<&str> = images.iter().map(String::as_str).collect();
        let piped = self.docker(&[&["save", "--"], &images[..]].concat()).pipe(&self.on(node, LOAD, &[]))?;
        // The reader's error is the cause; the writer then only reports a broken pipe.
        match (piped.sink.succeeded(), piped.source.succeeded()) {
            (true, true) => Ok(piped.bytes),
            (false, _) => Err(self.why("there", "docker load", &piped.sink)),
            (true, false) => Err(self.why("here", "docker save", &piped.source)),
        }
    }

    fn docker(&self, args: &[&str]) -> Command {
        let host = format!("unix://{}", self.socket);
        Command::new("/usr/bin/docker").args(["-H", &host]).args(args.iter().copied()).timeout(self.timeout)
    }

    fn on(&self, node: &str, words: &str, images: &[String]) -> Command {
        let lines: String = images.iter().map(|image| format!("{image}\n")).collect();
        command(node, &words.replace('\\', "")).stdin(format!("{}\n{lines}", self.socket)).timeout(self.timeout)
    }

    fn why(&self, place: &str, program: &str, output: &Output) -> Error {
        match (UNANSWERED.iter().any(|text| says(output, text)), self.is_own) {
            (false, _) => failure(program, output),
            (true, false) => Error::retryable(format!(
                "no container engine listens on {} {place}: start it, and sync again",
                self.socket
            )),
            (true, true) => Error::retryable(format!(
                "the object's own engine does not run {place}: it does while a container of the object needs it; provision or \
                 start one, and sync again"
            )),
        }
    }
}

fn says(output: &Output, text: &str) -> bool {
    String::from_utf8_lossy(&output.stderr).contains(text)
}
