//! Figures for Prometheus, in its text format: of the daemon, the node, and each object.

use std::collections::BTreeMap;
use std::fmt::Write;

use protocol::daemon::{OrderState, StatusDocument};

use crate::version::AGENT;

/// A text of metrics that is being written.
#[derive(Default)]
struct MetricsText(String);

impl MetricsText {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a String cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let escaped = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let labels: Vec<String> = labels.iter().map(|(name, text)| format!("{name}=\"{}\"", escaped(text))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: f64) {
        self.family(name, kind, help);
        self.sample(name, &[], value);
    }
}

/// The figures of a status.
pub(crate) fn text(status: &StatusDocument) -> String {
    let mut text = MetricsText::default();
    daemon(&mut text, status);
    nodes(&mut text, status);
    objects(&mut text, status);
    instances(&mut text, status);
    text.0
}

fn daemon(text: &mut MetricsText, status: &StatusDocument) {
    text.family("hostler_build_info", "gauge", "The version of the agent.");
    text.sample("hostler_build_info", &[("version", AGENT)], 1.0);
    let started = status.daemon.started_at;
    text.one("hostler_daemon_start_time_seconds", "gauge", "When the daemon was started, since 1970.", started);
    text.one("hostler_events_total", "counter", "Events so far.", status.daemon.last_event as f64);
    let revision = status.cluster.engine.revision;
    text.one("hostler_store_revision", "gauge", "The revision of the store.", revision as f64);
    text.family("hostler_thread_running", "gauge", "Whether a part of the daemon runs.");
    for thread in &status.daemon.threads {
        let running = f64::from(u8::from(thread.state == "running"));
        text.sample("hostler_thread_running", &[("thread", &thread.id)], running);
    }
}

fn nodes(text: &mut MetricsText, status: &StatusDocument) {
    let nodes = &status.cluster.node;
    let mut family = |name: &str, help: &str, value: fn(&protocol::daemon::ClusterNode) -> f64| {
        text.family(name, "gauge", help);
        nodes.iter().for_each(|(node, one)| text.sample(name, &[("node", node.as_str())], value(one)));
    };
    family("hostler_node_frozen", "Whether automatic actions are prevented.", |node| {
        f64::from(u8::from(node.status.frozen))
    });
    family("hostler_node_load15", "The load average of 15 minutes.", |node| node.stats.load_15m);
    family("hostler_node_memory_available_percent", "Memory that is available.", |node| node.stats.mem_avail as f64);
    family("hostler_node_swap_available_percent", "Swap that is available.", |node| node.stats.swap_avail as f64);
}

fn objects(text: &mut MetricsText, status: &StatusDocument) {
    let objects = &status.cluster.object;
    let mut count: BTreeMap<String, u32> = BTreeMap::new();
    objects.values().for_each(|object| *count.entry(object.avail.to_string()).or_default() += 1);
    text.family("hostler_objects", "gauge", "Objects by their availability.");
    count.iter().for_each(|(avail, n)| text.sample("hostler_objects", &[("avail", avail)], f64::from(*n)));
    text.family("hostler_object_avail", "gauge", "The availability of an object: 1 with the label of its state.");
    for (path, object) in objects {
        let (path, avail, overall) = (path.to_string(), object.avail.to_string(), object.overall.to_string());
        text.sample("hostler_object_avail", &[("path", &path), ("avail", &avail), ("overall", &overall)], 1.0);
    }
    text.family("hostler_object_up_instances", "gauge", "Instances that are up.");
    for (path, object) in objects {
        text.sample("hostler_object_up_instances", &[("path", &path.to_string())], object.up_instances as f64);
    }
    text.family("hostler_object_wanted_instances", "gauge", "Instances that should be up.");
    for (path, object) in objects {
        text.sample("hostler_object_wanted_instances", &[("path", &path.to_string())], object.wanted_instances as f64);
    }
    let orders = objects.values().filter_map(|object| object.order.as_ref());
    let running = orders.filter(|order| order.state == OrderState::Running).count();
    text.one("hostler_orders_running", "gauge", "Orders that have not ended.", running as f64);
}

fn instances(text: &mut MetricsText, status: &StatusDocument) {
    let all = || status.cluster.node.iter().flat_map(|(node, one)| one.instance.iter().map(move |(p, i)| (node, p, i)));
    text.family("hostler_instance_state", "gauge", "What the daemon does with an instance: 1 with its label.");
    for (node, path, instance) in all() {
        let (path, state) = (path.to_string(), instance.monitor.state.as_str());
        text.sample("hostler_instance_state", &[("node", node.as_str()), ("path", &path), ("state", state)], 1.0);
    }
    text.family("hostler_instance_config_problem", "gauge", "Whether the configuration has errors.");
    for (node, path, instance) in all() {
        let (path, problem) = (path.to_string(), f64::from(u8::from(instance.config.problem.is_some())));
        text.sample("hostler_instance_config_problem", &[("node", node.as_str()), ("path", &path)], problem);
    }
}
