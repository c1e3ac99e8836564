//! A resource, an engine with a few containers in it, and the guard's verdict on a request.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use hostler_guard::{
    ContainerKeyword, ContainerResource, ContainerVolume, EngineFacts, EngineLookup, EngineRequest, ForwardedRequest,
    GuardVerdict, LookupResult, NamespaceRights, RequestedBy, judge,
};
use serde_json::{Value, json};

/// The whole ids of the containers of the engine: the resource's own, one of the same object, one of another node, one of
/// another object, and one without labels.
pub(crate) const OWN: &str = "1111111111111111111111111111111111111111111111111111111111111111";
pub(crate) const SIBLING: &str = "2222222222222222222222222222222222222222222222222222222222222222";
pub(crate) const ELSEWHERE: &str = "3333333333333333333333333333333333333333333333333333333333333333";
pub(crate) const OTHER: &str = "4444444444444444444444444444444444444444444444444444444444444444";
pub(crate) const NOBODY: &str = "5555555555555555555555555555555555555555555555555555555555555555";
/// One of the same object that lives in the namespace of the resource's own, one of another object that does, and one that lives
/// in that of another resource.
pub(crate) const GUEST: &str = "6666666666666666666666666666666666666666666666666666666666666666";
pub(crate) const INTRUDER: &str = "7777777777777777777777777777777777777777777777777777777777777777";
pub(crate) const FRIEND: &str = "8888888888888888888888888888888888888888888888888888888888888888";
/// The digest of the image that the engine has.
pub(crate) const IMAGE: &str = "sha256:cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";
/// A command in the resource's own container, and one in another's.
pub(crate) const EXEC: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
pub(crate) const OTHER_EXEC: &str = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/// A resource `container#1` of the object `web` on the node `n1`.
pub(crate) struct Given {
    object: &'static str,
    keywords: Vec<(&'static str, Vec<String>)>,
    volumes: Vec<ContainerVolume>,
}

pub(crate) fn given(keywords: &[(&'static str, &str)]) -> Given {
    let words = |(name, text): &(&'static str, &str)| (*name, text.split_whitespace().map(str::to_owned).collect());
    Given { object: "web", keywords: keywords.iter().map(words).collect(), volumes: Vec::new() }
}

/// With the one keyword that every container has.
pub(crate) fn image_and(keywords: &[(&'static str, &str)]) -> Given {
    let mut all = vec![("image", "busybox")];
    all.extend(keywords);
    given(&all)
}

impl Given {
    /// In the namespace `ns1`, whose policy lets it read below `/srv/ns1` and write below `/srv/ns1/rw`.
    pub(crate) fn in_namespace(self) -> Given {
        Given { object: "ns1/svc/web", ..self }
    }

    /// On an engine whose containers see these paths: the id, the path, whether it is writable.
    pub(crate) fn beside(mut self, volumes: &[(&str, &str, bool)]) -> Given {
        let volume = |(id, source, writable): &(&str, &str, bool)| ContainerVolume {
            container: (*id).to_owned(),
            source: source.into(),
            writable: *writable,
        };
        self.volumes = volumes.iter().map(volume).collect();
        self
    }

    pub(crate) fn judge(&self, method: &str, target: &str, body: &[u8]) -> GuardVerdict {
        self.judge_for(RequestedBy::Action, method, target, body)
    }

    pub(crate) fn judge_for(&self, asked: RequestedBy<'_>, method: &str, target: &str, body: &[u8]) -> GuardVerdict {
        self.judge_request(&EngineRequest { method, target, headers: &[], body, asked })
    }

    /// Looks up what the guard wants to know, as the host does.
    pub(crate) fn judge_request(&self, request: &EngineRequest<'_>) -> GuardVerdict {
        let (object, rid, node) = (self.object.parse().unwrap(), "container#1".parse().unwrap(), "n1".parse().unwrap());
        let keywords: Vec<ContainerKeyword<'_>> =
            self.keywords.iter().map(|(name, values)| ContainerKeyword { name, values: values.as_slice() }).collect();
        let allows = |path: &Path, write: bool| path.starts_with(if write { "/srv/ns1/rw" } else { "/srv/ns1" });
        let namespace = if self.object == "web" { NamespaceRights::Root } else { NamespaceRights::Other(&allows) };
        let resource = ContainerResource {
            object: &object,
            rid: &rid,
            node: &node,
            keywords: &keywords,
            namespace,
            cgroup: Some("/own"),
        };
        let mut known = EngineFacts::new();
        loop {
            match judge(request, &resource, &known) {
                GuardVerdict::LookUp(lookup) => {
                    let found = self.engine(&lookup);
                    assert_eq!(known.insert(lookup.clone(), found), None, "{lookup:?} was looked up already");
                }
                verdict => return verdict,
            }
        }
    }

    fn engine(&self, lookup: &EngineLookup) -> LookupResult {
        let joining = |name: &str, id: &str, joins: &[&str], of: [&str; 3]| {
            let [object, rid, node] = of;
            let labels = [("hostler.object", object), ("hostler.rid", rid), ("hostler.node", node)];
            let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            LookupResult::Container {
                id: id.to_owned(),
                name: name.to_owned(),
                labels,
                joins: joins.iter().map(|id| (*id).to_owned()).collect(),
                tty: false,
                image: Some(IMAGE.to_owned()),
            }
        };
        let container = |name, id, object, rid, node| joining(name, id, &[], [object, rid, node]);
        let exec = |id: &str, of: &str| LookupResult::Exec {
            id: id.to_owned(),
            container: of.to_owned(),
            tty: true,
            exit_code: None,
        };
        match lookup {
            EngineLookup::Container(name) => match name.as_str() {
                "own" | OWN => container("own", OWN, self.object, "container#1", "n1"),
                "sibling" | SIBLING => container("sibling", SIBLING, self.object, "container#2", "n1"),
                "elsewhere" | ELSEWHERE => container("elsewhere", ELSEWHERE, self.object, "container#1", "n2"),
                // The engine takes 44 for the beginning of an id.
                "other" | "44" | OTHER => container("other", OTHER, "db", "container#1", "n1"),
                "nobody" | NOBODY => LookupResult::Container {
                    id: NOBODY.to_owned(),
                    name: "nobody".to_owned(),
                    labels: BTreeMap::new(),
                    joins: BTreeSet::new(),
                    tty: false,
                    image: None,
                },
                "guest" | GUEST => joining("guest", GUEST, &[OWN], [self.object, "container#7", "n1"]),
                "intruder" | INTRUDER => joining("intruder", INTRUDER, &[OWN], ["db", "container#7", "n1"]),
                "friend" | FRIEND => joining("friend", FRIEND, &[SIBLING], [self.object, "container#8", "n1"]),
                _ => LookupResult::Nothing,
            },
            EngineLookup::Exec(id) if id == EXEC => exec(EXEC, OWN),
            EngineLookup::Exec(id) if id == OTHER_EXEC => exec(OTHER_EXEC, OTHER),
            EngineLookup::Exec(_) => LookupResult::Nothing,
            EngineLookup::Volumes => LookupResult::Volumes(self.volumes.clone()),
            EngineLookup::Image(name) if name == "busybox:latest" => LookupResult::Image(IMAGE.to_owned()),
            EngineLookup::Image(_) => LookupResult::Nothing,
        }
    }

    /// The verdict on creating a container as the keywords say, with these members added to its `HostConfig`.
    pub(crate) fn create(&self, host: Value) -> GuardVerdict {
        self.create_body(body(self.object, json!({}), host))
    }

    pub(crate) fn create_body(&self, body: Value) -> GuardVerdict {
        let name = if self.object == "web" { "web.container.1" } else { "ns1..web.container.1" };
        self.judge("POST", &format!("/v1.41/containers/create?name={name}"), body.to_string().as_bytes())
    }
}

/// A body that creates a container, with more members.
pub(crate) fn body(object: &str, more: Value, host: Value) -> Value {
    let mut body = json!({
        "Image": "busybox:latest",
        "Labels": { "hostler.object": object, "hostler.rid": "container#1", "hostler.node": "n1" },
        "HostConfig": host,
    });
    let members = body.as_object_mut().unwrap();
    members.extend(more.as_object().unwrap().clone());
    body
}

#[track_caller]
pub(crate) fn allowed(verdict: GuardVerdict) -> ForwardedRequest {
    match verdict {
        GuardVerdict::Forward(forward) => *forward,
        other => panic!("expected a request that is let through, found {other:?}"),
    }
}

#[track_caller]
pub(crate) fn denied(verdict: GuardVerdict) -> String {
    match verdict {
        GuardVerdict::Deny(refusal) => refusal.to_string(),
        other => panic!("expected a refusal, found {other:?}"),
    }
}
