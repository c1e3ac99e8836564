//! The page that the daemon writes for the keeper: what is held, and until when.

use std::ffi::CStr;
use std::time::Duration;

use crate::bytes::{ByteReader, ByteWriter};
use crate::item::{self, CutItem, ItemEntry};

/// What `until` is of a slot that has no deadline: the daemon was stopped on purpose, and what runs goes on.
pub const NO_DEADLINE: Duration = Duration::from_nanos(u64::MAX);

/// The name of the page, in the directory of the keeper.
pub const PAGE_FILE: &str = "page";

/// More slots are not guarded: the keeper remembers of each what became of its cut.
pub const MAX_SLOTS: usize = 1024;

/// Proof of owning a slot: the generation of the store, and the revision of the slot.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct SlotToken {
    pub generation: u64,
    pub revision: u64,
}

/// What the daemon wants of the watchdog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchdogUse {
    pub device: String,
    /// In seconds.
    pub timeout: u32,
}

/// What happens at the hard deadline.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum CutEffect {
    /// What the slot holds is removed.
    #[default]
    Cut,
    /// The same, and then the node starts again.
    Reboot,
    /// The node is reset at once.
    Crash,
}

/// What one slot of this node holds, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlotGuard {
    /// The path of the object.
    pub object: String,
    pub token: SlotToken,
    /// When another node may take over, since the boot; or [`NO_DEADLINE`].
    pub until: Duration,
    pub items: Vec<CutItem>,
}

/// The page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardPage {
    pub watchdog: Option<WatchdogUse>,
    pub on_cut: CutEffect,
    pub slots: Vec<SlotGuard>,
}

impl GuardPage {
    /// Writes the page. None: it does not fit, or has too many slots.
    pub fn write(&self, into: &mut [u8]) -> Option<usize> {
        if self.slots.len() > MAX_SLOTS {
            return None;
        }
        let mut to = ByteWriter::new(into);
        to.u8(match self.on_cut {
            CutEffect::Cut => 0,
            CutEffect::Reboot => 1,
            CutEffect::Crash => 2,
        });
        to.text(self.watchdog.as_ref().map_or("", |watchdog| &watchdog.device));
        to.u32(self.watchdog.as_ref().map_or(0, |watchdog| watchdog.timeout));
        to.u32(u32::try_from(self.slots.len()).ok()?);
        for slot in &self.slots {
            to.text(&slot.object);
            to.u64(slot.token.generation);
            to.u64(slot.token.revision);
            to.u64(u64::try_from(slot.until.as_nanos()).unwrap_or(u64::MAX));
            to.u32(u32::try_from(slot.items.len()).ok()?);
            slot.items.iter().for_each(|item| item::write(item, &mut to));
        }
        to.finish()
    }
}

/// The page, as it is read: borrowed, and checked whole, so that what follows cannot fail.
#[derive(Debug, Clone, Copy)]
pub struct PageView<'a> {
    pub on_cut: CutEffect,
    /// The device and the timeout in seconds.
    pub watchdog: Option<(&'a CStr, u32)>,
    count: u32,
    slots: ByteReader<'a>,
}

/// A slot of the page.
#[derive(Debug, Clone, Copy)]
pub struct SlotEntry<'a> {
    pub object: &'a CStr,
    pub token: SlotToken,
    pub until: Duration,
    count: u32,
    items: ByteReader<'a>,
}

impl<'a> PageView<'a> {
    /// Reads a page. None: it is not one.
    pub fn parse(body: &'a [u8]) -> Option<PageView<'a>> {
        let mut from = ByteReader::new(body);
        let on_cut = match from.u8()? {
            0 => CutEffect::Cut,
            1 => CutEffect::Reboot,
            2 => CutEffect::Crash,
            _ => return None,
        };
        let (device, timeout, count) = (from.text()?, from.u32()?, from.u32()?);
        let watchdog = (!device.is_empty()).then_some((device, timeout));
        // Read once to the end here: in the middle of a cut, the keeper must not find that a page is torn.
        let page = PageView { on_cut, watchdog, count, slots: from };
        let whole = page.count as usize <= MAX_SLOTS && {
            let slots = (0..page.count).try_for_each(|_| read_slot(&mut from).map(drop));
            slots.is_some() && from.is_empty()
        };
        whole.then_some(page)
    }

    /// The slots.
    pub fn slots(&self) -> impl Iterator<Item = SlotEntry<'a>> + use<'a> {
        let (mut from, count) = (self.slots, self.count);
        (0..count).map_while(move |_| read_slot(&mut from))
    }

    /// The slot of this object.
    pub fn slot_of(&self, object: &str) -> Option<SlotEntry<'a>> {
        self.slots().find(|slot| slot.object.to_bytes() == object.as_bytes())
    }
}

impl<'a> SlotEntry<'a> {
    /// What it holds, in the order in which it was made.
    pub fn items(&self) -> impl Iterator<Item = ItemEntry<'a>> + use<'a> {
        let (mut from, count) = (self.items, self.count);
        (0..count).map_while(move |_| item::read(&mut from))
    }

    /// Whether it has a deadline.
    pub fn has_deadline(&self) -> bool {
        self.until != NO_DEADLINE
    }

    /// The same as the daemon keeps it.
    pub fn to_guard(&self) -> SlotGuard {
        let text = |text: &CStr| text.to_string_lossy().into_owned();
        let own = |item| match item {
            ItemEntry::Group(path) => CutItem::Group(text(path)),
            ItemEntry::Address { netns, index, address, prefix } => {
                let netns = netns.map(|netns| (text(netns.path), netns.device, netns.inode));
                CutItem::Address { netns, index, address, prefix }
            }
            ItemEntry::Mount { id, device, target, owns_filesystem } => {
                CutItem::Mount { id, device, target: text(target), owns_filesystem }
            }
            ItemEntry::Loop { device, backing } => CutItem::Loop { device: text(device), backing },
        };
        let items = self.items().map(own).collect();
        SlotGuard { object: text(self.object), token: self.token, until: self.until, items }
    }
}

/// Reads a slot, and skips its items.
fn read_slot<'a>(from: &mut ByteReader<'a>) -> Option<SlotEntry<'a>> {
    let object = from.text()?;
    let token = SlotToken { generation: from.u64()?, revision: from.u64()? };
    let (until, count) = (Duration::from_nanos(from.u64()?), from.u32()?);
    let items = *from;
    (0..count).try_for_each(|_| item::read(from).map(drop))?;
    Some(SlotEntry { object, token, until, count, items })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn item() -> impl Strategy<Value = CutItem> {
        let text = "[a-z/.]{1,20}";
        let netns = proptest::option::of((text, any::<u64>(), any::<u64>()));
        prop_oneof![
            text.prop_map(CutItem::Group),
            (netns, any::<u32>(), any::<std::net::IpAddr>(), 0..=128_u8)
                .prop_map(|(netns, index, address, prefix)| CutItem::Address { netns, index, address, prefix }),
            (any::<u64>(), any::<(u32, u32)>(), text, any::<bool>()).prop_map(
                |(id, device, target, owns_filesystem)| CutItem::Mount { id, device, target, owns_filesystem }
            ),
            (text, any::<((u32, u32), u64)>()).prop_map(|(device, backing)| CutItem::Loop { device, backing }),
        ]
    }

    fn slot() -> impl Strategy<Value = SlotGuard> {
        let token = any::<(u64, u64)>().prop_map(|(generation, revision)| SlotToken { generation, revision });
        let until = any::<u64>().prop_map(Duration::from_nanos);
        ("[a-z/]{1,20}", token, until, proptest::collection::vec(item(), 0..5))
            .prop_map(|(object, token, until, items)| SlotGuard { object, token, until, items })
    }

    fn page() -> impl Strategy<Value = GuardPage> {
        let watchdog = ("[a-z/]{1,20}", any::<u32>()).prop_map(|(device, timeout)| WatchdogUse { device, timeout });
        let on_cut = prop_oneof![Just(CutEffect::Cut), Just(CutEffect::Reboot), Just(CutEffect::Crash)];
        (proptest::option::of(watchdog), on_cut, proptest::collection::vec(slot(), 0..5))
            .prop_map(|(watchdog, on_cut, slots)| GuardPage { watchdog, on_cut, slots })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(page in page()) {
            let mut buffer = vec![0; 64 << 10];
            let used = page.write(&mut buffer).unwrap();
            let view = PageView::parse(&buffer[..used]).unwrap();
            let watchdog = view.watchdog.map(|(device, timeout)| WatchdogUse {
                device: device.to_str().unwrap().to_owned(),
                timeout,
            });
            let slots = view.slots().map(|slot| slot.to_guard()).collect();
            prop_assert_eq!(GuardPage { watchdog, on_cut: view.on_cut, slots }, page);
            // One byte less or more is not a page.
            prop_assert!(PageView::parse(&buffer[..used - 1]).is_none());
            prop_assert!(PageView::parse(&buffer[..used + 1]).is_none());
        }

        #[test]
        fn any_bytes_are_a_page_or_not(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            if let Some(view) = PageView::parse(&bytes) {
                view.slots().for_each(|slot| slot.items().for_each(drop));
            }
        }
    }

    #[test]
    fn a_page_that_does_not_fit_is_refused() {
        let slot = SlotGuard {
            object: "web".to_owned(),
            token: SlotToken::default(),
            until: NO_DEADLINE,
            items: vec![CutItem::Group("/sys/fs/cgroup/hostler.slice".to_owned())],
        };
        let page = GuardPage { slots: vec![slot.clone(); MAX_SLOTS], ..GuardPage::default() };
        assert_eq!(page.write(&mut [0; 1000]), None);
        assert!(page.write(&mut vec![0; crate::HALF]).is_some());
        let page = GuardPage { slots: vec![slot; MAX_SLOTS + 1], ..GuardPage::default() };
        assert_eq!(page.write(&mut vec![0; crate::HALF]), None);
    }
}
