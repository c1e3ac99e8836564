//! The steps and the outcome of an order, for people.

use model::ObjectPath;
use protocol::daemon::{OrderDocument, OrderState, OrderStep};

/// A step that an instance has done.
pub(crate) fn step(path: &ObjectPath, step: &OrderStep) -> String {
    let OrderStep { node, action, failure, interrupted } = step;
    let how = match failure {
        Some(failure) => format!("failed: {failure}"),
        None if *interrupted => "interrupted, and done again".to_owned(),
        None => "done".to_owned(),
    };
    format!("{path}@{node}: {action} {how}\n")
}

/// How an order ended, and why.
pub(crate) fn outcome(order: &OrderDocument, action: &str) -> String {
    let reasons: Vec<&str> = order.reasons.iter().map(|reason| reason.text.as_str()).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join("; ")) };
    let path = &order.path;
    match order.state {
        OrderState::Running => format!("{path}: {action} is under way{reasons}"),
        OrderState::Done => format!("{path}: {action} done{reasons}"),
        OrderState::Failed => {
            let ways_out = match order.target.as_str() {
                // Nothing repeats what destroys data but that order itself.
                "unprovisioned" => format!("om {path} unprovision tries again"),
                "purged" => format!("om {path} purge tries again"),
                _ => ways_out(path),
            };
            format!("{path}: {action} failed{reasons} (om {path} logs says more; {ways_out})")
        }
        OrderState::Aborted => format!("{path}: {action} was given up by an abort{reasons}"),
        OrderState::Superseded => format!("{path}: {action} was superseded by another order{reasons}"),
        OrderState::Expired => format!("{path}: {action} took too long and was given up{reasons}"),
    }
}

/// What can be done about an action of the daemon that failed.
pub(crate) fn ways_out(path: &ObjectPath) -> String {
    format!("om {path} clear tries again, om {path} abort gives it up")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::daemon::ReasonDocument;

    #[test]
    fn a_failure_says_why_and_what_to_do() {
        let reason = ReasonDocument { code: "failure".to_owned(), text: "app#1 did not start".to_owned() };
        let order = OrderDocument {
            id: "1".to_owned(),
            path: "web".parse().unwrap(),
            target: "started".to_owned(),
            state: OrderState::Failed,
            reasons: vec![reason],
            steps: Vec::new(),
        };
        let expected = "web: start failed: app#1 did not start (om web logs says more; om web clear tries again, \
                        om web abort gives it up)";
        assert_eq!(outcome(&order, "start"), expected);
        let destroying = OrderDocument { target: "unprovisioned".to_owned(), ..order.clone() };
        assert!(outcome(&destroying, "unprovision").ends_with("om web unprovision tries again)"));
        let failed = OrderStep {
            node: "n1".parse().unwrap(),
            action: "start".to_owned(),
            failure: Some("exit code 1".to_owned()),
            interrupted: false,
        };
        assert_eq!(step(&order.path, &failed), "web@n1: start failed: exit code 1\n");
    }
}
