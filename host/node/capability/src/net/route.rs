//! Routes: listed, added and removed.

use grant::op::{ChangeRoute, SeeRoute};
use holding::{Holding, NamespaceIdentity, RouteHolding};
use kernel::net::{self as network, Netlink, RouteAddition};

use super::argument::{ip, prefix_of};
use super::entry::RouteEntry;
use crate::holdings::HoldingNote;
use crate::{CallContext, CapabilityError, Effect};

/// Lists the routes to exactly `destination`.
pub async fn routes_to(context: &CallContext, destination: &str) -> Result<Vec<RouteEntry>, CapabilityError> {
    let prefix = prefix_of(destination, None)?;
    let op = SeeRoute { destination: prefix.to_string() };
    let listed =
        context.admit(op)?.waiting(|_| async move { Ok(Effect::Nothing(Netlink::open()?.routes_to(prefix).await?)) });
    Ok(listed.await?.into_iter().map(RouteEntry::from).collect())
}

/// Adds a route. Returns false if the same one is there already.
pub async fn add_route(context: &CallContext, route: RouteEntry) -> Result<bool, CapabilityError> {
    let (op, route) = changed_route(route)?;
    let ledger = context.ledger();
    let added = context.admit(op)?.waiting(|_| async move {
        let netlink = Netlink::open()?;
        // Looked up before, so that a crash in the next moment does not leave a note about a route of another program.
        if netlink.same_route(&route).await?.is_some() {
            return Ok(Effect::Nothing(false));
        }
        let note = ledger.intend(route_holding(None, &route))?;
        Ok(Effect::whether(noted_route(note, None, netlink.add_route(&route, false).await)?))
    });
    added.await
}

/// Removes a route. Returns false if it was not there.
pub async fn remove_route(context: &CallContext, route: RouteEntry) -> Result<bool, CapabilityError> {
    let (op, route) = changed_route(route)?;
    let ledger = context.ledger();
    let removed = context.admit(op)?.waiting(|_| async move {
        let removed = Netlink::open()?.remove_route(&route).await?;
        let gone = Holding::from(route_holding(None, &route));
        ledger.released(|held| held.is_same(&gone));
        Ok(Effect::whether(removed))
    });
    removed.await
}

pub(crate) fn route_holding(netns: Option<NamespaceIdentity>, route: &network::KernelRoute) -> RouteHolding {
    RouteHolding {
        netns,
        destination: route.destination.to_string(),
        gateway: route.gateway.map(|gateway| gateway.to_string()),
        dev: route.dev.clone(),
        index: route.index,
        table: route.origin.table,
        protocol: Some(route.origin.protocol),
        metric: Some(route.origin.metric),
    }
}

/// The same of a route, with what the kernel made of it.
pub(crate) fn noted_route(
    note: HoldingNote,
    netns: Option<NamespaceIdentity>,
    added: Result<RouteAddition, kernel::KernelError>,
) -> Result<bool, CapabilityError> {
    match &added {
        Ok(RouteAddition::Added(route)) => note.held(route_holding(netns, route)),
        Ok(RouteAddition::Present(_)) | Err(_) => note.nothing(),
    }
    Ok(matches!(added?, RouteAddition::Added(_)))
}

pub(crate) fn changed_route(route: RouteEntry) -> Result<(ChangeRoute, network::KernelRoute), CapabilityError> {
    let gateway = route.gateway.as_deref().map(ip).transpose()?;
    let destination = prefix_of(&route.destination, gateway)?;
    if gateway.is_none() && route.dev.is_none() {
        return Err(CapabilityError::Invalid(format!("the route to {} needs a gateway or a link", route.destination)));
    }
    // With its family: whether `default` is of IPv4 or IPv6 does not matter to the one grant line, but to the other.
    let op = ChangeRoute { destination: destination.to_string(), gateway, dev: route.dev.clone() };
    Ok((op, network::KernelRoute::new(destination, gateway, route.dev)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_route_leads_somewhere() {
        let route = RouteEntry { destination: "default".to_owned(), ..RouteEntry::default() };
        assert_eq!(
            changed_route(route),
            Err(CapabilityError::Invalid("the route to default needs a gateway or a link".to_owned()))
        );
    }
}
