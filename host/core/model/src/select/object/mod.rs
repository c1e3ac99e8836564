//! The object selector: `,` union, `+` intersection, which binds tighter, `!` negation of one term.

use crate::ObjectPath;
use crate::convert::ConvertError;
use crate::path::{NoPath, is_name};
use crate::select::term::KeywordTerm;
use crate::select::{BadGlob, Glob, Keywords};

/// An expression that objects are picked by.
#[derive(Debug, Clone)]
pub struct ObjectSelector {
    union: Vec<Vec<Term>>,
}

/// Why a text is no selector, or cannot be answered.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum BadSelector {
    /// Nothing stands where a term should.
    #[error("{0:?} has an empty term")]
    Empty(String),
    /// A term is neither path nor glob nor keyword.
    #[error("{0:?} is no path, no pattern and no test of a keyword")]
    Term(String),
    /// A term looks like a path and is none.
    #[error(transparent)]
    Path(#[from] NoPath),
    /// A term looks like a glob and is none.
    #[error(transparent)]
    Glob(#[from] BadGlob),
    /// What follows `~` is no regular expression.
    #[error("the expression of {term:?} does not parse")]
    Regex {
        /// The term.
        term: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// Something follows `:`.
    #[error("{0:?} compares with nothing: a colon tests existence, use = for a value")]
    ValueAfterColon(String),
    /// What a keyword is compared with cannot be a value of it.
    #[error("cannot compare with {value:?}")]
    Value {
        /// What stands after the operator.
        value: String,
        /// Why it is no value.
        #[source]
        source: ConvertError,
    },
}

#[derive(Debug, Clone)]
struct Term {
    negated: bool,
    test: Test,
}

#[derive(Debug, Clone)]
enum Test {
    Path(ObjectPath),
    Glob(PathGlob),
    Keyword(KeywordTerm),
}

/// A glob on `namespace/kind/name`.
#[derive(Debug, Clone)]
enum PathGlob {
    /// One with `**`, whose stars go across slashes.
    Whole(Glob),
    /// One for each part.
    Parts { namespace: Glob, kind: Glob, name: Glob },
}

impl std::str::FromStr for ObjectSelector {
    type Err = BadSelector;

    fn from_str(s: &str) -> Result<ObjectSelector, BadSelector> {
        let intersection = |text: &str| {
            let mut terms = text.split('+').map(|term| Term::parse(s, term)).collect::<Result<Vec<_>, _>>()?;
            // Names are at hand, keywords take reading a file: the order of questions is free, so the cheap ones go first.
            terms.sort_by_key(|term| matches!(term.test, Test::Keyword(_)));
            Ok(terms)
        };
        Ok(ObjectSelector { union: s.split(',').map(intersection).collect::<Result<_, BadSelector>>()? })
    }
}

impl ObjectSelector {
    /// The objects that are selected, in the order of the list.
    pub fn select<'a>(
        &self,
        objects: &'a [ObjectPath],
        keywords: &dyn Keywords,
    ) -> Result<Vec<&'a ObjectPath>, BadSelector> {
        let mut selected = Vec::new();
        for object in objects {
            if self.holds(object, keywords)? {
                selected.push(object);
            }
        }
        Ok(selected)
    }

    fn holds(&self, object: &ObjectPath, keywords: &dyn Keywords) -> Result<bool, BadSelector> {
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
                [Term { negated: false, test: Test::Path(path) }] => Some(path),
                _ => None,
            },
            _ => None,
        }
    }
}

fn all_hold(terms: &[Term], object: &ObjectPath, keywords: &dyn Keywords) -> Result<bool, BadSelector> {
    for term in terms {
        if !term.holds(object, keywords)? {
            return Ok(false);
        }
    }
    Ok(true)
}

impl Term {
    fn parse(selector: &str, text: &str) -> Result<Term, BadSelector> {
        let text = text.trim();
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        if text.is_empty() {
            return Err(BadSelector::Empty(selector.to_owned()));
        }
        Ok(Term { negated, test: Test::parse(text)? })
    }

    fn holds(&self, object: &ObjectPath, keywords: &dyn Keywords) -> Result<bool, BadSelector> {
        let holds = match &self.test {
            Test::Path(path) => path == object,
            Test::Glob(glob) => glob.matches(object),
            Test::Keyword(term) => term.holds(object, keywords)?,
        };
        Ok(holds != self.negated)
    }
}

impl Test {
    /// An operator makes a term on keywords, a wildcard a glob; of the rest, what may be a path is one, and what may not is
    /// the name of a keyword.
    fn parse(text: &str) -> Result<Test, BadSelector> {
        let folder_of_kind = text.ends_with('/') && text.matches('/').count() == 2 && !text.ends_with("/nscfg/");
        if KeywordTerm::has_operator(text) {
            KeywordTerm::parse(text).map(Test::Keyword)
        } else if Glob::is_pattern(text) || folder_of_kind {
            PathGlob::parse(text).map(Test::Glob)
        } else if text.contains('/') || is_name(text) {
            Ok(Test::Path(text.parse()?))
        } else {
            KeywordTerm::parse(text).map(Test::Keyword)
        }
    }
}

impl PathGlob {
    fn parse(text: &str) -> Result<PathGlob, BadSelector> {
        if text.contains("**") {
            return Ok(PathGlob::Whole(Glob::new(text)?));
        }
        let parts: Vec<&str> = text.split('/').collect();
        let (namespace, kind, name) = match parts[..] {
            ["*"] => ("*", "svc", "*"),
            [name] => ("root", "svc", name),
            [namespace, ""] => (namespace, "nscfg", "namespace"),
            [kind, name] => ("root", kind, name),
            [namespace, kind, ""] => (namespace, kind, "*"),
            [namespace, kind, name] => (namespace, kind, name),
            _ => return Err(BadSelector::Term(text.to_owned())),
        };
        Ok(PathGlob::Parts { namespace: Glob::new(namespace)?, kind: Glob::new(kind)?, name: Glob::new(name)? })
    }

    fn matches(&self, object: &ObjectPath) -> bool {
        match self {
            PathGlob::Whole(glob) => glob.matches(&object.fqn()),
            PathGlob::Parts { namespace, kind, name } => {
                name.matches(object.name())
                    && kind.matches(object.kind().as_str())
                    && namespace.matches(object.namespace())
            }
        }
    }
}

#[cfg(test)]
mod tests;
