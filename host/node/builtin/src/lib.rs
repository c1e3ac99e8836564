//! The drivers that come with the agent: portable WebAssembly components, embedded at build time by `build/`.
//!
//! This crate holds only data. `grant` decides what each driver may do, and `runtime` compiles it for this machine.

/// A driver that comes with the agent.
#[derive(Clone, Copy)]
pub struct BuiltinDriver {
    /// `disk.loop`.
    pub name: &'static str,
    /// Other names within its group, as its manifest lists them: known without reading the manifest.
    pub aliases: &'static [&'static str],
    /// Whether every object of several nodes has a resource of this driver by itself, as its manifest says.
    pub implicit: bool,
    /// `sha256:` and the digest of the component, in hexadecimal.
    pub digest: &'static str,
    /// The manifest: the JSON of the component's custom section `hostler.manifest`.
    pub manifest: &'static str,
    /// The component.
    pub component: &'static [u8],
}

/// All built-in drivers, sorted by name.
pub fn drivers() -> &'static [BuiltinDriver] {
    DRIVERS
}

impl std::fmt::Debug for BuiltinDriver {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Without the component and the manifest, which would fill the screen.
        f.debug_struct("BuiltinDriver").field("name", &self.name).field("digest", &self.digest).finish_non_exhaustive()
    }
}

static DRIVERS: &[BuiltinDriver] = include!(concat!(env!("OUT_DIR"), "/builtin.rs"));

#[cfg(test)]
mod tests {
    use super::drivers;

    #[test]
    fn every_driver_is_a_component_that_is_found_by_its_name() {
        assert!(drivers().is_sorted_by_key(|driver| driver.name));
        for driver in drivers() {
            let (group, name) = driver.name.split_once('.').expect("a group and a name");
            assert!(driver.manifest.contains(&format!(r#""group":"{group}","name":"{name}""#)), "{}", driver.name);
            // The preamble of a component, layer 1, which tells it from a core module.
            assert_eq!(driver.component[..8], *b"\0asm\x0d\0\x01\0", "{}", driver.name);
        }
    }

    #[test]
    fn components_hold_no_path_of_the_machine_that_built_them() {
        let home = std::env::home_dir().map(|home| home.to_string_lossy().into_owned()).unwrap_or_default();
        for driver in drivers() {
            let paths = [env!("CARGO_MANIFEST_DIR").trim_end_matches("host/node/builtin"), &format!("{home}/.cargo")];
            for path in paths {
                let found = driver.component.windows(path.len()).any(|window| window == path.as_bytes());
                assert!(!found, "{} holds {path}", driver.name);
            }
        }
    }
}
