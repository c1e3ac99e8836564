//! Bound words and paths: text, and the stars that a line itself wrote. A keyword's value is always text.

use std::fmt;
use std::path::Path;

use crate::token::quoted;

/// A part of a bound word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bit {
    /// Itself.
    Text(String),
    /// Anything without a `/`.
    Star,
}

/// A bound word.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Glob(pub(crate) Vec<Bit>);

impl Glob {
    pub(crate) fn text(text: &str) -> Glob {
        Glob(vec![Bit::Text(text.to_owned())])
    }

    /// Whether it is a star alone.
    pub(crate) fn is_any(&self) -> bool {
        self.0 == [Bit::Star]
    }

    /// Its text, if it holds no star.
    pub(crate) fn literal(&self) -> Option<String> {
        self.0
            .iter()
            .map(|bit| match bit {
                Bit::Text(text) => Some(text.as_str()),
                Bit::Star => None,
            })
            .collect()
    }

    /// Whether its own text, stars left out, holds the character.
    pub(crate) fn holds(&self, c: char) -> bool {
        self.0.iter().any(|bit| matches!(bit, Bit::Text(text) if text.contains(c)))
    }

    /// Whether the text is one of those that it stands for. A star never crosses a `/`, nor a `boundary`.
    pub(crate) fn matches_within(&self, text: &str, boundary: char) -> bool {
        let chars: Vec<char> = text.chars().collect();
        // Which prefixes of the text the bits so far stand for.
        let mut reached = vec![false; chars.len() + 1];
        reached[0] = true;
        for bit in &self.0 {
            reached = match bit {
                Bit::Text(text) => after_text(&reached, &chars, text),
                Bit::Star => after_star(&reached, &chars, boundary),
            };
        }
        reached[chars.len()]
    }

    /// Whether the text is one of those that it stands for.
    pub(crate) fn matches(&self, text: &str) -> bool {
        self.matches_within(text, '/')
    }
}

fn after_text(reached: &[bool], chars: &[char], text: &str) -> Vec<bool> {
    let text: Vec<char> = text.chars().collect();
    let mut next = vec![false; reached.len()];
    for start in (0..reached.len()).filter(|&start| reached[start]) {
        if chars[start..].starts_with(&text) {
            next[start + text.len()] = true;
        }
    }
    next
}

fn after_star(reached: &[bool], chars: &[char], boundary: char) -> Vec<bool> {
    let mut next = reached.to_vec();
    for end in 1..next.len() {
        let c = chars[end - 1];
        next[end] |= next[end - 1] && c != '/' && c != boundary;
    }
    next
}

impl fmt::Display for Glob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = self.literal() {
            return f.write_str(&quoted(&text));
        }
        self.0.iter().try_for_each(|bit| match bit {
            Bit::Text(text) if text.is_empty() => Ok(()),
            Bit::Text(text) => f.write_str(&quoted(text)),
            Bit::Star => f.write_str("*"),
        })
    }
}

/// A bound absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathGlob {
    components: Vec<Glob>,
    /// Whether everything below is meant too.
    below: bool,
}

impl PathGlob {
    /// The path that these bits spell, without the `/**` at its end.
    pub(crate) fn new(bits: Vec<Bit>, below: bool) -> Result<PathGlob, &'static str> {
        let mut components = vec![Glob::default()];
        for bit in bits {
            match bit {
                Bit::Star => last(&mut components).push(Bit::Star),
                Bit::Text(text) => {
                    for (i, part) in text.split('/').enumerate() {
                        if i > 0 {
                            components.push(Glob::default());
                        }
                        if !part.is_empty() {
                            last(&mut components).push(Bit::Text(part.to_owned()));
                        }
                    }
                }
            }
        }
        if !components.remove(0).0.is_empty() {
            return Err("it is not an absolute path");
        }
        // What stands before the `/**` ends in nothing where it is the root directory.
        if components.len() == 1 && components[0].0.is_empty() {
            components.clear();
        }
        for component in &components {
            match component.literal().as_deref() {
                Some("") => return Err("it holds an empty component, or ends in a slash"),
                Some("." | "..") => return Err("it holds . or .."),
                Some(text) if text.contains('\0') => return Err("it holds a zero byte"),
                _ => {}
            }
        }
        Ok(PathGlob { components, below })
    }

    /// Whether the path is one of those that it stands for. A path that has another spelling never is.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        components_of(path).is_some_and(|parts| self.matches_components(&parts))
    }

    fn matches_components(&self, parts: &[&str]) -> bool {
        let fits = parts.len() == self.components.len() || (self.below && parts.len() > self.components.len());
        fits && self.components.iter().zip(parts).all(|(glob, part)| glob.matches(part))
    }

    /// Whether the path and everything below it is meant.
    pub(crate) fn matches_tree(&self, path: &Path) -> bool {
        self.below && self.matches(path)
    }

    /// Whether anything at the path or below it is meant.
    pub(crate) fn touches_tree(&self, path: &Path) -> bool {
        let Some(parts) = components_of(path) else { return true };
        let above = self.components.iter().zip(&parts).all(|(glob, part)| glob.matches(part));
        above && (self.below || self.components.len() >= parts.len())
    }

    /// Whether everything below is meant too.
    pub(crate) fn is_tree(&self) -> bool {
        self.below
    }

    /// The path, without the `/**`, if it holds no star.
    pub(crate) fn literal(&self) -> Option<String> {
        let parts: Option<Vec<String>> = self.components.iter().map(Glob::literal).collect();
        parts.map(|parts| format!("/{}", parts.join("/")))
    }
}

fn last(components: &mut [Glob]) -> &mut Vec<Bit> {
    let end = components.len() - 1;
    &mut components[end].0
}

/// The components of an absolute path in its only legal spelling: no empty ones, no `.`, no `..`, no slash at the end.
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
