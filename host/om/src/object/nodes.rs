//! `--node` and `--cluster`: the same command on other nodes. The daemon here forwards it to those of the others, each node runs it by
//! itself, and what they print comes together here.
//!
//! ```text
//!  words ─▶ without the options of this file, --local ─▶ daemon ─▶ each node: om … ─▶ lines with the node's name ─▶ worst exit code
//! ```

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use client::{ClientError, DaemonClient};
use model::select::GlobPattern;
use model::{NodeName, ObjectPath};
use protocol::FailureKind;
use protocol::daemon::{CommandOutput, StatusDocument};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::backend::block_on;
use crate::command::{
    ActionOptions, FlagArgs, InstanceCommand, LifeCommand, NodesArgs, ObjectCommand, OutputFormat, PrintCommand,
    ResourceCommand, StatusArgs,
};
use crate::exit::{self, Failure, Outcome};
use crate::object::life::{ActionScope, confirm, is_whole};
use crate::object::order;
use crate::render::structured::structured;
use crate::session::Session;
use crate::terminal::{complain, print, print_error};
use crate::words::Target;

/// A command for other nodes.
#[derive(Debug)]
pub(crate) struct NodesWish<'a> {
    pub(crate) nodes: &'a NodesArgs,
    pub(crate) format: OutputFormat,
    /// Whether it acts, and is told to do so on one node alone. Else it only looks.
    pub(crate) acts: bool,
    /// Whether it destroys data, and nobody has confirmed that yet.
    destroys: bool,
}

/// What a command would be on other nodes. None: it is not for one node, or not about an instance.
pub(crate) fn wish(command: &ObjectCommand) -> Option<NodesWish<'_>> {
    match command {
        ObjectCommand::Life(command) => of_life(command, ActionScope::Object),
        ObjectCommand::Plan(command) => of_life(command, ActionScope::Plan),
        ObjectCommand::Sync(args) => Some(of_options(&args.action.options)),
        ObjectCommand::Update(args) => Some(of_options(&args.options)),
        ObjectCommand::Freeze(args) | ObjectCommand::Thaw(args) | ObjectCommand::Clear(args) => {
            Some(of_flag(args, args.local))
        }
        ObjectCommand::Status(args) | ObjectCommand::Resource(ResourceCommand::Ls(args)) => Some(of_status(args)),
        ObjectCommand::Print(command) => match &**command {
            PrintCommand::Status(args) | PrintCommand::Devs(args) | PrintCommand::Resinfo(args) => {
                Some(of_status(args))
            }
            _ => None,
        },
        ObjectCommand::Instance(command) => of_instance(command),
        _ => None,
    }
}

fn of_instance(command: &InstanceCommand) -> Option<NodesWish<'_>> {
    match command {
        InstanceCommand::Life(command) => of_life(command, ActionScope::Instance),
        InstanceCommand::Sync(args) => Some(of_options(&args.action.options)),
        InstanceCommand::Freeze(args) | InstanceCommand::Thaw(args) | InstanceCommand::Clear(args) => {
            Some(of_flag(args, true))
        }
        InstanceCommand::Status(args) => Some(of_status(args)),
        _ => None,
    }
}

fn of_life(command: &LifeCommand, scope: ActionScope) -> Option<NodesWish<'_>> {
    let (action, args) = match command.action() {
        Ok(action) => action,
        Err(args) => return Some(of_options(&args.options)),
    };
    let dry = args.options.dry_run || scope == ActionScope::Plan;
    let destroys = action == "unprovision" && !args.confirm && !dry;
    // An order is about all nodes anyway.
    let is_order = order::of_action(action).is_some() && is_whole(args, scope);
    let nodes = effective(&args.options.orchestration.nodes, is_order);
    Some(NodesWish { nodes, destroys, acts: scope != ActionScope::Plan, ..of_options(&args.options) })
}

fn of_options(options: &ActionOptions) -> NodesWish<'_> {
    let (nodes, format) = (&options.orchestration.nodes, options.output.format);
    NodesWish { nodes, format, acts: true, destroys: false }
}

fn of_flag(args: &FlagArgs, local: bool) -> NodesWish<'_> {
    let nodes = effective(&args.orchestration.nodes, !local);
    NodesWish { nodes, format: OutputFormat::Human, acts: true, destroys: false }
}

fn of_status(args: &StatusArgs) -> NodesWish<'_> {
    NodesWish { nodes: &args.nodes, format: args.output.format, acts: false, destroys: false }
}

/// `--cluster` of an order says nothing new.
fn effective(nodes: &NodesArgs, is_order: bool) -> &NodesArgs {
    static NONE: NodesArgs = NodesArgs { cluster: false, node: None };
    if is_order && nodes.node.is_none() { &NONE } else { nodes }
}

/// What one node has to say.
struct NodeNews {
    node: NodeName,
    news: Result<CommandOutput, Failure>,
}

/// Does it.
pub(crate) fn run(session: &Session, target: &Target, words: &[String], wish: &NodesWish<'_>) -> Outcome {
    let Some(daemon) = session.running_daemon()? else {
        let text = "--node and --cluster need the daemon, and none runs on this node: om daemon start";
        return Err(Failure::failed(text));
    };
    // Each node gets the selector as text, and reads it by itself. Standard input stays here.
    let Target::Selector(query) = target else {
        return Err(Failure::failed("--node and --cluster take objects by a selector, such as web or 'ns1/**'"));
    };
    let status = daemon.ask(async |client| client.status().await)?;
    let paths = session.select_some(target)?;
    if wish.destroys {
        paths.iter().try_for_each(confirm)?;
    }
    let concerned = concerned(&paths, &status);
    let nodes = selected(wish.nodes, &status, &concerned)?;
    let mut line = vec![query.text.clone()];
    line.extend(forwarded(words, wish));
    block_on(follow(&daemon.client, nodes, &line, wish))?
}

/// The nodes that have an instance of the objects. All of them, if that is not known.
fn concerned(paths: &[ObjectPath], status: &StatusDocument) -> BTreeSet<NodeName> {
    let scope = paths.iter().filter_map(|path| status.cluster.object.get(path)).flat_map(|object| &object.scope);
    let scope: BTreeSet<NodeName> = scope.cloned().collect();
    if scope.is_empty() { status.cluster.node.keys().cloned().collect() } else { scope }
}

/// The nodes that the options name.
fn selected(
    args: &NodesArgs,
    status: &StatusDocument,
    concerned: &BTreeSet<NodeName>,
) -> Result<BTreeSet<NodeName>, Failure> {
    args.node.as_ref().map_or_else(|| Ok(concerned.clone()), |text| named(text, status))
}

/// The nodes that a text names: names and patterns, with commas between them.
pub(crate) fn named(text: &str, status: &StatusDocument) -> Result<BTreeSet<NodeName>, Failure> {
    let known = &status.cluster.node;
    let mut selected = BTreeSet::new();
    for word in text.split([',', ' ']).filter(|word| !word.is_empty()) {
        let pattern = GlobPattern::new(word).map_err(anyhow::Error::from)?;
        let matched: Vec<&NodeName> = known.keys().filter(|node| pattern.matches(node.as_str())).collect();
        if matched.is_empty() {
            let known: Vec<&str> = known.keys().map(NodeName::as_str).collect();
            let text = format!("--node {word}: no such node: the nodes of this cluster are {}", known.join(" "));
            return Err(Failure::message(FailureKind::NoMatch, text));
        }
        selected.extend(matched.into_iter().cloned());
    }
    if selected.is_empty() {
        return Err(Failure::failed("--node names no node"));
    }
    Ok(selected)
}

/// The words that each node is given: those that were typed, but for what only this command understands.
fn forwarded(words: &[String], wish: &NodesWish<'_>) -> Vec<String> {
    let end = words.iter().position(|word| word == "--").unwrap_or(words.len());
    let (own, rest) = words.split_at(end);
    let mut kept = Vec::new();
    let mut own = own.iter();
    while let Some(word) = own.next() {
        match word.as_str() {
            "--cluster" | "--local" => {}
            "--node" | "--format" | "--output" | "-o" | "--root" | "--server" | "--color" => drop(own.next()),
            word if is_own(word) => {}
            word => kept.push(word.to_owned()),
        }
    }
    // Without this word, the command on the other node would order the action of its daemon, for all nodes of the
    // object. What begins with `instance` is about one node anyway.
    if wish.acts && kept.first().is_none_or(|word| word != "instance") {
        kept.push("--local".to_owned());
    }
    // It was confirmed here, where there may be a terminal.
    if wish.destroys {
        kept.push("--confirm".to_owned());
    }
    // In one form whatever was asked for: it is read again, and becomes a part of one document.
    if wish.format != OutputFormat::Human {
        kept.extend(["--format".to_owned(), "json".to_owned()]);
    }
    kept.extend(rest.iter().cloned());
    kept
}

fn is_own(word: &str) -> bool {
    let with_value = ["--node=", "--format=", "--output=", "--root=", "--server=", "--color="];
    with_value.iter().any(|option| word.starts_with(option)) || (word.starts_with("-o") && word.len() > 2)
}

/// Runs it on all of the nodes at the same time.
async fn follow(client: &DaemonClient, nodes: BTreeSet<NodeName>, line: &[String], wish: &NodesWish<'_>) -> Outcome {
    let (sender, mut news) = mpsc::channel(64);
    for node in &nodes {
        tokio::spawn(listen(client.clone(), node.clone(), line.to_vec(), sender.clone()));
    }
    // The listeners have copies: the channel ends with the last of them.
    drop(sender);
    let mut board = OutputBoard::new(&nodes, wish);
    while let Some(NodeNews { node, news }) = news.recv().await {
        board.take(&node, news);
    }
    Ok(board.end(wish.format))
}

async fn listen(client: DaemonClient, node: NodeName, line: Vec<String>, sender: mpsc::Sender<NodeNews>) {
    let say = async |news: Result<CommandOutput, Failure>| {
        let _ = sender.send(NodeNews { node: node.clone(), news }).await;
    };
    let mut stream = match client.command(&node, &line).await {
        Ok(stream) => stream,
        Err(error) => return say(Err(failure(error))).await,
    };
    loop {
        match stream.next().await {
            Ok(Some(output)) => {
                let ends = matches!(output, CommandOutput::End(_));
                say(Ok(output)).await;
                if ends {
                    return;
                }
            }
            Ok(None) => return say(Err(Failure::failed("the node was lost before the command had ended"))).await,
            Err(error) => return say(Err(failure(error))).await,
        }
    }
}

fn failure(error: ClientError) -> Failure {
    Failure::from(error)
}

/// What the nodes have said so far.
struct OutputBoard {
    /// Whether lines are printed as they come, and not node by node in the end.
    is_live: bool,
    width: usize,
    /// What each has printed, and is not shown yet.
    texts: BTreeMap<NodeName, String>,
    failures: BTreeMap<NodeName, String>,
    codes: BTreeMap<NodeName, u8>,
}

impl OutputBoard {
    fn new(nodes: &BTreeSet<NodeName>, wish: &NodesWish<'_>) -> OutputBoard {
        let width = nodes.iter().map(|node| node.as_str().len()).max().unwrap_or(0);
        let texts = nodes.iter().map(|node| (node.clone(), String::new())).collect();
        let is_live = wish.acts && wish.format == OutputFormat::Human;
        OutputBoard { is_live, width, texts, failures: BTreeMap::new(), codes: BTreeMap::new() }
    }

    fn take(&mut self, node: &NodeName, news: Result<CommandOutput, Failure>) {
        match news {
            Ok(CommandOutput::End(code)) => {
                self.codes.insert(node.clone(), code);
            }
            Ok(CommandOutput::Error(text)) => print_error(&self.prefixed(node, &text)),
            Ok(CommandOutput::Output(text)) if self.is_live => print(&self.prefixed(node, &text)),
            Ok(CommandOutput::Output(text)) => self.texts.entry(node.clone()).or_default().push_str(&text),
            Err(Failure { kind, error }) => {
                complain(&format!("{node}: {error:#}"));
                self.failures.insert(node.clone(), format!("{error:#}"));
                self.codes.insert(node.clone(), exit::of_failure(kind));
            }
        }
    }

    fn prefixed(&self, node: &NodeName, text: &str) -> String {
        let width = self.width;
        text.lines().map(|line| format!("{:<width$} | {line}", node.as_str()).trim_end().to_owned() + "\n").collect()
    }

    /// Prints what is left. The exit code is the worst.
    fn end(self, format: OutputFormat) -> ExitCode {
        if format == OutputFormat::Human {
            self.texts.iter().for_each(|(node, text)| print(&self.prefixed(node, text)));
        } else {
            let value = |(node, text): (&NodeName, &String)| {
                // A node that was lost, or whose command failed, may have printed half a document.
                let failed = self.failures.get(node).map(|error| serde_json::json!({ "error": error }));
                let value = failed.or_else(|| serde_json::from_str(text).ok()).unwrap_or(Value::Null);
                (node.to_string(), value)
            };
            let all = Value::Object(self.texts.iter().map(value).collect());
            structured(format, &all).iter().for_each(|text| print(text));
        }
        ExitCode::from(self.codes.values().fold(0, |worst, code| exit::worse(worst, *code)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, acts: bool, format: OutputFormat, expected: &str) {
        let nodes = NodesArgs::default();
        let words: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        assert_eq!(forwarded(&words, &NodesWish { nodes: &nodes, format, acts, destroys: false }).join(" "), expected);
    }

    #[test]
    fn a_node_gets_the_words_without_those_about_nodes_and_output() {
        use OutputFormat::{Human, Json};
        check("start --node n2 --rid app#1", true, Human, "start --rid app#1 --local");
        check("start --local --cluster --color=no", true, Human, "start --local");
        check("instance stop --node=n2,n3", true, Human, "instance stop");
        check("print status --cluster -o yaml --refresh", false, Json, "print status --refresh --format json");
        check("print status -ojson --root /tmp/x --cluster", false, Json, "print status --format json");
        check("run --node n2 -- --node x", true, Human, "run --local -- --node x");
    }

    #[test]
    fn an_order_is_about_all_nodes_and_goes_to_none_of_them_alone() {
        use crate::command::ObjectLine;
        use clap::Parser;
        let forwards = |line: &str| {
            let words = std::iter::once("om").chain(line.split_whitespace());
            let command = ObjectLine::try_parse_from(words).unwrap().command.into_inner();
            wish(&command).map(|wish| wish.nodes.is_any())
        };
        for line in ["start --cluster", "freeze --cluster", "start", "print status", "stop --wait"] {
            assert_eq!(forwards(line), Some(false), "{line}");
        }
        for line in [
            "start --node n2",
            "start --cluster --local",
            "stop --cluster --rid app#1",
            "status --cluster",
            "clear --node n1",
        ] {
            assert_eq!(forwards(line), Some(true), "{line}");
        }
        for line in ["switch --node n2", "delete", "set --kw a=b", "enter --rid app#1"] {
            assert_eq!(forwards(line), None, "{line}");
        }
    }
}
