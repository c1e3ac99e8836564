//! Makes up the call of a resource's driver as of now: its keywords evaluated, its references to data stores resolved, and what
//! the host tells a driver beyond the configuration. Where the call cannot be made, an [`UnavailableDriver`] answers for the
//! resource.

use std::sync::Arc;

use driver::{Call, Driver, KeywordValue, Verb};
use model::NodeName;
use model::config::{self, Missing, Resource};
use model::keyword::Kind;

use super::exposures::{ExposedDevices, ExposedState, ExposureMap, joined};
use super::{ActionSession, Instance, trigger};
use crate::drivers::unavailable::{Unavailable, UnavailableDriver};
use crate::variables::{self, MissingReference};

/// What a driver is asked, and what others expose meanwhile.
#[derive(Clone, Copy)]
pub(super) struct CallPurpose<'a> {
    pub(super) session: &'a ActionSession,
    pub(super) exposures: &'a ExposureMap,
    pub(super) verb: Verb,
}

/// The call of a driver, as far as its keywords can be evaluated.
struct CallDraft {
    call: Call,
    /// A keyword that speaks of what another resource does not expose now.
    missing: Option<Missing>,
    /// The keywords that refer to keys of stores which are not there.
    absent: Vec<MissingReference>,
}

/// A driver, or who stands in for it, and what it is asked.
pub(super) struct ResourceCall {
    pub(super) driver: Arc<dyn Driver>,
    pub(super) call: Call,
    pub(super) absent: Vec<MissingReference>,
}

impl Instance<'_> {
    /// The call of a resource's driver, its keywords evaluated.
    pub(super) fn call(&self, resource: &Resource, asked: CallPurpose<'_>) -> ResourceCall {
        let CallDraft { call, missing, absent } = self.evaluated(resource, asked);
        let why = match (missing, absent.first()) {
            (Some(missing), _) => match asked.exposures.get(&missing.rid).is_some_and(ExposedState::is_down) {
                true => Some(Unavailable::NothingBelow(missing.to_string())),
                false => Some(Unavailable::Unresolved(missing.to_string())),
            },
            // Whoever looks or stops needs no variable.
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

    /// The driver of a resource and a call for it to judge its keywords by. None if one of them cannot be had now.
    pub(crate) fn call_to_validate(&self, resource: &Resource) -> Option<(Arc<dyn Driver>, Call)> {
        let CallDraft { call, missing, .. } = self.evaluated_to_validate(resource);
        missing.is_none().then(|| (self.driver(&resource.driver), call))
    }

    /// The keywords of a resource that refer to keys of stores which are not there.
    pub(crate) fn absent(&self, resource: &Resource) -> Vec<MissingReference> {
        self.evaluated_to_validate(resource).absent
    }

    fn evaluated_to_validate(&self, resource: &Resource) -> CallDraft {
        let asked =
            CallPurpose { session: &ActionSession::default(), exposures: &ExposureMap::new(), verb: Verb::Validate };
        self.evaluated(resource, asked)
    }

    /// The call of a resource as of now, and what cannot be resolved now, if anything.
    pub(crate) async fn call_now(&self, session: &ActionSession, resource: &Resource) -> (Call, Option<String>) {
        let exposures = self.exposures_for(session, resource, true).await;
        let asked = CallPurpose { session, exposures: &exposures, verb: Verb::Status };
        let CallDraft { call, missing, .. } = self.evaluated(resource, asked);
        (call, missing.map(|missing| missing.to_string()))
    }

    fn evaluated(&self, resource: &Resource, asked: CallPurpose<'_>) -> CallDraft {
        let CallPurpose { session, exposures, verb } = asked;
        let footing = self.footing();
        // Whatever else is done with a device needs one that is there now: this one may be somebody else's meanwhile.
        let then = footing.get(&resource.rid).filter(|_| matches!(verb, Verb::Status | Verb::Stop));
        let known = ExposedDevices { now: exposures, then };
        let evaluation = resource.evaluate(&known);
        drop(footing);
        let missing = evaluation.missing.first().cloned();
        let (mut keywords, mut secrets, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for keyword in evaluation.keywords {
            match self.keyword(session, keyword) {
                Ok((keyword, hidden)) => {
                    keywords.push(keyword);
                    secrets.extend(hidden);
                }
                Err(error) => absent.push(error),
            }
        }
        let call = Call {
            object: self.object.path.clone(),
            rid: resource.rid.clone(),
            driver: resource.driver.clone(),
            node: self.object.node.clone(),
            peers: self.object.others().cloned().collect(),
            sid: session.sid.clone(),
            keywords,
            secrets,
            vars: self.vars(session, resource).into_iter().chain(joined(resource, exposures)).collect(),
        };
        CallDraft { call, missing, absent }
    }

    /// A keyword as its driver sees it, and the secrets within its values.
    fn keyword(
        &self,
        session: &ActionSession,
        mut keyword: config::Evaluated,
    ) -> Result<(KeywordValue, Vec<String>), MissingReference> {
        if let Some(kind) = keyword.store {
            let (value, hidden) = variables::resolved(self.agent.home(), &self.object.path, kind, &keyword)?;
            hidden.iter().for_each(|secret| session.secrets.add(secret));
            return Ok((value, hidden));
        }
        if keyword.kind == Kind::Command {
            keyword.values.first_mut().iter_mut().for_each(|program| trigger::with_path(program));
        }
        if keyword.secret {
            keyword.values.iter().for_each(|value| session.secrets.add(value));
        }
        let config::Evaluated { name, values, secret, from, .. } = keyword;
        Ok((KeywordValue { name, values, secret, from }, Vec::new()))
    }

    /// What drivers are told beyond the configuration.
    fn vars(&self, session: &ActionSession, resource: &Resource) -> Vec<(String, String)> {
        let (home, object) = (self.agent.home(), self.object);
        let names = |nodes: &[NodeName]| nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ");
        let asked = session.env.iter().map(|(name, value)| (format!("env.{name}"), value.clone()));
        let known = [
            ("nodes".to_owned(), names(&object.nodes)),
            ("drpnodes".to_owned(), names(&object.drpnodes)),
            ("disabled_nodes".to_owned(), names(&resource.disabled_on)),
            ("sid".to_owned(), session.sid.clone()),
            ("force".to_owned(), session.force.to_string()),
            ("confirm".to_owned(), session.confirm.to_string()),
            ("rundir".to_owned(), home.volatile(&object.path).display().to_string()),
            ("statedir".to_owned(), self.state().driver_state(&resource.rid).display().to_string()),
            ("config".to_owned(), home.config(&object.path).display().to_string()),
        ];
        known.into_iter().chain(asked).collect()
    }
}
