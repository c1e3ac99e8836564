//! The state of an array, read from `mdadm --detail`.

use hostler_sdk::prelude::*;

/// The state of an array whose device exists.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct ArrayState {
    /// The UUID as mdadm writes it: four groups of eight digits, separated by colons.
    pub(crate) uuid: String,
    /// The words of its state: `clean`, `active`, `degraded`, `recovering`…
    states: Vec<String>,
    /// The progress of repairs and checks: `Rebuild Status: 12% complete`.
    pub(crate) work: Vec<String>,
}

impl ArrayState {
    /// Reads the state with mdadm.
    pub(crate) fn read(device: &str) -> Result<ArrayState> {
        let output = match Command::new("/sbin/mdadm").args(["--detail", device]).run() {
            Err(error) if error.is_not_found() => {
                return Err(Error::failed("/sbin/mdadm is not installed: it comes with the package mdadm"));
            }
            answer => answer?,
        };
        if !output.succeeded() {
            return Err(Error::failed(format!(
                "mdadm --detail {device} exited with {}{}",
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

    /// Whether the array can be read and written. An array that waits for devices is `inactive`, or has no state.
    pub(crate) fn is_running(&self) -> bool {
        self.states.iter().any(|state| matches!(state.as_str(), "clean" | "active" | "write-pending" | "active-idle"))
    }

    /// The reason why the array is degraded, if it is.
    pub(crate) fn fault(&self) -> Option<String> {
        let fault = |state: &&String| !matches!(state.as_str(), "clean" | "active" | "write-pending" | "active-idle");
        // All devices are complete while the array is only checked, resynchronised or reshaped.
        let harmless = ["checking", "resyncing", "reshaping", "resyncing (PENDING)", "resyncing (DELAYED)"];
        let faults: Vec<&str> =
            self.states.iter().filter(fault).map(String::as_str).filter(|state| !harmless.contains(state)).collect();
        match faults.is_empty() {
            true if self.is_running() => None,
            true => Some("not running".to_owned()),
            false => Some([vec![faults.join(", ")], self.work.clone()].concat().join("; ")),
        }
    }

    /// Fails if the array has another UUID.
    pub(crate) fn must_be(&self, uuid: Option<&str>, device: &str) -> Result<()> {
        match uuid {
            Some(uuid) if !same_uuid(&self.uuid, uuid) => {
                Err(Error::failed(format!("{device} is the array {}, not {uuid}", self.uuid)))
            }
            _ => Ok(()),
        }
    }
}

/// Whether two spellings are the same UUID: mdadm and blkid(8) put the separators at different places.
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
    fn the_output_of_mdadm_is_parsed() {
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
