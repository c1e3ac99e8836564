//! An explanation, for people.

use protocol::daemon::{ObjectExplanation, ObstacleDocument, OrderState, RestartDocument};

use crate::render::moment;
use crate::render::order::{outcome, step, ways_out};

/// The text of an explanation.
pub(crate) fn text(explained: &ObjectExplanation) -> String {
    let ObjectExplanation { path, node, state, local_expect, frozen, .. } = explained;
    let frozen = if *frozen { ", frozen" } else { "" };
    let keeps = if local_expect == "started" { ", kept started" } else { "" };
    let mut lines = vec![format!("{path}@{node}: {state}{keeps}{frozen}")];
    if let Some(problem) = &explained.config_problem {
        lines.push(format!("  the last good configuration is in force: {problem}"));
    }
    if let Some(order) = &explained.order {
        lines.push(format!("  order {}: {}", order.id, outcome(order, &order.target)));
        lines.extend(order.steps.iter().map(|one| format!("    {}", step(path, one).trim_end())));
    }
    lines.extend(explained.reasons.iter().map(|reason| format!("  {} ({})", reason.text, reason.code)));
    // A failed order has said it already.
    let is_told = explained.order.as_ref().is_some_and(|order| order.state == OrderState::Failed);
    if !is_told && explained.reasons.iter().any(|reason| reason.code == "failure") {
        lines.push(format!("    {}", ways_out(path)));
    }
    lines.extend(explained.restarts.iter().map(restart));
    lines.extend(explained.obstacles.iter().flat_map(obstacle));
    let is_quiet = explained.reasons.is_empty() && explained.restarts.is_empty() && explained.order.is_none();
    if is_quiet && explained.obstacles.is_empty() {
        lines.push("  nothing to do, and nothing in the way".to_owned());
    }
    if let Some(seconds) = explained.next_look {
        lines.push(format!("  decided again in {}, or when something changes", moment::since(seconds)));
    }
    lines.join("\n") + "\n"
}

fn obstacle(one: &ObstacleDocument) -> Vec<String> {
    let ObstacleDocument { rid, kind, thing, holder, remedy } = one;
    let holder = if holder.is_empty() { String::new() } else { format!(": {holder}") };
    let line = match kind.as_str() {
        "held" => format!("  {rid} still holds {thing}{holder}"),
        _ => format!("  {rid}: {thing}{holder}"),
    };
    let remedy = (!remedy.is_empty()).then(|| format!("    {remedy}"));
    std::iter::once(line).chain(remedy).collect()
}

fn restart(one: &RestartDocument) -> String {
    let RestartDocument { rid, left, budget, due_in, stopped } = one;
    if *stopped {
        return format!("  {rid} was stopped by hand: it stays down until it is started");
    }
    let due = due_in.map(|seconds| format!(", the next one in {}", moment::since(seconds))).unwrap_or_default();
    format!("  {rid} has {left} of {budget} restarts left{due}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use protocol::daemon::ReasonDocument;

    #[test]
    fn an_explanation_says_what_is_waited_for() {
        let explained = ObjectExplanation {
            path: "web".parse().unwrap(),
            node: "n1".parse().unwrap(),
            state: "idle".to_owned(),
            local_expect: "started".to_owned(),
            frozen: true,
            order: None,
            reasons: vec![
                ReasonDocument { code: "frozen".to_owned(), text: "it is frozen".to_owned() },
                ReasonDocument { code: "failure".to_owned(), text: "start failed on n1: no".to_owned() },
            ],
            restarts: vec![
                RestartDocument {
                    rid: "app#1".parse().unwrap(),
                    left: 1,
                    budget: 2,
                    due_in: Some(3.0),
                    stopped: false,
                },
                RestartDocument { rid: "fs#1".parse().unwrap(), left: 2, budget: 2, due_in: None, stopped: true },
            ],
            obstacles: vec![
                ObstacleDocument {
                    rid: "fs#1".to_owned(),
                    kind: "held".to_owned(),
                    thing: "ext4 of /dev/loop3 on /srv/web".to_owned(),
                    holder: "mounted on /srv/web in the mount namespace of sleep (pid 12)".to_owned(),
                    remedy: "end what uses it, if something does, and then: om web stop".to_owned(),
                },
                ObstacleDocument {
                    rid: "disk#1".to_owned(),
                    kind: "told".to_owned(),
                    thing: "/dev/loop1 shows web.img already".to_owned(),
                    holder: String::new(),
                    remedy: String::new(),
                },
            ],
            config_problem: Some("web.conf:3: unknown keyword".to_owned()),
            next_look: Some(61.0),
        };
        let expected = "web@n1: idle, kept started, frozen\n  \
                        the last good configuration is in force: web.conf:3: unknown keyword\n  \
                        it is frozen (frozen)\n  \
                        start failed on n1: no (failure)\n    \
                        om web clear tries again, om web abort gives it up\n  \
                        app#1 has 1 of 2 restarts left, the next one in 3s\n  \
                        fs#1 was stopped by hand: it stays down until it is started\n  \
                        fs#1 still holds ext4 of /dev/loop3 on /srv/web: mounted on /srv/web in the mount namespace of sleep (pid 12)\n    \
                        end what uses it, if something does, and then: om web stop\n  \
                        disk#1: /dev/loop1 shows web.img already\n  \
                        decided again in 1m1s, or when something changes\n";
        assert_eq!(text(&explained), expected);
    }
}
