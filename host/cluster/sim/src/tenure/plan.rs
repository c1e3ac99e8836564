//! The scenarios, by the names that the design of the cluster gives them, and what each lets happen.

/// What happens in a run, and how often. Chances are in percent, for each request or for each second of a node.
#[derive(Debug, Clone, Copy)]
pub struct TenurePlan {
    /// With its number in the design.
    pub name: &'static str,
    pub nodes: u64,
    /// The link of a node to the store is cut, for 3 to 40 seconds.
    pub cuts: u64,
    /// The answers to a node are lost, for as long.
    pub deaf: u64,
    /// The store is away from all nodes at once, for as long. Not before all have joined.
    pub outages: u64,
    /// Requests that arrive at any later time, which their sender has given up.
    pub late: u64,
    /// Requests that never arrive.
    pub lost: u64,
    /// Daemons that are killed and come back.
    pub kills: u64,
    /// Machines that lose their power and come back.
    pub reboots: u64,
    /// Services that are given away by order.
    pub releases: u64,
    /// Daemons that go on purpose, and leave what runs.
    pub departures: u64,
    /// Lives that a person ends, by what was shown a while before.
    pub hands: u64,
    /// Whether nodes ask each other for promises when the store does not answer.
    pub promises: bool,
}

/// A rule that is broken on purpose, to see that it is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenureWeakness {
    /// A life is ended after a shorter silence than what a deadline lasts.
    ShortPatience,
    /// The keeper cuts nothing.
    NoCut,
    /// A node runs what it reads as its own.
    ReadIsEnough,
}

const CALM: TenurePlan = TenurePlan {
    name: "calm",
    nodes: 3,
    cuts: 0,
    deaf: 0,
    outages: 0,
    late: 0,
    lost: 0,
    kills: 0,
    reboots: 0,
    releases: 0,
    departures: 0,
    hands: 0,
    promises: false,
};

impl TenurePlan {
    /// Every plan.
    pub const ALL: &[TenurePlan] = &[
        TenurePlan { name: "2 blind-start", kills: 10, late: 5, releases: 2, ..CALM },
        TenurePlan { name: "23 kill-owner", reboots: 4, ..CALM },
        TenurePlan { name: "24 cut-owner", cuts: 5, ..CALM },
        TenurePlan { name: "25 answers-lost", deaf: 5, lost: 5, ..CALM },
        TenurePlan { name: "32 engine-down", outages: 8, promises: true, ..CALM },
        TenurePlan { name: "41 late-release", releases: 15, late: 25, kills: 3, ..CALM },
        TenurePlan { name: "42 late-register", reboots: 8, late: 25, ..CALM },
        TenurePlan {
            name: "43 promise-while-evicting",
            cuts: 6,
            late: 15,
            kills: 4,
            reboots: 2,
            promises: true,
            ..CALM
        },
        TenurePlan { name: "45 pin-overtaken", departures: 6, late: 15, kills: 3, ..CALM },
        TenurePlan { name: "46 evict-races-return", hands: 10, departures: 5, reboots: 3, late: 10, ..CALM },
        TenurePlan {
            name: "swarm",
            nodes: 4,
            outages: 2,
            cuts: 3,
            deaf: 2,
            late: 15,
            lost: 5,
            kills: 4,
            reboots: 2,
            releases: 5,
            departures: 2,
            promises: true,
            ..CALM
        },
    ];
}
