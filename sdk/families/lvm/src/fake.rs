//! An LVM in memory: the programs that disk.vg and disk.lv use, on a faked [`Host`].

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use hostler_sdk::fake::{Host, MIB, ProgramRun};
use hostler_sdk::process::Output;

/// A volume group.
#[derive(Debug, Clone, Default)]
struct FakeGroup {
    tags: BTreeSet<String>,
    volumes: BTreeSet<String>,
    devices: BTreeSet<String>,
}

/// The volume groups of a node and the programs of LVM. A clone is the same LVM.
#[derive(Clone, Default)]
pub struct FakeLvm(Rc<RefCell<BTreeMap<String, FakeGroup>>>);

impl FakeLvm {
    /// Without any volume group.
    pub fn new() -> FakeLvm {
        FakeLvm::default()
    }

    /// Adds a volume group with these tags and volumes, none of which is active.
    pub fn group(self, name: &str, tags: &[&str], volumes: &[&str]) -> FakeLvm {
        let words = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect();
        let group = FakeGroup { tags: words(tags), volumes: words(volumes), devices: BTreeSet::new() };
        self.0.borrow_mut().insert(name.to_owned(), group);
        self
    }

    /// Adds the programs to a host.
    pub fn on(&self, host: Host) -> Host {
        let mut host = host;
        for program in
            ["vgs", "lvs", "pvs", "vgchange", "lvchange", "vgcreate", "lvcreate", "vgremove", "lvremove", "pvremove"]
        {
            let lvm = self.clone();
            host = host.program_with(&format!("/sbin/{program}"), move |run| lvm.run(program, run));
        }
        host
    }

    /// The tags of a group, or None if there is no such group.
    pub fn tags(&self, group: &str) -> Option<Vec<String>> {
        self.0.borrow().get(group).map(|group| group.tags.iter().cloned().collect())
    }

    /// The volumes of a group, or None if there is no such group.
    pub fn volumes(&self, group: &str) -> Option<Vec<String>> {
        self.0.borrow().get(group).map(|group| group.volumes.iter().cloned().collect())
    }

    fn run(&self, program: &str, run: &ProgramRun<'_>) -> Output {
        // Drivers write `--` before names, so that no name is taken for an option.
        let split = run.args.iter().position(|arg| arg == "--").unwrap_or(run.args.len());
        let operands = run.args.get(split + 1..).unwrap_or_default();
        let options = &run.args[..split];
        let answer = match program {
            "vgs" | "lvs" | "pvs" => Ok(self.report(program)),
            // Without an operand this panics, and with it the test of a driver that forgot one.
            "vgchange" => self.change_group(run.host, options, &operands[0]),
            "lvchange" => self.change_volume(run.host, options, &operands[0]),
            "vgcreate" => self.make_group(run.host, operands),
            "lvcreate" => self.make_volume(run.host, options, &operands[0]),
            "vgremove" => self.remove_group(&operands[0]),
            "lvremove" => self.remove_volume(run.host, &operands[0]),
            _ => {
                // Only pvremove is left, which wipes the label of a device.
                operands.iter().for_each(|device| run.host.clear_signature(device));
                Ok(String::new())
            }
        };
        match answer {
            Ok(stdout) => Output { status: 0, stdout: stdout.into_bytes(), stderr: Vec::new(), truncated: false },
            // LVM's exit code for a command that failed.
            Err(stderr) => Output { status: 5, stdout: Vec::new(), stderr: stderr.into_bytes(), truncated: false },
        }
    }

    fn report(&self, program: &str) -> String {
        let groups = self.0.borrow();
        let lines: Vec<String> = groups.iter().flat_map(|(name, group)| lines(program, name, group)).collect();
        format!("{{\"report\": [{{\"x\": [{}]}}]}}", lines.join(","))
    }

    fn change_group(&self, host: &Host, options: &[String], name: &str) -> Result<String, String> {
        let mut groups = self.0.borrow_mut();
        let group = groups.get_mut(name).ok_or(format!("  Volume group \"{name}\" not found"))?;
        match options {
            // A switch of all volumes is one word, while tags are pairs of an option and a tag.
            [activate] => group.volumes.iter().try_for_each(|volume| switch(host, activate, name, volume))?,
            pairs => pairs.chunks(2).for_each(|pair| match &*pair[0] {
                "--addtag" => group.tags.extend([pair[1].clone()]),
                _ => group.tags.retain(|tag| *tag != pair[1]),
            }),
        }
        Ok(String::new())
    }

    fn change_volume(&self, host: &Host, options: &[String], path: &str) -> Result<String, String> {
        let (group, volume) = parts(path);
        self.must_have(group, volume)?;
        switch(host, &options[0], group, volume)?;
        Ok(String::new())
    }

    fn must_have(&self, group: &str, volume: &str) -> Result<(), String> {
        let groups = self.0.borrow();
        let has = groups.get(group).is_some_and(|group| group.volumes.contains(volume));
        if has { Ok(()) } else { Err(format!("  Failed to find logical volume \"{group}/{volume}\"")) }
    }

    fn make_group(&self, host: &Host, operands: &[String]) -> Result<String, String> {
        let (name, devices) = operands.split_first().ok_or("  No command with matching syntax recognised.")?;
        devices.iter().for_each(|device| host.set_signature(device, "LVM2_member"));
        let group = FakeGroup { devices: devices.iter().cloned().collect(), ..FakeGroup::default() };
        self.0.borrow_mut().insert(name.clone(), group);
        Ok(String::new())
    }

    fn make_volume(&self, host: &Host, options: &[String], group: &str) -> Result<String, String> {
        let name = options.iter().position(|option| option == "-n").and_then(|at| options.get(at + 1));
        let name = name.ok_or("  Please supply a name.")?;
        let mut groups = self.0.borrow_mut();
        let found = groups.get_mut(group).ok_or(format!("  Volume group \"{group}\" not found"))?;
        found.volumes.insert(name.clone());
        // lvcreate also activates the volume that it creates.
        switch(host, "-ay", group, name)?;
        Ok(String::new())
    }

    fn remove_group(&self, name: &str) -> Result<String, String> {
        self.0.borrow_mut().remove(name).ok_or(format!("  Volume group \"{name}\" not found"))?;
        Ok(String::new())
    }

    fn remove_volume(&self, host: &Host, path: &str) -> Result<String, String> {
        let (group, volume) = parts(path);
        self.must_have(group, volume)?;
        if host.has_file(path) {
            // Without a terminal, lvremove takes its own question as answered by no.
            return Err("Do you really want to remove active logical volume? [y/n]: [n]".to_owned());
        }
        self.0.borrow_mut().entry(group.to_owned()).and_modify(|group| group.volumes.retain(|known| known != volume));
        Ok(String::new())
    }
}

fn lines(program: &str, name: &str, group: &FakeGroup) -> Vec<String> {
    let tags = group.tags.iter().cloned().collect::<Vec<_>>().join(",");
    match program {
        // With a column about volumes, vgs prints one line for each volume, or one line for a group without volumes.
        "vgs" => {
            let line = |volume: &str| {
                let ids = format!("\"vg_uuid\":\"u-{name}\",\"lv_uuid\":\"u-{volume}\"");
                format!("{{\"vg_name\":\"{name}\",\"vg_tags\":\"{tags}\",\"lv_name\":\"{volume}\",{ids}}}")
            };
            let first = if group.volumes.is_empty() { Some(line("")) } else { None };
            first.into_iter().chain(group.volumes.iter().map(|volume| line(volume))).collect()
        }
        "lvs" => {
            let line = |volume| format!("{{\"vg_name\":\"{name}\",\"lv_name\":\"{volume}\",\"lv_role\":\"public\"}}");
            group.volumes.iter().map(line).collect()
        }
        _ => {
            group.devices.iter().map(|device| format!("{{\"pv_name\":\"{device}\",\"vg_name\":\"{name}\"}}")).collect()
        }
    }
}

/// `/dev/data/web` is the volume `web` of the group `data`.
fn parts(path: &str) -> (&str, &str) {
    path.strip_prefix("/dev/").and_then(|path| path.split_once('/')).unwrap_or((path, ""))
}

fn switch(host: &Host, activate: &str, group: &str, volume: &str) -> Result<(), String> {
    let path = format!("/dev/{group}/{volume}");
    if activate == "-ay" {
        // Any size: the drivers look only at whether the device exists.
        host.add_device(&path, 64 * MIB);
        host.identify(&path, &format!("dm:LVM-u{group}u{volume}"));
        return Ok(());
    }
    if host.release_device(&path) {
        return Ok(());
    }
    Err(format!("  Logical volume {group}/{volume} in use."))
}
