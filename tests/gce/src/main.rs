//! `gce-emulator`: see `--help`, and the crate's documentation.

use clap::Parser;

fn main() -> anyhow::Result<()> {
    hostler_gce::server::run(&hostler_gce::EmulatorOptions::parse())
}
