//! What the host found out in a call about the names that grants hold: the addresses behind host names, and the devices behind
//! labels and links.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

/// The names that were looked up in a call, and what they stand for.
#[derive(Debug, Default, Clone)]
pub struct KnownNames {
    addresses: BTreeMap<String, BTreeSet<IpAddr>>,
    /// The words that lead to each device: a device has one path and many names.
    devices: BTreeMap<String, BTreeSet<String>>,
    /// The paths that lead to each real path.
    paths: BTreeMap<String, BTreeSet<String>>,
    /// Other ways to write each argument: with another name of the file or device to which it leads. Only denials are held against them.
    spellings: BTreeMap<String, BTreeSet<String>>,
    /// The words that lead to each argument which is a place. Only lines that write an argument out are held against them.
    led: BTreeMap<String, BTreeSet<String>>,
}

impl KnownNames {
    pub(crate) fn learn_addresses(&mut self, name: &str, addresses: &[IpAddr]) {
        self.addresses.entry(name.to_owned()).or_default().extend(addresses);
    }

    pub(crate) fn learn_device(&mut self, word: &str, path: &str) {
        self.devices.entry(path.to_owned()).or_default().insert(word.to_owned());
    }

    pub(crate) fn learn_path(&mut self, path: &str, real: &str) {
        self.paths.entry(real.to_owned()).or_default().insert(path.to_owned());
    }

    pub(crate) fn learn_spellings(&mut self, argument: &str, others: &[String]) {
        self.spellings.entry(argument.to_owned()).or_default().extend(others.iter().cloned());
    }

    pub(crate) fn learn_led(&mut self, place: &str, word: &str) {
        self.led.entry(place.to_owned()).or_default().insert(word.to_owned());
    }

    /// Whether this argument is the place to which the word leads, and the line has the very word.
    pub(crate) fn is_led_from(&self, argument: &str, literal: Option<String>) -> bool {
        let words = self.led.get(argument);
        words.zip(literal).is_some_and(|(words, literal)| words.contains(&literal))
    }

    /// Whether a look-up found that a host name stands for an address.
    pub(crate) fn is_address_of(&self, name: &str, address: IpAddr) -> bool {
        self.addresses.get(name).is_some_and(|known| known.contains(&address))
    }

    /// Whether a line is about this word, by itself or by another name of the same device.
    pub(crate) fn any_name(&self, word: &str, mut fits: impl FnMut(&str) -> bool) -> bool {
        fits(word) || self.devices.get(word).is_some_and(|names| names.iter().any(|name| fits(name)))
    }

    /// The same for an argument of a program, which may also hold a real path, alone or behind a colon as in exportfs(8).
    pub(crate) fn any_argument(&self, word: &str, mut fits: impl FnMut(&str) -> bool) -> bool {
        let spelled = |fits: &mut dyn FnMut(&str) -> bool| {
            self.spellings.get(word).is_some_and(|others| others.iter().any(|other| fits(other)))
        };
        if self.any_name(word, &mut fits) || spelled(&mut fits) {
            return true;
        }
        let at = if word.starts_with('/') { Some(0) } else { word.find(":/").map(|colon| colon + 1) };
        let Some((before, path)) = at.map(|at| word.split_at(at)) else { return false };
        self.paths.get(path).is_some_and(|names| names.iter().any(|name| fits(&format!("{before}{name}"))))
    }
}
