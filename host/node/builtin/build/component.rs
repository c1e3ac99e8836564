//! Reads what a driver's component says of itself, without running it.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use wasmparser::{Parser, Payload};

/// Where the SDK writes the manifest.
const SECTION: &str = "hostler.manifest";

/// A driver's component.
pub(crate) struct BuiltComponent {
    /// `disk.loop`, as its manifest says.
    pub(crate) name: String,
    /// Its other names within the group.
    pub(crate) aliases: Vec<String>,
    /// Whether objects have a resource of it by themselves.
    pub(crate) implicit: bool,
    /// `sha256:` and the digest of the bytes, in hexadecimal.
    pub(crate) digest: String,
    pub(crate) manifest: String,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn read(file: &Path) -> Result<BuiltComponent> {
    let what = || format!("cannot embed the driver {}", file.display());
    let bytes = fs::read(file).with_context(what)?;
    let manifest = manifest(&bytes).with_context(what)?;
    let stated = stated(&manifest).with_context(what)?;
    let digest = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let ManifestFacts { name, aliases, implicit } = stated;
    Ok(BuiltComponent { name, aliases, implicit, digest: format!("sha256:{digest}"), manifest, bytes })
}

/// The custom section, which lies in the module inside the component.
fn manifest(component: &[u8]) -> Result<String> {
    for payload in Parser::new(0).parse_all(component) {
        if let Payload::CustomSection(section) = payload?
            && section.name() == SECTION
        {
            return String::from_utf8(section.data().to_vec()).context("its manifest is not UTF-8");
        }
    }
    anyhow::bail!("it has no section {SECTION}: its `impl Driver` lacks the attribute #[driver]")
}

/// The members of the manifest that the table repeats, so that a driver is found without reading all manifests.
struct ManifestFacts {
    name: String,
    aliases: Vec<String>,
    implicit: bool,
}

fn stated(manifest: &str) -> Result<ManifestFacts> {
    let manifest: serde_json::Value = serde_json::from_str(manifest).context("its manifest is not JSON")?;
    let member = |name: &str| manifest[name].as_str().with_context(|| format!("its manifest has no {name}"));
    let aliases = manifest["aliases"].as_array().into_iter().flatten();
    Ok(ManifestFacts {
        name: format!("{}.{}", member("group")?, member("name")?),
        aliases: aliases.filter_map(|alias| alias.as_str().map(str::to_owned)).collect(),
        implicit: manifest["implicit"].is_string(),
    })
}
