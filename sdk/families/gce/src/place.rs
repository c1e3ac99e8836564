//! The names and addresses of resources: `https://…/compute/v1/projects/p/zones/z/disks/d`.

use std::fmt;

use hostler_sdk::{Error, Result};
use serde_json::Value;

/// A reference to an instance: its zone and name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceRef {
    /// Its zone.
    pub zone: String,
    /// Its name.
    pub name: String,
}

impl InstanceRef {
    /// Reads an address that ends with `/zones/z/instances/i`.
    pub fn of(address: &str) -> Option<InstanceRef> {
        let mut words = address.rsplit('/');
        let (name, instances, zone, zones) = (words.next()?, words.next()?, words.next()?, words.next()?);
        // Other services use the same form for other resources, so both words are compared.
        let fits = instances == "instances" && zones == "zones";
        fits.then(|| InstanceRef { zone: zone.to_owned(), name: name.to_owned() })
    }

    /// Its path within the project.
    pub fn path(&self) -> String {
        format!("zones/{}/instances/{}", self.zone, self.name)
    }
}

impl fmt::Display for InstanceRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.name)
    }
}

/// The path within the project in the address of a resource: `zones/z/disks/d`.
pub fn path_of(address: &Value) -> &str {
    let address = address.as_str().unwrap_or_default();
    let below = address.split_once("/projects/").map_or(address, |(_, below)| below);
    match below.split_once('/') {
        Some((_, path)) if below.len() < address.len() => path,
        _ => below,
    }
}

/// The name in the address of a resource: its last part.
pub fn name_of(address: &Value) -> &str {
    address.as_str().unwrap_or_default().rsplit('/').next().unwrap_or_default()
}

/// Fails if the API would refuse the name: see RFC 1035.
pub fn check_name(keyword: &str, name: &str) -> Result<()> {
    let legal = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let fits = name.len() <= 63 && name.starts_with(|c: char| c.is_ascii_lowercase()) && !name.ends_with('-');
    if fits && name.chars().all(legal) {
        return Ok(());
    }
    Err(Error::invalid_config(format!(
        "{keyword} {name:?} is not a name for the Compute API: expected at most 63 lower case letters, digits and hyphens, a letter first"
    )))
}

/// Checks a word that becomes part of a path.
pub(super) fn segment(keyword: &str, word: &str) -> Result<String> {
    let legal = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
    // A word with a slash or a leading dot could change the path of a request.
    if !word.is_empty() && !word.starts_with('.') && word.chars().all(legal) {
        return Ok(word.to_owned());
    }
    Err(Error::invalid_config(format!("{keyword} {word:?} is not a word of the Compute API")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_taken_apart() {
        let address = "https://www.googleapis.com/compute/v1/projects/p/zones/z/instances/i";
        assert_eq!(InstanceRef::of(address), Some(InstanceRef { zone: "z".to_owned(), name: "i".to_owned() }));
        assert_eq!(InstanceRef::of("projects/p/zones/z/disks/d"), None);
        assert_eq!(path_of(&json!(address)), "zones/z/instances/i");
        assert_eq!(path_of(&json!("zones/z/disks/d")), "zones/z/disks/d");
        assert_eq!((name_of(&json!(address)), name_of(&json!(null))), ("i", ""));
    }

    #[test]
    fn names_are_what_the_api_takes() {
        for good in ["spdsvc01-pod1", "a", "rt-ip33"] {
            assert_eq!(check_name("names", good), Ok(()), "{good}");
        }
        for bad in ["", "1a", "a_b", "A", "a-", "../x", &"a".repeat(64)] {
            assert!(check_name("names", bad).is_err(), "{bad}");
        }
        assert!(segment("gce_project", "example.com:p").is_ok() && segment("gce_zone", "../a").is_err());
    }
}
