//! The things on a machine that a service could have made: they must be the same before and after.

use anyhow::{Result, ensure};

use crate::machine::Machine;

/// Everything that a service of the lab could leave behind, one per line.
const LOOK: &str = "
    losetup --list --noheadings --output NAME,BACK-FILE
    dmsetup ls 2>&1 | sed 's/(.*//; /No devices found/d'
    grep -s ^md /proc/mdstat
    sed 's/ .*//; s/^/vg /' <(vgs --noheadings --readonly -o vg_name | xargs -n1 -r)
    cut -d' ' -f1-3 /proc/mounts | grep -v '^nfsd\\|rpc_pipefs'
    cut -f1 /var/lib/nfs/etab
    grep -s 'cs:' /proc/drbd | grep -v Unconfigured
    ls /srv
    true
";

/// The leftovers of every machine.
pub(crate) fn of_all(machines: &mut [Machine]) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for machine in machines {
        let ran = machine.run(LOOK.trim())?;
        all.extend(ran.output.lines().map(|line| format!("{} {line}", machine.name()).trim().to_owned()));
    }
    all.sort();
    Ok(all)
}

/// Returns an error that names everything that was added or removed.
pub(crate) fn compare(before: &[String], after: &[String]) -> Result<()> {
    let left: Vec<&str> = after.iter().filter(|line| !before.contains(line)).map(String::as_str).collect();
    let lost: Vec<&str> = before.iter().filter(|line| !after.contains(line)).map(String::as_str).collect();
    ensure!(left.is_empty(), "left behind: {}", left.join("; "));
    ensure!(lost.is_empty(), "gone: {}", lost.join("; "));
    Ok(())
}
