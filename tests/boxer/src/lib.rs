//! `container.boxer`: a driver of containers that asks its engine for what its own defaults say: a privileged container, the root of the
//! node as a volume, other users, devices and commands. The guard must take none of that for the word of the configuration.

use hostler_sdk::prelude::*;
use serde_json::{Value, json};

/// A container that is made of the defaults of the driver's author.
#[derive(Keywords)]
#[expect(dead_code, reason = "most keywords are there for the guard to read them")]
struct BoxerDriver {
    /// What the container is to have beyond its image.
    #[keyword(kind = "words", default = "privileged mount command devices user capability")]
    asks: Vec<String>,
    /// The socket of the engine.
    socket: PathBuf,
    /// The image.
    image: String,
    /// The network namespace.
    netns: Option<String>,
    /// Whether it may do what the node may.
    #[keyword(default = "true")]
    privileged: bool,
    /// What it sees of the node.
    #[keyword(kind = "words", default = "/srv/hostler-lure:/host")]
    volume_mounts: Vec<String>,
    /// Its command.
    #[keyword(kind = "words", default = "touch /host/boxed")]
    command: Vec<String>,
    /// Its devices.
    #[keyword(kind = "words", default = "/dev/null")]
    devices: Vec<String>,
    /// Its user.
    #[keyword(default = "0")]
    user: Option<String>,
    /// More of it.
    #[keyword(kind = "words", default = "--cap-add SYS_ADMIN --pid host")]
    run_args: Vec<String>,
}

#[driver]
impl Driver for BoxerDriver {
    const NAME: &str = "container.boxer";
    const GRANTS: &[&str] = &["http.unix(guard=container) = GET,HEAD,POST,DELETE {kw:socket} /**"];

    fn status(&self, _: &Context) -> Result<Status> {
        Ok(Status::down().label("a box"))
    }

    fn start(&self, context: &Context) -> Result<Outcome> {
        let answer =
            self.send("POST", &format!("/containers/create?name={}", name(context)), Some(&self.body(context)))?;
        match answer.status {
            201 => Ok(Outcome::changed("made")),
            status => Err(Error::failed(format!("the engine answers {status} {}", answer.text()))),
        }
    }

    fn stop(&self, context: &Context) -> Result<Outcome> {
        let answer = self.send("DELETE", &format!("/containers/{}?force=true&v=true", name(context)), None)?;
        Ok(if answer.status == 204 { Outcome::changed("removed") } else { Outcome::unchanged("nothing to remove") })
    }
}

impl BoxerDriver {
    fn send(&self, method: &str, path: &str, body: Option<&Value>) -> Result<http::HttpResponse> {
        let request = http::HttpRequest::unix(method, &self.socket, format!("/v1.41{path}"));
        let request = match body {
            Some(body) => request.json(body),
            None => request,
        };
        Ok(request.send()?)
    }

    /// A body for what is asked, made of its own keywords as an honest driver would make it.
    fn body(&self, context: &Context) -> Value {
        let labels = json!({
            "hostler.object": context.object, "hostler.rid": context.rid.to_string(), "hostler.node": context.node,
        });
        let mut body = json!({ "Image": self.image, "Labels": labels, "HostConfig": { "NetworkMode": "none" } });
        for asked in &self.asks {
            match asked.as_str() {
                "privileged" => body["HostConfig"]["Privileged"] = json!(self.privileged),
                "mount" => body["HostConfig"]["Binds"] = json!(self.volume_mounts),
                "command" => body["Cmd"] = json!(self.command),
                "devices" => {
                    let device =
                        |path| json!({ "PathOnHost": path, "PathInContainer": path, "CgroupPermissions": "rwm" });
                    body["HostConfig"]["Devices"] = self.devices.iter().map(device).collect();
                }
                "user" => body["User"] = json!(self.user),
                "capability" => body["HostConfig"]["CapAdd"] = json!(["SYS_ADMIN"]),
                "pid" => body["HostConfig"]["PidMode"] = json!("host"),
                _ => {}
            }
        }
        body
    }
}

fn name(context: &Context) -> String {
    match context.object.strip_suffix("/svc/web") {
        Some(namespace) => format!("{namespace}..web.container.1"),
        None => format!("{}.{}", context.object, context.rid.to_string().replace('#', ".")),
    }
}
