//! What can be asked: the table of routes, and how a request finds its own.

mod about;
mod auth;
mod certificate;
mod cluster;
mod command;
mod event;
mod node;
mod object;
mod peer;
mod request;
mod table;
mod trace;

pub(crate) use event::EventSlots;
pub(crate) use request::ApiRequest;
pub(crate) use table::{AnswerContent, Operation, ROUTES, Route};

use hyper::Method;
use percent_encoding::percent_decode_str;
use protocol::{FailureKind, RequestFailure};

use crate::reply::Reply;

/// The route of a request, and the values of the variable segments of its address.
#[derive(Debug)]
pub(crate) struct RouteMatch {
    pub(crate) route: &'static Route,
    pub(crate) values: Vec<String>,
}

/// Why a request has no route.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum NoRoute {
    Address(String),
    Method {
        address: String,
        allowed: Vec<&'static str>,
    },
    /// A segment is not text.
    Encoding(String),
}

/// Finds the route of a request.
pub(crate) fn find(method: &Method, address: &str) -> Result<RouteMatch, NoRoute> {
    let mut allowed = Vec::new();
    for route in &ROUTES {
        let Some(values) = route.values(address) else { continue };
        if route.method != method.as_str() {
            allowed.push(route.method);
            continue;
        }
        // Only now: a `%2F` that is decoded before the split would be a border.
        let values = values.iter().map(|value| decoded(value)).collect::<Result<_, _>>()?;
        return Ok(RouteMatch { route, values });
    }
    let address = address.to_owned();
    Err(if allowed.is_empty() { NoRoute::Address(address) } else { NoRoute::Method { address, allowed } })
}

impl Route {
    /// The variable segments of an address, as they are written in it. None if it is not an address of this route.
    fn values<'a>(&self, address: &'a str) -> Option<Vec<&'a str>> {
        let (mut template, mut segments) = (self.template.split('/'), address.split('/'));
        let mut values = Vec::new();
        loop {
            match (template.next(), segments.next()) {
                (None, None) => return Some(values),
                (Some(variable), Some(value)) if variable.starts_with('{') && !value.is_empty() => values.push(value),
                (Some(word), Some(segment)) if word == segment => {}
                _ => return None,
            }
        }
    }
}

fn decoded(segment: &str) -> Result<String, NoRoute> {
    let text = percent_decode_str(segment).decode_utf8().map_err(|_| NoRoute::Encoding(segment.to_owned()))?;
    Ok(text.into_owned())
}

impl From<NoRoute> for RequestFailure {
    fn from(none: NoRoute) -> RequestFailure {
        let (kind, message) = match none {
            NoRoute::Address(address) => {
                let hint = "GET /openapi.json lists what there is; the slashes of an object's path are written %2F";
                (FailureKind::NoMatch, format!("there is no {address}: {hint}"))
            }
            NoRoute::Method { address, allowed } => {
                (FailureKind::Invalid, format!("{address} takes {} only", allowed.join(" and ")))
            }
            NoRoute::Encoding(segment) => (FailureKind::Invalid, format!("{segment} is not UTF-8 once it is decoded")),
        };
        RequestFailure { kind, message }
    }
}

/// Answers a request of a route, if the user who asks may have it answered.
pub(crate) async fn answer(route: &Route, request: &ApiRequest) -> Reply {
    route.access.check(request).await?;
    match route.operation {
        Operation::Version => about::version(request),
        Operation::OpenApi => about::openapi(),
        Operation::Metrics => about::metrics(request).await,
        Operation::Status => about::status(request).await,
        Operation::Events => event::follow(request),
        Operation::Trace => trace::follow(request),
        Operation::Order => object::order(request).await,
        Operation::OrderState => object::order_state(request).await,
        Operation::Explain => object::explain(request).await,
        Operation::RefreshObject => object::refresh(request).await,
        Operation::Refresh => node::refresh(request).await,
        Operation::Processes => node::processes(request).await,
        Operation::Kill => node::kill(request).await,
        Operation::FreezeNode => node::freeze(request, true).await,
        Operation::ThawNode => node::freeze(request, false).await,
        Operation::OrderNode => node::order(request).await,
        Operation::StopDaemon => node::stop(request).await,
        Operation::Usage => about::usage(request),
        Operation::Whoami => auth::whoami(request),
        Operation::MakeToken => auth::make(request).await,
        Operation::Tokens => auth::list(request),
        Operation::RevokeToken => auth::revoke(request).await,
        Operation::Certificates => certificate::list(request).await,
        Operation::SignCertificate => certificate::sign(request).await,
        Operation::RenewCertificate => certificate::renew(request).await,
        Operation::RevokeCertificate => certificate::revoke(request).await,
        Operation::Audit => auth::audit(request).await,
        Operation::Ping => peer::ping(request).await,
        Operation::CommandOnNode => command::on_node(request).await,
        Operation::CommandOfPeer => command::for_peer(request).await,
        Operation::Join => cluster::join(request).await,
        Operation::Seat => cluster::seat(request).await,
        Operation::AcceptEngine => cluster::accept_engine(request).await,
        Operation::Evict => node::evict(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_finds_its_route_and_its_variables() {
        let check = |method: Method, address: &str, operation, values: &[&str]| {
            let found = find(&method, address).unwrap_or_else(|none| panic!("{address}: {none:?}"));
            assert_eq!((found.route.operation, found.values.as_slice()), (operation, &values.map_owned()[..]));
        };
        check(Method::GET, "/status", Operation::Status, &[]);
        check(Method::POST, "/object/web/order", Operation::Order, &["web"]);
        check(Method::GET, "/object/web/order", Operation::OrderState, &["web"]);
        check(Method::GET, "/object/ns1%2Fsvc%2Fweb/explain", Operation::Explain, &["ns1/svc/web"]);
        check(Method::DELETE, "/processes/7", Operation::Kill, &["7"]);
    }

    #[test]
    fn what_has_no_route_is_explained() {
        let check = |method: Method, address: &str| RequestFailure::from(find(&method, address).unwrap_err()).message;
        assert!(check(Method::GET, "/object/ns1/svc/web/explain").contains("written %2F"));
        assert!(check(Method::GET, "/status/").starts_with("there is no /status/"));
        assert!(check(Method::GET, "/object//explain").starts_with("there is no"));
        assert_eq!(check(Method::DELETE, "/object/web/order"), "/object/web/order takes POST and GET only");
        assert_eq!(check(Method::GET, "/object/%ff/explain"), "%ff is not UTF-8 once it is decoded");
    }

    #[test]
    fn every_operation_has_one_route() {
        for operation in Operation::ALL {
            assert_eq!(ROUTES.iter().filter(|route| route.operation == *operation).count(), 1, "{operation:?}");
        }
        assert_eq!(ROUTES.len(), Operation::ALL.len());
    }

    trait MapOwned {
        fn map_owned(&self) -> Vec<String>;
    }

    impl MapOwned for &[&str] {
        fn map_owned(&self) -> Vec<String> {
            self.iter().map(|word| (*word).to_owned()).collect()
        }
    }
}
