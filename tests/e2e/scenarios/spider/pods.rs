//! The pods of spd01: their resources, as they are up, and their addresses.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;

use super::{ROOT, SERVICE};

/// The pods of spd01, and the two servers of each.
pub(super) const PODS: RangeInclusive<u8> = 1..=8;
pub(super) const KINDS: [&str; 2] = ["sm", "db"];

/// The resources of a pod.
pub(super) fn pod08() -> Vec<String> {
    ["disk#08", "fs#08", "ip#08smg", "ip#08sm", "container#08sm", "ip#08dbg", "ip#08db", "container#08db"]
        .map(str::to_owned)
        .to_vec()
}

pub(super) fn address(pod: u8, kind: &str) -> String {
    format!("10.0.0.{}", 31 + 2 * pod + u8::from(kind == "db"))
}

/// Replaces the number of a container, which is another one each time.
pub(super) fn mask(rid: &str, label: &mut String) {
    let is_id = |word: &&str| word.len() == 12 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    if let Some(id) = label.clone().split('@').find(is_id) {
        *label = label.replace(id, "ID");
    }
    assert!(!rid.starts_with("container") || label.starts_with("ID@"), "{rid}: {label}");
}

/// The resources that are up, in the notation of 2016.
pub(super) fn expected() -> BTreeMap<String, (String, String)> {
    let mut all = BTreeMap::new();
    let mut add = |rid: String, state: &str, label: String| all.insert(rid, (state.to_owned(), label));
    add("disk#00".to_owned(), "stdby up", format!("gce volumes {SERVICE}-spd01"));
    add("fs#00".to_owned(), "up", format!("LABEL={SERVICE}@{ROOT}"));
    for pod in PODS {
        add(format!("disk#{pod:02}"), "stdby up", format!("gce volumes {SERVICE}-pod{pod}"));
        let device = format!("/dev/disk/by-id/google-{SERVICE}.disk.{pod:02}.0");
        add(format!("fs#{pod:02}"), "up", format!("{device}@{ROOT}/pod{pod:02}"));
        for (kind, image) in [("sm", "tanji/spdc"), ("db", "mariadb")] {
            let address = address(pod, kind);
            add(format!("ip#{pod:02}{kind}"), "up", format!("{address}@br0@ID"));
            add(format!("ip#{pod:02}{kind}g"), "up", format!("gce ip {address}@br0"));
            add(format!("container#{pod:02}{kind}"), "up", format!("ID@{image}"));
        }
    }
    all
}
