//! The table of routes.

/// What a route does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Version,
    OpenApi,
    Metrics,
    Status,
    Events,
    Order,
    OrderState,
    Explain,
    RefreshObject,
    Refresh,
    Processes,
    Kill,
    FreezeNode,
    ThawNode,
    StopDaemon,
    Usage,
}

impl Operation {
    #[cfg(test)]
    pub(crate) const ALL: &[Operation] = &[
        Operation::Version,
        Operation::OpenApi,
        Operation::Metrics,
        Operation::Status,
        Operation::Events,
        Operation::Order,
        Operation::OrderState,
        Operation::Explain,
        Operation::RefreshObject,
        Operation::Refresh,
        Operation::Processes,
        Operation::Kill,
        Operation::FreezeNode,
        Operation::ThawNode,
        Operation::StopDaemon,
        Operation::Usage,
    ];
}

/// A thing that can be asked.
#[derive(Debug)]
pub(crate) struct Route {
    pub(crate) operation: Operation,
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

const fn get(operation: Operation, template: &'static str, id: &'static str, summary: &'static str) -> Route {
    let (query, body, answer): (&[QueryParameter], _, _) = (&[], None, AnswerContent::Nothing);
    Route { operation, method: "GET", template, id, summary, query, body, status: 200, answer }
}

/// A change without an answer of its own.
const fn post(operation: Operation, template: &'static str, id: &'static str, summary: &'static str) -> Route {
    Route { method: "POST", status: 204, ..get(operation, template, id, summary) }
}

/// Every route.
pub(crate) static ROUTES: [Route; 16] = [
    Route {
        answer: AnswerContent::Document("VersionDocument"),
        ..get(
            Operation::Version,
            "/version",
            "version",
            "The daemon that answers, whatever version of the API is asked in",
        )
    },
    Route {
        answer: AnswerContent::Text("application/json"),
        ..get(Operation::OpenApi, "/openapi.json", "openapi", "This description")
    },
    Route {
        answer: AnswerContent::Text("text/plain; version=0.0.4"),
        ..get(Operation::Metrics, "/metrics", "metrics", "Figures for Prometheus")
    },
    Route {
        answer: AnswerContent::Document("StatusDocument"),
        ..get(Operation::Status, "/status", "status", "All that the daemon knows: nodes, objects, instances")
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
            "/events",
            "events",
            "Follows what happens. A reader that was too slow gets an event of the kind resync and goes on with what is left",
        )
    },
    Route {
        body: Some("OrderRequest"),
        status: 202,
        answer: AnswerContent::Document("OrderReceipt"),
        ..post(
            Operation::Order,
            "/object/{path}/order",
            "order",
            "Orders something. The answer comes when the order is durable",
        )
    },
    Route {
        query: &[QueryParameter { name: "id", repeated: false, summary: "This order. Without: the last one" }],
        answer: AnswerContent::Document("OrderDocument"),
        ..get(Operation::OrderState, "/object/{path}/order", "orderState", "What became of an order")
    },
    Route {
        answer: AnswerContent::Document("ObjectExplanation"),
        ..get(
            Operation::Explain,
            "/object/{path}/explain",
            "explain",
            "Why an object is as it is, and what it waits for",
        )
    },
    post(
        Operation::RefreshObject,
        "/object/{path}/refresh",
        "refreshObject",
        "Reads the configuration again and asks the drivers. The answer comes when the status is new",
    ),
    post(Operation::Refresh, "/refresh", "refresh", "The same, of all objects"),
    Route {
        answer: AnswerContent::List("ProcessDocument"),
        ..get(Operation::Processes, "/processes", "processes", "What the daemon runs now")
    },
    Route {
        method: "DELETE",
        ..post(
            Operation::Kill,
            "/processes/{id}",
            "kill",
            "Cancels something that the daemon runs: what it changed is undone",
        )
    },
    Route {
        status: 200,
        answer: AnswerContent::Document("NodeChange"),
        ..post(Operation::FreezeNode, "/node/freeze", "freezeNode", "Prevents automatic actions on this node")
    },
    Route {
        status: 200,
        answer: AnswerContent::Document("NodeChange"),
        ..post(Operation::ThawNode, "/node/thaw", "thawNode", "Allows automatic actions on this node again")
    },
    Route {
        answer: AnswerContent::Document("DaemonUse"),
        ..get(Operation::Usage, "/daemon/usage", "usage", "What the daemon's process uses of the machine")
    },
    Route {
        body: Some("StopRequest"),
        status: 202,
        ..post(
            Operation::StopDaemon,
            "/daemon/stop",
            "stopDaemon",
            "Stops the daemon. Services go on, unless they are drained",
        )
    },
];
