//! The addresses, routes and links that a resource holds: what its start added, whatever its keywords say by now.

use std::net::IpAddr;

use hostler_sdk::cidr::ip_of;
use hostler_sdk::holdings::{self, Force, Holding};
use hostler_sdk::{Error, Outcome, Result, log};

/// The last thing of that kind that the resource holds and that is there: `address`, `route` or `link`.
pub fn held(kind: &str) -> Result<Option<Holding>> {
    Ok(holdings::present(kind)?.pop())
}

/// Removes all that the resource holds, the latest first, and nothing else. Returns the labels of what was there. It goes on
/// after a failure, and then fails with the first.
pub fn release_all() -> Result<Vec<String>> {
    let (mut removed, mut failure) = (Vec::new(), None);
    for held in holdings::list()?.iter().rev() {
        match holdings::release(held, Force::None) {
            Ok(true) => removed.push(held.label.clone()),
            // It had gone by itself, for example with its link, or a route with its gateway.
            Ok(false) => {}
            Err(error) => {
                log::error(format!("cannot remove {}: {error}", held.label));
                failure.get_or_insert(error);
            }
        }
    }
    failure.map_or(Ok(removed), |error| Err(Error::from(error)))
}

/// The outcome of a stop: all that is held was removed. If that was nothing, `name` is down already, and a stranger that looks
/// like it is left alone, and said if it can be found.
pub fn stop(name: &str, stranger: impl FnOnce() -> Result<Option<String>>) -> Result<Outcome> {
    let removed = release_all()?;
    if !removed.is_empty() {
        return Ok(Outcome::changed(format!("removed {}", removed.join(", "))));
    }
    // A stop does not fail for want of a look at what is not its own.
    stranger().ok().flatten().iter().for_each(log::info);
    Ok(Outcome::unchanged(format!("{name} is already down")))
}

/// Takes a stranger on, if the operator said so. The error says what stands in the way, and whose it is.
pub fn adopt(kind: &str, id: &str) -> Result<Outcome> {
    let adopted = holdings::adopt(kind, id)?;
    // Not a change: a rollback leaves it as it was found.
    Ok(Outcome::unchanged(format!("took on {}", adopted.label)))
}

/// The words for a stranger: it looks like what the resource would add, and is not its own.
pub fn not_ours(label: &str) -> String {
    format!(
        "{label} is there, but this resource did not add it, so it is not its own: start --local --adopt takes it on"
    )
}

/// The name of its link now.
pub fn dev_now(held: &Holding) -> &str {
    held.attribute("dev-now").unwrap_or(held.text("dev"))
}

/// The words for a link that was renamed, if that is why the interface of the keywords is not the one that has what is held.
pub fn renamed(held: &Holding, dev: &str) -> Option<String> {
    held.attribute("dev-now").filter(|_| held.text("dev") == dev).map(|_| {
        format!(
            "{} is up: its interface was called {dev} at the start, and was renamed since: a restart applies dev",
            held.label
        )
    })
}

/// How the held address differs from the keywords: another address, another prefix. Each is applied by a restart.
pub fn differences(held: &Holding, address: Option<IpAddr>, netmask: Option<u8>) -> Vec<String> {
    let cidr = held.text("cidr");
    let own = ip_of(cidr);
    let mut different = Vec::new();
    if let Some(address) = address.filter(|address| own != Some(*address)) {
        different.push(format!("{} is up, and name is {address} now: a restart applies it", held.label));
    } else if let Some(len) = netmask.filter(|len| cidr.rsplit('/').next() != Some(len.to_string().as_str())) {
        different.push(format!("{} is up, and its prefix should be /{len}: a restart applies it", held.label));
    }
    different
}
