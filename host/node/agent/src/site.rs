//! The instance that is acted on, as the executor sees it: drivers with their calls made up as of now, triggers, and looks at
//! the status.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use driver::{BoxFuture, Call, CallBounds, Driver, KeywordValue, Level, Log, Message, Silent, Verb};
use exec::{Facilities, FacilityError, Prepared};
use futures_util::StreamExt;
use model::config::{self, Missing, Object, Resource};
use model::keyword::Kind;
use model::status::Provisioned;
use model::{DriverName, NodeName, Rid};

use crate::action::Request;
use crate::agent::Agent;
use crate::copying::CopyRequest;
use crate::exposures::{Exposures, Known, Shown, joined, needs};
use crate::log::Secrets;
use crate::memory::{Memory, StoodOn};
use crate::stand_in::{StandIn, Why};
use crate::status::Seen;
use crate::variables::{self, Absent};
use crate::{folders, trigger, view};

/// How many resources are looked at at the same time.
const LOOKS: usize = 32;

/// How long a look may take where the configuration says nothing.
pub(crate) const STATUS_TIMEOUT: Duration = Duration::from_secs(60);

/// An object's instance on this node, its drivers loaded.
pub(crate) struct Acting<'a> {
    agent: &'a Agent,
    pub(crate) object: &'a Object,
    drivers: BTreeMap<DriverName, Arc<dyn Driver>>,
    pub(crate) sid: String,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) force: bool,
    pub(crate) confirm: bool,
    /// `-e NAME=VALUE`.
    pub(crate) env: Vec<(String, String)>,
    pub(crate) copying: CopyRequest,
    /// The node that a migration goes to.
    pub(crate) destination: Option<NodeName>,
    /// What resources were started on.
    stood_on: Mutex<BTreeMap<Rid, StoodOn>>,
}

/// What a driver is asked, and what others expose meanwhile.
#[derive(Clone, Copy)]
struct Asked<'a> {
    exposures: &'a Exposures,
    verb: Verb,
}

/// The call of a driver, as far as its keywords can be evaluated.
struct Evaluated {
    call: Call,
    /// A keyword that speaks of what another resource does not expose now.
    missing: Option<Missing>,
    /// The keywords that refer to keys of stores which are not there.
    absent: Vec<Absent>,
}

/// A driver, or who stands in for it, and what it is asked.
struct Called {
    driver: Arc<dyn Driver>,
    call: Call,
    absent: Vec<Absent>,
}

impl<'a> Acting<'a> {
    /// To look only: what it does has no session.
    pub(crate) fn new(agent: &'a Agent, object: &'a Object) -> Acting<'a> {
        Acting {
            agent,
            object,
            drivers: agent.load(object),
            sid: String::new(),
            secrets: Arc::default(),
            force: false,
            confirm: false,
            env: Vec::new(),
            copying: CopyRequest::default(),
            destination: None,
            stood_on: Mutex::new(Memory::of(agent.home(), &object.path).stood_on()),
        }
    }

    /// To do what was asked for, as a session of its own.
    pub(crate) fn carrying_out(agent: &'a Agent, object: &'a Object, request: &Request) -> Acting<'a> {
        let acting = Acting {
            sid: uuid::Uuid::new_v4().to_string(),
            force: request.force,
            confirm: request.confirm,
            env: request.env.clone(),
            copying: request.copying.clone(),
            destination: request.destination.clone(),
            ..Acting::new(agent, object)
        };
        let secret = request.env.iter().filter(|(name, _)| capability::tells(name));
        secret.for_each(|(_, value)| acting.secrets.add(value));
        acting
    }

    /// Looks at every resource, at each after those that it needs to know of.
    pub(crate) async fn look(&self) -> Vec<Seen> {
        let mut seen = Vec::new();
        let mut exposures = Exposures::new();
        let mut left: Vec<&Resource> = self.object.resources.iter().collect();
        while !left.is_empty() {
            let is_left = |rid: &&Rid| left.iter().any(|other| other.rid == **rid);
            let (ready, waiting): (Vec<&Resource>, Vec<&Resource>) =
                left.iter().partition(|resource| !needs(resource, false).iter().any(is_left));
            // Those that speak of each other learn nothing by waiting.
            let (ready, waiting) = if ready.is_empty() { (waiting, ready) } else { (ready, waiting) };
            let looked = self.look_at(ready, &exposures).await;
            exposures.extend(looked.iter().map(|seen| (seen.rid.clone(), Shown::of(seen))));
            seen.extend(looked);
            left = waiting;
        }
        seen.sort_by(|a, b| a.rid.cmp(&b.rid));
        seen
    }

    async fn look_at(&self, resources: Vec<&Resource>, exposures: &Exposures) -> Vec<Seen> {
        let looks = resources.into_iter().map(|resource| self.look_at_one(resource, exposures));
        futures_util::stream::iter(looks).buffered(LOOKS).collect().await
    }

    async fn look_at_one(&self, resource: &Resource, exposures: &Exposures) -> Seen {
        let unasked = resource.encap || resource.disable || self.object.disable;
        if unasked || resource.tags.iter().any(|tag| tag == "nostatus") {
            return Seen::of(self.object, resource, None);
        }
        let asked = Asked { exposures, verb: Verb::Status };
        let called = self.call(resource, asked);
        let bounds = CallBounds::within(resource.timeouts.status.unwrap_or(STATUS_TIMEOUT));
        let mut report = called.driver.status(&called.call, &bounds, Arc::new(Silent)).await;
        let warning = |absent: &Absent| Message { level: Level::Warn, text: absent.to_string() };
        report.messages.extend(called.absent.iter().map(warning));
        if report.provisioned == Provisioned::Undef {
            report.provisioned = self.remembered(&resource.rid);
        }
        Seen::of(self.object, resource, Some(report))
    }

    /// Whether the resource was provisioned by this agent, for drivers that cannot tell now.
    fn remembered(&self, rid: &Rid) -> Provisioned {
        match Memory::of(self.agent.home(), &self.object.path).provisioned(rid) {
            Ok(Some(mark)) if mark.provisioned => Provisioned::True,
            Ok(Some(_)) => Provisioned::False,
            _ => Provisioned::Undef,
        }
    }

    /// The call of a resource's driver, its keywords evaluated.
    fn call(&self, resource: &Resource, asked: Asked<'_>) -> Called {
        let Evaluated { call, missing, absent } = self.evaluated(resource, asked);
        let why = match (missing, absent.first()) {
            (Some(missing), _) => match asked.exposures.get(&missing.rid).is_some_and(Shown::is_down) {
                true => Some(Why::NothingBelow(missing.to_string())),
                false => Some(Why::Unresolved(missing.to_string())),
            },
            // Whoever looks or stops needs no variable.
            (None, Some(absent)) if matches!(asked.verb, Verb::Start | Verb::Run) => {
                Some(Why::Unresolved(absent.to_string()))
            }
            _ => None,
        };
        let driver = match why {
            Some(why) => Arc::new(StandIn::new(resource.driver.clone(), why)),
            None => self.driver(&resource.driver),
        };
        Called { driver, call, absent }
    }

    /// The driver of a resource and a call for it to judge its keywords by. None if one of them cannot be had now.
    pub(crate) fn call_to_validate(&self, resource: &Resource) -> Option<(Arc<dyn Driver>, Call)> {
        let Evaluated { call, missing, .. } = self.evaluated_to_validate(resource);
        missing.is_none().then(|| (self.driver(&resource.driver), call))
    }

    /// The keywords of a resource that refer to keys of stores which are not there.
    pub(crate) fn absent(&self, resource: &Resource) -> Vec<Absent> {
        self.evaluated_to_validate(resource).absent
    }

    fn evaluated_to_validate(&self, resource: &Resource) -> Evaluated {
        let asked = Asked { exposures: &Exposures::new(), verb: Verb::Validate };
        self.evaluated(resource, asked)
    }

    /// The call of a resource as of now, and what cannot be resolved now, if anything.
    pub(crate) async fn call_now(&self, resource: &Resource) -> (Call, Option<String>) {
        let exposures = self.exposures_for(resource, true).await;
        let asked = Asked { exposures: &exposures, verb: Verb::Status };
        let Evaluated { call, missing, .. } = self.evaluated(resource, asked);
        (call, missing.map(|missing| missing.to_string()))
    }

    fn evaluated(&self, resource: &Resource, asked: Asked<'_>) -> Evaluated {
        let Asked { exposures, verb } = asked;
        let stood_on = self.stood_on();
        // Whatever else is done with a device needs one that is there now: this one may be somebody else's meanwhile.
        let then = stood_on.get(&resource.rid).filter(|_| matches!(verb, Verb::Status | Verb::Stop));
        let known = Known { now: exposures, then };
        let evaluation = resource.evaluate(&known);
        drop(stood_on);
        let missing = evaluation.missing.first().cloned();
        let (mut keywords, mut secrets, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for keyword in evaluation.keywords {
            match self.keyword(keyword) {
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
            sid: self.sid.clone(),
            keywords,
            secrets,
            vars: self.vars(resource).into_iter().chain(joined(resource, exposures)).collect(),
        };
        Evaluated { call, missing, absent }
    }

    /// A keyword as its driver sees it, and the secrets within its values.
    fn keyword(&self, mut keyword: config::Evaluated) -> Result<(KeywordValue, Vec<String>), Absent> {
        if let Some(kind) = keyword.store {
            let (value, hidden) = variables::resolved(self.agent.home(), &self.object.path, kind, &keyword)?;
            hidden.iter().for_each(|secret| self.secrets.add(secret));
            return Ok((value, hidden));
        }
        if keyword.kind == Kind::Command {
            keyword.values.first_mut().iter_mut().for_each(|program| trigger::with_path(program));
        }
        if keyword.secret {
            keyword.values.iter().for_each(|value| self.secrets.add(value));
        }
        let config::Evaluated { name, values, secret, from, .. } = keyword;
        Ok((KeywordValue { name, values, secret, from }, Vec::new()))
    }

    pub(crate) fn driver(&self, name: &DriverName) -> Arc<dyn Driver> {
        let absent = || driver::Fault::Missing { driver: name.to_string(), reason: "it was not loaded".to_owned() };
        match self.drivers.get(name) {
            Some(driver) => driver.clone(),
            None => Arc::new(StandIn::new(name.clone(), Why::Missing(absent()))),
        }
    }

    /// What drivers are told beyond the configuration.
    fn vars(&self, resource: &Resource) -> Vec<(String, String)> {
        let (home, object) = (self.agent.home(), self.object);
        let names = |nodes: &[NodeName]| nodes.iter().map(NodeName::as_str).collect::<Vec<_>>().join(" ");
        let asked = self.env.iter().map(|(name, value)| (format!("env.{name}"), value.clone()));
        let known = [
            ("nodes".to_owned(), names(&object.nodes)),
            ("drpnodes".to_owned(), names(&object.drpnodes)),
            ("disabled_nodes".to_owned(), names(&resource.disabled_on)),
            ("sid".to_owned(), self.sid.clone()),
            ("force".to_owned(), self.force.to_string()),
            ("confirm".to_owned(), self.confirm.to_string()),
            ("rundir".to_owned(), home.volatile(&object.path).display().to_string()),
            ("statedir".to_owned(), Memory::of(home, &object.path).driver_state(&resource.rid).display().to_string()),
            ("config".to_owned(), home.config(&object.path).display().to_string()),
        ];
        known.into_iter().chain(asked).collect()
    }

    /// What the resources expose that this one needs to know of, asked now: they may have acted since.
    async fn exposures_for(&self, resource: &Resource, provisioning: bool) -> Exposures {
        let mut exposures = Exposures::new();
        self.ask_for(needs(resource, provisioning), &mut exposures, &mut BTreeSet::new()).await;
        exposures
    }

    /// Asks those first that the others need, and nobody twice.
    async fn ask_for(&self, needed: Vec<&Rid>, exposures: &mut Exposures, asked: &mut BTreeSet<Rid>) {
        for other in needed.into_iter().filter_map(|rid| self.object.resource(rid)) {
            if asked.insert(other.rid.clone()) {
                Box::pin(self.ask_for(needs(other, false), exposures, asked)).await;
                let seen = Box::pin(self.look_at_one(other, exposures)).await;
                exposures.insert(seen.rid.clone(), Shown::of(&seen));
            }
        }
    }

    fn stood_on(&self) -> MutexGuard<'_, BTreeMap<Rid, StoodOn>> {
        self.stood_on.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A resource is about to be started on what others expose now.
    fn stands_on(&self, resource: &Resource, exposures: &Exposures) {
        let on: StoodOn = resource
            .speaks_of(false)
            .into_iter()
            .filter_map(|rid| Some((rid.clone(), exposures.get(rid)?.devices())))
            .filter(|(_, devices)| !devices.is_empty())
            .collect();
        if !on.is_empty() {
            let mut all = self.stood_on();
            // Lost without harm, but that a stop may have to be told what it is to stop.
            let _ = Memory::of(self.agent.home(), &self.object.path).set_stood_on(&resource.rid, on.clone());
            all.insert(resource.rid.clone(), on);
        }
    }

    /// What is down stands on nothing any more.
    pub(crate) fn forget_what_is_down(&self, seen: &[Seen]) {
        let memory = Memory::of(self.agent.home(), &self.object.path);
        let mut all = self.stood_on();
        for seen in seen.iter().filter(|seen| Shown::of(seen).is_down()) {
            if all.remove(&seen.rid).is_some() {
                let _ = memory.set_stood_on(&seen.rid, StoodOn::new());
            }
        }
    }

    fn resource(&self, rid: &Rid) -> Result<&'a Resource, FacilityError> {
        self.object
            .resource(rid)
            .ok_or_else(|| FacilityError::failed(format!("{rid} is not in the configuration any more")))
    }
}

impl Facilities for Acting<'_> {
    fn prepare<'a>(&'a self, rid: &'a Rid, verb: Verb) -> BoxFuture<'a, Result<Prepared, FacilityError>> {
        Box::pin(async move {
            let resource = self.resource(rid)?;
            let exposures = self.exposures_for(resource, verb == Verb::Provision).await;
            if verb == Verb::Start {
                self.stands_on(resource, &exposures);
            }
            let Called { driver, call, .. } = self.call(resource, Asked { exposures: &exposures, verb });
            let copying = self.copying.of(self.object, &call.keywords);
            let destination = self.destination.as_ref().map(ToString::to_string).unwrap_or_default();
            Ok(Prepared { copying, destination, ..Prepared::new(driver, call) })
        })
    }

    fn trigger<'a>(
        &'a self,
        rid: &'a Rid,
        trigger: plan::Trigger,
        bounds: &'a CallBounds,
        log: Arc<dyn Log>,
    ) -> BoxFuture<'a, Result<(), FacilityError>> {
        Box::pin(async move {
            let resource = self.resource(rid)?;
            let command = view::configured(trigger).and_then(|configured| resource.triggers.get(&configured));
            let command = command.ok_or_else(|| FacilityError::failed(format!("{rid} has no {trigger}")))?;
            let (home, path) = (self.agent.home(), &self.object.path);
            let namespace = folders::namespace_policy(home, path.namespace()).map_err(FacilityError::failed)?;
            let context = grant::Context {
                object: path.clone(),
                rid: rid.clone(),
                node: self.object.node.clone(),
                rundir: home.volatile(path),
                statedir: Memory::of(home, path).driver_state(rid),
                config: home.config(path),
                peers: self.object.others().cloned().collect(),
            };
            let around = trigger::Around {
                object: &self.object.path,
                node: &self.object.node,
                rid,
                action: trigger.verb.as_str(),
                sid: &self.sid,
                env: &self.env,
                context: &context,
                namespace: &namespace,
            };
            trigger::run(command, &around, bounds, &log).await
        })
    }

    fn end_abandoned<'a>(&'a self, sid: &'a str) -> BoxFuture<'a, Result<Vec<String>, FacilityError>> {
        Box::pin(async move {
            // The session's number alone would do; a second mark costs nothing.
            let markers =
                kernel::process::Markers::new([("HOSTLER_SID", sid), ("HOSTLER_ID", &*self.object.path.to_string())]);
            let ended = kernel::process::end_abandoned(&markers).await;
            let ended = ended.map_err(|error| FacilityError::failed(error.to_string()))?;
            Ok(ended.iter().map(|member| member.argv.join(" ")).collect())
        })
    }
}
