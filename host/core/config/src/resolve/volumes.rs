//! Names of volumes in the words of a keyword: `web-vol-0/data:/data` stands for `{volume#0.mnt}/data:/data`.

use std::collections::BTreeMap;

use model::object::{Exposure, LateReference, LateValue, ValuePart};
use model::{Group, Rid};

use crate::VolumeAccess;
use crate::resolve::resolver::KeywordResolver;

/// A volume of the object.
struct NamedVolume {
    rid: Rid,
    /// Whether it is read-only where nothing else is said.
    read_only: bool,
}

impl KeywordResolver<'_> {
    /// The value with the names of volumes that begin its words replaced by references to their mount points. A word that says
    /// nothing of how it is mounted is read-only if the volume is.
    pub(crate) fn with_volumes(&self, value: LateValue) -> LateValue {
        let volumes = self.volumes();
        if volumes.is_empty() {
            return value;
        }
        let (mut written, mut begins) = (LateValue { parts: Vec::new(), secret: value.secret }, true);
        for part in value.parts {
            match part {
                ValuePart::Late(late) => {
                    written.push(LateValue { parts: vec![ValuePart::Late(late)], secret: false });
                    begins = false;
                }
                ValuePart::Text(text) => {
                    for word in text.split_inclusive(char::is_whitespace) {
                        named(word, &volumes, begins).into_iter().for_each(|piece| written.push(piece));
                        begins = word.ends_with(char::is_whitespace);
                    }
                }
            }
        }
        written
    }

    fn volumes(&self) -> BTreeMap<String, NamedVolume> {
        let sections = self.outline.resources.iter().filter(|section| section.rid.group() == Group::Volume);
        let text = |section: &str, keyword: &str| {
            let keyword = self.outline.keyword(section, keyword)?.keyword;
            self.value(section, keyword).ok()??.as_text()
        };
        let named = sections.filter_map(|section| {
            let access = text(section.name, "access").and_then(|access| access.parse::<VolumeAccess>().ok());
            let read_only = matches!(access, Some(VolumeAccess::Roo | VolumeAccess::Rox));
            Some((text(section.name, "name")?, NamedVolume { rid: section.rid.clone(), read_only }))
        });
        named.collect()
    }
}

/// A word with the white space behind it, in pieces.
fn named(word: &str, volumes: &BTreeMap<String, NamedVolume>, begins: bool) -> Vec<LateValue> {
    let plain = || vec![LateValue::text(word)];
    let end = word.find(['/', ':']).unwrap_or(word.len());
    let (name, rest) = word.split_at(end);
    let Some(volume) = volumes.get(name).filter(|_| begins && !rest.is_empty()) else { return plain() };
    let late = LateReference::to(volume.rid.clone(), Exposure::MountPoint);
    let mut rest = rest.to_owned();
    if volume.read_only && rest.matches(':').count() == 1 {
        let end = rest.trim_end().len();
        rest.insert_str(end, ":ro");
    }
    vec![LateValue { parts: vec![ValuePart::Late(late)], secret: false }, LateValue::text(rest)]
}
