//! Writes the components and the Rust table that includes them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::component::BuiltComponent;

pub(crate) fn write(out: &Path, components: &[BuiltComponent]) -> Result<()> {
    let mut table = String::from("&[\n");
    for BuiltComponent { name, aliases, implicit, digest, manifest, bytes } in components {
        let file = out.join(format!("{name}.wasm"));
        write_if_different(&file, bytes)?;
        writeln!(
            table,
            "    BuiltinDriver {{ name: {name:?}, aliases: &{aliases:?}, implicit: {implicit}, digest: {digest:?}, manifest: {manifest:?}, \
             component: include_bytes!({file:?}) }},"
        )?;
    }
    table.push_str("]\n");
    write_if_different(&out.join("builtin.rs"), table.as_bytes())
}

/// Leaves a file with the same content alone, so that cargo does not recompile what includes it.
fn write_if_different(file: &Path, content: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|found| found == content) {
        return Ok(());
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}
