//! Reads the manifest from a component, without running it.

use wasmparser::{Parser, Payload};

/// The name of the custom section.
const SECTION: &str = "hostler.manifest";

/// The first bytes of modules and components.
const MAGIC: &[u8] = b"\0asm";

/// Why a file has no manifest.
#[derive(Debug, thiserror::Error)]
pub enum SectionError {
    /// It does not begin as WebAssembly does.
    #[error("it is not WebAssembly")]
    NotWasm,
    /// It is not a complete WebAssembly component.
    #[error("it is not a WebAssembly component")]
    NotAComponent(#[source] wasmparser::BinaryReaderError),
    /// It is a component, but not a driver.
    #[error("it has no section {SECTION}")]
    NoSection,
    /// Its manifest is not text.
    #[error("its manifest is not utf-8")]
    Encoding,
}

/// The manifest of a component, as JSON. The section is in the component itself, or in a module inside it, where
/// compilers of modules put it.
pub fn manifest_of(component: &[u8]) -> Result<String, SectionError> {
    if !component.starts_with(MAGIC) {
        return Err(SectionError::NotWasm);
    }
    for payload in Parser::new(0).parse_all(component) {
        match payload.map_err(SectionError::NotAComponent)? {
            // A bare module: even with the section it could not be run as a driver.
            Payload::Version { encoding: wasmparser::Encoding::Module, range, .. } if range.start == 0 => {
                return Err(SectionError::NoSection);
            }
            Payload::CustomSection(section) if section.name() == SECTION => {
                return String::from_utf8(section.data().to_vec()).map_err(|_| SectionError::Encoding);
            }
            _ => {}
        }
    }
    Err(SectionError::NoSection)
}
