//! Values that hold late references: what only another resource's driver knows, and only while that resource is up.

use crate::Rid;
use crate::convert::convert;

use super::object::{Evaluated, Evaluation, Exposed, Missing, Prepared};
use super::reference::Modifier;

/// A reference to the devices that another resource exposes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Late {
    pub(super) rid: Rid,
    pub(super) index: Option<usize>,
    pub(super) count: bool,
    pub(super) modifier: Option<Modifier>,
}

impl Late {
    pub(super) fn rid(&self) -> &Rid {
        &self.rid
    }

    /// The text that stands for the reference while these devices are exposed, or why there is none.
    fn fill(&self, devices: Option<Vec<String>>) -> Result<String, String> {
        let devices = devices.filter(|devices| !devices.is_empty()).ok_or("exposes no device now")?;
        let text = match self.index {
            _ if self.count => devices.len().to_string(),
            None => devices.join(" "),
            Some(index) => {
                devices.get(index).cloned().ok_or_else(|| format!("exposes {} devices now", devices.len()))?
            }
        };
        Ok(self.modifier.map_or(text.clone(), |modifier| modifier.apply(&text)))
    }
}

/// A part of a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Part {
    /// Text.
    Text(String),
    /// What is filled in later.
    Late(Late),
}

/// A value with scopes chosen and references resolved, but for the late ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Value {
    pub(super) parts: Vec<Part>,
    /// Whether a keyword that must not be shown went into it.
    pub(super) secret: bool,
}

impl Value {
    pub(super) fn text(text: impl Into<String>) -> Value {
        Value { parts: vec![Part::Text(text.into())], secret: false }
    }

    /// Its text, if nothing is left to be filled in.
    pub(super) fn as_text(&self) -> Option<String> {
        self.fill(|_| Err(String::new())).ok()
    }

    /// Its late references.
    pub(super) fn late(&self) -> impl Iterator<Item = &Late> {
        self.parts.iter().filter_map(|part| match part {
            Part::Text(_) => None,
            Part::Late(late) => Some(late),
        })
    }

    /// How long it is, for those who put a limit to it.
    pub(super) fn len(&self) -> usize {
        let len = |part: &Part| match part {
            Part::Text(text) => text.len(),
            Part::Late(_) => 1,
        };
        self.parts.iter().map(len).sum()
    }

    /// Appends another value.
    pub(super) fn push(&mut self, other: Value) {
        self.secret |= other.secret;
        for part in other.parts {
            match (self.parts.last_mut(), part) {
                (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
                (_, part) => self.parts.push(part),
            }
        }
    }

    fn fill<'a>(
        &'a self,
        mut fill: impl FnMut(&'a Late) -> Result<String, String>,
    ) -> Result<String, (&'a Late, String)> {
        let mut text = String::new();
        for part in &self.parts {
            match part {
                Part::Text(more) => text.push_str(more),
                Part::Late(late) => text.push_str(&fill(late).map_err(|reason| (late, reason))?),
            }
        }
        Ok(text)
    }
}

impl Prepared {
    /// Fills in what is late, converts, and files the keyword among those that have a value or among those that have none.
    pub(super) fn evaluate(&self, exposed: &dyn Exposed, evaluation: &mut Evaluation) {
        match self.canonical(exposed) {
            Ok(values) => evaluation.keywords.push(Evaluated {
                name: self.name.clone(),
                kind: self.kind,
                values,
                secret: self.secret || self.value.secret,
                store: self.store,
                from: self.value.late().next().map(|late| late.rid.clone()),
            }),
            Err(_) if self.aside => {}
            Err((late, reason)) => {
                evaluation.missing.push(Missing { keyword: self.name.clone(), rid: late.rid.clone(), reason });
            }
        }
    }

    fn canonical(&self, exposed: &dyn Exposed) -> Result<Vec<String>, (&Late, String)> {
        if let Some(known) = &self.known {
            return Ok(known.clone());
        }
        let text = self.value.fill(|late| late.fill(exposed.devices(&late.rid)))?;
        match (convert(self.kind, &text), self.value.late().next()) {
            (Ok(values), _) => Ok(values),
            (Err(error), Some(late)) => Err((late, format!("makes {text:?} of it: {error}"))),
            // A value of text alone was converted when the object was loaded.
            (Err(_), None) => Ok(vec![text]),
        }
    }
}
