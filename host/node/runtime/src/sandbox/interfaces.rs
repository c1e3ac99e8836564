//! The interfaces that a component may import. Only those that it does import are defined for it: to define all of them takes
//! as long as everything else that loading a driver does.
//!
//! WASI is among them because std needs it, but it is empty: see [`super::store`].

use bindings::driver::hostler::driver as host;
use wasmtime::component::{Component, HasData, HasSelf, Linker, ResourceTable};
use wasmtime_wasi::cli::{WasiCli, WasiCliView};
use wasmtime_wasi::clocks::{WasiClocks, WasiClocksView};
use wasmtime_wasi::filesystem::{WasiFilesystem, WasiFilesystemView};
use wasmtime_wasi::p2::bindings as wasi;
use wasmtime_wasi::random::{WasiRandom, WasiRandomView};
use wasmtime_wasi::sockets::{WasiSockets, WasiSocketsView};
use wasmtime_wasi_io::bindings::wasi::io;

use super::store::GuestState;

/// What the interfaces of `wasi:io` act on.
struct WasiIo;

impl HasData for WasiIo {
    type Data<'a> = &'a mut ResourceTable;
}

/// A linker with the interfaces that the component imports. Functions that it has no grant for are there too, and answer
/// `denied`. An interface that does not exist is missing, and the instantiation reports that.
pub(super) fn linker(component: &Component) -> wasmtime::Result<Linker<GuestState>> {
    let engine = component.engine();
    let mut linker = Linker::new(engine);
    for (name, _) in component.component_type().imports(engine) {
        // The linker itself compares the versions.
        let interface = name.split_once('@').map_or(name, |(interface, _)| interface);
        define(&mut linker, interface)?;
    }
    Ok(linker)
}

fn define(l: &mut Linker<GuestState>, interface: &str) -> wasmtime::Result<()> {
    match interface.split_once(':') {
        Some(("hostler", capability)) => define_capability(l, capability),
        Some(("wasi", interface)) => define_wasi(l, interface),
        _ => Ok(()),
    }
}

/// The interfaces of `wit/`.
fn define_capability(l: &mut Linker<GuestState>, capability: &str) -> wasmtime::Result<()> {
    macro_rules! state {
        ($interface:ident) => {
            host::$interface::add_to_linker::<_, HasSelf<GuestState>>(l, |state| state)
        };
    }
    match capability {
        "driver/types" => state!(types),
        "driver/log" => state!(log),
        "driver/progress" => state!(progress),
        "driver/state" => state!(state),
        "driver/holdings" => state!(holdings),
        "driver/clock" => state!(clock),
        "driver/process" => state!(process),
        "driver/files" => state!(files),
        "driver/mount" => state!(mount),
        "driver/block" => state!(block),
        "driver/net" => state!(net),
        "driver/netns" => state!(netns),
        "driver/http" => state!(http),
        "driver/volume" => state!(volume),
        _ => Ok(()),
    }
}

/// The interfaces of WASI 0.2.
fn define_wasi(l: &mut Linker<GuestState>, interface: &str) -> wasmtime::Result<()> {
    use wasi::{cli, clocks, filesystem, random, sockets};
    type State = GuestState;
    match interface {
        "io/error" => io::error::add_to_linker::<_, WasiIo>(l, State::table),
        "io/poll" => io::poll::add_to_linker::<_, WasiIo>(l, State::table),
        "io/streams" => io::streams::add_to_linker::<_, WasiIo>(l, State::table),
        "clocks/wall-clock" => clocks::wall_clock::add_to_linker::<_, WasiClocks>(l, State::clocks),
        "clocks/monotonic-clock" => clocks::monotonic_clock::add_to_linker::<_, WasiClocks>(l, State::clocks),
        "random/random" => random::random::add_to_linker::<_, WasiRandom>(l, State::random),
        "random/insecure" => random::insecure::add_to_linker::<_, WasiRandom>(l, State::random),
        "random/insecure-seed" => random::insecure_seed::add_to_linker::<_, WasiRandom>(l, State::random),
        "cli/exit" => cli::exit::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/environment" => cli::environment::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/stdin" => cli::stdin::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/stdout" => cli::stdout::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/stderr" => cli::stderr::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/terminal-input" => cli::terminal_input::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/terminal-output" => cli::terminal_output::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/terminal-stdin" => cli::terminal_stdin::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/terminal-stdout" => cli::terminal_stdout::add_to_linker::<_, WasiCli>(l, State::cli),
        "cli/terminal-stderr" => cli::terminal_stderr::add_to_linker::<_, WasiCli>(l, State::cli),
        "filesystem/preopens" => filesystem::preopens::add_to_linker::<_, WasiFilesystem>(l, State::filesystem),
        "filesystem/types" => filesystem::types::add_to_linker::<_, WasiFilesystem>(l, State::filesystem),
        "sockets/tcp" => sockets::tcp::add_to_linker::<_, WasiSockets>(l, State::sockets),
        "sockets/udp" => sockets::udp::add_to_linker::<_, WasiSockets>(l, State::sockets),
        "sockets/tcp-create-socket" => sockets::tcp_create_socket::add_to_linker::<_, WasiSockets>(l, State::sockets),
        "sockets/udp-create-socket" => sockets::udp_create_socket::add_to_linker::<_, WasiSockets>(l, State::sockets),
        "sockets/instance-network" => sockets::instance_network::add_to_linker::<_, WasiSockets>(l, State::sockets),
        "sockets/network" => sockets::network::add_to_linker::<_, WasiSockets>(l, &Default::default(), State::sockets),
        "sockets/ip-name-lookup" => sockets::ip_name_lookup::add_to_linker::<_, WasiSockets>(l, State::sockets),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::engine::SandboxEngine;
    use bindings::driver::Driver;

    #[test]
    fn every_interface_of_the_contract_is_defined_for_a_component_that_imports_it() {
        let engine = SandboxEngine::compiler().unwrap();
        let mut whole = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_async(&mut whole).unwrap();
        Driver::add_to_linker::<_, HasSelf<GuestState>>(&mut whole, |state| state).unwrap();
        let world = include_str!("../../../../../wit/worlds.wit");
        let imports = world.lines().filter_map(|line| line.trim().strip_prefix("import ")?.strip_suffix(';'));
        let imports: Vec<String> = imports.map(|name| format!("hostler:driver/{name}")).collect();
        assert!(imports.len() > 10, "{imports:?}");
        let wasi = ["wasi:cli/environment", "wasi:io/streams", "wasi:sockets/udp"].map(str::to_owned);
        for interface in imports.into_iter().chain(wasi) {
            // What is there already cannot be defined again.
            assert!(define(&mut whole, &interface).is_err(), "{interface} is not defined");
        }
        define(&mut whole, "wasi:cli/absent").unwrap();
    }
}
