//! The consoles of a container. The engine prepares a command; the host starts it and connects it to the operator's terminal.

use hostler_sdk::{Attachment, Error, Result};
use serde_json::{Map, Value, json};

use crate::{ContainerInfo, ContainerLife, EngineClient};

/// Runs bash if the image has it, else sh.
const SHELL: [&str; 3] = ["/bin/sh", "-c", "[ -x /bin/bash ] && exec /bin/bash; exec /bin/sh"];

impl ContainerLife<'_> {
    /// A shell in the container.
    pub fn enter(&self) -> Result<Attachment> {
        self.exec(&SHELL.map(str::to_owned))
    }

    /// A command in the container, as its user.
    pub fn exec(&self, argv: &[String]) -> Result<Attachment> {
        let (engine, found) = self.inside()?;
        if !found.phase().is_alive() {
            return Err(Error::failed(format!("the container {} does not run: start it first", found.short_id())));
        }
        // Without a terminal the output must be framed, so that the host can separate stdout and stderr.
        let tty = self.context.var("tty") == Some("true");
        let id = engine.prepare(&found.id, &self.command(argv, tty)?)?;
        let body = json!({ "Detach": false, "Tty": tty }).to_string();
        Ok(Attachment::upgrade(engine.socket(), "POST", engine.path(&format!("/exec/{id}/start")), body))
    }

    /// The output of the container so far, and with `follow` also the output to come.
    pub fn logs(&self, follow: bool) -> Result<Attachment> {
        let (engine, found) = self.inside()?;
        let path = format!("/containers/{}/logs?stdout=true&stderr=true&follow={follow}", found.id);
        Ok(Attachment::upgrade(engine.socket(), "GET", engine.path(&path), ""))
    }

    fn inside(&self) -> Result<(EngineClient, ContainerInfo)> {
        let engine = self.place.connect()?;
        let own = self.search(&engine)?;
        let absent = || match &own.stranger {
            Some(stranger) => Error::failed(self.foreign(stranger)),
            None => Error::failed("the container does not exist: start it first"),
        };
        Ok((engine, own.first.ok_or_else(absent)?))
    }

    fn command(&self, argv: &[String], tty: bool) -> Result<Value> {
        let mut body = Map::new();
        for attached in ["AttachStdin", "AttachStdout", "AttachStderr"] {
            body.insert(attached.to_owned(), true.into());
        }
        body.insert("Cmd".to_owned(), json!(argv));
        body.insert("Tty".to_owned(), tty.into());
        if let Some(user) = self.container.wanted()?.user {
            body.insert("User".to_owned(), user.into());
        }
        Ok(Value::Object(body))
    }
}
