//! Makes up the call of a resource's driver as of now: its keywords evaluated, its references to data stores resolved, and what
//! the host tells a driver beyond the configuration. Where the call cannot be made, an [`UnavailableDriver`] answers for the
//! resource.

use std::sync::Arc;

use driver::{Driver, DriverCall, KeywordValue, Verb};
use model::keyword::ValueKind;
use model::object::{MissingValue, Resource};
use model::{NodeName, ObjectPath};

use super::exposures::{ExposedState, ExposedValues, ExposureMap, joined};
use super::{ActionSession, Instance, trigger};
use crate::agent::Agent;
use crate::datastore::variables::{self, MissingReference};
use crate::drivers::unavailable::{Unavailable, UnavailableDriver};
use exec::blocking;

/// Why a driver is called, and what the other resources expose meanwhile.
#[derive(Clone, Copy)]
pub(super) struct CallPurpose<'a> {
    pub(super) session: &'a ActionSession,
    pub(super) exposures: &'a ExposureMap,
    pub(super) verb: Verb,
}

/// The call of a driver, as far as its keywords can be evaluated.
pub(super) struct CallDraft {
    pub(super) call: DriverCall,
    /// A keyword that names something which another resource does not expose now.
    pub(super) missing: Option<MissingValue>,
    /// The keywords that refer to missing keys of data stores.
    pub(super) absent: Vec<MissingReference>,
}

/// A call that is ready to be made, and the driver to make it on.
pub(super) struct ResourceCall {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) call: DriverCall,
    pub(super) absent: Vec<MissingReference>,
}

impl Instance<'_> {
    /// Makes up the call of a resource's driver, its keywords evaluated as of now.
    pub(super) async fn call(&self, resource: &Resource, asked: CallPurpose<'_>) -> ResourceCall {
        let CallDraft { call, missing, absent } = self.evaluated(resource, asked).await;
        let why = match (missing, absent.first()) {
            (Some(missing), _) => match asked.exposures.get(&missing.rid).is_some_and(ExposedState::is_down) {
                true => Some(Unavailable::NothingBelow(missing.to_string())),
                false => Some(Unavailable::Unresolved(missing.to_string())),
            },
            // A status and a stop need no variables: they must work after a key was removed.
            (None, Some(absent)) if matches!(asked.verb, Verb::Start | Verb::Run) => {
                Some(Unavailable::Unresolved(absent.to_string()))
            }
            _ => None,
        };
        let driver = match why {
            Some(why) => Arc::new(UnavailableDriver::new(resource.driver.clone(), why)),
            None => self.driver(&resource.driver),
        };
        ResourceCall { driver, call, absent }
    }

    /// The call of a resource for its driver to judge its keywords by, the keywords that cannot be resolved left out.
    pub(super) async fn call_to_validate(&self, resource: &Resource) -> CallDraft {
        let (session, exposures) = (ActionSession::default(), ExposureMap::new());
        self.evaluated(resource, CallPurpose { session: &session, exposures: &exposures, verb: Verb::Validate }).await
    }

    /// The call of a resource as of now, and what cannot be resolved now, if anything.
    pub(crate) async fn call_now(&self, session: &ActionSession, resource: &Resource) -> (DriverCall, Option<String>) {
        let exposures = self.exposures_for(session, resource, true).await;
        let asked = CallPurpose { session, exposures: &exposures, verb: Verb::Status };
        let CallDraft { call, missing, .. } = self.evaluated(resource, asked).await;
        (call, missing.map(|missing| missing.to_string()))
    }

    async fn evaluated(&self, resource: &Resource, asked: CallPurpose<'_>) -> CallDraft {
        let CallPurpose { session, exposures, verb } = asked;
        let evaluation = {
            let footing = self.footing();
            // Only to look and to stop may use the device of the past: for anything else it must exist now, as another
            // resource may have taken its number meanwhile.
            let then = footing.get(&resource.rid).filter(|_| matches!(verb, Verb::Status | Verb::Stop));
            resource.evaluate(&ExposedValues { now: exposures, then })
        };
        // One reason is enough not to call the driver.
        let missing = evaluation.missing.first().cloned();
        let resolved = self.resolved(evaluation.keywords).await;
        // Before the call: the driver may print its secrets at once.
        let telling: Vec<String> = resolved.keywords.iter().flat_map(telling_variables).collect();
        let known = resolved.hidden.iter().chain(&telling).chain(&self.object.secrets);
        known.for_each(|secret| session.secrets.add(secret));
        // Only a start asks: it must end the others first, where it would otherwise take them for the resource itself.
        let lost = match verb {
            Verb::Start => self.lost_process(&resource.rid).await,
            _ => None,
        };
        let lost = lost.map(|pid| ("lost_process".to_owned(), pid.to_string()));
        let call = DriverCall {
            object: self.object.path.clone(),
            rid: resource.rid.clone(),
            driver: resource.driver.clone(),
            node: self.object.node.clone(),
            peers: self.object.others().cloned().collect(),
            sid: session.sid.clone(),
            keywords: Arc::new(resolved.keywords),
            secrets: resolved.secrets.into_iter().chain(telling).chain(self.object.secrets.iter().cloned()).collect(),
            limits: Arc::new(self.limits_of(resource)),
            vars: Arc::new(self.vars(session, resource).chain(joined(resource, exposures)).chain(lost).collect()),
        };
        CallDraft { call, missing, absent: resolved.absent }
    }

    /// The keywords as the driver sees them. Most need no file, and then no other thread.
    async fn resolved(&self, keywords: Vec<KeywordValue>) -> ResolvedKeywords {
        let (agent, object) = (self.agent, &self.object.path);
        if !keywords.iter().any(reads_files) {
            return ResolvedKeywords::of(agent, object, keywords);
        }
        let (agent, object) = (agent.clone(), object.clone());
        blocking(move || ResolvedKeywords::of(&agent, &object, keywords)).await
    }

    /// The variables that tell a driver what its configuration does not.
    fn vars(&self, session: &ActionSession, resource: &Resource) -> impl Iterator<Item = (String, String)> {
        let (home, object) = (self.agent.home(), self.object);
        let names = |nodes: &[NodeName]| nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ");
        // With a prefix, so that no variable of the command line can stand in for a fact such as `statedir`.
        let asked = session.env.iter().map(|(name, value)| (format!("env.{name}"), value.clone()));
        let known = [
            ("nodes".to_owned(), names(&object.nodes)),
            ("drpnodes".to_owned(), names(&object.drpnodes)),
            ("disabled_nodes".to_owned(), names(&resource.disabled_on)),
            ("sid".to_owned(), session.sid.clone()),
            ("force".to_owned(), session.force.to_string()),
            ("confirm".to_owned(), session.confirm.to_string()),
            ("adopt".to_owned(), session.adopt.to_string()),
            ("leader".to_owned(), (!session.follows).to_string()),
            ("rundir".to_owned(), self.paths.rundir.display().to_string()),
            ("statedir".to_owned(), home.driver_state(&object.path, &resource.rid).display().to_string()),
            ("config".to_owned(), self.paths.config.display().to_string()),
        ];
        known.into_iter().chain(asked)
    }
}

/// The keywords of one call, with their secrets.
#[derive(Default)]
struct ResolvedKeywords {
    keywords: Vec<KeywordValue>,
    /// The secret parts of values that are otherwise shown.
    secrets: Vec<String>,
    /// The values that no log may show.
    hidden: Vec<String>,
    absent: Vec<MissingReference>,
}

impl ResolvedKeywords {
    fn of(agent: &Agent, object: &ObjectPath, keywords: Vec<KeywordValue>) -> ResolvedKeywords {
        let mut resolved = ResolvedKeywords::default();
        for keyword in keywords {
            resolved.add(agent, object, keyword);
        }
        resolved
    }

    fn add(&mut self, agent: &Agent, object: &ObjectPath, mut keyword: KeywordValue) {
        if let Some(kind) = keyword.store {
            match variables::resolved(agent.home(), object, kind, &keyword) {
                Ok((value, hidden)) => {
                    self.keywords.push(value);
                    self.hidden.extend(hidden.iter().cloned());
                    self.secrets.extend(hidden);
                }
                Err(missing) => self.absent.push(missing),
            }
            return;
        }
        // Drivers run without a PATH: a program is searched here, where a shell would search it.
        if is_command(&keyword) {
            keyword.values.first_mut().iter_mut().for_each(|program| trigger::with_path(program));
        }
        if keyword.secret {
            self.hidden.extend(keyword.values.iter().cloned());
        }
        self.keywords.push(keyword);
    }
}

/// Whether the value is a command. A boolean is none, although programs have such names.
fn is_command(keyword: &KeywordValue) -> bool {
    let is_flag = || matches!(keyword.values.as_slice(), [word] if word == "true" || word == "false");
    match keyword.kind {
        ValueKind::Command => true,
        ValueKind::Launcher => !is_flag(),
        _ => false,
    }
}

/// Whether the keyword's value depends on files: those of a data store, or the directories where programs are searched.
fn reads_files(keyword: &KeywordValue) -> bool {
    keyword.store.is_some()
        || (is_command(keyword) && keyword.values.first().is_some_and(|program| !program.contains('/')))
}

/// The values of `NAME=VALUE` in a keyword whose names say that they are secret: a program may print one without its name.
fn telling_variables(keyword: &KeywordValue) -> Vec<String> {
    // Shorter ones stand in too many other words.
    const TELLING: usize = 4;
    let variables = keyword.values.iter().filter_map(|word| word.split_once('='));
    let secret = variables.filter(|(name, value)| model::is_secret_name(name) && value.len() >= TELLING);
    secret.map(|(_, value)| value.to_owned()).collect()
}
