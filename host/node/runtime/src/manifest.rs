//! The manifest, read from a component without running it.

use wasmparser::{Parser, Payload};

/// The name of the custom section.
const SECTION: &str = "hostler.manifest";

/// How modules and components begin.
const MAGIC: &[u8] = b"\0asm";

/// Why a file has no manifest.
#[derive(Debug, thiserror::Error)]
pub enum NoManifest {
    /// It does not begin as WebAssembly does.
    #[error("it is no WebAssembly")]
    NotWasm,
    /// It is no whole WebAssembly component.
    #[error("it is no WebAssembly component")]
    NotAComponent(#[source] wasmparser::BinaryReaderError),
    /// It is one, of something else than a driver.
    #[error("it has no section {SECTION}")]
    NoSection,
    /// Its manifest is no text.
    #[error("its manifest is not utf-8")]
    Encoding,
}

/// The manifest of a component, as JSON. The section is in the component itself or in a module inside it, where compilers of
/// modules put it.
pub fn manifest_of(component: &[u8]) -> Result<String, NoManifest> {
    if !component.starts_with(MAGIC) {
        return Err(NoManifest::NotWasm);
    }
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(NoManifest::NotAComponent)? {
            Payload::Version { encoding: wasmparser::Encoding::Module, range, .. } if range.start == 0 => {
                return Err(NoManifest::NoSection);
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                return String::from_utf8(section.data().to_vec()).map_err(|_| NoManifest::Encoding);
            }
            _ => {}
        }
    }
    Err(NoManifest::NoSection)
}
