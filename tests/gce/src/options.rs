//! The command line.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;

/// The help about `control`. The faults are those of [`InjectedFault`](crate::cloud::InjectedFault).
const CONTROL: &str = "\
Control:
  POST   <control>/faults     {\"method\": \"disks.insert\", \"fault\": \"quota\", \"times\": 1}; method * is any
  DELETE <control>/faults     nothing goes wrong any more, what was stuck goes on
  POST   <control>/revoke     no token is good any more
  GET    <control>/called     the methods called so far, and how many tokens were given
  GET    <control>/resources  every resource by its path

Faults:
  refused   unavailable rate-limit quota forbidden expired-token not-found already-exists in-use not-ready
            condition-not-met
  accepted, and failing later
            late-quota late-exhausted late-internal stuck
  done      no-device (attached, and no device appears), lost (the connection breaks before the answer)";

/// A stand-in for Google's Compute API and metadata server.
///
/// Listens on the loopback interface. Once it listens, it writes one line of JSON to its standard output: `api` is what goes
/// into the keyword gce_endpoint, `metadata` holds for each instance what goes into gce_metadata on the node that plays it,
/// `control` is where a test injects faults. It ends when its standard input is closed, and then detaches every device.
#[derive(Debug, Parser)]
#[command(name = "gce-emulator", after_long_help = CONTROL)]
pub struct EmulatorOptions {
    /// An instance that runs already: NAME, or NAME=DIR with the directory where the devices of its disks appear as
    /// google-DEVICENAME. Without DIR it has no devices on this machine. May be repeated.
    #[arg(long = "instance", value_name = "NAME[=DIR]", required = true, value_parser = instance)]
    pub instances: Vec<(String, Option<PathBuf>)>,
    /// Where disks are kept, as sparse files, and the state of the cloud, so that it goes on where it was.
    #[arg(long, value_name = "DIR")]
    pub directory: PathBuf,
    /// The id of the project.
    #[arg(long, default_value = "stand-in")]
    pub project: String,
    /// The zone of the instances.
    #[arg(long, default_value = "europe-west1-b")]
    pub zone: String,
    /// How many bytes a GB has: 16777216 makes 20 GB disks of 320 MiB.
    #[arg(long, value_name = "BYTES", default_value = "1073741824")]
    pub gigabyte: u64,
    /// For how many seconds a token is good.
    #[arg(long, value_name = "SECONDS", default_value = "3600")]
    pub token_lifetime: u64,
    /// How many looks an operation takes to be done.
    #[arg(long, default_value = "2")]
    pub steps: u32,
    /// Where the API listens.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
}

impl EmulatorOptions {
    /// Where the devices of each instance appear.
    pub fn links(&self) -> BTreeMap<String, PathBuf> {
        self.instances.iter().filter_map(|(name, directory)| Some((name.clone(), directory.clone()?))).collect()
    }

    /// For how long a token is good.
    pub fn lifetime(&self) -> Duration {
        Duration::from_secs(self.token_lifetime)
    }
}

fn instance(text: &str) -> Result<(String, Option<PathBuf>), String> {
    let (name, directory) = match text.split_once('=') {
        Some((name, directory)) => (name, Some(PathBuf::from(directory))),
        None => (text, None),
    };
    let legal = name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if legal { Ok((name.to_owned(), directory)) } else { Err(format!("{name:?} is not a name for an instance")) }
}
