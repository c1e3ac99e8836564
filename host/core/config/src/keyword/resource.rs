//! The keywords that every resource has, whatever its driver.

use std::sync::LazyLock;

use super::all_of;
use super::object::{process_group, timeouts};
use model::Verb;
use model::keyword::{Keyword, ValueKind};
use model::object::{Trigger, TriggerTime};

/// The keywords of every resource.
pub fn resource() -> &'static [Keyword] {
    static KEYWORDS: LazyLock<Vec<Keyword>> =
        LazyLock::new(|| all_of([plain(), requires(), triggers(), timeouts(true), process_group()]));
    &KEYWORDS
}

fn plain() -> Vec<Keyword> {
    let flag = |name, default, help| Keyword::new(name, ValueKind::Boolean, help).or(default);
    vec![
        Keyword::new("type", ValueKind::String, "The driver, by its name within the group.").unscoped().such_as("ext4"),
        Keyword::new("tags", ValueKind::List, "Words to select the resource by. `noaction` keeps every action from it, and \
            makes it optional; `nostatus` makes its status n/a; `encap` is the same as `encap = true`.")
            .such_as("web front"),
        Keyword::new("subset", ValueKind::String, "The subset of its group that the resource acts with, after those \
            without one. See [subset#<group>:<name>].")
            .such_as("web"),
        flag("disable", "false", "Leave the resource alone: no action touches it and its status is n/a."),
        // No default here: it depends on the resource. Syncs, tasks and resources tagged noaction are optional.
        Keyword::new("optional", ValueKind::Boolean, "Report the failures of the resource without failing the action, and \
            leave its state out of the object's availability. True by default for sync and task resources, and with the \
            tag noaction.")
            .such_as("true"),
        Keyword::new("standby", ValueKind::Boolean, "Keep the resource up on every node, whether or not the object runs \
            there.")
            .or("false"),
        flag("shared", "false", "Every node sees the same one: the first node alone provisions it, and what \
            migrates finds it on the other node too."),
        flag("encap", "false", "The resource lives inside one of the object's containers: nothing is done with it on the host."),
        flag("monitor", "false", "When the resource fails and no restart is left, do what monitor_action says."),
        Keyword::new("restart", ValueKind::Integer, "How many times the daemon restarts the resource before it gives up.")
            .or("0")
            .such_as("2"),
        Keyword::new("restart_delay", ValueKind::Duration, "How long the daemon waits between two restarts.").or("500ms"),
        flag("provision", "true", "Whether `provision` cares for the resource."),
        flag("unprovision", "true", "Whether `unprovision` cares for the resource: false protects its data."),
        Keyword::new("schedule", ValueKind::Schedule, "When the resource runs by itself.").such_as("03:00-05:00 mon-fri"),
        flag("catch_up", "false", "When the schedule demanded a run while the node was off, the daemon did not run, or the \
            instance was down or frozen, run once as soon as that is over. Otherwise the next run is the next one of the schedule."),
        Keyword::new("max_parallel", ValueKind::Integer, "How many runs of the task may go on at once. One more is refused.")
            .or("1")
            .such_as("2"),
        Keyword::new("comment", ValueKind::String, "For people."),
    ]
}

fn requires() -> Vec<Keyword> {
    let keyword = |verb: Verb| {
        let help = format!(
            "The resources that must be in a given state before {verb}: <rid>(<state>,…). Without states, up or stdby up. A required \
             resource that is part of the same action acts first; any other must be in one of the states already."
        );
        Keyword::new(format!("{verb}_requires"), ValueKind::String, help).such_as("disk#1 fs#2(up,stdby up)")
    };
    Verb::requiring().map(keyword).collect()
}

fn triggers() -> Vec<Keyword> {
    let keyword = |trigger: Trigger| {
        let side = match trigger.when {
            TriggerTime::Pre => "before",
            TriggerTime::Post => "after",
        };
        let failure = if trigger.blocking { "fails the action" } else { "is logged and nothing more" };
        let belongs = match (trigger.verb, trigger.when) {
            (Verb::Provision, TriggerTime::Post) => ", and the start that belongs to it",
            (Verb::Unprovision, TriggerTime::Pre) => ", and the stop that belongs to it",
            _ => "",
        };
        let verb = trigger.verb;
        let help = format!("A command to run {side} the {verb} of the resource{belongs}. Its failure {failure}.");
        Keyword::new(trigger.to_string(), ValueKind::Command, help).such_as("/usr/local/bin/notify {rid}")
    };
    Trigger::all().map(keyword).collect()
}
