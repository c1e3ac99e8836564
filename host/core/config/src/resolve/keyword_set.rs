//! The keywords that a section may hold, found by their names. Sections of the same driver share one set, and with it the values
//! of the keywords that none of them writes: of some sixty keywords a section writes about three.

use std::cell::OnceCell;
use std::collections::HashMap;
use std::collections::hash_map::Entry;

use model::Verb;
use model::keyword::Keyword;
use model::object::Trigger;

/// The canonical values of a keyword that is not written. None if it has no default.
pub(crate) type UnwrittenValue = Option<Vec<String>>;

/// The keywords that a section may hold. Of two with the same name, the first counts.
#[derive(Default)]
pub(crate) struct KeywordSet<'a> {
    pub(crate) list: Vec<&'a Keyword>,
    places: HashMap<&'a str, usize>,
    unwritten: Vec<OnceCell<Option<UnwrittenValue>>>,
    families: OnceCell<KeywordFamilies<'a>>,
}

/// The keywords of a set that are named after something, such as a verb, and where each stands in the list. Their names are
/// put together and looked up once for a set: for each section, that would take longer than to read all that it writes.
#[derive(Default)]
pub(crate) struct KeywordFamilies<'a> {
    /// `blocking_pre_start` and the like.
    pub(crate) triggers: Vec<(Trigger, usize)>,
    /// `<verb>_requires`.
    pub(crate) requires: Vec<(Verb, usize)>,
    /// `<verb>_timeout`.
    pub(crate) timeouts: Vec<(Verb, usize)>,
    /// `pg_<limit>`.
    pub(crate) limits: Vec<(&'a str, usize)>,
}

impl<'a> KeywordSet<'a> {
    pub(crate) fn of(keywords: impl IntoIterator<Item = &'a Keyword>) -> KeywordSet<'a> {
        let keywords = keywords.into_iter();
        let mut list = Vec::with_capacity(keywords.size_hint().0);
        let mut places = HashMap::with_capacity(list.capacity());
        for keyword in keywords {
            if let Entry::Vacant(place) = places.entry(keyword.name.as_str()) {
                place.insert(list.len());
                list.push(keyword);
            }
        }
        let unwritten = list.iter().map(|_| OnceCell::new()).collect();
        KeywordSet { list, places, unwritten, families: OnceCell::new() }
    }

    /// The keywords that are named after something.
    pub(crate) fn families(&self) -> &KeywordFamilies<'a> {
        self.families.get_or_init(|| KeywordFamilies::of(&self.list))
    }

    /// Where the keyword of that name stands in the list.
    pub(crate) fn place(&self, name: &str) -> Option<usize> {
        self.places.get(name).copied()
    }

    /// The keyword of that name.
    pub(crate) fn get(&self, name: &str) -> Option<&'a Keyword> {
        Some(self.list[self.place(name)?])
    }

    /// What a keyword is worth in every section that does not write it. `evaluate` is asked once for all sections; it returns
    /// None if the value is not the same in all of them.
    pub(crate) fn unwritten(
        &self,
        place: usize,
        evaluate: impl FnOnce(&Keyword) -> Option<UnwrittenValue>,
    ) -> Option<&UnwrittenValue> {
        self.unwritten[place].get_or_init(|| evaluate(self.list[place])).as_ref()
    }
}

impl<'a> KeywordFamilies<'a> {
    fn of(keywords: &[&'a Keyword]) -> KeywordFamilies<'a> {
        let mut families = KeywordFamilies::default();
        for (place, name) in keywords.iter().map(|keyword| keyword.name.as_str()).enumerate() {
            if let Some(limit) = name.strip_prefix("pg_") {
                families.limits.push((limit, place));
            } else if let Some(verb) = verb_of(name, "_timeout", timed()) {
                families.timeouts.push((verb, place));
            } else if let Some(verb) = verb_of(name, "_requires", Verb::requiring()) {
                families.requires.push((verb, place));
            } else if let Some(trigger) = Trigger::of_keyword(name) {
                families.triggers.push((trigger, place));
            }
        }
        families
    }
}

/// The verbs that have a timeout of their own.
fn timed() -> impl Iterator<Item = Verb> {
    Verb::CONFIGURABLE.into_iter().chain([Verb::Status])
}

/// The one of some verbs that a keyword with that suffix is for.
fn verb_of(name: &str, suffix: &str, mut verbs: impl Iterator<Item = Verb>) -> Option<Verb> {
    let verb = name.strip_suffix(suffix)?;
    verbs.find(|known| known.as_str() == verb)
}
