//! `om cluster …`: several nodes, and the engine that they share. What it does on this node is in [`crate::backend::LocalCluster`];
//! here is the order of it with the daemon's stop and start, and the words.

mod archive;
mod cert;
mod check;
mod init;
mod join;
mod leave;
mod operator;
mod rebuild;
mod recover;
mod status;
mod token;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::anyhow;
use clap::CommandFactory;
use model::ObjectPath;
use protocol::{ConfigTarget, FailureKind};

use crate::backend::{LocalCluster, SeatOrder, block_on};
use crate::command::{ClusterCommand, OmLine, SeatArgs};
use crate::config::target::ConfigFile;
use crate::exit::{Failure, Outcome};
use crate::object::unbuilt;
use crate::session::Session;
use crate::terminal::{is_interactive, types};
use crate::{config, daemon};

pub(crate) fn run(session: &Session, command: ClusterCommand) -> Outcome {
    // What changes files of this node cannot be asked of another one.
    session.backend.daemon_places()?;
    let cluster = LocalCluster::open(session.global.root.as_deref(), &session.typed)?;
    match command {
        ClusterCommand::Init(args) => init::run(session, &cluster, &args),
        ClusterCommand::Join(args) => join::run(session, &cluster, &args),
        ClusterCommand::Status(output) => status::run(&cluster, output.format),
        ClusterCommand::Check(args) => check::run(session, &cluster, &args),
        ClusterCommand::Token(command) => token::run(session, &cluster, command.into_inner()),
        ClusterCommand::Cert(command) => cert::run(session, &cluster, command.into_inner()),
        ClusterCommand::Leave(args) => leave::run(session, &cluster, &args),
        ClusterCommand::Remove(args) => leave::remove(session, &cluster, &args),
        ClusterCommand::Evict(args) => operator::evict(session, &cluster, &args),
        ClusterCommand::AcceptEngine(args) => operator::accept_engine(session, &cluster, &args),
        ClusterCommand::Recover(args) => recover::run(session, &cluster, &args),
        ClusterCommand::Rebuild(args) => rebuild::run(session, &cluster, &args),
        ClusterCommand::Backup { file } => archive::back_up(session, &cluster, file.as_deref()),
        ClusterCommand::Restore(args) => archive::restore(session, &cluster, &args),
        ClusterCommand::Config(command) => {
            let file = ConfigFile::of(session, ConfigTarget::Object(ObjectPath::cluster()));
            config::run(session, std::slice::from_ref(&file), "cluster", &command)
        }
        ClusterCommand::Other(words) => Err(unbuilt::second_word(OmLine::command(), "cluster", &words)),
    }
}

fn seat(args: &SeatArgs) -> Result<SeatOrder, Failure> {
    let ports = <[u16; 3]>::try_from(args.ports.as_slice());
    let ports =
        ports.map_err(|_| anyhow!("--ports: expected three ports: of the daemon, of clients and of members"))?;
    let [api, client, peer] = ports;
    if api == client || client == peer || api == peer || ports.contains(&0) {
        let text = format!("--ports {api},{client},{peer}: expected three different ports");
        return Err(Failure::message(FailureKind::Invalid, text));
    }
    Ok(SeatOrder { address: args.addr, ports, program: args.etcd.clone() })
}

/// Authority, certificate and key for an engine that is not managed. clap sees to it that there are all or none.
fn engine_files(files: [&Option<PathBuf>; 3]) -> Option<[PathBuf; 3]> {
    let [Some(authority), Some(certificate), Some(key)] = files else { return None };
    let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
    Some([authority, certificate, key].map(absolute))
}

/// Tells the daemon of this node to take the engine as it is. Without one, the next daemon does.
fn accept(session: &Session, cluster: &LocalCluster) -> Result<(), Failure> {
    match block_on(session.daemon().client.accept_engine())? {
        Ok(()) => Ok(()),
        Err(client::ClientError::NotRunning) => cluster.forget_engine(),
        Err(error) => Err(error.into()),
    }
}

/// The operator types the name of the cluster: what comes next cannot be undone.
pub(crate) fn confirm_by_name(name: &str, option: &str) -> Result<(), Failure> {
    if !is_interactive() {
        let text = format!(
            "standard input is not a terminal, so nothing can be confirmed and nothing was changed ({option} confirms)"
        );
        return Err(Failure::failed(text));
    }
    match types(&format!("type {name} to go on:"), name)? {
        true => Ok(()),
        false => Err(Failure::failed("not confirmed: nothing was changed".to_owned())),
    }
}

/// How often a daemon is started that another one is in the way of.
const STARTS: usize = 3;

/// Does what the daemon must not run beside, and starts it again whatever came of it.
fn without_daemon<T>(session: &Session, work: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    let stopped = daemon::stop_for_a_moment(session)?;
    let done = work();
    // None ran before, and nothing has changed that one would have to know.
    if done.is_err() && !stopped {
        return done;
    }
    let started = start_again(session);
    // The first failure says more.
    let value = done?;
    match started? {
        ExitCode::SUCCESS => Ok(value),
        _ => Err(Failure::failed("the daemon does not come back in time: om daemon log shows why".to_owned())),
    }
}

/// Starts a daemon that knows what was changed. One that a killed command has started meanwhile knows what was before.
fn start_again(session: &Session) -> Outcome {
    for _ in 1..STARTS {
        daemon::stop_for_a_moment(session)?;
        if let Ok(started) = daemon::start_again(session) {
            return Ok(started);
        }
    }
    daemon::stop_for_a_moment(session)?;
    daemon::start_again(session)
}
