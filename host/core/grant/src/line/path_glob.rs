//! Bound absolute paths, which have one spelling, with the stars of their line.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::line::glob::{Glob, GlobPart};
use crate::line::token::quoted;

/// A bound absolute path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PathGlob {
    words: PathWords,
    /// Whether it stands for everything below, too.
    below: bool,
}

/// The path itself, without the `/**` at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
enum PathWords {
    /// Without a star, as nearly all are: in its only legal spelling. Empty for the root directory.
    Plain(String),
    /// Its components, some of them with stars.
    Starred(Vec<Glob>),
}

impl PathGlob {
    /// Builds the path that these parts spell, without the `/**` at its end.
    pub(crate) fn new(parts: Vec<GlobPart>, below: bool) -> Result<PathGlob, &'static str> {
        let words = match plain_text(&parts) {
            Some(text) => PathWords::Plain(plain_path(text)?),
            None => PathWords::Starred(starred_components(parts)?),
        };
        Ok(PathGlob { words, below })
    }

    /// Whether it stands for this path. It never stands for a path in another spelling.
    pub(crate) fn matches(&self, path: &Path) -> bool {
        match &self.words {
            PathWords::Plain(own) if !self.below => path.as_os_str() == spelled(own),
            PathWords::Plain(own) => below_plain(own, path),
            PathWords::Starred(components) => {
                let fits =
                    |parts: &[&str]| parts.len() == components.len() || (self.below && parts.len() > components.len());
                let matches = |parts: &Vec<&str>| components.iter().zip(parts).all(|(glob, part)| glob.matches(part));
                components_of(path).is_some_and(|parts| fits(&parts) && matches(&parts))
            }
        }
    }

    /// Whether it stands for this path and everything below it.
    pub(crate) fn matches_tree(&self, path: &Path) -> bool {
        self.below && self.matches(path)
    }

    /// Whether it stands for anything at this path or below it.
    pub(crate) fn touches_tree(&self, path: &Path) -> bool {
        // It decides what a `deny` forbids, so a path that cannot be read counts as touched.
        let Some(parts) = components_of(path) else { return true };
        let (above, count) = match &self.words {
            PathWords::Plain(own) => {
                let own: Vec<&str> = own.split('/').skip(1).collect();
                (own.iter().zip(&parts).all(|(own, part)| own == part), own.len())
            }
            PathWords::Starred(own) => (own.iter().zip(&parts).all(|(glob, part)| glob.matches(part)), own.len()),
        };
        above && (self.below || count >= parts.len())
    }

    /// Whether a path could be in both: false only where two components differ in any case.
    pub(crate) fn may_meet(&self, other: &PathGlob) -> bool {
        let components = |path: &PathGlob| -> Vec<Glob> {
            match &path.words {
                PathWords::Plain(own) => own.split('/').skip(1).map(Glob::text).collect(),
                PathWords::Starred(components) => components.clone(),
            }
        };
        let (one, two) = (components(self), components(other));
        let same = |(one, two): (&Glob, &Glob)| match (one.literal(), two.literal()) {
            (Some(one), Some(two)) => one == two,
            (Some(text), None) => two.matches(&text),
            (None, Some(text)) => one.matches(&text),
            (None, None) => true,
        };
        let long_enough = |short: &PathGlob, short_len: usize, len: usize| short_len >= len || short.below;
        one.iter().zip(&two).all(same)
            && long_enough(self, one.len(), two.len())
            && long_enough(other, two.len(), one.len())
    }

    /// The same with its first components replaced by the place to which links lead from them. None if they lead nowhere else.
    pub(crate) fn relocated(&self, follow: &dyn Fn(&Path) -> Option<PathBuf>) -> Option<PathGlob> {
        let (front, rest): (String, &[Glob]) = match &self.words {
            PathWords::Plain(own) => (own.clone(), &[]),
            PathWords::Starred(components) => {
                let plain = components.iter().take_while(|component| component.literal().is_some()).count();
                let front = components[..plain].iter().filter_map(Glob::literal).map(|name| format!("/{name}"));
                (front.collect(), &components[plain..])
            }
        };
        let real = follow(Path::new(spelled(&front))).filter(|real| real.as_os_str() != spelled(&front))?;
        let real = plain_path(real.to_str()?.to_owned()).ok()?;
        let words = match rest {
            [] => PathWords::Plain(real),
            rest => {
                let front = real.split('/').skip(1).map(Glob::text);
                PathWords::Starred(front.chain(rest.iter().cloned()).collect())
            }
        };
        Some(PathGlob { words, below: self.below })
    }

    /// The parts that spell it, without the `/**` at its end.
    pub(crate) fn parts(&self) -> Vec<GlobPart> {
        match &self.words {
            PathWords::Plain(own) => vec![GlobPart::Text(spelled(own).to_owned())],
            PathWords::Starred(components) => {
                let slash = || std::iter::once(GlobPart::Text("/".to_owned()));
                components.iter().flat_map(|component| slash().chain(component.0.iter().cloned())).collect()
            }
        }
    }

    /// Whether it stands for everything below, too.
    pub(crate) fn is_tree(&self) -> bool {
        self.below
    }

    /// The path, without the `/**`, if it contains no star.
    pub(crate) fn literal(&self) -> Option<String> {
        match &self.words {
            PathWords::Plain(own) => Some(spelled(own).to_owned()),
            PathWords::Starred(_) => None,
        }
    }
}

/// The text of the parts, if there is no star among them.
fn plain_text(parts: &[GlobPart]) -> Option<String> {
    let text = |part: &'_ GlobPart| match part {
        GlobPart::Text(text) => Some(text.len()),
        GlobPart::Star => None,
    };
    let length = parts.iter().map(text).sum::<Option<usize>>()?;
    let mut whole = String::with_capacity(length);
    for part in parts {
        if let GlobPart::Text(text) = part {
            whole.push_str(text);
        }
    }
    Some(whole)
}

/// A plain path as it is written: the root directory is a slash.
fn spelled(plain: &str) -> &str {
    if plain.is_empty() { "/" } else { plain }
}

/// The text as a plain path.
fn plain_path(mut text: String) -> Result<String, &'static str> {
    // The root directory, which stands before `/**` without its slash.
    if text.is_empty() || text == "/" {
        text.clear();
        return Ok(text);
    }
    let Some(components) = text.strip_prefix('/') else { return Err("it is not an absolute path") };
    components.split('/').try_for_each(check_component)?;
    Ok(text)
}

/// Whether the path, in its legal spelling, is the plain one or below it.
fn below_plain(plain: &str, path: &Path) -> bool {
    let Some(rest) = path.to_str().and_then(|path| path.strip_prefix(plain)) else { return false };
    (rest.is_empty() || rest.starts_with('/')) && components_of(path).is_some()
}

/// The components that the parts spell.
fn starred_components(parts: Vec<GlobPart>) -> Result<Vec<Glob>, &'static str> {
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
    // A component with a star in it is none of those that are not legal.
    let literals = components.iter().filter_map(Glob::literal);
    literals.into_iter().try_for_each(|component| check_component(&component))?;
    Ok(components)
}

fn check_component(component: &str) -> Result<(), &'static str> {
    match component {
        "" => Err("it contains an empty component, or ends in a slash"),
        "." | ".." => Err("it contains . or .."),
        text if text.contains('\0') => Err("it contains a zero byte"),
        _ => Ok(()),
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
                if let PathWords::Starred(components) = &self.words {
                    components.iter().try_for_each(|component| write!(f, "/{component}"))?;
                }
                f.write_str(if below { "/**" } else { "" })
            }
        }
    }
}
