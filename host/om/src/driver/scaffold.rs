//! `om driver new`: a package for a driver of one's own, which stands alone. It is the template of this repository with the files that a
//! workspace would give it.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use model::DriverName;

use crate::exit::Failure;
use crate::session::Session;

/// The driver that the template holds, under its own name.
const TEMPLATE: &str = include_str!("../../../../examples/driver-template/src/lib.rs");
const TEMPLATE_NAME: &str = "app.note";

const TOOLCHAIN: &str = include_str!("../../../../rust-toolchain.toml");

const CLIPPY: &str = r#"# A sandbox has no files, network, processes or environment of std's: these compile, and fail when the driver runs.
disallowed-types = [
    { path = "std::fs::File", reason = "not in a sandbox: hostler_sdk::files" },
    { path = "std::net::TcpStream", reason = "not in a sandbox: hostler_sdk::http" },
    { path = "std::process::Command", reason = "not in a sandbox: hostler_sdk::Command" },
]
disallowed-methods = [
    { path = "std::fs::read", reason = "not in a sandbox: hostler_sdk::files::read" },
    { path = "std::fs::read_to_string", reason = "not in a sandbox: hostler_sdk::files::read_text" },
    { path = "std::fs::write", reason = "not in a sandbox: hostler_sdk::files::write" },
    { path = "std::env::var", reason = "empty in a sandbox: keywords and Context" },
    { path = "std::thread::sleep", reason = "hostler_sdk::clock::sleep heeds the deadline" },
    { path = "std::process::exit", reason = "a trap: return an error" },
]
"#;

/// Writes the package of a driver into a new directory. `sdk` is a directory or the URL of a git repository.
pub(crate) fn run(session: &Session, name: &str, sdk: &str, to: Option<&Path>) -> Result<(), Failure> {
    let name: DriverName =
        name.parse().with_context(|| format!("{name:?} is not the name of a driver, such as app.ticket"))?;
    let package = format!("driver-{}", name.to_string().replace('.', "-"));
    let directory = to.map_or_else(|| PathBuf::from(&package), Path::to_owned);
    if fs::read_dir(&directory).is_ok_and(|mut found| found.next().is_some()) {
        return Err(Failure::failed(format!("{} exists already and is not empty", directory.display())));
    }
    let sdk = sdk_source(sdk)?;
    for (file, text) in files(&name, &package, &sdk) {
        write(&directory.join(file), &text)?;
    }
    session.note(&format!(
        "{name} is begun in {}: see its src/lib.rs, then make test and make build there",
        directory.display()
    ));
    Ok(())
}

/// Where Cargo finds the SDK.
fn sdk_source(sdk: &str) -> Result<String, Failure> {
    if sdk.contains("://") || sdk.starts_with("git@") {
        return Ok(format!("{{ git = {sdk:?} }}"));
    }
    let manifest = Path::new(sdk).join("Cargo.toml");
    let text = fs::read_to_string(&manifest).unwrap_or_default();
    if !text.contains("name = \"hostler-sdk\"") {
        let expected = "expected the directory sdk of a checkout of Hostler, or the URL of a git repository";
        return Err(Failure::failed(format!("--sdk {sdk}: {expected}")));
    }
    let place = fs::canonicalize(sdk).with_context(|| format!("cannot find {sdk}"))?;
    Ok(format!("{{ path = {:?} }}", place.display().to_string()))
}

/// The files of the package.
fn files(name: &DriverName, package: &str, sdk: &str) -> [(&'static str, String); 6] {
    let component = package.replace('-', "_");
    let manifest = format!(
        r#"[package]
name = "{package}"
description = "The driver {name}."
version = "0.1.0"
edition = "2024"
publish = false

[dependencies]
hostler-sdk = {sdk}

[lib]
crate-type = ["cdylib"]

# A workspace of its own, so that it may lie in the directory of another.
[workspace]

# Small, no unwinding, names kept for backtraces.
[profile.driver]
inherits = "release"
opt-level = "s"
lto = true
codegen-units = 1
panic = "abort"
strip = "debuginfo"
"#
    );
    let makefile = format!(
        "component = target/wasm32-wasip2/driver/{component}.wasm\n\n\
         test:\n\tcargo test\n\n\
         lint:\n\tcargo clippy --target wasm32-wasip2\n\n\
         build:\n\tcargo build --target wasm32-wasip2 --profile driver\n\n\
         # Shows what it asks for, and asks you whether it may.\n\
         try: build\n\tom driver inspect $(component)\n\tom driver allow $(component)\n\n\
         .PHONY: test lint build try\n"
    );
    [
        ("Cargo.toml", manifest),
        ("Makefile", makefile),
        ("rust-toolchain.toml", TOOLCHAIN.to_owned()),
        ("clippy.toml", CLIPPY.to_owned()),
        (".gitignore", "/target\n".to_owned()),
        ("src/lib.rs", TEMPLATE.replace(TEMPLATE_NAME, &name.to_string())),
    ]
}

fn write(path: &Path, text: &str) -> anyhow::Result<()> {
    if let Some(directory) = path.parent() {
        fs::create_dir_all(directory).with_context(|| format!("cannot create {}", directory.display()))?;
    }
    fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
}
