//! Provisions and unprovisions on a node that does not lead.

use model::Verb;
use plan::{Action, Plan};

use crate::support::asked;

const SERVICE: &str = "ip#1 down\ndisk#1 down unprovisioned\ndisk#2 down unprovisioned shared\nfs#1 down unprovisioned\n\
                       fs#2 up unprovisioned\ncontainer#1 down unprovisioned\napp#1 down";

fn followed(action: Action) -> Plan {
    asked(SERVICE, action, |request| request.follows = true).unwrap()
}

/// The calls, in the order of the plan.
fn calls(plan: &Plan) -> Vec<String> {
    let steps = plan.steps().flat_map(|step| step.work.iter().map(move |work| (work.verb(), step.rid.to_string())));
    steps.map(|(verb, rid)| format!("{verb} {rid}")).collect()
}

#[test]
fn a_provision_makes_what_is_this_nodes_own_and_leaves_nothing_up() {
    assert_eq!(
        calls(&followed(Action::Provision)),
        [
            "provision disk#1",
            "start disk#1",
            "provision fs#1",
            "start fs#1",
            // It was up before, and stays so.
            "provision fs#2",
            "start fs#2",
            "provision container#1",
            "stop fs#1",
            "stop disk#1",
        ]
    );
}

#[test]
fn an_unprovision_leaves_what_is_shared_to_the_node_that_leads() {
    let calls = calls(&followed(Action::Unprovision));
    assert!(calls.contains(&"stop disk#2".to_owned()) && !calls.contains(&"unprovision disk#2".to_owned()));
    assert!(calls.contains(&"unprovision disk#1".to_owned()));
}

#[test]
fn the_node_that_leads_does_all() {
    let plan = asked(SERVICE, Action::Provision, |_| {}).unwrap();
    let starts =
        |plan: &Plan| plan.steps().flat_map(|step| &step.work).filter(|work| work.verb() == Verb::Start).count();
    assert_eq!(starts(&plan), 7);
    assert_ne!(plan.digest, followed(Action::Provision).digest);
}
