//! Calls of drivers in the sandbox, and plans: through the libraries, without a process around them.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use agent::Agent;
use anyhow::{Context, Result, anyhow, ensure};
use capability::holdings::{ProofVerdict, prove};
use driver::{CallBounds, Driver, DriverCall, KeywordValue, SilentLog, StatusReport};
use holding::{Holding, HoldingRecord, HoldingStage, MountHolding, MountIdentity};
use model::Rid;
use model::status::State;
use plan::{Action, InstanceFacts, PlanRequest, ResourceFacts};
use tokio::task::JoinSet;

use crate::measure::{Sample, own_peak, timed};
use crate::node::Node;
use crate::references::References;
use crate::table::{Table, Target};

/// How many calls are under way at the same time.
const CONCURRENT: usize = 1000;

/// How many resources are planned.
const PLANNED: usize = 10_000;

/// Fresh calls of drivers, one after another and a thousand at the same time.
pub(crate) fn calls(node: &Node, references: &References, table: &mut Table) -> Result<()> {
    let agent = node.agent()?;
    let flag = Callee::load(&agent, "fs.flag", Vec::new())?;
    // Devices that are not there: nothing but the way there and back is measured.
    let disk = Callee::load(&agent, "disk.raw", vec![keyword("devs", &["/dev/absent1", "/dev/absent2"])])?;
    let target = Target::Faster(Duration::from_micros(60), 20);
    let against = [("the monitor script", &references.monitor), ("/bin/true", &references.spawn)];
    for (callee, what) in [(&flag, "fs.flag (one host call)"), (&disk, "disk.raw (two host calls)")] {
        let (times, memory) = own_peak(|| callee.one_by_one(2000))?;
        table.add(&format!("fresh sandboxed status, {what}"), Sample::new(times, Some(memory)), &against, target);
    }
    // Of a namespace whose policy allows no device: the time beyond that of the calls above is that of the refusals.
    let refused = Callee { call: DriverCall { object: "ns1/svc/one".parse()?, ..disk.call.clone() }, ..disk };
    let (times, memory) = own_peak(|| refused.one_by_one(2000))?;
    let what = "fresh sandboxed status, disk.raw (its first host call denied)";
    table.add(what, Sample::new(times, Some(memory)), &against, target);
    let (times, memory) = own_peak(|| flag.side_by_side(20))?;
    let what = format!("the same of fs.flag, {CONCURRENT} at the same time: each");
    table.add(&what, Sample::new(times, Some(memory)), &against, Target::None);
    Ok(())
}

/// A driver, and the call that is made of it.
struct Callee {
    driver: Arc<dyn Driver>,
    call: DriverCall,
}

impl Callee {
    fn load(agent: &Agent, name: &str, keywords: Vec<KeywordValue>) -> Result<Callee> {
        let drivers = agent.drivers();
        let known = drivers.get(&name.parse()?).with_context(|| format!("no driver {name}"))?;
        let runtime = agent.runtime().map_err(|reason| anyhow!(reason.to_owned()))?;
        let rid = format!("{}#1", known.manifest.name.group());
        let call = DriverCall {
            object: "one".parse()?,
            rid: rid.parse()?,
            driver: known.manifest.name.clone(),
            node: agent.node().name.clone(),
            peers: Vec::new(),
            sid: String::new(),
            keywords: Arc::new(keywords),
            secrets: Vec::new(),
            vars: Arc::new(vec![("rundir".to_owned(), agent.home().volatile(&"one".parse()?).display().to_string())]),
            limits: Arc::default(),
        };
        Ok(Callee { driver: runtime.load(agent::source(known))?, call })
    }

    fn one_by_one(&self, calls: usize) -> Result<Vec<Duration>> {
        let runtime = runtime()?;
        timed(calls, || answered(&runtime.block_on(self.driver.status(&self.call, &bounds(), Arc::new(SilentLog)))))
    }

    /// The time of a whole round, divided by its calls.
    fn side_by_side(&self, rounds: usize) -> Result<Vec<Duration>> {
        let runtime = runtime()?;
        let round = |_| {
            let start = Instant::now();
            let answers = runtime.block_on(self.round());
            answers.iter().try_for_each(answered)?;
            Ok(start.elapsed() / CONCURRENT as u32)
        };
        (0..rounds).map(round).collect()
    }

    fn round(&self) -> impl Future<Output = Vec<StatusReport>> {
        let mut calls = JoinSet::new();
        let numbered = |number: usize| self.call.rid.group().to_string() + "#" + &number.to_string();
        let rids: Vec<Rid> = (1..=CONCURRENT).filter_map(|number| numbered(number).parse().ok()).collect();
        async move {
            for rid in rids {
                let (driver, call) = (self.driver.clone(), DriverCall { rid, ..self.call.clone() });
                calls.spawn(async move { driver.status(&call, &bounds(), Arc::new(SilentLog)).await });
            }
            calls.join_all().await
        }
    }
}

/// Enough time for any call.
fn bounds() -> CallBounds {
    CallBounds::within(Duration::from_secs(60))
}

/// The one that the commands run on.
fn runtime() -> Result<tokio::runtime::Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread().enable_all().build()?)
}

fn answered(report: &StatusReport) -> Result<()> {
    // Undefined: a host call was denied.
    ensure!(matches!(report.state, State::Up | State::Down | State::Undef), "the driver answered {report:?}");
    Ok(())
}

fn keyword(name: &str, values: &[&str]) -> KeywordValue {
    let values = values.iter().map(|&value| value.to_owned()).collect();
    KeywordValue::new(name, values)
}

/// The plan of a service that is larger than any.
pub(crate) fn plan(table: &mut Table) -> Result<()> {
    let resource = |number: usize| {
        let mut resource = ResourceFacts::new(format!("fs#{number}").parse()?, "fs.flag".parse()?);
        resource.state = State::Down;
        Ok(resource)
    };
    let instance = InstanceFacts {
        object: "large".parse()?,
        node: "n1".parse()?,
        nodes: Vec::new(),
        drpnodes: Vec::new(),
        resources: (1..=PLANNED).map(resource).collect::<Result<_>>()?,
        parallel: Default::default(),
        rollback: true,
    };
    let request = PlanRequest::new(Action::Start);
    let work = || {
        let plan = plan::plan(&instance, &request)?;
        ensure!(plan.steps().count() == PLANNED, "not all resources are planned");
        Ok(())
    };
    let (times, memory) = own_peak(|| timed(20, work))?;
    let what = format!("plan the start of {PLANNED} resources");
    table.add(&what, Sample::new(times, Some(memory)), &[], Target::ms(50));
    Ok(())
}

/// How many mounts a stop has undone.
const UNDONE: u32 = 260;

/// The proof of a stop: the host's own look for what its resources held, in every mount namespace of this machine.
pub(crate) fn proof(table: &mut Table) -> Result<()> {
    let records: Vec<HoldingRecord> = (0..UNDONE).map(undone_mount).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let work = || {
        let proofs = runtime.block_on(prove("many", records.clone(), Vec::new));
        ensure!(proofs.iter().all(|proof| proof.verdict == ProofVerdict::Gone), "a mount that never was is there");
        Ok(())
    };
    let (times, memory) = own_peak(|| timed(200, work))?;
    let what = format!("a stop's proof that {UNDONE} mounts are gone");
    table.add(&what, Sample::new(times, Some(memory)), &[], Target::ms(1));
    Ok(())
}

/// A mount that no process of this machine sees any more.
fn undone_mount(number: u32) -> HoldingRecord {
    let made = MountIdentity {
        id: u64::from(u32::MAX - number),
        unique: None,
        device: (0, u32::from(u16::MAX) + number),
        root: "/".to_owned(),
        superblock: None,
        below: None,
        backing: None,
    };
    let holding = MountHolding {
        source: "none".to_owned(),
        target: format!("/srv/many/{number}"),
        fstype: "tmpfs".to_owned(),
        prepared: None,
        made: Some(made),
    };
    let (rid, number) = (format!("fs#{number}"), u64::from(number));
    HoldingRecord { rid, number, stage: HoldingStage::Undone, holding: Holding::Mount(holding) }
}
