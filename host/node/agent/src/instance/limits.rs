//! The limits of what resources run, the keywords `pg_*`: which of them a call has, and which are not in force on this node.

use capability::process::is_limit_possible;
use config::Document;
use config::diagnostic::Diagnostic;
use driver::{LogSeverity, ProgramLimits, ReportMessage};
use model::object::{GroupLimit, GroupLimits, Resource};

use super::Instance;
use super::validation::entry_of;

impl Instance<'_> {
    /// The limits of the programs of a resource.
    pub(super) fn limits_of(&self, resource: &Resource) -> ProgramLimits {
        if !self.object.create_pg {
            return ProgramLimits::default();
        }
        let subset = resource.subset.as_ref().and_then(|name| {
            let limits = &self.object.subsets.get(&(resource.rid.group(), name.clone()))?.limits;
            (!limits.is_empty()).then(|| (name.clone(), limits.clone()))
        });
        ProgramLimits { object: self.object.limits.clone(), subset, resource: resource.limits.clone() }
    }

    /// What the status of a resource says of limits that are not in force.
    pub(super) fn unlimited(&self, resource: &Resource) -> Vec<ReportMessage> {
        let ProgramLimits { object, subset, resource: own } = self.limits_of(resource);
        if object.is_empty() && subset.is_none() && own.is_empty() {
            return Vec::new();
        }
        let reach = self.reach(resource);
        let around = object.iter().chain(subset.iter().flat_map(|(_, limits)| limits.iter()));
        let message = |level| move |text| ReportMessage { level, text };
        match reach {
            // What its driver does not run, no limit concerns.
            Err(why) => own.iter().map(|limit| no_effect(limit, why)).map(message(LogSeverity::Info)).collect(),
            Ok(()) => around.chain(own.iter()).filter_map(impossible).map(message(LogSeverity::Warn)).collect(),
        }
    }

    /// The same for the whole configuration, each at its line.
    pub(super) fn unlimited_lines(&self, document: &Document) -> Vec<Diagnostic> {
        let object = self.object;
        let mut all = Vec::new();
        let mut add = |sections: &[&str], limits: &GroupLimits, why: &dyn Fn(&GroupLimit) -> Option<String>| {
            for limit in limits.iter() {
                let span = || sections.iter().find_map(|section| entry_of(document, section, limit.keyword()));
                let text = why(limit);
                all.extend(text.map(|text| Diagnostic::warning(span().unwrap_or_default(), text, "not in force here")));
            }
        };
        if !object.create_pg {
            return all;
        }
        add(&["DEFAULT"], &object.limits, &impossible);
        for ((group, name), options) in &object.subsets {
            let (long, short) = (format!("subset#{group}:{}", name.as_str()), format!("subset#{}", name.as_str()));
            add(&[&long, &short], &options.limits, &impossible);
        }
        for resource in &object.resources {
            let reach = self.reach(resource);
            let why = |limit: &GroupLimit| reach.err().map(|why| no_effect(limit, why)).or(impossible(limit));
            add(&[&resource.section], &resource.limits, &why);
        }
        all
    }

    /// Whether limits reach what the driver of a resource starts, or why not.
    fn reach(&self, resource: &Resource) -> Result<(), &'static str> {
        let driver = self.driver(&resource.driver);
        let grants = &driver.manifest().grants;
        if grants.iter().any(|line| line.starts_with("http.unix(guard=")) {
            return Err("its engine keeps the processes: say run_args = --memory 512m --cpus 2");
        }
        let runs =
            |line: &String| line.starts_with("spawn") || line.starts_with("exec") && !line.starts_with("exec(read");
        if grants.iter().any(runs) { Ok(()) } else { Err("its driver runs no program") }
    }
}

fn no_effect(limit: &GroupLimit, why: &str) -> String {
    format!("{} has no effect: {why}", limit.keyword())
}

fn impossible(limit: &GroupLimit) -> Option<String> {
    let error = is_limit_possible(limit).err()?;
    Some(format!("{} is not in force: {error}", limit.keyword()))
}
