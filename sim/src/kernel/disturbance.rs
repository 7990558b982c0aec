//! Disturbances: what faults do to the world, with names resolved and times fixed.
//!
//! The faults of a scenario are compiled to [`Window`]s before a run starts. A window applies its [`Disturbance`] from
//! `from` until `to`; windows may overlap, and each undoes only its own effect.

use super::{draws::Probability, ids::NodeId, latency::LatencyTable, node::Recovery, time::Time};

/// One occurrence of a fault.
#[derive(Clone, Debug)]
pub struct Window {
    /// What the reports call it, for example `partition at 5s`.
    pub label: String,
    /// The kind of fault, as in the scenario: `partition`, `crash`, …
    pub kind: &'static str,
    /// The index of the scenario's `[[fault]]`, or `None` when the nemesis drew it.
    pub fault: Option<u32>,
    /// The first instant at which it acts.
    pub from: Time,
    /// The instant of the heal; [`Time::NEVER`] when it is never healed.
    pub to: Time,
    /// What it does.
    pub disturbance: Disturbance,
}

/// What a fault does while it lasts.
#[derive(Clone, Debug)]
pub enum Disturbance {
    /// Messages between some endpoints are lost.
    Cut(Cut),
    /// The nodes are down; the heal restarts them.
    Crash {
        /// Replicas or services.
        nodes: Vec<NodeId>,
        /// What survives.
        recovery: Recovery,
        /// For [`Recovery::Stale`]: the state comes back as it was this long before the crash.
        lost_ns: u64,
    },
    /// The nodes do nothing; what arrives waits, and is handled in order at the heal.
    Pause {
        /// Replicas or services.
        nodes: Vec<NodeId>,
    },
    /// The nodes take this much longer for everything they handle, one thing at a time.
    Slow {
        /// Replicas or services.
        nodes: Vec<NodeId>,
        /// The extra time per event.
        delay_ns: u64,
    },
    /// The nodes' clocks are off; the heal sets them right again.
    Clock {
        /// Replicas.
        nodes: Vec<NodeId>,
        /// Added to the clock at the start; negative: the clock jumps back.
        offset_ns: i64,
        /// The clock gains this many nanoseconds per second (parts per billion).
        drift_ppb: i64,
    },
    /// Messages on some links meet worse conditions.
    Links {
        /// Which links.
        links: LinkSelection,
        /// Which conditions.
        effect: LinkEffect,
    },
}

/// Which pairs of endpoints cannot talk. Tables are by endpoint number and cover all endpoints.
#[derive(Clone, Debug)]
pub enum Cut {
    /// Endpoints talk within their group. [`Cut::EVERYWHERE`] marks an endpoint that talks to all groups (a bridge).
    Groups {
        /// The group of every endpoint.
        group: Vec<u16>,
    },
    /// Messages from marked senders to marked receivers are lost; the other direction works.
    OneWay {
        /// Is the endpoint a cut-off sender?
        from: Vec<bool>,
        /// Is the endpoint a cut-off receiver?
        to: Vec<bool>,
    },
    /// Every replica sees only those within `reach` steps on a ring: overlapping majorities, no two alike.
    Ring {
        /// The position of every endpoint on the ring; `u32::MAX` for endpoints that are not on it and talk to all.
        position: Vec<u32>,
        /// The number of positions.
        length: u32,
        /// How far an endpoint sees in each direction.
        reach: u32,
    },
}

impl Cut {
    /// The group of an endpoint that talks to all groups.
    pub const EVERYWHERE: u16 = u16::MAX;

    /// Is a message from `from` to `to` lost?
    #[inline]
    pub fn severs(&self, from: NodeId, to: NodeId) -> bool {
        match self {
            Self::Groups { group } => {
                let (a, b) = (group[from.index()], group[to.index()]);
                a != b && a != Self::EVERYWHERE && b != Self::EVERYWHERE
            }
            Self::OneWay { from: senders, to: receivers } => senders[from.index()] && receivers[to.index()],
            Self::Ring { position, length, reach } => {
                let (a, b) = (position[from.index()], position[to.index()]);
                if a == u32::MAX || b == u32::MAX {
                    return false;
                }
                let apart = a.abs_diff(b);
                apart.min(length - apart) > *reach
            }
        }
    }
}

/// Which links a link fault disturbs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LinkSelection {
    /// All links between replicas, and between replicas and services.
    All,
    /// The links from a marked sender to a marked receiver; tables by endpoint number.
    Between {
        /// Is the endpoint a sender?
        from: Vec<bool>,
        /// Is the endpoint a receiver?
        to: Vec<bool>,
    },
}

impl LinkSelection {
    /// Is the link from `from` to `to` selected?
    #[inline]
    pub fn contains(&self, from: NodeId, to: NodeId) -> bool {
        match self {
            Self::All => true,
            Self::Between { from: senders, to: receivers } => senders[from.index()] && receivers[to.index()],
        }
    }
}

/// The conditions a link fault adds.
#[derive(Clone, Debug)]
pub enum LinkEffect {
    /// Further messages are lost.
    Loss(Probability),
    /// Messages are lost in bursts.
    Burst(Burst),
    /// Further messages arrive twice.
    Duplicate(Probability),
    /// Messages take longer by a draw from this table.
    Delay(std::sync::Arc<LatencyTable>),
}

/// Losses in bursts: the two-state chain of Gilbert (1960) and Elliott (1963), which steps once per message of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Burst {
    /// From good to bad.
    pub enter: Probability,
    /// From bad to good.
    pub exit: Probability,
    /// Loss in the bad state.
    pub loss: Probability,
}

/// What one fault window did: a fault that did nothing put nothing to the test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bite {
    /// Messages it took.
    pub messages_lost: u64,
    /// Messages it made arrive twice.
    pub messages_duplicated: u64,
    /// Messages it made late.
    pub messages_delayed: u64,
    /// Other events it made late: on paused and slow nodes.
    pub events_delayed: u64,
    /// Nodes it took down.
    pub crashes: u64,
    /// Clocks it set wrong.
    pub clocks_set: u64,
}

impl Bite {
    /// Did the fault do anything at all?
    pub fn bit(&self) -> bool {
        *self != Self::default()
    }
}
