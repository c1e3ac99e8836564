//! Bound absolute paths, which have one spelling, with the stars of their line.

use std::fmt;
use std::path::Path;

use crate::line::glob::{Glob, GlobPart};
use crate::line::token::quoted;

/// A bound absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathGlob {
    components: Vec<Glob>,
    /// Whether it stands for everything below, too.
    below: bool,
}

impl PathGlob {
    /// Builds the path that these parts spell, without the `/**` at its end.
    pub(crate) fn new(parts: Vec<GlobPart>, below: bool) -> Result<PathGlob, &'static str> {
        let mut components = vec![Glob::default()];
        for part in parts {
            match part {
                GlobPart::Star => last(&mut components).push(GlobPart::Star),
                GlobPart::Text(text) => {
                    for (i, component) in text.split('/').enumerate() {
                        if i > 0 {
                            components.push(Glob::default());
                        }
                        if !component.is_empty() {
                            last(&mut components).push(GlobPart::Text(component.to_owned()));
                        }
                    }
                }
            }
        }
        // An absolute path has nothing before its first slash.
        if !components.remove(0).0.is_empty() {
            return Err("it is not an absolute path");
        }
        // The root directory before `/**` leaves one empty component.
        if components.len() == 1 && components[0].0.is_empty() {
            components.clear();
        }
        for component in &components {
            match component.literal().as_deref() {
                Some("") => return Err("it contains an empty component, or ends in a slash"),
                Some("." | "..") => return Err("it contains . or .."),
                Some(text) if text.contains('\0') => return Err("it contains a zero byte"),
                _ => {}
            }
        }
        Ok(PathGlob { components, below })
    }

    /// Whether it stands for this path. It never stands for a path in another spelling.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        components_of(path).is_some_and(|parts| self.matches_components(&parts))
    }

    fn matches_components(&self, parts: &[&str]) -> bool {
        let fits = parts.len() == self.components.len() || (self.below && parts.len() > self.components.len());
        fits && self.components.iter().zip(parts).all(|(glob, part)| glob.matches(part))
    }

    /// Whether it stands for this path and everything below it.
    pub(crate) fn matches_tree(&self, path: &Path) -> bool {
        self.below && self.matches(path)
    }

    /// Whether it stands for anything at this path or below it.
    pub(crate) fn touches_tree(&self, path: &Path) -> bool {
        // It decides what a `deny` forbids, so a path that cannot be read counts as touched.
        let Some(parts) = components_of(path) else { return true };
        let above = self.components.iter().zip(&parts).all(|(glob, part)| glob.matches(part));
        above && (self.below || self.components.len() >= parts.len())
    }

    /// Whether it stands for everything below, too.
    pub(crate) fn is_tree(&self) -> bool {
        self.below
    }

    /// The path, without the `/**`, if it contains no star.
    pub(crate) fn literal(&self) -> Option<String> {
        if self.components.is_empty() {
            return Some("/".to_owned());
        }
        self.components.iter().flat_map(|component| std::iter::once(Some("/")).chain(component.texts())).collect()
    }
}

fn last(components: &mut [Glob]) -> &mut Vec<GlobPart> {
    let end = components.len() - 1;
    &mut components[end].0
}

/// The components of an absolute path in its only legal spelling: no empty component, no `.`, no `..`, no slash at the end.
pub(crate) fn components_of(path: &Path) -> Option<Vec<&str>> {
    let text = path.to_str()?;
    let rest = text.strip_prefix('/')?;
    if rest.is_empty() {
        return Some(Vec::new());
    }
    let parts: Vec<&str> = rest.split('/').collect();
    let clean = |part: &&str| !part.is_empty() && *part != "." && *part != ".." && !part.contains('\0');
    parts.iter().all(clean).then_some(parts)
}

impl fmt::Display for PathGlob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.literal(), self.below) {
            (Some(path), true) if path == "/" => f.write_str("/**"),
            (Some(path), below) => write!(f, "{}{}", quoted(&path), if below { "/**" } else { "" }),
            (None, below) => {
                self.components.iter().try_for_each(|component| write!(f, "/{component}"))?;
                f.write_str(if below { "/**" } else { "" })
            }
        }
    }
}
