//! What the keeper needs of an instance: the list of what a cut removes, and the lifetimes of its addresses.

use std::time::Duration;

use capability::holdings::Ledger;
use deadline::{CutItem, HALF, NO_DEADLINE, PAGE_FILE, PageView, hard_deadline, newest};
use holding::{Holding, HoldingRecord};
use model::ObjectPath;

use crate::{Agent, volume};

/// What a cut of an instance removes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CutList {
    pub items: Vec<CutItem>,
    /// What it holds that no cut reaches, in words.
    pub gaps: Vec<String>,
}

impl Agent {
    /// What a cut of the instance removes, by its ledger: also what an action that is under way has made so far. It blocks.
    pub fn cut_list(&self, object: &ObjectPath) -> CutList {
        let mut list = CutList::default();
        let group = self.control_group_of(object).map(|group| group.to_string_lossy().into_owned());
        match &group {
            Some(group) => list.items.push(CutItem::Group(group.clone())),
            None => list.gaps.push("its processes: there are no control groups here".to_owned()),
        }
        let ledger = Ledger::open(&self.home().holdings(object));
        if let Some(damage) = ledger.unverified() {
            list.gaps.push(format!("what its ledger does not say: {damage}"));
        }
        let records = ledger.records(|record| !record.is_undone());
        records.iter().for_each(|record| list.add(record, group.as_deref()));
        // What its volumes hold stands below it, and nothing else cuts that.
        for volume in volume::volumes_of(self.home(), object) {
            let CutList { items, gaps } = self.cut_list(&volume);
            list.items.extend(items);
            list.gaps.extend(gaps);
        }
        list
    }

    /// Whether the slot of an object is this node's, as the keeper's page says: its deadline has not passed.
    pub(crate) fn has_slot(&self, object: &ObjectPath) -> bool {
        let Ok(bytes) = std::fs::read(self.home().keeper().join(PAGE_FILE)) else { return false };
        let newest = bytes.split_at_checked(HALF).and_then(|(first, second)| newest(first, second));
        let page = newest.and_then(|(_, body, _)| PageView::parse(body));
        let until = page.and_then(|page| Some(page.slot_of(&object.to_string())?.until));
        until.is_some_and(|until| until == NO_DEADLINE || kernel::clock::boot() < hard_deadline(until))
    }

    /// Sets the lifetimes of the addresses that the instance holds. Returns what went wrong.
    pub async fn refresh_terms(&self, object: &ObjectPath, until: Duration) -> Vec<String> {
        let ledger = Ledger::open(&self.home().holdings(object));
        capability::net::refresh_terms(&self.home().keeper(), &ledger, until).await
    }
}

impl CutList {
    fn add(&mut self, record: &HoldingRecord, own_group: Option<&str>) {
        match &record.holding {
            Holding::Mount(mount) => {
                let made = mount.made.as_ref();
                // Without a number it never was in the tree: what is on its place is another program's.
                let id = made.map(|made| made.id).or(mount.prepared.as_ref().map(|prepared| prepared.id));
                self.items.extend(id.map(|id| CutItem::Mount {
                    id,
                    device: made.map_or((0, 0), |made| made.device),
                    target: mount.target.clone(),
                    owns_filesystem: mount.owns_filesystem(),
                }));
            }
            Holding::Address(address) => {
                let netns = address.netns.as_ref().map(|netns| (netns.path.clone(), netns.device, netns.inode));
                let parts = address.cidr.split_once('/');
                let parsed = parts.and_then(|(ip, prefix)| Some((ip.parse().ok()?, prefix.parse().ok()?)));
                match parsed {
                    Some((ip, prefix)) => {
                        self.items.push(CutItem::Address { netns, index: address.index, address: ip, prefix });
                    }
                    None => self.gap(record),
                }
            }
            Holding::Loop(device) => {
                let backing = (device.backing.device, device.backing.inode);
                // One that was only intended has no name: if it was attached, its file system is not mounted yet.
                let item = device.device.clone().map(|device| CutItem::Loop { device, backing });
                self.items.extend(item);
            }
            Holding::Container(container) => self.add_group(record, container.group.as_deref(), own_group),
            Holding::ProcessGroup(processes) => self.add_group(record, processes.group.as_deref(), own_group),
            // Routes go with their addresses, links with their namespaces; a file does no harm. What a driver declares is seen by
            // the mounts on it.
            Holding::Route(_) | Holding::Link(_) | Holding::File(_) | Holding::Declared(_) => {}
        }
    }

    /// A control group, unless it is within that of the instance.
    fn add_group(&mut self, record: &HoldingRecord, group: Option<&str>, own: Option<&str>) {
        match group {
            Some(group) if own.is_some_and(|own| group.starts_with(own)) => {}
            Some(group) => self.items.push(CutItem::Group(group.to_owned())),
            None => self.gap(record),
        }
    }

    fn gap(&mut self, record: &HoldingRecord) {
        self.gaps.push(format!("{} of {}", record.holding, record.rid));
    }
}

#[cfg(test)]
mod tests {
    use holding::{AddressHolding, ContainerHolding, HoldingStage, MountHolding, PreparedMount};

    use super::*;

    fn record(holding: impl Into<Holding>) -> HoldingRecord {
        HoldingRecord { rid: "x#1".to_owned(), number: 1, stage: HoldingStage::Held, holding: holding.into() }
    }

    fn list(holding: impl Into<Holding>) -> CutList {
        let mut list = CutList::default();
        list.add(&record(holding), Some("/groups/web.slice"));
        list
    }

    #[test]
    fn what_is_held_becomes_what_is_cut() {
        let address = |cidr: &str| AddressHolding {
            netns: None,
            index: 2,
            dev: "eth0".to_owned(),
            cidr: cidr.to_owned(),
            primary: None,
            protocol: None,
        };
        let item = CutItem::Address { netns: None, index: 2, address: [10, 0, 0, 1].into(), prefix: 24 };
        assert_eq!(list(address("10.0.0.1/24")).items, [item]);
        assert_eq!(list(address("nonsense")).gaps, ["nonsense on eth0 of x#1"]);
        let mount = MountHolding {
            source: "/dev/vda".to_owned(),
            target: "/srv".to_owned(),
            fstype: "ext4".to_owned(),
            prepared: None,
            made: None,
        };
        assert_eq!(list(mount.clone()).items, []);
        let prepared = Some(PreparedMount { id: 7, unique: None, superblock: None });
        let target = "/srv".to_owned();
        let item = CutItem::Mount { id: 7, device: (0, 0), target, owns_filesystem: true };
        assert_eq!(list(MountHolding { prepared, ..mount }).items, [item]);
        let container = |group: Option<&str>| ContainerHolding {
            engine: "/run/docker.sock".to_owned(),
            name: "web".to_owned(),
            id: None,
            process: None,
            group: group.map(str::to_owned),
        };
        assert_eq!(list(container(Some("/groups/web.slice/app"))), CutList::default());
        assert_eq!(list(container(Some("/groups/docker"))).items, [CutItem::Group("/groups/docker".to_owned())]);
        assert_eq!(list(container(None)).gaps, ["the container web of x#1"]);
    }
}
