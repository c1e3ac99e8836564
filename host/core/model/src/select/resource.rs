//! Which resources of an object an action is about: `--rid`, `--tags`, `--subsets`, each a union (`,`) of intersections
//! (`+`) of terms that `!` negates and that may be globs. Several options narrow each other.

use std::fmt;
use std::str::FromStr;

use super::{GlobPattern, InvalidGlob};
use crate::rid::{InvalidGroup, InvalidRid};
use crate::{DriverName, Group, Rid, SubsetName};

/// The properties of a resource that the filter examines.
pub trait Selectable {
    /// Its id.
    fn rid(&self) -> &Rid;
    /// Its driver.
    fn driver(&self) -> &DriverName;
    /// Its tags.
    fn tags(&self) -> &[String];
    /// Its subset.
    fn subset(&self) -> Option<&str>;
}

impl Selectable for crate::object::Resource {
    fn rid(&self) -> &Rid {
        &self.rid
    }
    fn driver(&self) -> &DriverName {
        &self.driver
    }
    fn tags(&self) -> &[String] {
        &self.tags
    }
    fn subset(&self) -> Option<&str> {
        self.subset.as_ref().map(SubsetName::as_str)
    }
}

/// The options of a command line.
#[derive(Debug, Clone, Copy, Default)]
pub struct ResourceOptions<'a> {
    /// The groups that an action such as `startcontainer` is limited to.
    pub within: Option<&'a str>,
    /// `--rid`: ids, groups, `group.driver`.
    pub rid: Option<&'a str>,
    /// `--tags`.
    pub tags: Option<&'a str>,
    /// `--subsets`.
    pub subsets: Option<&'a str>,
}

/// A filter of resources, from the options of a command line.
#[derive(Debug, Clone, Default)]
pub struct ResourceFilter {
    narrowings: Vec<SelectorConstraint>,
}

#[derive(Debug, Clone)]
struct SelectorConstraint {
    /// As the user wrote it.
    option: String,
    by: FilterKey,
    union: Vec<Vec<SelectorTerm>>,
}

#[derive(Debug, Clone, Copy)]
enum FilterKey {
    Name,
    Tags,
    Subset,
}

#[derive(Debug, Clone)]
struct SelectorTerm {
    negated: bool,
    glob: GlobPattern,
}

/// Why options are not a valid filter.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum InvalidFilter {
    /// A term is missing.
    #[error("{0} has an empty term")]
    Empty(String),
    /// A term is not a pattern.
    #[error("{option} cannot be read")]
    Glob {
        /// The option.
        option: String,
        /// Why.
        #[source]
        source: InvalidGlob,
    },
}

/// An option that left no resource selected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option} selects no resource{}", among(.before))]
pub struct EmptySelection {
    /// The option that emptied the selection.
    pub option: String,
    /// The resources that were selected before it. Empty: the object has none at all.
    pub before: Vec<Rid>,
}

fn among(before: &[Rid]) -> String {
    match before {
        [] => ", for there is none".to_owned(),
        rids => format!(" of {}", rids.iter().map(Rid::to_string).collect::<Vec<_>>().join(", ")),
    }
}

impl ResourceFilter {
    /// Reads the options.
    pub fn new(options: ResourceOptions<'_>) -> Result<ResourceFilter, InvalidFilter> {
        // In this order they narrow each other, so an error blames the first one that leaves nothing.
        let given = [
            (options.within, "the action on group", FilterKey::Name),
            (options.rid, "--rid", FilterKey::Name),
            (options.subsets, "--subsets", FilterKey::Subset),
            (options.tags, "--tags", FilterKey::Tags),
        ];
        let narrowings = given
            .into_iter()
            .filter_map(|(text, option, by)| text.map(|text| SelectorConstraint::parse(option, text, by)))
            .collect::<Result<_, _>>()?;
        Ok(ResourceFilter { narrowings })
    }

    /// Whether every resource passes.
    pub fn is_empty(&self) -> bool {
        self.narrowings.is_empty()
    }

    /// The resources that pass, in their order.
    pub fn select<'a, R: Selectable>(
        &self,
        resources: impl IntoIterator<Item = &'a R>,
    ) -> Result<Vec<&'a R>, EmptySelection> {
        let mut selected: Vec<&R> = resources.into_iter().collect();
        for narrowing in &self.narrowings {
            let before = selected.iter().map(|resource| resource.rid().clone()).collect();
            selected.retain(|resource| narrowing.accepts(*resource));
            if selected.is_empty() {
                // An option that leaves nothing is a mistake: an action on no resource would succeed without doing anything.
                return Err(EmptySelection { option: narrowing.option.clone(), before });
            }
        }
        Ok(selected)
    }
}

impl SelectorConstraint {
    fn parse(option: &str, text: &str, by: FilterKey) -> Result<SelectorConstraint, InvalidFilter> {
        let option = format!("{option} {text}");
        let union = text
            .split(',')
            .map(|terms| terms.split('+').map(|term| SelectorTerm::parse(&option, term)).collect())
            .collect::<Result<_, _>>()?;
        Ok(SelectorConstraint { option, by, union })
    }

    fn accepts(&self, resource: &impl Selectable) -> bool {
        self.union.iter().any(|terms| terms.iter().all(|term| term.accepts(self.by, resource)))
    }
}

impl SelectorTerm {
    fn parse(option: &str, text: &str) -> Result<SelectorTerm, InvalidFilter> {
        let text = text.trim();
        let (negated, text) = text.strip_prefix('!').map_or((false, text), |rest| (true, rest));
        if text.is_empty() {
            return Err(InvalidFilter::Empty(option.to_owned()));
        }
        let glob =
            GlobPattern::new(text).map_err(|source| InvalidFilter::Glob { option: option.to_owned(), source })?;
        Ok(SelectorTerm { negated, glob })
    }

    fn accepts(&self, by: FilterKey, resource: &impl Selectable) -> bool {
        let matches = |text: &str| self.glob.matches(text);
        let holds = match by {
            FilterKey::Name => {
                let rid = resource.rid();
                // One term names a group, a resource or a driver: they cannot be confused, as only ids hold a #, and only
                // drivers a dot without one.
                matches(rid.group().as_str()) || matches(&rid.to_string()) || matches(&resource.driver().to_string())
            }
            FilterKey::Tags => resource.tags().iter().any(|tag| matches(tag)),
            FilterKey::Subset => resource.subset().is_some_and(matches),
        };
        holds != self.negated
    }
}

/// `--to`: how far an action goes. What it means depends on the direction of the action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Barrier {
    /// To this resource and no further.
    Rid(Rid),
    /// To the end of this group and no further.
    Group(Group),
}

impl fmt::Display for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Barrier::Rid(rid) => rid.fmt(f),
            Barrier::Group(group) => group.fmt(f),
        }
    }
}

/// A text that is not a barrier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidBarrier {
    /// It is not a resource id.
    #[error(transparent)]
    Rid(#[from] InvalidRid),
    /// It is not a driver group.
    #[error(transparent)]
    Group(#[from] InvalidGroup),
}

impl FromStr for Barrier {
    type Err = InvalidBarrier;

    fn from_str(s: &str) -> Result<Barrier, InvalidBarrier> {
        if s.contains('#') { Ok(Barrier::Rid(s.parse()?)) } else { Ok(Barrier::Group(s.parse()?)) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Resource {
        rid: Rid,
        driver: DriverName,
        tags: Vec<String>,
        subset: Option<String>,
    }

    impl Selectable for Resource {
        fn rid(&self) -> &Rid {
            &self.rid
        }
        fn driver(&self) -> &DriverName {
            &self.driver
        }
        fn tags(&self) -> &[String] {
            &self.tags
        }
        fn subset(&self) -> Option<&str> {
            self.subset.as_deref()
        }
    }

    fn resource(rid: &str, driver: &str, tags: &str, subset: &str) -> Resource {
        Resource {
            rid: rid.parse().unwrap(),
            driver: driver.parse().unwrap(),
            tags: tags.split_whitespace().map(str::to_owned).collect(),
            subset: (!subset.is_empty()).then(|| subset.to_owned()),
        }
    }

    fn resources() -> Vec<Resource> {
        vec![
            resource("ip#1", "ip.host", "", ""),
            resource("fs#1", "fs.ext4", "data db", "s1"),
            resource("fs#2", "fs.flag", "data", "s2"),
            resource("container#01db", "container.docker", "db sm", "s1"),
            resource("container#02db", "container.podman", "db", ""),
        ]
    }

    fn select(options: ResourceOptions<'_>) -> Result<String, String> {
        let resources = resources();
        let filter = ResourceFilter::new(options).map_err(|error| error.to_string())?;
        let selected = filter.select(&resources).map_err(|error| error.to_string())?;
        Ok(selected.iter().map(|resource| resource.rid.to_string()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn rids_are_ids_groups_drivers_and_globs() {
        let check = |rid, expected: &str| {
            let options = ResourceOptions { rid: Some(rid), ..ResourceOptions::default() };
            assert_eq!(select(options).as_deref(), Ok(expected), "{rid}");
        };
        check("fs#1", "fs#1");
        check("fs", "fs#1 fs#2");
        check("fs#2,ip", "ip#1 fs#2");
        check("container.docker", "container#01db");
        check("f*", "fs#1 fs#2");
        check("container#0[13]*", "container#01db");
        check("!container", "ip#1 fs#1 fs#2");
        check("fs+!fs#1", "fs#2");
        check("fs#1,!fs", "ip#1 fs#1 container#01db container#02db");
    }

    #[test]
    fn tags_and_subsets_are_unions_of_intersections() {
        let check = |tags, subsets, expected: &str| {
            let options = ResourceOptions { tags, subsets, ..ResourceOptions::default() };
            assert_eq!(select(options).as_deref(), Ok(expected), "{options:?}");
        };
        check(Some("data+db"), None, "fs#1");
        check(Some("data+db,sm"), None, "fs#1 container#01db");
        check(Some("!db"), None, "ip#1 fs#2");
        check(None, Some("s1,s2"), "fs#1 fs#2 container#01db");
        check(None, Some("!s*"), "ip#1 container#02db");
        check(None, None, "ip#1 fs#1 fs#2 container#01db container#02db");
    }

    #[test]
    fn options_narrow_each_other() {
        let options = ResourceOptions { rid: Some("fs"), tags: Some("db"), ..ResourceOptions::default() };
        assert_eq!(select(options).as_deref(), Ok("fs#1"));
        let options = ResourceOptions { within: Some("container"), tags: Some("sm"), ..ResourceOptions::default() };
        assert_eq!(select(options).as_deref(), Ok("container#01db"));
    }

    #[test]
    fn the_option_that_leaves_nothing_is_named() {
        let check = |options, expected: &str| assert_eq!(select(options), Err(expected.to_owned()));
        check(
            ResourceOptions { rid: Some("fs"), tags: Some("sm"), ..ResourceOptions::default() },
            "--tags sm selects no resource of fs#1, fs#2",
        );
        check(
            ResourceOptions { rid: Some("app"), ..ResourceOptions::default() },
            "--rid app selects no resource of ip#1, fs#1, fs#2, container#01db, container#02db",
        );
        check(ResourceOptions { rid: Some("fs,"), ..ResourceOptions::default() }, "--rid fs, has an empty term");
    }

    #[test]
    fn a_barrier_is_a_resource_or_a_group() {
        assert_eq!("fs#1".parse(), Ok(Barrier::Rid("fs#1".parse().unwrap())));
        assert_eq!("fs".parse(), Ok(Barrier::Group(Group::Fs)));
        assert!("foo".parse::<Barrier>().is_err() && "foo#1".parse::<Barrier>().is_err());
    }
}
