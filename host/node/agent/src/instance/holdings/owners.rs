//! Whose a stranger is: a driver sees that something is there which its resource did not make, and the host knows whether another resource
//! holds it. Then no other resource can take it on, and the advice to do so is replaced by its holder.

use capability::holdings::{HoldingOwner, NodeRecord};
use exec::blocking;
use holding::Holding;

use crate::holdings::every_record;
use crate::instance::Instance;
use crate::status::ResourceStatus;

/// What drivers advise about a stranger.
const ADVICE: &str = "start --local --adopt";

impl Instance<'_> {
    /// Names the holder in each message that advises to take on what another resource holds.
    pub(in crate::instance) async fn name_holders(&self, seen: &mut [ResourceStatus]) {
        if !seen.iter().any(|status| status.messages.iter().any(|message| message.text.contains(ADVICE))) {
            return;
        }
        let (home, object) = (self.agent.home().clone(), self.object.path.to_string());
        let records = blocking(move || every_record(&home)).await;
        for status in seen {
            let own = HoldingOwner { object: object.clone(), rid: status.rid.to_string() };
            let others: Vec<&NodeRecord> =
                records.iter().filter(|other| !other.record.is_undone() && other.owner() != own).collect();
            for message in &mut status.messages {
                if let Some(text) = with_holder(&message.text, &others) {
                    message.text = text;
                }
            }
        }
    }
}

/// The message with the holder in place of the advice. None if it says nothing of what another resource holds.
fn with_holder(text: &str, others: &[&NodeRecord]) -> Option<String> {
    let (said, _) = text.split_once(ADVICE)?;
    let owner = others.iter().find(|other| is_about(said, &other.record.holding))?.owner();
    let said = said.trim_end_matches([' ', ':', ';', ',']);
    Some(format!("{said}: it is held by {owner}, so that no other resource can take it on"))
}

/// Whether a message of a driver names the thing.
fn is_about(text: &str, holding: &Holding) -> bool {
    let words: Vec<&str> = text.split([' ', ',', ':', ';', '@']).collect();
    let says = |word: &str| words.contains(&word);
    match holding {
        Holding::Address(address) => says(&address.cidr) && says(&address.dev),
        Holding::Route(route) => {
            let by = route.gateway.iter().chain(&route.dev).any(|by| says(by));
            says(&route.destination) && by
        }
        Holding::Mount(mount) => says(&mount.target),
        Holding::Loop(device) => device.device.as_deref().is_some_and(says),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use holding::{AddressHolding, HoldingRecord, HoldingStage, RouteHolding};

    use super::*;

    fn held(holding: impl Into<Holding>) -> NodeRecord {
        let record =
            HoldingRecord { rid: "ip#1".to_owned(), number: 1, stage: HoldingStage::Held, holding: holding.into() };
        NodeRecord { object: "other".to_owned(), record }
    }

    #[test]
    fn what_another_resource_holds_is_not_to_be_taken_on() {
        let address = held(AddressHolding {
            netns: None,
            index: 2,
            dev: "eth0".to_owned(),
            cidr: "10.0.0.9/24".to_owned(),
            primary: None,
            protocol: None,
        });
        let route = held(RouteHolding {
            netns: None,
            destination: "10.7.0.0/16".to_owned(),
            gateway: Some("10.0.0.1".to_owned()),
            dev: Some("eth0".to_owned()),
            index: Some(2),
            table: 254,
            protocol: None,
            metric: None,
        });
        let others = [&address, &route];
        let advised = |thing: &str| {
            format!("{thing} is there, but this resource did not add it: start --local --adopt takes it on")
        };
        for thing in ["10.0.0.9/24 on eth0", "the route 10.7.0.0/16 via 10.0.0.1"] {
            let said = with_holder(&advised(thing), &others).unwrap();
            assert!(
                said.contains("did not add it: it is held by ip#1 of other") && !said.contains("--adopt"),
                "{said}"
            );
        }
        for thing in ["10.0.0.99/24 on eth0", "10.0.0.9/24 on eth1", "the route 10.8.0.0/16 via 10.0.0.1"] {
            assert_eq!(with_holder(&advised(thing), &others), None, "{thing}");
        }
        assert_eq!(with_holder("10.0.0.9/24 on eth0 is up", &others), None);
    }
}
