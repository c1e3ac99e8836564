//! The whole program on the real kernel: every scenario is a handful of `om` commands, as an operator types them, in a
//! world of its own, and what is on the machine afterwards.
//!
//! As root, all of it happens in private mount and network namespaces. A scenario that needs something which the machine
//! does not have prints why it was skipped.

#![expect(clippy::print_stdout, reason = "a test that was skipped prints why")]

mod access;
mod addresses;
mod bad_drivers;
mod broken_config;
mod certificates;
mod cluster;
mod component;
mod container_events;
mod container_faults;
mod containers;
mod copies;
mod crash;
mod daemon;
mod daemon_faults;
mod daemon_secrets;
mod devices;
mod driver_commands;
mod elsewhere;
mod escapes;
mod event_readers;
mod exit_codes;
mod failover;
mod failsafe;
mod fencing;
mod full_disk;
mod gce;
mod guest;
mod holdings;
mod hostile_authors;
mod hostile_drivers;
mod hostile_engines;
mod hostile_users;
mod images;
mod joining;
mod keeper;
mod kept_namespaces;
mod kvm;
mod leaks;
mod libvirt;
mod life;
mod limits;
mod log_sinks;
mod lying_engines;
mod migration;
mod mounts;
mod namespaces;
mod network;
mod node;
mod old_names;
mod one_at_a_time;
mod options;
mod order;
mod output;
mod outside_changes;
mod own_engine;
mod places;
mod podman;
mod programs;
mod proofs;
mod ran;
mod records;
mod recovering;
mod rollback;
mod routes;
mod secrets;
mod separate;
mod several;
mod shared_devices;
mod shares;
mod spider;
mod storage;
mod tasks;
mod trace;
mod unprivileged;
mod volumes;
mod watch;
mod witness;
mod world;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};
use nix::mount::MsFlags;
use nix::sched::{CloneFlags, unshare};

use world::World;

/// The trials of a file, named after its functions.
macro_rules! trials {
    ($($test:ident),* $(,)?) => {
        pub(crate) fn trials() -> Vec<libtest_mimic::Trial> {
            vec![$(crate::trial(concat!(module_path!(), "::", stringify!($test)), $test)),*]
        }
    };
}
pub(crate) use trials;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    guest::remember_network();
    if let Err(reason) = isolate() {
        println!("scenarios: skipped: no private namespaces: {reason}");
        return ExitCode::SUCCESS;
    }
    // `cargo bench` says so.
    if arguments.bench {
        spider::figures(&World::new());
        return ExitCode::SUCCESS;
    }
    let trials = [
        life::trials(),
        limits::trials(),
        storage::trials(),
        volumes::trials(),
        tasks::trials(),
        devices::trials(),
        mounts::trials(),
        holdings::trials(),
        outside_changes::trials(),
        network::trials(),
        addresses::trials(),
        routes::trials(),
        namespaces::trials(),
        containers::trials(),
        container_faults::trials(),
        container_events::trials(),
        own_engine::trials(),
        podman::trials(),
        order::trials(),
        programs::trials(),
        proofs::trials(),
        records::trials(),
        shared_devices::trials(),
        secrets::trials(),
        rollback::trials(),
        crash::trials(),
        daemon::trials(),
        access::trials(),
        watch::trials(),
        log_sinks::trials(),
        daemon_faults::trials(),
        event_readers::trials(),
        trace::trials(),
        daemon_secrets::trials(),
        elsewhere::trials(),
        escapes::trials(),
        places::trials(),
        failover::trials(),
        failsafe::trials(),
        one_at_a_time::trials(),
        full_disk::trials(),
        gce::trials(),
        certificates::trials(),
        fencing::trials(),
        joining::trials(),
        witness::trials(),
        recovering::trials(),
        keeper::trials(),
        kept_namespaces::trials(),
        kvm::trials(),
        migration::trials(),
        bad_drivers::trials(),
        hostile_authors::trials(),
        hostile_drivers::trials(),
        hostile_engines::trials(),
        hostile_users::trials(),
        lying_engines::trials(),
        broken_config::trials(),
        driver_commands::trials(),
        exit_codes::trials(),
        options::trials(),
        output::trials(),
        unprivileged::trials(),
        copies::trials(),
        images::trials(),
        shares::trials(),
        old_names::trials(),
        spider::trials(),
    ];
    libtest_mimic::run(&arguments, trials.into_iter().flatten().collect()).exit_code()
}

/// A test in a world that must be empty afterwards.
fn trial(name: &str, test: fn(&World)) -> Trial {
    let name = name.trim_start_matches("scenarios::").to_owned();
    Trial::test(name, move || {
        let world = World::new();
        test(&world);
        Ok(leaks::nothing_is_left(&world)?)
    })
}

/// Leaves the namespaces of the machine, before any thread exists.
fn isolate() -> anyhow::Result<()> {
    if !nix::unistd::geteuid().is_root() {
        anyhow::bail!("not root");
    }
    unshare(CloneFlags::CLONE_NEWNS | CloneFlags::CLONE_NEWNET)?;
    // First separated from the machine, then shared, as systemd does: a container or a virtual machine has its own copy of
    // every mount, and would keep a disk of another scenario busy if unmounting did not propagate to it.
    separate::propagate(MsFlags::MS_PRIVATE)?;
    separate::propagate(MsFlags::MS_SHARED)?;
    network::ip("link set lo up");
    gce::isolate()?;
    Ok(())
}
