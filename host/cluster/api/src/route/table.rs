//! The table of routes: what can be asked, and what it demands of the user who asks.

use model::AccessRole;

use crate::access::AccessRule;

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Version,
    OpenApi,
    Metrics,
    Status,
    Events,
    Trace,
    Order,
    OrderState,
    Explain,
    RefreshObject,
    Refresh,
    Processes,
    Kill,
    FreezeNode,
    ThawNode,
    OrderNode,
    StopDaemon,
    Usage,
    Whoami,
    MakeToken,
    Tokens,
    RevokeToken,
    Certificates,
    SignCertificate,
    RenewCertificate,
    RevokeCertificate,
    Audit,
    Ping,
    CommandOnNode,
    CommandOfPeer,
    Join,
    Seat,
    AcceptEngine,
    Evict,
}

impl Operation {
    #[cfg(test)]
    pub(crate) const ALL: &[Operation] = &[
        Operation::Version,
        Operation::OpenApi,
        Operation::Metrics,
        Operation::Status,
        Operation::Events,
        Operation::Trace,
        Operation::Order,
        Operation::OrderState,
        Operation::Explain,
        Operation::RefreshObject,
        Operation::Refresh,
        Operation::Processes,
        Operation::Kill,
        Operation::FreezeNode,
        Operation::ThawNode,
        Operation::OrderNode,
        Operation::StopDaemon,
        Operation::Usage,
        Operation::Whoami,
        Operation::MakeToken,
        Operation::Tokens,
        Operation::RevokeToken,
        Operation::Certificates,
        Operation::SignCertificate,
        Operation::RenewCertificate,
        Operation::RevokeCertificate,
        Operation::Audit,
        Operation::Ping,
        Operation::CommandOnNode,
        Operation::CommandOfPeer,
        Operation::Join,
        Operation::Seat,
        Operation::AcceptEngine,
        Operation::Evict,
    ];
}

/// A thing that can be asked.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
    /// What it demands of the user who asks.
    pub(crate) access: AccessRule,
    pub(crate) method: &'static str,
    /// The address, with variable segments in braces.
    pub(crate) template: &'static str,
    /// Its name in OpenAPI.
    pub(crate) id: &'static str,
    pub(crate) summary: &'static str,
    pub(crate) query: &'static [QueryParameter],
    /// The document that the request carries.
    pub(crate) body: Option<&'static str>,
    pub(crate) status: u16,
    pub(crate) answer: AnswerContent,
}

/// A parameter behind the `?`.
#[derive(Debug)]
pub(crate) struct QueryParameter {
    pub(crate) name: &'static str,
    pub(crate) repeated: bool,
    pub(crate) summary: &'static str,
}

/// What an answer holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum AnswerContent {
    Nothing,
    /// A document of this name.
    Document(&'static str),
    /// A list of them.
    List(&'static str),
    /// Server-sent events whose data are documents of this name.
    Stream(&'static str),
    /// Any other text of this media type.
    Text(&'static str),
}

/// What a route is called.
struct RouteName {
    template: &'static str,
    id: &'static str,
    summary: &'static str,
}

const fn get(operation: Operation, access: AccessRule, name: RouteName) -> Route {
    let (query, body, answer): (&[QueryParameter], _, _) = (&[], None, AnswerContent::Nothing);
    let RouteName { template, id, summary } = name;
    Route { operation, access, method: "GET", template, id, summary, query, body, status: 200, answer }
}

/// A change without an answer of its own.
const fn post(operation: Operation, access: AccessRule, name: RouteName) -> Route {
    Route { method: "POST", status: 204, ..get(operation, access, name) }
}

const fn once(name: &'static str, summary: &'static str) -> QueryParameter {
    QueryParameter { name, repeated: false, summary }
}

/// Every route.
pub(crate) static ROUTES: [Route; 34] = [
    Route {
        answer: AnswerContent::Document("VersionDocument"),
        ..get(
            Operation::Version,
            AccessRule::Known,
            RouteName {
                template: "/version",
                id: "version",
                summary: "The daemon that answers, whatever version of the API is asked in",
            },
        )
    },
    Route {
        answer: AnswerContent::Text("application/json"),
        ..get(
            Operation::OpenApi,
            AccessRule::Known,
            RouteName { template: "/openapi.json", id: "openapi", summary: "This description" },
        )
    },
    Route {
        answer: AnswerContent::Text("text/plain; version=0.0.4"),
        ..get(
            Operation::Metrics,
            AccessRule::Visible,
            RouteName { template: "/metrics", id: "metrics", summary: "Figures for Prometheus" },
        )
    },
    Route {
        answer: AnswerContent::Document("StatusDocument"),
        ..get(
            Operation::Status,
            AccessRule::Visible,
            RouteName {
                template: "/status",
                id: "status",
                summary: "All that the daemon knows: nodes, objects, instances",
            },
        )
    },
    Route {
        query: &[
            QueryParameter {
                name: "after",
                repeated: false,
                summary: "Only events behind this number. Last-Event-ID wins",
            },
            QueryParameter { name: "kind", repeated: true, summary: "Only events of these kinds" },
            QueryParameter { name: "path", repeated: true, summary: "Only events about these objects" },
        ],
        answer: AnswerContent::Stream("DaemonEvent"),
        ..get(
            Operation::Events,
            AccessRule::Visible,
            RouteName {
                template: "/events",
                id: "events",
                summary: "Follows what happens. A reader that was too slow gets an event of the kind resync and goes on with what is left",
            },
        )
    },
    Route {
        query: &[
            QueryParameter { name: "kind", repeated: true, summary: "Only entries of these kinds" },
            QueryParameter {
                name: "object",
                repeated: true,
                summary: "Only what is about objects whose paths match one of these patterns",
            },
        ],
        answer: AnswerContent::Stream("TraceEntry"),
        ..get(
            Operation::Trace,
            AccessRule::Visible,
            RouteName {
                template: "/trace",
                id: "trace",
                summary: "Follows what the daemon decides and does, from now on. A reader that was too slow gets an entry of the kind missed",
            },
        )
    },
    Route {
        body: Some("OrderRequest"),
        status: 202,
        answer: AnswerContent::Document("OrderReceipt"),
        ..post(
            Operation::Order,
            AccessRule::Order,
            RouteName {
                template: "/object/{path}/order",
                id: "order",
                summary: "Orders something. The answer comes when the order is durable",
            },
        )
    },
    Route {
        query: &[QueryParameter { name: "id", repeated: false, summary: "This order. Without: the last one" }],
        answer: AnswerContent::Document("OrderDocument"),
        ..get(
            Operation::OrderState,
            AccessRule::Object(AccessRole::Guest),
            RouteName { template: "/object/{path}/order", id: "orderState", summary: "What became of an order" },
        )
    },
    Route {
        answer: AnswerContent::Document("ObjectExplanation"),
        ..get(
            Operation::Explain,
            AccessRule::Object(AccessRole::Guest),
            RouteName {
                template: "/object/{path}/explain",
                id: "explain",
                summary: "Why an object is as it is, and what it waits for",
            },
        )
    },
    post(
        Operation::RefreshObject,
        AccessRule::Object(AccessRole::Operator),
        RouteName {
            template: "/object/{path}/refresh",
            id: "refreshObject",
            summary: "Reads the configuration again and asks the drivers. The answer comes when the status is new",
        },
    ),
    post(
        Operation::Refresh,
        AccessRule::Root,
        RouteName { template: "/refresh", id: "refresh", summary: "The same, of all objects" },
    ),
    Route {
        answer: AnswerContent::List("ProcessDocument"),
        ..get(
            Operation::Processes,
            AccessRule::Visible,
            RouteName { template: "/processes", id: "processes", summary: "What the daemon runs now" },
        )
    },
    Route {
        method: "DELETE",
        ..post(
            Operation::Kill,
            AccessRule::Process,
            RouteName {
                template: "/processes/{id}",
                id: "kill",
                summary: "Cancels something that the daemon runs: what it changed is undone",
            },
        )
    },
    Route {
        status: 200,
        answer: AnswerContent::Document("NodeChange"),
        ..post(
            Operation::FreezeNode,
            AccessRule::Root,
            RouteName {
                template: "/node/freeze",
                id: "freezeNode",
                summary: "Prevents automatic actions on this node",
            },
        )
    },
    Route {
        status: 200,
        answer: AnswerContent::Document("NodeChange"),
        ..post(
            Operation::ThawNode,
            AccessRule::Root,
            RouteName {
                template: "/node/thaw",
                id: "thawNode",
                summary: "Allows automatic actions on this node again",
            },
        )
    },
    Route {
        answer: AnswerContent::Document("DaemonUse"),
        ..get(
            Operation::Usage,
            AccessRule::Visible,
            RouteName {
                template: "/daemon/usage",
                id: "usage",
                summary: "What the daemon's process uses of the machine",
            },
        )
    },
    Route {
        body: Some("StopRequest"),
        status: 202,
        ..post(
            Operation::StopDaemon,
            AccessRule::Root,
            RouteName {
                template: "/daemon/stop",
                id: "stopDaemon",
                summary: "Stops the daemon. Services go on, unless they are drained",
            },
        )
    },
    Route {
        answer: AnswerContent::Document("CallerDocument"),
        ..get(
            Operation::Whoami,
            AccessRule::Known,
            RouteName { template: "/auth/whoami", id: "whoami", summary: "Who asks, and what the user may do" },
        )
    },
    Route {
        body: Some("TokenRequest"),
        status: 201,
        answer: AnswerContent::Document("TokenDocument"),
        ..post(
            Operation::MakeToken,
            AccessRule::Known,
            RouteName {
                template: "/auth/token",
                id: "makeToken",
                summary: "Makes a token, which can do no more than the user who asks",
            },
        )
    },
    Route {
        answer: AnswerContent::List("TokenSummary"),
        ..get(
            Operation::Tokens,
            AccessRule::Known,
            RouteName {
                template: "/auth/token",
                id: "tokens",
                summary: "The tokens of the user who asks; for root, of all users",
            },
        )
    },
    Route {
        method: "DELETE",
        ..post(
            Operation::RevokeToken,
            AccessRule::Known,
            RouteName {
                template: "/auth/token/{token}",
                id: "revokeToken",
                summary: "Revokes a token of the user who asks; for root, of any user",
            },
        )
    },
    Route {
        answer: AnswerContent::List("CertificateSummary"),
        ..get(
            Operation::Certificates,
            AccessRule::Root,
            RouteName {
                template: "/certificate",
                id: "certificates",
                summary: "The certificates that this node's authority has issued",
            },
        )
    },
    Route {
        body: Some("CertificateRequest"),
        status: 201,
        answer: AnswerContent::Document("CertificateDocument"),
        ..post(
            Operation::SignCertificate,
            AccessRule::Root,
            RouteName { template: "/certificate", id: "signCertificate", summary: "Signs the key of a user" },
        )
    },
    Route {
        ..post(
            Operation::RenewCertificate,
            AccessRule::Root,
            RouteName {
                template: "/certificate/renew",
                id: "renewCertificate",
                summary: "Makes a new certificate for the daemon, which presents it from then on",
            },
        )
    },
    Route {
        method: "DELETE",
        ..post(
            Operation::RevokeCertificate,
            AccessRule::Root,
            RouteName {
                template: "/certificate/{serial}",
                id: "revokeCertificate",
                summary: "Revokes a certificate by its serial number, or all of a user by the user's name",
            },
        )
    },
    Route {
        query: &[
            once("user", "Only what this user did"),
            once("path", "Only what was done to this object"),
            once("denied", "true: only what was refused"),
            once("lines", "So many of the last records. 0: all"),
        ],
        answer: AnswerContent::List("AccessEntry"),
        ..get(
            Operation::Audit,
            AccessRule::Root,
            RouteName { template: "/audit", id: "audit", summary: "Who did what, and what was refused" },
        )
    },
    Route {
        body: Some("PingRequest"),
        status: 200,
        answer: AnswerContent::Document("PingAnswer"),
        ..post(
            Operation::Ping,
            AccessRule::Peer,
            RouteName {
                template: "/peer/ping",
                id: "ping",
                summary: "Tells that the daemon of another node is there, and asks for a promise while the engine is away",
            },
        )
    },
    Route {
        body: Some("NodeOrderRequest"),
        status: 200,
        answer: AnswerContent::Document("NodeChange"),
        ..post(
            Operation::OrderNode,
            AccessRule::Root,
            RouteName {
                template: "/node/{node}/order",
                id: "orderNode",
                summary: "Freezes, thaws or drains a node of the cluster. The answer says whether that changed anything",
            },
        )
    },
    Route {
        body: Some("CommandRequest"),
        status: 200,
        answer: AnswerContent::Text("application/x-ndjson"),
        ..post(
            Operation::CommandOnNode,
            AccessRule::Root,
            RouteName {
                template: "/node/{node}/command",
                id: "commandOnNode",
                summary: "Runs a local action or a look of om on a node of the cluster, and prints its output, a line of JSON for each",
            },
        )
    },
    Route {
        body: Some("CommandRequest"),
        status: 200,
        answer: AnswerContent::Text("application/x-ndjson"),
        ..post(
            Operation::CommandOfPeer,
            AccessRule::Peer,
            RouteName {
                template: "/peer/command",
                id: "commandOfPeer",
                summary: "The same, on behalf of a user whom the daemon of another node names",
            },
        )
    },
    Route {
        body: Some("JoinRequest"),
        status: 200,
        answer: AnswerContent::Document("JoinGrant"),
        ..post(
            Operation::Join,
            AccessRule::Joiner,
            RouteName { template: "/cluster/join", id: "joinCluster", summary: "Lets a node join the cluster" },
        )
    },
    Route {
        body: Some("SeatRequest"),
        status: 200,
        answer: AnswerContent::Document("SeatGrant"),
        ..post(
            Operation::Seat,
            AccessRule::Joiner,
            RouteName {
                template: "/cluster/seat",
                id: "seatNode",
                summary: "Gives a node that was let in its member of the engine, or says what it has to wait for",
            },
        )
    },
    post(
        Operation::AcceptEngine,
        AccessRule::Root,
        RouteName {
            template: "/cluster/accept-engine",
            id: "acceptEngine",
            summary: "Takes the engine of cluster.conf as it is, also if it is another one or older than what was seen",
        },
    ),
    Route {
        body: Some("EvictRequest"),
        status: 200,
        answer: AnswerContent::Document("NodeChange"),
        ..post(
            Operation::Evict,
            AccessRule::Root,
            RouteName {
                template: "/node/{node}/evict",
                id: "evictNode",
                summary: "Ends the life of a node on the word of the user that its services are stopped, if it is as it was seen",
            },
        )
    },
];
