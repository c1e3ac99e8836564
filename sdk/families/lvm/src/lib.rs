//! Logical volumes: what disk.vg and disk.lv have in common, see lvm(8).
//!
//! Reports are asked for with `--readonly`: they take no lock, talk to no device-mapper and need no capability. Whether a
//! volume is active is seen by its device, which udev makes when it is activated.

#[cfg(not(target_arch = "wasm32"))]
pub mod fake;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hostler_sdk::{Command, Error, Result};
use serde_json::Value;

/// The longest name of a group or a volume.
const LONGEST: usize = 127;

/// A line of a report: its columns by name.
pub type Row = BTreeMap<String, String>;

/// What is wrong with the name of a group or a volume, by the rules of lvm(8).
pub fn fault_of_name(name: &str) -> Option<String> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "+_.-".contains(letter);
    let wrong = match name {
        "" | "." | ".." => "it is empty or a directory",
        _ if name.starts_with('-') => "it begins with a hyphen",
        _ if name.len() > LONGEST => "it is longer than 127 letters",
        _ if !name.chars().all(legal) => "expected letters, digits and any of + _ . -",
        _ => return None,
    };
    Some(format!("{name:?} is no name for LVM: {wrong}"))
}

/// The device of a volume that is active.
pub fn device_of(group: &str, volume: &str) -> PathBuf {
    Path::new("/dev").join(group).join(volume)
}

/// All lines of a report of `/sbin/vgs`, `/sbin/lvs` or `/sbin/pvs`, with these columns.
///
/// All of the node, and not only what was asked for: so "there is none" cannot be taken for "it failed".
pub fn report(program: &str, columns: &str) -> Result<Vec<Row>> {
    let command = Command::new(program).args(["--readonly", "--reportformat", "json", "-o", columns]);
    let output = match command.run() {
        Err(error) if error.is_not_found() => {
            return Err(Error::failed(format!("{program} is not installed: it comes with the package lvm2")));
        }
        answer => answer?,
    };
    if !output.succeeded() {
        return Err(Error::failed(format!("{program} ended with {}{}", output.status, output.last_words())));
    }
    rows(&output.stdout)
        .ok_or_else(|| Error::failed(format!("{program} did not answer in JSON: is it older than 2.02.158?")))
}

/// `{"report": [{"lv": [{"lv_name": "data"}]}]}`.
fn rows(json: &[u8]) -> Option<Vec<Row>> {
    let json: Value = serde_json::from_slice(json).ok()?;
    let mut rows = Vec::new();
    for section in json.get("report")?.as_array()? {
        for line in section.as_object()?.values().filter_map(Value::as_array).flatten() {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rows.push(line.as_object()?.iter().map(|(name, value)| (name.clone(), text(value))).collect());
        }
    }
    Some(rows)
}

/// A column of a line, empty if it is not there.
pub fn column<'a>(row: &'a Row, name: &str) -> &'a str {
    row.get(name).map_or("", String::as_str)
}

/// How large a volume is to be, in the words of lvcreate(8).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Extent<'a> {
    /// `20g`: the number and the unit, as they go after `-L`.
    Bytes(&'a str),
    /// `100%FREE`: as it goes after `-l`.
    Share(&'a str),
}

impl<'a> Extent<'a> {
    /// Reads a size. Units are binary, as everywhere: `20g`, `20GiB`, `512m`. A number alone is bytes.
    pub fn parse(text: &'a str) -> Option<Extent<'a>> {
        if let Some((percent, of)) = text.split_once('%') {
            let number: u32 = percent.parse().ok()?;
            let known = ["FREE", "VG", "PVS", "ORIGIN"].contains(&of);
            return (known && (1..=100).contains(&number)).then_some(Extent::Share(text));
        }
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let positive = number.parse::<f64>().is_ok_and(|number| number > 0.0);
        let units = ["", "b", "k", "m", "g", "t", "p", "e"];
        let unit = unit.to_ascii_lowercase();
        let letter =
            unit.strip_suffix("ib").or(unit.strip_suffix('b').filter(|unit| !unit.is_empty())).unwrap_or(&unit);
        (positive && units.contains(&letter)).then_some(Extent::Bytes(text))
    }

    /// The option of lvcreate(8), and its value.
    pub fn option(self) -> [String; 2] {
        match self {
            Extent::Share(text) => ["-l".to_owned(), text.to_owned()],
            Extent::Bytes(text) => {
                let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
                // lvcreate takes upper case for powers of 1000, and a number alone for megabytes.
                let unit = text[end..].chars().next().map_or('b', |letter| letter.to_ascii_lowercase());
                ["-L".to_owned(), format!("{}{unit}", &text[..end])]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_that_lvm_takes() {
        for name in ["data", "vg_0.a+b", "a-b", "Data1"] {
            assert_eq!(fault_of_name(name), None, "{name}");
        }
        for name in ["", ".", "..", "-a", "a/b", "a b", "ü", &"x".repeat(128)] {
            assert!(fault_of_name(name).is_some(), "{name}");
        }
    }

    #[test]
    fn sizes_are_handed_on_in_binary_units() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(Extent::parse(text).map(|extent| extent.option().join(" ")).as_deref(), expected, "{text}");
        };
        check("10k", Some("-L 10k"));
        check("1m", Some("-L 1m"));
        check("1g", Some("-L 1g"));
        check("4.4g", Some("-L 4.4g"));
        check("20GiB", Some("-L 20g"));
        check("20gb", Some("-L 20g"));
        check("1048576", Some("-L 1048576b"));
        check("4096b", Some("-L 4096b"));
        check("100%FREE", Some("-l 100%FREE"));
        check("50%VG", Some("-l 50%VG"));
        for wrong in ["", "0", "0g", "g", "20x", "-1g", "1..2g", "101%FREE", "0%FREE", "50%free", "5%", "20 g"] {
            check(wrong, None);
        }
    }

    #[test]
    fn reports_are_read_line_by_line() {
        let json = br#"{ "report": [ { "vg": [ {"vg_name":"data", "vg_tags":"n1,n2"}, {"vg_name":"root", "vg_tags":""} ] } ] }"#;
        let rows = rows(json).unwrap();
        assert_eq!(rows.len(), 2);
        assert_eq!(
            (column(&rows[0], "vg_tags"), column(&rows[1], "vg_name"), column(&rows[1], "x")),
            ("n1,n2", "root", "")
        );
        assert_eq!(super::rows(br#"{"report": [{"lv": []}]}"#), Some(Vec::new()));
        assert_eq!(super::rows(b"  Volume group not found"), None);
    }
}
