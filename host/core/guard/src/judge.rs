//! What becomes of a request.

use std::path::PathBuf;

use model::Rid;

use crate::allowance::Allowance;
use crate::known::missing;
use crate::target::Target;
use crate::{
    ContainerResource, EngineFacts, EngineLookup, GuardRefusal, LookupResult, container, create, exec, image, listing,
};

/// A request, as a driver asks for it.
#[derive(Debug, Clone, Copy)]
pub struct EngineRequest<'a> {
    /// `GET`.
    pub method: &'a str,
    /// The path with its query.
    pub target: &'a str,
    /// Beside those that the host sets.
    pub headers: &'a [(String, String)],
    /// May be empty.
    pub body: &'a [u8],
    /// For whom.
    pub asked: RequestedBy<'a>,
}

/// For whom a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestedBy<'a> {
    /// For the driver, in an action of its life cycle.
    Action,
    /// For the driver, which prepares a console: the command that the operator wants run, or none for a shell.
    Console(Option<&'a [String]>),
    /// For the operator, whose terminal the host connects.
    Attachment,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardVerdict {
    /// It is let through, like this.
    Forward(ForwardedRequest),
    /// This must be known first.
    LookUp(EngineLookup),
    /// It is answered here: what it is about does not exist.
    Answer {
        /// `404`.
        status: u16,
        /// In the engine's own words.
        body: Vec<u8>,
    },
    /// It is not let through.
    Deny(GuardRefusal),
}

/// A request that is let through, written anew from what was read of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForwardedRequest {
    /// The path with its query. A container is named by its whole id.
    pub target: String,
    /// Those of the driver's that are handed on.
    pub headers: Vec<(String, String)>,
    /// May be empty.
    pub body: Vec<u8>,
    /// Paths of the node that a container will see, where it matters whether a link leads elsewhere: the path, and whether it
    /// is to be written.
    pub paths: Vec<(PathBuf, bool)>,
    /// What it was judged to be, for the audit: `create a container of docker.io/library/busybox:latest`.
    pub what: String,
    /// How the answer is to be read, where it is for a terminal.
    pub stream: Option<TerminalStream>,
}

/// The answer of an attachment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TerminalStream {
    /// Whether it comes in frames that say which output they are of: so it does where there is no terminal.
    pub framed: bool,
    /// Whether the operator's input is wanted.
    pub input: bool,
    /// The command whose exit status is the console's own, and whose terminal follows the size of the operator's.
    pub exec: Option<String>,
}

/// Why a request is not let through now.
#[derive(Debug)]
pub(crate) enum Stop {
    LookUp(EngineLookup),
    Answer(u16, Vec<u8>),
    Deny(GuardRefusal),
}

impl From<GuardRefusal> for Stop {
    fn from(refusal: GuardRefusal) -> Stop {
        Stop::Deny(refusal)
    }
}

/// A request under judgement.
pub(crate) struct Case<'a> {
    pub(crate) request: EngineRequest<'a>,
    pub(crate) target: Target,
    pub(crate) allowance: &'a Allowance<'a>,
    pub(crate) known: &'a EngineFacts,
}

/// What becomes of a request, after `known` was looked up for it.
pub fn judge(request: &EngineRequest<'_>, resource: &ContainerResource<'_>, known: &EngineFacts) -> GuardVerdict {
    match weigh(request, resource, known) {
        Ok(forward) => GuardVerdict::Forward(forward),
        Err(Stop::LookUp(lookup)) => GuardVerdict::LookUp(lookup),
        Err(Stop::Answer(status, body)) => GuardVerdict::Answer { status, body },
        Err(Stop::Deny(refusal)) => GuardVerdict::Deny(refusal),
    }
}

fn weigh(
    request: &EngineRequest<'_>,
    resource: &ContainerResource<'_>,
    known: &EngineFacts,
) -> Result<ForwardedRequest, Stop> {
    let target = Target::parse(request.target)?;
    let allowance = Allowance::of(resource)?;
    let case = Case { request: *request, target, allowance: &allowance, known };
    let segments: Vec<&str> = case.target.segments.iter().map(String::as_str).collect();
    match (request.method, &segments[..]) {
        ("GET" | "HEAD", ["_ping"]) | ("GET", ["version" | "info"]) => case.plain("look at the engine", &[]),
        ("GET", ["containers", "json"]) => listing::containers(&case),
        ("POST", ["containers", "create"]) => create::create(&case),
        (_, ["containers", name]) => container::on_container(&case, name, ""),
        (_, ["containers", name, verb]) => container::on_container(&case, name, verb),
        (_, ["exec", id, verb]) => exec::on_exec(&case, id, verb),
        (_, ["images", rest @ ..]) => image::on_image(&case, rest),
        _ => Err(case.unknown().into()),
    }
}

impl Case<'_> {
    pub(crate) fn unknown(&self) -> GuardRefusal {
        GuardRefusal::Unknown {
            method: self.request.method.to_owned(),
            path: format!("/{}", self.target.segments.join("/")),
        }
    }

    /// A request without a body on the path it asks for.
    pub(crate) fn plain(&self, what: &str, parameters: &[&str]) -> Result<ForwardedRequest, Stop> {
        self.at(&format!("/{}", self.target.segments.join("/")), what, parameters)
    }

    /// The same, with more headers of the driver's.
    pub(crate) fn at_with(&self, what: &str, parameters: &[&str], headers: &[&str]) -> Result<ForwardedRequest, Stop> {
        let headers = self.headers(headers)?;
        let bare =
            Case { request: EngineRequest { headers: &[], ..self.request }, target: self.target.clone(), ..*self };
        Ok(ForwardedRequest { headers, ..bare.plain(what, parameters)? })
    }

    /// A request without a body.
    pub(crate) fn at(&self, path: &str, what: &str, parameters: &[&str]) -> Result<ForwardedRequest, Stop> {
        self.target.knows(parameters)?;
        if !matches!(self.request.body, b"" | b"{}") {
            return Err(GuardRefusal::Member("a body where none belongs".to_owned()).into());
        }
        Ok(ForwardedRequest {
            target: self.target.write(path),
            headers: self.headers(&[])?,
            body: Vec::new(),
            paths: Vec::new(),
            what: what.to_owned(),
            stream: None,
        })
    }

    /// The headers of the driver's that are handed on.
    pub(crate) fn headers(&self, more: &[&str]) -> Result<Vec<(String, String)>, GuardRefusal> {
        const HARMLESS: [&str; 2] = ["accept", "user-agent"];
        let mut headers = Vec::new();
        for (name, value) in self.request.headers {
            let lower = name.to_ascii_lowercase();
            match lower.as_str() {
                "content-type" if matches!(value.as_str(), "application/json" | "application/x-tar") => {}
                known if HARMLESS.contains(&known) || more.contains(&known) => {
                    headers.push((name.clone(), value.clone()));
                }
                _ => return Err(GuardRefusal::Member(format!("the header {name}"))),
            }
        }
        Ok(headers)
    }

    /// The headers of a request whose body was written anew.
    pub(crate) fn headers_of_json(&self) -> Result<Vec<(String, String)>, GuardRefusal> {
        let mut headers = self.headers(&[])?;
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        Ok(headers)
    }

    /// The container of that name, if it is of one of these resources of the object.
    pub(crate) fn container(&self, name: &str, of: &[Rid]) -> Result<(String, bool), Stop> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
            return Err(GuardRefusal::Unclear(format!("{name:?} is no name of a container")).into());
        }
        let lookup = EngineLookup::Container(name.to_owned());
        let Some(found) = self.known.get(&lookup) else { return Err(Stop::LookUp(lookup)) };
        let LookupResult::Container { id, labels, tty } = found else {
            return Err(Stop::Answer(404, missing("container", name)));
        };
        let carries = |rid: &Rid| {
            let wanted = self.allowance.resource.labels_of(rid);
            wanted.iter().all(|(label, value)| labels.get(*label) == Some(value))
        };
        match of.iter().any(carries) {
            true => Ok((id.clone(), *tty)),
            false => Err(GuardRefusal::Stranger(name.to_owned()).into()),
        }
    }

    /// The container of that name, if it is this very resource's.
    pub(crate) fn own(&self, name: &str) -> Result<(String, bool), Stop> {
        self.container(name, std::slice::from_ref(self.allowance.resource.rid))
    }
}
