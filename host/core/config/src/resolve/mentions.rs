//! The keywords that a text mentions, found without parsing it.
//!
//! A resource has some sixty keywords, and its section sets about three. The others must cost next to nothing, or an object of
//! some hundred resources takes longer to read than to start.

use std::collections::{HashMap, HashSet};

use crate::keyword;
use model::keyword::{Keyword, KeywordInheritance};

use crate::document::text::DEFAULT;
use crate::resolve::outline::Outline;
use crate::resolve::resolver::{EntryIndex, OptionIndex};

/// The keywords that each section may have written, under every name that they go by.
#[derive(Default)]
pub(crate) struct KeywordMentions<'a>(HashMap<&'a str, HashSet<&'a str>>);

impl<'a> KeywordMentions<'a> {
    pub(crate) fn of(outline: &Outline<'a>, index: &EntryIndex<'a>) -> KeywordMentions<'a> {
        let names = |section: &'a str, options: &OptionIndex<'a>| {
            // A keyword that only drivers know can be inherited from DEFAULT too.
            let inherited: &[Keyword] = if section == DEFAULT { keyword::resource() } else { &[] };
            let keywords: Vec<&'a Keyword> = outline.keywords(section).iter().copied().chain(inherited).collect();
            // An old name counts as every name of the keywords that it can mean, so that `may_hold` need not know old names.
            let meant = options.keys().flat_map(|option| outline.meant(section, option, &keywords));
            let spelled = meant.flat_map(|keyword| outline.spellings(section, keyword));
            spelled.chain(options.keys().copied()).collect()
        };
        KeywordMentions(index.iter().map(|(section, options)| (*section, names(section, options))).collect())
    }

    /// The names of a section's keywords that may be written there, and the names of those that it may inherit.
    pub(crate) fn names_in(&self, section: &str) -> [impl Iterator<Item = &'a str>; 2] {
        [section, DEFAULT].map(|section| self.0.get(section).into_iter().flatten().copied())
    }

    /// Whether a keyword of a section may be written, there or where it is inherited from. If not, it is not.
    pub(crate) fn may_hold(&self, section: &str, keyword: &Keyword) -> bool {
        let in_section = |section: &str| self.0.get(section).is_some_and(|names| names.contains(&*keyword.name));
        in_section(section) || (keyword.inherit != KeywordInheritance::No && in_section(DEFAULT))
    }
}
