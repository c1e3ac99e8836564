//! Writes the components and the Rust table that includes them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result};

use crate::component::Component;

pub(crate) fn write(out: &Path, components: &[Component]) -> Result<()> {
    let mut table = String::from("&[\n");
    for Component { name, aliases, implicit, digest, manifest, bytes } in components {
        let file = out.join(format!("{name}.wasm"));
        write_if_different(&file, bytes)?;
        writeln!(
            table,
            "    Builtin {{ name: {name:?}, aliases: &{aliases:?}, implicit: {implicit}, digest: {digest:?}, manifest: {manifest:?}, \
             component: include_bytes!({file:?}) }},"
        )?;
    }
    table.push_str("]\n");
    write_if_different(&out.join("builtin.rs"), table.as_bytes())
}

/// Leaves a file that is as wanted alone, so that nobody who includes it is compiled again.
fn write_if_different(file: &Path, content: &[u8]) -> Result<()> {
    if fs::read(file).is_ok_and(|found| found == content) {
        return Ok(());
    }
    fs::write(file, content).with_context(|| format!("cannot write {}", file.display()))
}
