//! The keywords that a section may hold, found by their names. Sections of the same driver share one set, and with it the values
//! of the keywords that none of them writes: of some sixty keywords a section writes about three.

use std::cell::OnceCell;
use std::collections::HashMap;

use model::keyword::Keyword;

/// The canonical values of a keyword that is not written. None if it has no default.
pub(crate) type UnwrittenValue = Option<Vec<String>>;

/// The keywords that a section may hold. Of two with the same name, the first counts.
#[derive(Default)]
pub(crate) struct KeywordSet<'a> {
    pub(crate) list: Vec<&'a Keyword>,
    places: HashMap<&'a str, usize>,
    unwritten: Vec<OnceCell<Option<UnwrittenValue>>>,
}

impl<'a> KeywordSet<'a> {
    pub(crate) fn of(keywords: impl IntoIterator<Item = &'a Keyword>) -> KeywordSet<'a> {
        let list: Vec<&Keyword> = keywords.into_iter().collect();
        let mut places = HashMap::with_capacity(list.len());
        for (place, keyword) in list.iter().enumerate() {
            places.entry(keyword.name.as_str()).or_insert(place);
        }
        KeywordSet { unwritten: list.iter().map(|_| OnceCell::new()).collect(), list, places }
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
