//! An array as `mdadm --detail` describes it.

use hostler_sdk::prelude::*;

/// An array that has a device.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ArrayState {
    /// As mdadm writes it: four groups of eight, with colons between them.
    pub(crate) uuid: String,
    /// The words of its state: `clean`, `active`, `degraded`, `recovering`…
    states: Vec<String>,
    /// What it is doing to become whole: `Rebuild Status: 12% complete`.
    pub(crate) work: Vec<String>,
}

impl ArrayState {
    /// Asks mdadm.
    pub(crate) fn read(device: &str) -> Result<ArrayState> {
        let output = match Command::new("/sbin/mdadm").args(["--detail", device]).run() {
            Err(error) if error.is_not_found() => {
                return Err(Error::failed("/sbin/mdadm is not installed: it comes with the package mdadm"));
            }
            answer => answer?,
        };
        if !output.succeeded() {
            return Err(Error::failed(format!(
                "mdadm --detail {device} ended with {}{}",
                output.status,
                output.last_words()
            )));
        }
        Ok(ArrayState::parse(&output.text()))
    }

    fn parse(text: &str) -> ArrayState {
        let mut array = ArrayState::default();
        for (name, value) in text.lines().filter_map(|line| line.trim().split_once(" : ")) {
            match name.trim() {
                "UUID" => array.uuid = value.split_whitespace().next().unwrap_or_default().to_owned(),
                "State" => array.states = value.split(',').map(|state| state.trim().to_owned()).collect(),
                name if name.ends_with(" Status") => array.work.push(format!("{name}: {value}")),
                _ => {}
            }
        }
        array
    }

    /// Whether it can be read and written. One that still waits for devices is `inactive`, or has no state at all.
    pub(crate) fn is_running(&self) -> bool {
        self.states.iter().any(|state| matches!(state.as_str(), "clean" | "active" | "write-pending" | "active-idle"))
    }

    /// What keeps it from being whole.
    pub(crate) fn fault(&self) -> Option<String> {
        let fault = |state: &&String| !matches!(state.as_str(), "clean" | "active" | "write-pending" | "active-idle");
        // It still lacks nothing while it is only read, compared or laid out anew.
        let harmless = ["checking", "resyncing", "reshaping", "resyncing (PENDING)", "resyncing (DELAYED)"];
        let faults: Vec<&str> =
            self.states.iter().filter(fault).map(String::as_str).filter(|state| !harmless.contains(state)).collect();
        match faults.is_empty() {
            true if self.is_running() => None,
            true => Some("not running".to_owned()),
            false => Some([vec![faults.join(", ")], self.work.clone()].concat().join("; ")),
        }
    }

    /// An error unless it is the one with this UUID.
    pub(crate) fn must_be(&self, uuid: Option<&str>, device: &str) -> Result<()> {
        match uuid {
            Some(uuid) if !same_uuid(&self.uuid, uuid) => {
                Err(Error::failed(format!("{device} is the array {}, not {uuid}", self.uuid)))
            }
            _ => Ok(()),
        }
    }
}

/// Whether two spellings are the same UUID: mdadm and blkid(8) place the separators otherwise.
pub(crate) fn same_uuid(one: &str, other: &str) -> bool {
    let digits = |uuid: &str| uuid.chars().filter(char::is_ascii_hexdigit).collect::<String>().to_ascii_lowercase();
    digits(one) == digits(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detail(state: &str, more: &str) -> ArrayState {
        ArrayState::parse(&format!(
            "/dev/md/data:\n           Version : 1.2\n     Creation Time : Thu Nov 26 00:00:00 2026\n        Raid Level : raid1\n\
             \x20            State : {state} \n{more}              Name : n1:data  (local to host n1)\n\
             \x20             UUID : 808a2785:6b4e2147:7eb9fb04:9ac16668\n            Events : 17\n"
        ))
    }

    #[test]
    fn what_mdadm_says_is_read() {
        let cases = [
            ("clean", "", true, None),
            ("active", "", true, None),
            ("clean, checking", "      Check Status : 3% complete\n", true, None),
            ("clean, resyncing", "     Resync Status : 40% complete\n", true, None),
            ("clean, degraded", "", true, Some("degraded")),
            (
                "active, degraded, recovering",
                "    Rebuild Status : 12% complete\n",
                true,
                Some("degraded, recovering; Rebuild Status: 12% complete"),
            ),
            ("active, FAILED", "", true, Some("FAILED")),
            ("inactive", "", false, Some("inactive")),
        ];
        for (state, more, running, fault) in cases {
            let array = detail(state, more);
            assert_eq!((array.is_running(), array.fault().as_deref()), (running, fault), "{state}");
            assert_eq!(array.uuid, "808a2785:6b4e2147:7eb9fb04:9ac16668");
        }
        assert_eq!(ArrayState::default().fault().as_deref(), Some("not running"));
    }

    #[test]
    fn uuids_are_compared_by_their_digits() {
        assert!(same_uuid("808a2785:6b4e2147:7eb9fb04:9ac16668", "808A2785-6b4e-2147-7eb9-fb049ac16668"));
        assert!(!same_uuid("808a2785:6b4e2147:7eb9fb04:9ac16668", "808a2785:6b4e2147:7eb9fb04:df6b380a"));
    }
}
