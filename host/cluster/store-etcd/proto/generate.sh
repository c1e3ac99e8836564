#!/bin/sh
# Makes ../src/rpc.rs of etcd.proto. Run it by hand after a change of etcd.proto, and commit both: a build needs no protoc.
# Needs protoc (Debian: protobuf-compiler) and cargo; a throw-away crate runs tonic's own generator.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/src" "$work/out"
cat > "$work/Cargo.toml" <<'TOML'
[package]
name = "generate"
version = "0.0.0"
edition = "2024"
[workspace]
[dependencies]
tonic-prost-build = { version = "=0.14.9", default-features = false }
TOML
cat > "$work/src/main.rs" <<'RUST'
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    tonic_prost_build::configure()
        .build_server(false)
        .build_transport(false)
        .bytes(".")
        .out_dir(&arguments[1])
        .compile_protos(&[format!("{}/etcd.proto", arguments[0])], &[arguments[0].clone()])?;
    Ok(())
}
RUST
(cd "$work" && cargo run --quiet -- "$here" "$work/out")
{
    echo '//! What Hostler says to etcd, as proto/generate.sh makes it of proto/etcd.proto with tonic-prost-build 0.14.9. Not edited by hand.'
    echo
    echo '#[allow('
    echo '    clippy::all,'
    echo '    clippy::allow_attributes_without_reason,'
    echo '    unreachable_pub,'
    echo '    reason = "generated"'
    echo ')]'
    # In a module of its own, so that its types are not taken for types of this crate.
    echo 'pub(crate) mod etcdserverpb {'
    cat "$work/out/etcdserverpb.rs"
    echo '}'
} > "$here/../src/rpc.rs"
rustfmt --edition 2024 --config-path "$here/../../../.." "$here/../src/rpc.rs"
