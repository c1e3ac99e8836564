//! The object selector: `,` union, `+` intersection, which binds tighter, `!` negation of one term.

use crate::ObjectPath;
use crate::convert::ConvertError;
use crate::path::{InvalidPath, is_name};
use crate::select::term::KeywordTerm;
use crate::select::{GlobPattern, InvalidGlob, KeywordSource};

/// An expression that selects objects.
#[derive(Debug, Clone)]
pub struct ObjectSelector {
    union: Vec<Vec<SelectorTerm>>,
}

/// Why a text is not a selector, or cannot be evaluated.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidSelector {
    /// A term is missing.
    #[error("{0:?} has an empty term")]
    Empty(String),
    /// A term is neither a path nor a pattern nor a test of a keyword.
    #[error("{0:?} is not a path, a pattern or a test of a keyword")]
    Term(String),
    /// A term looks like a path but is not one.
    #[error(transparent)]
    Path(#[from] InvalidPath),
    /// A term looks like a pattern but is not one.
    #[error(transparent)]
    Glob(#[from] InvalidGlob),
    /// The text behind `~` is not a regular expression.
    #[error("the expression of {term:?} does not parse")]
    Regex {
        /// The term.
        term: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// There is text behind `:`.
    #[error("{0:?} compares with nothing: a colon tests existence, use = for a value")]
    ValueAfterColon(String),
    /// The text that a keyword is compared with is not a value of its kind.
    #[error("cannot compare with {value:?}")]
    Value {
        /// The text behind the operator.
        value: String,
        /// Why it is not a value.
        #[source]
        source: ConvertError,
    },
}

#[derive(Debug, Clone)]
struct SelectorTerm {
    negated: bool,
    test: TermTest,
}

#[derive(Debug, Clone)]
enum TermTest {
    Path(ObjectPath),
    Glob(PathGlob),
    Keyword(KeywordTerm),
}

/// A glob on `namespace/kind/name`.
#[derive(Debug, Clone)]
enum PathGlob {
    /// One with `**`, whose stars go across slashes.
    Whole(GlobPattern),
    /// One for each part.
    Parts { namespace: GlobPattern, kind: GlobPattern, name: GlobPattern },
}

impl std::str::FromStr for ObjectSelector {
    type Err = InvalidSelector;

    fn from_str(s: &str) -> Result<ObjectSelector, InvalidSelector> {
        let intersection = |text: &str| {
            let mut terms = text.split('+').map(|term| SelectorTerm::parse(s, term)).collect::<Result<Vec<_>, _>>()?;
            // Matching a name costs nothing, asking for a keyword reads a file. The order of an intersection is free, so the
            // cheap terms go first.
            terms.sort_by_key(|term| matches!(term.test, TermTest::Keyword(_)));
            Ok(terms)
        };
        Ok(ObjectSelector { union: s.split(',').map(intersection).collect::<Result<_, InvalidSelector>>()? })
    }
}

impl ObjectSelector {
    /// The objects that are selected, in the order of the list.
    pub fn select<'a>(
        &self,
        objects: &'a [ObjectPath],
        keywords: &dyn KeywordSource,
    ) -> Result<Vec<&'a ObjectPath>, InvalidSelector> {
        let mut selected = Vec::new();
        for object in objects {
            if self.holds(object, keywords)? {
                selected.push(object);
            }
        }
        Ok(selected)
    }

    fn holds(&self, object: &ObjectPath, keywords: &dyn KeywordSource) -> Result<bool, InvalidSelector> {
        for terms in &self.union {
            if all_hold(terms, object, keywords)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The object, where the selector is the path of one.
    pub fn as_path(&self) -> Option<&ObjectPath> {
        match &self.union[..] {
            [terms] => match &terms[..] {
                [SelectorTerm { negated: false, test: TermTest::Path(path) }] => Some(path),
                _ => None,
            },
            _ => None,
        }
    }
}

fn all_hold(
    terms: &[SelectorTerm],
    object: &ObjectPath,
    keywords: &dyn KeywordSource,
) -> Result<bool, InvalidSelector> {
    for term in terms {
        // Stops at the first term that fails, so that no file is read for the keywords behind it.
        if !term.holds(object, keywords)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl SelectorTerm {
    fn parse(selector: &str, text: &str) -> Result<SelectorTerm, InvalidSelector> {
        let text = text.trim();
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        if text.is_empty() {
            return Err(InvalidSelector::Empty(selector.to_owned()));
        }
        Ok(SelectorTerm { negated, test: TermTest::parse(text)? })
    }

    fn holds(&self, object: &ObjectPath, keywords: &dyn KeywordSource) -> Result<bool, InvalidSelector> {
        let holds = match &self.test {
            TermTest::Path(path) => path == object,
            TermTest::Glob(glob) => glob.matches(object),
            TermTest::Keyword(term) => term.holds(object, keywords)?,
        };
        Ok(holds != self.negated)
    }
}

impl TermTest {
    /// A text with an operator is a test of a keyword, one with a wildcard a pattern. Of the rest, a text that can be a path is
    /// one, and any other is the name of a keyword.
    fn parse(text: &str) -> Result<TermTest, InvalidSelector> {
        // `ns1/svc/` means every service of the namespace, while `ns1/` and `ns1/nscfg/` are objects.
        let directory_of_kind = text.ends_with('/') && text.matches('/').count() == 2 && !text.ends_with("/nscfg/");
        // Before patterns: the expression of `app~^web.*` holds wildcards, too.
        if KeywordTerm::has_operator(text) {
            KeywordTerm::parse(text).map(TermTest::Keyword)
        } else if GlobPattern::is_pattern(text) || directory_of_kind {
            PathGlob::parse(text).map(TermTest::Glob)
        } else if text.contains('/') || is_name(text) {
            Ok(TermTest::Path(text.parse()?))
        } else {
            KeywordTerm::parse(text).map(TermTest::Keyword)
        }
    }
}

impl PathGlob {
    fn parse(text: &str) -> Result<PathGlob, InvalidSelector> {
        if text.contains("**") {
            return Ok(PathGlob::Whole(GlobPattern::new(text)?));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (namespace, kind, name) = match parts[..] {
            // A star alone means the services of every namespace, while `w*` stays in the root namespace.
            ["*"] => ("*", "svc", "*"),
            [name] => ("root", "svc", name),
            [namespace, ""] => (namespace, "nscfg", "namespace"),
            [kind, name] => ("root", kind, name),
            [namespace, kind, ""] => (namespace, kind, "*"),
            [namespace, kind, name] => (namespace, kind, name),
            _ => return Err(InvalidSelector::Term(text.to_owned())),
        };
        Ok(PathGlob::Parts {
            namespace: GlobPattern::new(namespace)?,
            kind: GlobPattern::new(kind)?,
            name: GlobPattern::new(name)?,
        })
    }

    fn matches(&self, object: &ObjectPath) -> bool {
        match self {
            PathGlob::Whole(glob) => glob.matches(&object.fqn()),
            PathGlob::Parts { namespace, kind, name } => {
                // The name is compared first, because it rules out the most.
                name.matches(object.name())
                    && kind.matches(object.kind().as_str())
                    && namespace.matches(object.namespace())
            }
        }
    }
}

#[cfg(test)]
mod tests;
