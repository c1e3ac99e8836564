//! The keywords of a resource: resolved when its object is loaded, evaluated when it acts.

use crate::convert::convert;
use crate::keyword::ValueKind;
use crate::{ObjectKind, Rid};

use super::{Exposure, LateReference, LateValue, Provenance, WordsBeside};

/// Stands for an exposed device, to tell the words that hold one from the others: no path of the kernel has this character.
const DEVICE_MARK: char = '\u{FFFC}';

/// A driver's keyword, resolved but for late references, which are filled in and converted when the resource acts.
#[derive(Debug, Clone)]
pub struct ResolvedKeyword {
    /// Its name.
    pub name: String,
    /// The kind of its values.
    pub kind: ValueKind,
    /// Whether the values must never be shown.
    pub secret: bool,
    /// The kind of the data stores that the values are references to.
    pub store: Option<ObjectKind>,
    /// Whether it is an unwritten default that only provision needs. The resource that such a default refers to need not exist.
    pub aside: bool,
    /// Whether it is the path that the resource makes.
    pub place: bool,
    /// The canonical values, where the value has no late reference.
    pub known: Option<Vec<String>>,
    /// The value as it was resolved.
    pub value: LateValue,
    /// Whose word the value is.
    pub provenance: Provenance,
}

/// A source of what resources expose at this moment.
pub trait ExposureLookup {
    /// What a resource exposes of a kind, in the order in which its driver reported it. None, or none at all, while it is down.
    fn exposed(&self, rid: &Rid, exposure: Exposure) -> Option<Vec<String>>;
}

/// Nothing is exposed, for callers that only read a configuration.
impl ExposureLookup for () {
    fn exposed(&self, _: &Rid, _: Exposure) -> Option<Vec<String>> {
        None
    }
}

/// A keyword in canonical form: see `wit/types.wit`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordValue {
    /// Its name.
    pub name: String,
    /// The kind of its values.
    pub kind: ValueKind,
    /// One value, or one an element of a list.
    pub values: Vec<String>,
    /// Whether the values must never be shown.
    pub secret: bool,
    /// The kind of the stores that the values are references to.
    pub store: Option<ObjectKind>,
    /// Whose word the values are.
    pub provenance: Provenance,
}

impl KeywordValue {
    /// A value that is a text, not secret, and written in the first line of a configuration.
    pub fn new(name: impl Into<String>, values: Vec<String>) -> KeywordValue {
        let (name, kind) = (name.into(), ValueKind::String);
        KeywordValue { name, kind, values, secret: false, store: None, provenance: Provenance::Written { line: 1 } }
    }
}

/// The evaluated keywords of a resource.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeywordEvaluation {
    /// The keywords that have a value.
    pub keywords: Vec<KeywordValue>,
    /// The keywords whose value is not available now, such as the device of a disk that is down.
    pub missing: Vec<MissingValue>,
}

/// A keyword whose value is not available now.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{keyword} refers to {rid}, which {reason}")]
pub struct MissingValue {
    /// The keyword.
    pub keyword: String,
    /// The resource that it refers to.
    pub rid: Rid,
    /// Why the resource does not give a value.
    pub reason: String,
}

impl ResolvedKeyword {
    /// Fills in the late references, converts the value, and adds the keyword to those that have a value or to those that do
    /// not.
    pub fn evaluate(&self, exposed: &dyn ExposureLookup, evaluation: &mut KeywordEvaluation) {
        match self.canonical(exposed) {
            Ok(values) => evaluation.keywords.push(KeywordValue {
                name: self.name.clone(),
                kind: self.kind,
                values,
                secret: self.secret || self.value.secret,
                store: self.store,
                provenance: self.provenance_now(exposed),
            }),
            // A default that only provision needs: without a value it is left out rather than reported as missing.
            Err(_) if self.aside => {}
            Err((late, reason)) => {
                evaluation.missing.push(MissingValue { keyword: self.name.clone(), rid: late.rid.clone(), reason });
            }
        }
    }

    /// Whose word the values are, with the values that no device went into.
    fn provenance_now(&self, exposed: &dyn ExposureLookup) -> Provenance {
        match &self.provenance {
            Provenance::Resource { rid, .. } => {
                Provenance::Resource { rid: rid.clone(), beside: self.beside(exposed).unwrap_or_default() }
            }
            other => other.clone(),
        }
    }

    /// None if that cannot be told: all values then count as made of devices.
    fn beside(&self, exposed: &dyn ExposureLookup) -> Option<WordsBeside> {
        let mut places = Vec::new();
        let fill = |late: &LateReference| {
            if late.exposure != Exposure::MountPoint {
                return Ok(DEVICE_MARK.to_string());
            }
            let place = late.fill(exposed.exposed(&late.rid, late.exposure))?;
            // Such a place could end a word and begin another, which would name anything.
            if place.contains(|c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '\\')) {
                return Err("is not one word".to_owned());
            }
            places.push(place.clone());
            Ok(place)
        };
        let text = self.value.fill(fill).ok()?;
        // A path with `..` may lead out of the mount point that it begins with.
        let leaves = |word: &String| !places.is_empty() && word.split('/').any(|part| part == "..");
        let words = convert(self.kind, &text).ok()?.into_iter();
        let words = words.filter(|word| !word.contains(DEVICE_MARK) && !leaves(word)).collect();
        Some(WordsBeside { words, places })
    }

    fn canonical(&self, exposed: &dyn ExposureLookup) -> Result<Vec<String>, (&LateReference, String)> {
        // The common case: the value has no late reference and was converted when the object was loaded.
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let text = self.value.fill(|late| late.fill(exposed.exposed(&late.rid, late.exposure)))?;
        match (convert(self.kind, &text), self.value.late().next()) {
            (Ok(values), _) => Ok(values),
            // With a late reference the value could not be checked on load. Its resource is named, because its device
            // is what does not fit.
            (Err(error), Some(late)) => Err((late, format!("makes {text:?} of it: {error}"))),
            // A value of text alone was converted when the object was loaded.
            (Err(_), None) => Ok(vec![text]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::object::ValuePart;

    struct Exposed(&'static str);

    impl ExposureLookup for Exposed {
        fn exposed(&self, _: &Rid, exposure: Exposure) -> Option<Vec<String>> {
            let value = if exposure == Exposure::MountPoint { self.0 } else { "/dev/loop0" };
            Some(vec![value.to_owned()])
        }
    }

    #[test]
    fn the_words_that_no_device_went_into_are_the_configurations_own() {
        let part = |exposure| ValuePart::Late(LateReference::to("volume#0".parse().unwrap(), exposure));
        let text = |text: &str| ValuePart::Text(text.to_owned());
        let (mnt, device) = (part(Exposure::MountPoint), part(Exposure::Devices));
        let parts = vec![text("/bin/x --to="), mnt.clone(), text("/a of="), device, text(" "), mnt, text("/../b")];
        let keyword = ResolvedKeyword {
            name: "start".to_owned(),
            kind: ValueKind::Command,
            secret: false,
            store: None,
            aside: false,
            place: false,
            known: None,
            value: LateValue { parts, secret: false },
            provenance: Provenance::exposed_by("volume#0".parse().unwrap()),
        };
        let beside = |place| {
            let mut evaluation = KeywordEvaluation::default();
            keyword.evaluate(&Exposed(place), &mut evaluation);
            let beside = evaluation.keywords[0].provenance.beside().unwrap().clone();
            (beside.words, beside.places)
        };
        let (words, places) = beside("/srv/data");
        assert_eq!(words, ["/bin/x", "--to=/srv/data/a"]);
        assert_eq!(places, ["/srv/data", "/srv/data"]);
        assert_eq!(beside("/srv/a /dev/sda"), (Vec::new(), Vec::new()), "a blank would make a word of its own");
    }
}
