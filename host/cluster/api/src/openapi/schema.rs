//! The documents of the API as schemas of OpenAPI. They name the members; protocol's types are what is really read and written,
//! and a test compares the two.

use serde_json::{Map, Value, json};

/// A document: its name, and its members with the type of each. A `?` says that it may be missing.
type SchemaTable = &'static [(&'static str, &'static [(&'static str, &'static str)])];

const TABLE: SchemaTable = &[
    ("RequestFailure", &[("kind", "FailureKind"), ("message", "string")]),
    (
        "VersionDocument",
        &[("node", "string"), ("pid", "integer"), ("agent", "string"), ("api", "integer"), ("api_oldest", "integer")],
    ),
    ("StatusDocument", &[("cluster", "object"), ("daemon", "object")]),
    (
        "DaemonEvent",
        &[
            ("id", "integer"),
            ("at", "number"),
            ("kind", "EventKind"),
            ("node", "string"),
            ("path?", "string"),
            ("data?", "any"),
        ],
    ),
    (
        "TraceEntry",
        &[
            ("at", "number"),
            ("node", "string"),
            ("path?", "string"),
            ("kind", "TraceKind"),
            ("steps?", "string[]"),
            ("reasons?", "ReasonDocument[]"),
            ("again_in?", "any"),
            ("step?", "string"),
            ("held_back?", "any"),
            ("rid?", "string"),
            ("driver?", "string"),
            ("verb?", "string"),
            ("end?", "string"),
            ("changed?", "string"),
            ("took_ms?", "number"),
            ("avail?", "any"),
            ("fault?", "any"),
            ("action?", "string"),
            ("cause?", "string"),
            ("error?", "any"),
            ("count?", "integer"),
        ],
    ),
    (
        "OrderRequest",
        &[
            ("verb", "OrderCommand"),
            ("supersede?", "boolean"),
            ("force?", "boolean"),
            ("time?", "integer"),
            ("command?", "string"),
        ],
    ),
    ("OrderReceipt", &[("id", "string"), ("path", "string"), ("ended", "boolean")]),
    (
        "OrderDocument",
        &[
            ("id", "string"),
            ("path", "string"),
            ("target", "string"),
            ("state", "OrderState"),
            ("reasons", "ReasonDocument[]"),
            ("steps", "OrderStep[]"),
        ],
    ),
    ("OrderStep", &[("node", "string"), ("action", "string"), ("failure?", "string"), ("interrupted?", "boolean")]),
    ("ReasonDocument", &[("code", "string"), ("text", "string")]),
    (
        "ObstacleDocument",
        &[("rid", "string"), ("kind", "string"), ("thing", "string"), ("holder", "string"), ("remedy", "string")],
    ),
    (
        "ObjectExplanation",
        &[
            ("path", "string"),
            ("node", "string"),
            ("state", "string"),
            ("local_expect", "string"),
            ("frozen", "boolean"),
            ("order", "any"),
            ("reasons", "ReasonDocument[]"),
            ("obstacles", "ObstacleDocument[]"),
            ("restarts", "RestartDocument[]"),
            ("config_problem", "any"),
            ("next_look", "any"),
        ],
    ),
    (
        "RestartDocument",
        &[("rid", "string"), ("left", "integer"), ("budget", "integer"), ("due_in", "any"), ("stopped", "boolean")],
    ),
    (
        "ProcessDocument",
        &[
            ("id", "integer"),
            ("path", "string"),
            ("rids", "string[]"),
            ("action", "string"),
            ("cause", "string"),
            ("began_at", "number"),
        ],
    ),
    (
        "DaemonUse",
        &[
            ("pid", "integer"),
            ("threads", "integer"),
            ("cpu_percent", "number"),
            ("cpu_seconds", "number"),
            ("rss_bytes", "integer"),
            ("read_bytes", "integer"),
            ("written_bytes", "integer"),
        ],
    ),
    (
        "CallerDocument",
        &[
            ("node", "string"),
            ("user", "string"),
            ("auth", "string"),
            ("credential?", "string"),
            ("ends_at?", "integer"),
            ("address?", "string"),
            ("grant", "string[]"),
            ("limit?", "string[]"),
        ],
    ),
    ("TokenRequest", &[("user?", "string"), ("role?", "string[]"), ("duration?", "integer")]),
    ("TokenDocument", &[("token", "string"), ("id", "string"), ("user", "string"), ("ends_at", "integer")]),
    (
        "TokenSummary",
        &[
            ("id", "string"),
            ("user", "string"),
            ("role", "string[]"),
            ("issued_at", "integer"),
            ("ends_at", "integer"),
            ("by", "string"),
            ("revoked", "boolean"),
        ],
    ),
    ("CertificateRequest", &[("user", "string"), ("public_key", "string")]),
    (
        "JoinRequest",
        &[
            ("node", "string"),
            ("address", "string"),
            ("api_port", "integer"),
            ("key", "string"),
            ("agent", "string"),
            ("probe?", "boolean"),
            ("witness?", "boolean"),
            ("objects?", "object"),
        ],
    ),
    (
        "JoinGrant",
        &[
            ("cluster", "string"),
            ("id", "string"),
            ("nodes", "string[]"),
            ("engine", "string[]"),
            ("api", "AuthorityGrant"),
            ("engine_authority?", "AuthorityGrant"),
            ("now", "integer"),
        ],
    ),
    ("AuthorityGrant", &[("certificate", "string"), ("key", "string")]),
    (
        "SeatRequest",
        &[("node", "string"), ("key", "string"), ("name", "string"), ("peer", "string"), ("client", "string")],
    ),
    ("SeatGrant", &[("role", "string"), ("members?", "object"), ("reason?", "string")]),
    (
        "CertificateDocument",
        &[("serial", "string"), ("ends_at", "integer"), ("certificate", "string"), ("authority", "string")],
    ),
    (
        "CertificateSummary",
        &[
            ("serial", "string"),
            ("kind", "string"),
            ("name", "string"),
            ("issued_at", "integer"),
            ("ends_at", "integer"),
            ("revoked", "boolean"),
            ("in_use", "boolean"),
        ],
    ),
    ("AccessEntry", &[]),
    ("NodeChange", &[("changed", "boolean")]),
    ("EvictRequest", &[("life", "integer"), ("beat", "integer"), ("fenced?", "boolean")]),
    ("StopRequest", &[("drain?", "boolean"), ("keep?", "boolean")]),
    ("NodeOrderRequest", &[("verb", "string"), ("time?", "integer")]),
    ("PingRequest", &[("question?", "PromiseQuestion")]),
    ("PromiseQuestion", &[("generation", "integer"), ("nonce", "integer"), ("life", "integer")]),
    ("CommandRequest", &[("user?", "string"), ("words", "string[]")]),
    ("PingAnswer", &[("sees_beat", "boolean"), ("promised", "boolean"), ("generation", "integer")]),
];

/// All schemas, by name.
pub(super) fn all() -> Map<String, Value> {
    let mut all = Map::new();
    for (name, members) in TABLE {
        let properties = members.iter().map(|(name, kind)| (name.trim_end_matches('?').to_owned(), schema(kind)));
        let required: Vec<&str> = members.iter().map(|(name, _)| *name).filter(|name| !name.ends_with('?')).collect();
        let properties: Map<String, Value> = properties.collect();
        all.insert((*name).to_owned(), json!({"type": "object", "properties": properties, "required": required}));
    }
    all.insert("FailureKind".to_owned(), words(&protocol::FailureKind::ALL));
    all.insert("EventKind".to_owned(), words(protocol::daemon::EventKind::ALL));
    all.insert("TraceKind".to_owned(), words(&protocol::daemon::TraceKind::ALL));
    all.insert("OrderState".to_owned(), words(&protocol::daemon::OrderState::ALL));
    let nodes = json!({"type": "object", "properties": {"to": {"type": "array", "items": {"type": "string"}}}});
    let switch = json!({"type": "object", "properties": {"switch": nodes}});
    let verb = json!({"oneOf": [{"type": "string", "enum": ORDERS}, switch]});
    all.insert("OrderCommand".to_owned(), verb);
    all
}

/// The orders that need nothing but their name.
const ORDERS: [&str; 13] = [
    "start",
    "stop",
    "restart",
    "freeze",
    "thaw",
    "provision",
    "unprovision",
    "purge",
    "delete",
    "takeover",
    "giveback",
    "abort",
    "clear",
];

fn schema(kind: &str) -> Value {
    match kind {
        "any" => json!({}),
        "string" | "integer" | "number" | "boolean" | "object" => json!({"type": kind}),
        list if list.ends_with("[]") => json!({"type": "array", "items": schema(list.trim_end_matches("[]"))}),
        name => super::named(name),
    }
}

fn words(values: &[impl serde::Serialize]) -> Value {
    json!({"type": "string", "enum": values})
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::daemon::*;
    use serde::Serialize;

    fn check(name: &str, document: &impl Serialize) {
        let value = serde_json::to_value(document).unwrap();
        let mut written: Vec<&String> = value.as_object().unwrap().keys().collect();
        let schema = &all()[name];
        let mut described: Vec<&String> = schema["properties"].as_object().unwrap().keys().collect();
        written.sort();
        described.sort();
        assert_eq!(written, described, "{name}");
    }

    #[test]
    fn the_schemas_name_the_members_that_are_written() {
        let (path, node) = (|| "web".parse().unwrap(), || "n1".parse().unwrap());
        let text = String::new;
        let reason = ReasonDocument { code: text(), text: text() };
        let step = OrderStep { node: node(), action: text(), failure: Some(text()), interrupted: false };
        let restart =
            RestartDocument { rid: "fs#1".parse().unwrap(), left: 1, budget: 1, due_in: None, stopped: false };
        check("ReasonDocument", &reason);
        let obstacle = ObstacleDocument { rid: text(), kind: text(), thing: text(), holder: text(), remedy: text() };
        check("ObstacleDocument", &obstacle);
        check("OrderStep", &step);
        check("RestartDocument", &restart);
        check("OrderReceipt", &OrderReceipt { id: text(), path: path(), ended: false });
        check(
            "OrderDocument",
            &OrderDocument {
                id: text(),
                path: path(),
                target: text(),
                state: OrderState::Done,
                reasons: vec![reason],
                steps: vec![step],
            },
        );
        check(
            "OrderRequest",
            &OrderRequest { verb: OrderCommand::Start, supersede: false, force: false, time: Some(1), command: text() },
        );
        check(
            "ObjectExplanation",
            &ObjectExplanation {
                path: path(),
                node: node(),
                state: text(),
                local_expect: text(),
                frozen: false,
                order: None,
                reasons: Vec::new(),
                obstacles: vec![obstacle],
                restarts: vec![restart],
                config_problem: None,
                next_look: None,
            },
        );
        check(
            "ProcessDocument",
            &ProcessDocument { id: 1, path: path(), rids: Vec::new(), action: text(), cause: text(), began_at: 0.0 },
        );
        check(
            "DaemonEvent",
            &DaemonEvent {
                id: 1,
                at: 0.0,
                kind: EventKind::DaemonReady,
                node: node(),
                path: Some(path()),
                data: json!(1),
            },
        );
        check("VersionDocument", &VersionDocument { node: node(), pid: 1, agent: text(), api: 1, api_oldest: 1 });
        check("DaemonUse", &DaemonUse::default());
        let words = || vec![text()];
        let caller = CallerDocument {
            node: text(),
            user: text(),
            auth: text(),
            credential: Some(text()),
            ends_at: Some(1),
            address: Some(text()),
            grant: words(),
            limit: Some(words()),
        };
        check("CallerDocument", &caller);
        check("TokenRequest", &TokenRequest { user: Some(text()), role: words(), duration: Some(1) });
        check("TokenDocument", &TokenDocument { token: text(), id: text(), user: text(), ends_at: 1 });
        let (issued_at, ends_at, revoked) = (1, 2, false);
        let token = TokenSummary { id: text(), user: text(), role: words(), issued_at, ends_at, by: text(), revoked };
        check("TokenSummary", &token);
        check("CertificateRequest", &CertificateRequest { user: text(), public_key: text() });
        let signed = CertificateDocument { serial: text(), ends_at, certificate: text(), authority: text() };
        check("CertificateDocument", &signed);
        let (kind, in_use) = (text(), true);
        let leaf = CertificateSummary { serial: text(), kind, name: text(), issued_at, ends_at, revoked, in_use };
        check("CertificateSummary", &leaf);
        check("NodeChange", &NodeChange { changed: true });
        check("EvictRequest", &EvictRequest { life: 1, beat: 2, fenced: false });
        let (api_port, objects, probe) = (1, std::collections::BTreeMap::new(), false);
        let (node, address, witness) = (text(), text(), false);
        let join = JoinRequest { node, address, api_port, key: text(), agent: text(), probe, witness, objects };
        check("JoinRequest", &join);
        let authority = || AuthorityGrant { certificate: text(), key: text() };
        check("AuthorityGrant", &authority());
        let (cluster, id, nodes, engine) = (text(), text(), words(), words());
        let engine_authority = Some(authority());
        check("JoinGrant", &JoinGrant { cluster, id, nodes, engine, api: authority(), engine_authority, now: 1 });
        check("SeatRequest", &SeatRequest { node: text(), key: text(), name: text(), peer: text(), client: text() });
        check("StopRequest", &StopRequest::default());
        check("NodeOrderRequest", &NodeOrderRequest { verb: NodeOrder::Drain, time: Some(1) });
        let question = PromiseQuestion { generation: 1, nonce: 0, life: 2 };
        check("PromiseQuestion", &question);
        check("PingRequest", &PingRequest { question: Some(question) });
        check("PingAnswer", &PingAnswer::default());
        check("CommandRequest", &CommandRequest { user: Some(text()), words: words() });
        let failure = protocol::RequestFailure { kind: protocol::FailureKind::Failed, message: text() };
        check("RequestFailure", &failure);
    }

    #[test]
    fn the_schema_of_an_entry_names_the_members_of_every_kind() {
        let text = String::new;
        let (rid, took_ms) = ("fs#1".parse().unwrap(), 1.0);
        let matters = [
            TraceMatter::Decision { steps: Vec::new(), reasons: Vec::new(), again_in: None },
            TraceMatter::Step { step: text(), held_back: None },
            TraceMatter::Call { rid, driver: text(), verb: text(), end: text(), changed: text(), took_ms },
            TraceMatter::Look { avail: None, fault: None, took_ms },
            TraceMatter::End { action: text(), cause: text(), end: text(), error: None, took_ms },
            TraceMatter::Missed { count: 1 },
        ];
        assert_eq!(matters.each_ref().map(TraceMatter::kind), TraceKind::ALL);
        let (node, path) = ("n1".parse().unwrap(), Some("web".parse().unwrap()));
        let entry = TraceEntry { at: 1.0, node, path, matter: TraceMatter::Missed { count: 1 } };
        let members = |matter| {
            let value = serde_json::to_value(TraceEntry { matter, ..entry.clone() }).unwrap();
            value.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        let written: std::collections::BTreeSet<String> = matters.into_iter().flat_map(members).collect();
        let schema = &all()["TraceEntry"];
        let described = schema["properties"].as_object().unwrap().keys().cloned().collect();
        assert_eq!(written, described);
    }

    #[test]
    fn every_order_of_the_schema_is_read() {
        for order in ORDERS {
            let read: Result<OrderCommand, _> = serde_json::from_value(json!(order));
            assert!(read.is_ok(), "{order}");
        }
        assert!(serde_json::from_value::<OrderCommand>(json!({"switch": {"to": ["n2"]}})).is_ok());
    }
}
