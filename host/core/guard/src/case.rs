//! A request under judgement, with all that is known about it, and the checks that several routes share.

use std::collections::BTreeSet;
use std::path::PathBuf;

use model::Rid;

use crate::engine_facts::{ContainerVolume, EngineFacts, EngineLookup, LookupResult, missing};
use crate::refusal::GuardRefusal;
use crate::request::engine_request::EngineRequest;
use crate::request::target::RequestTarget;
use crate::spec::allowed_spec::AllowedSpec;
use crate::spec::container_mount::is_plain;
use crate::spec::resource::ContainerLabels;
use crate::verdict::{ForwardedRequest, NotForwarded};

/// A request under judgement.
pub(crate) struct RequestCase<'a> {
    pub(crate) request: EngineRequest<'a>,
    pub(crate) target: RequestTarget,
    pub(crate) spec: &'a AllowedSpec<'a>,
    pub(crate) facts: &'a EngineFacts,
}

/// A container of the object.
pub(crate) struct ObjectContainer {
    /// The whole id. It stands in the forwarded request, so that no other container can get the name in between.
    pub(crate) id: String,
    pub(crate) name: String,
    /// The whole ids of the containers whose namespaces it shares.
    pub(crate) joins: BTreeSet<String>,
    /// Whether it has a terminal: then its output is not framed.
    pub(crate) tty: bool,
    /// The digest of its image.
    pub(crate) image: Option<String>,
}

impl ObjectContainer {
    /// The id as engines show it.
    pub(crate) fn short_id(&self) -> &str {
        self.id.get(..12).unwrap_or(&self.id)
    }
}

impl RequestCase<'_> {
    /// The refusal of a request that is not in the part of the API which a resource may use.
    pub(crate) fn unknown(&self) -> GuardRefusal {
        GuardRefusal::Unknown {
            method: self.request.method.to_owned(),
            path: format!("/{}", self.target.segments.join("/")),
        }
    }

    /// Forwards a request without a body, on the path that it has.
    pub(crate) fn plain(&self, what: &str, parameters: &[&str]) -> Result<ForwardedRequest, NotForwarded> {
        self.at(&format!("/{}", self.target.segments.join("/")), what, parameters)
    }

    /// Forwards it with more of the driver's headers.
    pub(crate) fn at_with(
        &self,
        what: &str,
        parameters: &[&str],
        headers: &[&str],
    ) -> Result<ForwardedRequest, NotForwarded> {
        let headers = self.headers(headers)?;
        // Without the headers, which were judged above: `at` knows fewer of them and would refuse these.
        let bare = RequestCase {
            request: EngineRequest { headers: &[], ..self.request },
            target: self.target.clone(),
            ..*self
        };
        Ok(ForwardedRequest { headers, ..bare.plain(what, parameters)? })
    }

    /// Forwards a request without a body on this path.
    pub(crate) fn at(&self, path: &str, what: &str, parameters: &[&str]) -> Result<ForwardedRequest, NotForwarded> {
        self.target.knows(parameters)?;
        // Clients send `{}` where they have nothing to say.
        if !matches!(self.request.body, b"" | b"{}") {
            return Err(GuardRefusal::Member("a body where none belongs".to_owned()).into());
        }
        Ok(ForwardedRequest {
            target: self.target.write(path),
            headers: self.headers(&[])?,
            body: Vec::new(),
            paths: Vec::new(),
            beside: Vec::new(),
            sources: Vec::new(),
            describes: None,
            effect: None,
            image: None,
            what: what.to_owned(),
            stream: None,
        })
    }

    /// The driver's headers that are passed on. Their values are of a fixed set, or of an alphabet that means nothing to any
    /// protocol: what listens may read lines, and be told something by one.
    pub(crate) fn headers(&self, more: &[&str]) -> Result<Vec<(String, String)>, GuardRefusal> {
        let mut headers = Vec::new();
        for (name, value) in self.request.headers {
            let lower = name.to_ascii_lowercase();
            let known = match lower.as_str() {
                // The host sets them anew: the one where there is a body, the other never.
                "content-type" => matches!(value.as_str(), "application/json" | "application/x-tar"),
                "user-agent" => true,
                "accept" => matches!(value.as_str(), "*/*" | "application/json" | "application/x-tar" | "text/plain"),
                "x-registry-auth" => more.contains(&"x-registry-auth") && is_base64(value),
                // `Connection`, `Transfer-Encoding` and the like decide where a request ends.
                _ => false,
            };
            match lower.as_str() {
                _ if !known => return Err(GuardRefusal::Member(format!("the header {name}"))),
                "content-type" | "user-agent" => {}
                _ => headers.push((lower, value.clone())),
            }
        }
        Ok(headers)
    }

    /// The headers of a request whose body was written again.
    pub(crate) fn headers_of_json(&self) -> Result<Vec<(String, String)>, GuardRefusal> {
        let mut headers = self.headers(&[])?;
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        Ok(headers)
    }

    /// Finds the container of this name, if it belongs to one of these resources of the object.
    pub(crate) fn container(&self, name: &str, of: &[Rid]) -> Result<ObjectContainer, NotForwarded> {
        // The name becomes a part of the path of the look-up.
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
        if !name.starts_with(|c: char| c.is_ascii_alphanumeric()) || !name.chars().all(plain) {
            return Err(GuardRefusal::Unclear(format!("{name:?} is not the name of a container")).into());
        }
        let lookup = EngineLookup::Container(name.to_owned());
        let Some(found) = self.facts.get(&lookup) else { return Err(NotForwarded::LookUp(lookup)) };
        let LookupResult::Container { id, name: known, labels, joins, tty, image } = found else {
            return Err(missing("container", name));
        };
        let carries = |rid: &Rid| {
            let wanted = self.spec.resource.labels_of(rid);
            wanted.iter().all(|(label, value)| labels.get(*label) == Some(value))
        };
        // All three labels of one resource: labels of two mixed would be those of none.
        match of.iter().any(carries) {
            true => Ok(ObjectContainer {
                id: id.clone(),
                name: known.clone(),
                joins: joins.clone(),
                tty: *tty,
                image: image.clone(),
            }),
            false => Err(GuardRefusal::Stranger(name.to_owned()).into()),
        }
    }

    /// The paths of the node that a container of this resource sees, judged again by the policy of the namespace. A container keeps
    /// what it was made with, and the policy may have changed since.
    pub(crate) fn volumes_of(&self, id: &str) -> Result<Vec<(PathBuf, bool)>, NotForwarded> {
        if self.spec.resource.is_root() {
            return Ok(Vec::new());
        }
        let mut paths = Vec::new();
        for volume in self.all_volumes()?.iter().filter(|volume| volume.container == id) {
            let shown = volume.source.to_string_lossy();
            if !is_plain(&shown) {
                return Err(GuardRefusal::Unclear(format!("its volume {shown:?} has another spelling")).into());
            }
            self.spec.path("Mounts".to_owned(), &shown, volume.writable)?;
            paths.push((volume.source.clone(), volume.writable));
        }
        Ok(paths)
    }

    /// The volumes of all other containers, if this one has any outside of the namespace `root`.
    pub(crate) fn volumes_beside(
        &self,
        paths: &[(PathBuf, bool)],
        but: Option<&str>,
    ) -> Result<Vec<ContainerVolume>, NotForwarded> {
        if paths.is_empty() {
            return Ok(Vec::new());
        }
        let other = |volume: &&ContainerVolume| Some(volume.container.as_str()) != but;
        Ok(self.all_volumes()?.iter().filter(other).cloned().collect())
    }

    /// The digest of an image. None if the engine does not have it.
    pub(crate) fn digest_of(&self, image: &str) -> Result<Option<String>, NotForwarded> {
        let lookup = EngineLookup::Image(image.to_owned());
        match self.facts.get(&lookup) {
            Some(LookupResult::Image(digest)) => Ok(Some(digest.clone())),
            Some(_) => Ok(None),
            None => Err(NotForwarded::LookUp(lookup)),
        }
    }

    fn all_volumes(&self) -> Result<&[ContainerVolume], NotForwarded> {
        match self.facts.get(&EngineLookup::Volumes) {
            Some(LookupResult::Volumes(volumes)) => Ok(volumes),
            Some(_) => Err(GuardRefusal::Unclear("the engine does not list its containers".to_owned()).into()),
            None => Err(NotForwarded::LookUp(EngineLookup::Volumes)),
        }
    }

    /// Finds the container of this name, if it belongs to this very resource.
    pub(crate) fn own(&self, name: &str) -> Result<ObjectContainer, NotForwarded> {
        self.container(name, std::slice::from_ref(self.spec.resource.rid))
    }

    /// Finds the container of another resource of the object that shares a namespace of this resource's own container. It cannot go
    /// on without it, and podman removes none that another shares.
    pub(crate) fn dependent(&self, name: &str) -> Result<ObjectContainer, NotForwarded> {
        let found = self.container(name, &self.siblings(name))?;
        for joined in &found.joins {
            match self.own(joined) {
                Ok(_) => return Ok(found),
                Err(look_up @ NotForwarded::LookUp(_)) => return Err(look_up),
                Err(_) => {}
            }
        }
        Err(GuardRefusal::Stranger(name.to_owned()).into())
    }

    /// The resource that the labels of a container name, whose other labels are still to be compared.
    fn siblings(&self, name: &str) -> Vec<Rid> {
        match self.facts.get(&EngineLookup::Container(name.to_owned())) {
            Some(LookupResult::Container { labels, .. }) => {
                labels.get(ContainerLabels::RID).and_then(|rid| rid.parse().ok()).into_iter().collect()
            }
            _ => Vec::new(),
        }
    }

    /// The whole id of a container that belongs to another resource, if this is its name or id, and not the beginning of its id:
    /// engines take a name that is free for such a beginning.
    pub(crate) fn stranger(&self, asked: &str) -> Option<String> {
        match self.facts.get(&EngineLookup::Container(asked.to_owned()))? {
            LookupResult::Container { id, name, .. } if id == asked || name == asked => Some(id.clone()),
            _ => None,
        }
    }
}

/// Whether a value holds nothing but base64, in either alphabet.
fn is_base64(value: &str) -> bool {
    const LONGEST: usize = 64 << 10;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+/-_=".contains(&byte);
    value.len() <= LONGEST && value.bytes().all(plain)
}
