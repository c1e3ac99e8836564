//! Values with late references: those to devices and mount points, which only another resource's driver knows, and only while
//! that resource is up.

use crate::Rid;

/// What a reference asks of another resource.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exposure {
    /// Its devices: `{disk#1.exposed_devs[0]}`.
    Devices,
    /// Where its volume is mounted: `{volume#1.mnt}`.
    MountPoint,
}

impl Exposure {
    /// The name under which a driver exposes it, see `wit/types.wit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Exposure::Devices => "device",
            Exposure::MountPoint => "mnt",
        }
    }

    /// One of them, in words.
    fn word(self) -> &'static str {
        match self {
            Exposure::Devices => "device",
            Exposure::MountPoint => "mount point",
        }
    }
}

/// A reference to what another resource exposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateReference {
    /// The other resource.
    pub rid: Rid,
    /// What of it.
    pub exposure: Exposure,
    /// Which of its devices. None: all of them.
    pub index: Option<usize>,
    /// Whether the number of devices is meant.
    pub count: bool,
    /// The change that is made to the text.
    pub modifier: Option<TextModifier>,
}

impl LateReference {
    /// All of what a resource exposes of that kind.
    pub fn to(rid: Rid, exposure: Exposure) -> LateReference {
        LateReference { rid, exposure, index: None, count: false, modifier: None }
    }

    /// The text that the reference stands for while these things are exposed, or why there is none.
    pub(super) fn fill(&self, exposed: Option<Vec<String>>) -> Result<String, String> {
        let word = self.exposure.word();
        // An empty list counts as down: joined, it would pass for a value that is empty.
        let exposed = exposed.filter(|exposed| !exposed.is_empty());
        let exposed = exposed.ok_or_else(|| format!("exposes no {word} now"))?;
        let text = match self.index {
            _ if self.count => exposed.len().to_string(),
            None => exposed.join(" "),
            Some(index) => {
                exposed.get(index).cloned().ok_or_else(|| format!("exposes {} {word}s now", exposed.len()))?
            }
        };
        Ok(self.modifier.map_or(text.clone(), |modifier| modifier.apply(&text)))
    }
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ValuePart {
    /// Text.
    Text(String),
    /// A reference that is filled in when the resource acts.
    Late(LateReference),
}

/// A value whose scopes are chosen and whose references are resolved, except the late ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LateValue {
    /// Its parts, in order.
    pub parts: Vec<ValuePart>,
    /// Whether a secret keyword went into it.
    pub secret: bool,
}

impl LateValue {
    /// A value of text alone.
    pub fn text(text: impl Into<String>) -> LateValue {
        LateValue { parts: vec![ValuePart::Text(text.into())], secret: false }
    }

    /// The text, if no late reference is left.
    pub fn as_text(&self) -> Option<String> {
        // One late reference leaves the whole text unknown, so the reason does not matter.
        self.fill(|_| Err(String::new())).ok()
    }

    /// The late references.
    pub fn late(&self) -> impl Iterator<Item = &LateReference> {
        self.parts.iter().filter_map(|part| match part {
            ValuePart::Text(_) => None,
            ValuePart::Late(late) => Some(late),
        })
    }

    /// The length in bytes, a late reference counted as what it takes in memory.
    pub fn size(&self) -> usize {
        let len = |part: &ValuePart| match part {
            ValuePart::Text(text) => text.len(),
            ValuePart::Late(_) => size_of::<ValuePart>(),
        };
        self.parts.iter().map(len).sum()
    }

    /// Appends another value.
    pub fn push(&mut self, other: LateValue) {
        self.secret |= other.secret;
        for part in other.parts {
            match (self.parts.last_mut(), part) {
                // Neighbouring texts are joined, so a value without late references has at most one part.
                (Some(ValuePart::Text(text)), ValuePart::Text(more)) => text.push_str(&more),
                (_, part) => self.parts.push(part),
            }
        }
    }

    /// The text with each late reference filled in by `fill`, or the first reference that cannot be filled in.
    pub(super) fn fill<'a>(
        &'a self,
        mut fill: impl FnMut(&'a LateReference) -> Result<String, String>,
    ) -> Result<String, (&'a LateReference, String)> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                ValuePart::Text(more) => text.push_str(more),
                ValuePart::Late(late) => text.push_str(&fill(late).map_err(|reason| (late, reason))?),
            }
        }
        Ok(text)
    }
}

/// A change of the text of a reference, such as `{upper:nodename}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextModifier {
    /// To upper case.
    Upper,
    /// To lower case.
    Lower,
    /// The first letter to upper case, the others to lower case.
    Capitalize,
    /// The same for each word.
    Title,
    /// The case of each letter reversed.
    Swapcase,
}

impl TextModifier {
    /// Every modifier, with the prefix by which a reference names it.
    pub const ALL: [(&'static str, TextModifier); 5] = [
        ("upper:", TextModifier::Upper),
        ("lower:", TextModifier::Lower),
        ("capitalize:", TextModifier::Capitalize),
        ("title:", TextModifier::Title),
        ("swapcase:", TextModifier::Swapcase),
    ];

    /// The text, modified.
    pub fn apply(self, text: &str) -> String {
        match self {
            TextModifier::Upper => text.to_uppercase(),
            TextModifier::Lower => text.to_lowercase(),
            TextModifier::Capitalize => capitalized(text),
            // As in Python, whose modifiers these are, every run of letters is a word: `it's` becomes `It'S`.
            TextModifier::Title => text.split_inclusive(|c: char| !c.is_alphabetic()).map(capitalized).collect(),
            TextModifier::Swapcase => text.chars().map(swapped).collect(),
        }
    }
}

fn capitalized(text: &str) -> String {
    let mut chars = text.chars();
    // A string, because one letter can become several: ß becomes SS.
    let first = chars.next().map(|first| first.to_uppercase().to_string()).unwrap_or_default();
    first + &chars.as_str().to_lowercase()
}

fn swapped(c: char) -> String {
    if c.is_uppercase() { c.to_lowercase().to_string() } else { c.to_uppercase().to_string() }
}
