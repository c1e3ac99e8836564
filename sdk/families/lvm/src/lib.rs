//! LVM, for disk.vg and disk.lv: names, reports and sizes. See lvm(8).
//!
//! The reports are requested with `--readonly`: then they take no lock, do not use device-mapper and need no capability. A
//! volume is active if its device exists, which udev creates on activation.

#[cfg(not(target_arch = "wasm32"))]
pub mod fake;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use hostler_sdk::{Command, Error, Result};
use serde_json::Value;

/// The maximum length of the name of a group or a volume.
const LONGEST: usize = 127;

/// A line of a report: its columns by name.
pub type ReportRow = BTreeMap<String, String>;

/// The problem with the name of a group or a volume, by the rules of lvm(8).
pub fn fault_of_name(name: &str) -> Option<String> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || "+_.-".contains(letter);
    let wrong = match name {
        "" | "." | ".." => "it is empty or a directory",
        _ if name.starts_with('-') => "it begins with a hyphen",
        _ if name.len() > LONGEST => "it is longer than 127 letters",
        _ if !name.chars().all(legal) => "expected letters, digits and any of + _ . -",
        _ => return None,
    };
    Some(format!("{name:?} is not a name for LVM: {wrong}"))
}

/// The device of an active volume.
pub fn device_of(group: &str, volume: &str) -> PathBuf {
    Path::new("/dev").join(group).join(volume)
}

/// The device of an active volume, as device-mapper names it.
pub fn mapped_device(group: &str, volume: &str) -> String {
    // A single hyphen stands between the two.
    let doubled = |name: &str| name.replace('-', "--");
    format!("/dev/mapper/{}-{}", doubled(group), doubled(volume))
}

/// The id by which the devices of a group, or of one of its volumes, are held: the UUIDs as LVM makes them a UUID for device-mapper.
/// A volume may have devices below its own, with something behind its UUID.
pub fn held_id(group_uuid: &str, volume_uuid: Option<&str>) -> String {
    let plain = |uuid: &str| uuid.replace('-', "");
    format!("dm:LVM-{}{}*", plain(group_uuid), volume_uuid.map(plain).unwrap_or_default())
}

/// A report of `/sbin/vgs`, `/sbin/lvs` or `/sbin/pvs` with these columns.
///
/// The report covers the whole node and not one group or volume, because a failed query could not be distinguished from one
/// that found nothing.
pub fn report(program: &str, columns: &str) -> Result<Vec<ReportRow>> {
    let command = Command::new(program).args(["--readonly", "--reportformat", "json", "-o", columns]);
    let output = match command.run() {
        Err(error) if error.is_not_found() => {
            return Err(Error::failed(format!("{program} is not installed: it comes with the package lvm2")));
        }
        answer => answer?,
    };
    if !output.succeeded() {
        return Err(Error::failed(format!("{program} exited with {}{}", output.status, output.last_words())));
    }
    rows(&output.stdout)
        .ok_or_else(|| Error::failed(format!("{program} did not answer in JSON: is it older than 2.02.158?")))
}

/// Reads `{"report": [{"lv": [{"lv_name": "data"}]}]}`.
fn rows(json: &[u8]) -> Option<Vec<ReportRow>> {
    let json: Value = serde_json::from_slice(json).ok()?;
    let mut rows = Vec::new();
    for section in json.get("report")?.as_array()? {
        // The key names the kind of the report, which the caller knows.
        for line in section.as_object()?.values().filter_map(Value::as_array).flatten() {
            let text = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            rows.push(line.as_object()?.iter().map(|(name, value)| (name.clone(), text(value))).collect());
        }
    }
    Some(rows)
}

/// A column of a line. Empty if the line does not have it.
pub fn column<'a>(row: &'a ReportRow, name: &str) -> &'a str {
    row.get(name).map_or("", String::as_str)
}

/// The size of a new volume, in the syntax of lvcreate(8).
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum VolumeExtent<'a> {
    /// `20g`: a number and a unit, for the option `-L`.
    Bytes(&'a str),
    /// `100%FREE`: a share, for the option `-l`.
    Share(&'a str),
}

impl<'a> VolumeExtent<'a> {
    /// Reads a size. Units are binary, as in all keywords: `20g`, `20GiB`, `512m`. A number without a unit is bytes.
    pub fn parse(text: &'a str) -> Option<VolumeExtent<'a>> {
        if let Some((percent, of)) = text.split_once('%') {
            let number: u32 = percent.parse().ok()?;
            let known = ["FREE", "VG", "PVS", "ORIGIN"].contains(&of);
            return (known && (1..=100).contains(&number)).then_some(VolumeExtent::Share(text));
        }
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let positive = number.parse::<f64>().is_ok_and(|number| number > 0.0);
        let units = ["", "b", "k", "m", "g", "t", "p", "e"];
        let unit = unit.to_ascii_lowercase();
        // `ib` is tried before `b`, so that `gib` is `g`. A single `b` is a unit of its own.
        let letter =
            unit.strip_suffix("ib").or(unit.strip_suffix('b').filter(|unit| !unit.is_empty())).unwrap_or(&unit);
        (positive && units.contains(&letter)).then_some(VolumeExtent::Bytes(text))
    }

    /// The option of lvcreate(8), and its value.
    pub fn option(self) -> [String; 2] {
        match self {
            VolumeExtent::Share(text) => ["-l".to_owned(), text.to_owned()],
            VolumeExtent::Bytes(text) => {
                let end = text.find(|letter: char| letter.is_ascii_alphabetic()).unwrap_or(text.len());
                // lvcreate reads an upper case unit as a power of 1000, and a number without a unit as megabytes.
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
    fn sizes_are_passed_on_in_binary_units() {
        let check = |text: &str, expected: Option<&str>| {
            assert_eq!(
                VolumeExtent::parse(text).map(|extent| extent.option().join(" ")).as_deref(),
                expected,
                "{text}"
            );
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
