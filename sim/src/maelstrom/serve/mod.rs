//! Our replicas as nodes of the Maelstrom protocol: the same nodes as in the simulator, on standard input and output.
//!
//! ```text
//! lines --process--> Session --requests--> Replica --handlers--> Engine<N: Node>      the Recorded context, and timers
//!       <---------- messages <--- Port <-------------------- effects
//! ```
//!
//! `session` is the protocol; `engine` runs a [`crate::kernel::node::Node`]; `gossiping`, `naive` and `occ` speak for nodes;
//! `plain` and `proxy` need none. `clock` reads the clocks of the machine, and no other file does.
//!
//! Invariant: nothing is drawn but by the context. What a process does is a function of its input, of the times at which it
//! arrives, and of the clocks; so runs in virtual time can be replayed.
//!
//! ```
//! use sim::maelstrom::serve::ReplicaKind;
//!
//! assert_eq!(ReplicaKind::named("pn-counter"), Some(ReplicaKind::PnCounter));
//! assert!(ReplicaKind::ALL.iter().all(|kind| !kind.doc().is_empty()));
//! ```
//!
//! What is deliberately absent: storage. A process that is killed forgets everything; whoever starts it again gives it an
//! `incarnation` that it did not have before, since counts and dots under a name that was used before would hide each other.

mod clock;
mod cluster;
mod engine;
pub mod fields;
mod gossiping;
mod naive;
mod occ;
mod plain;
mod port;
mod process;
mod proxy;
mod session;
pub mod tradeoff;
pub mod verify;

pub use clock::{Clock, Now};
pub use cluster::{Cluster, INCARNATION_MAX};
pub use port::{Asker, Port};
pub use process::run;
pub use session::{Counts, Replica, Session};
pub use tradeoff::no_advice;

use crate::{
    kernel::time::{MILLISECOND, SECOND},
    protocols::gossip::{GossipConfig, Mode, PayloadKind},
    services::KvKind,
};
use gossiping::{Gossiping, carts, counters, registers, sets, texts, versions};

/// The replicas that can be served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplicaKind {
    /// A counter that loses updates.
    Naive,
    /// A counter on a store.
    Occ,
    /// A grow-only counter.
    GCounter,
    /// A counter of either sign.
    PnCounter,
    /// A grow-only set.
    GSet,
    /// An observed-remove set.
    OrSet,
    /// Multi-value registers.
    MvRegister,
    /// Last-writer-wins registers.
    LwwRegister,
    /// A text.
    Rga,
    /// A cart.
    Cart,
    /// A grow-only set under the names of the workload `broadcast`.
    Broadcast,
    /// A proxy of `lin-kv`.
    LinKvProxy,
    /// An echo.
    Echo,
    /// A source of ids.
    UniqueIds,
}

impl ReplicaKind {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::Naive,
        Self::Occ,
        Self::GCounter,
        Self::PnCounter,
        Self::GSet,
        Self::OrSet,
        Self::MvRegister,
        Self::LwwRegister,
        Self::Rga,
        Self::Cart,
        Self::Broadcast,
        Self::LinKvProxy,
        Self::Echo,
        Self::UniqueIds,
    ];

    /// The name on the command line.
    pub fn name(self) -> &'static str {
        self.row().0
    }

    /// What it is, in a line.
    pub fn doc(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> (&'static str, &'static str) {
        match self {
            Self::Naive => (
                "naive",
                "counter: broadcasts its total, the latest writer wins; wrong on purpose (add, increment, read)",
            ),
            Self::Occ => {
                ("occ", "counter on a store, by read and compare-and-swap (add, increment, read); see --store")
            }
            Self::GCounter => ("g-counter", "grow-only counter (add, increment, read, replicate)"),
            Self::PnCounter => ("pn-counter", "counter of either sign (add, increment, read, replicate)"),
            Self::GSet => ("g-set", "grow-only set (add, read)"),
            Self::OrSet => ("or-set", "set in which additions win (or_set_add, or_set_remove, or_set_read, add, read)"),
            Self::MvRegister => ("mv-register", "registers that keep concurrent writes (mv_write, mv_read, mv_merge)"),
            Self::LwwRegister => ("lww-register", "registers in which the last write wins (write, read)"),
            Self::Rga => ("rga", "text (seq_insert, seq_delete, seq_read)"),
            Self::Cart => ("cart", "shopping cart (cart_add, cart_remove, cart_view)"),
            Self::Broadcast => ("broadcast", "every message to every node (broadcast, read, topology)"),
            Self::LinKvProxy => ("lin-kv-proxy", "passes requests on to the service lin-kv (read, write, cas)"),
            Self::Echo => ("echo", "says what it is told (echo)"),
            Self::UniqueIds => ("unique-ids", "ids that no other node gives (generate)"),
        }
    }

    /// The replica with this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// The options of its gossip, where none are given: those of scenarios, but counters push their states, which is
    /// all that other programs understand, and `broadcast` sends every message at once as well.
    pub fn gossip(self) -> GossipConfig {
        let mode = match self {
            Self::GCounter | Self::PnCounter => Mode::Push,
            _ => Mode::default(),
        };
        GossipConfig { mode, eager: self == Self::Broadcast, ..GossipConfig::default() }
    }

    /// A replica of this kind.
    fn boot(self, cluster: &Cluster, options: &Options, now: Now) -> Box<dyn Replica> {
        let gossip = options.gossip(self);
        match self {
            Self::Naive => Box::new(naive::Copying::new(cluster)),
            Self::Occ => {
                let Options { store, rpc_timeout_ns, deadline_ns, .. } = *options;
                Box::new(occ::Stored::new(store, rpc_timeout_ns, deadline_ns, cluster, now))
            }
            Self::GCounter => Box::new(Gossiping::new(counters::Counting::growing(cluster), &gossip, cluster)),
            Self::PnCounter => Box::new(Gossiping::new(counters::Counting::signed(cluster), &gossip, cluster)),
            Self::GSet => Box::new(Gossiping::new(sets::Growing::G_SET, &gossip, cluster)),
            Self::OrSet => Box::new(Gossiping::new(sets::ObservedRemove::new(cluster), &gossip, cluster)),
            Self::MvRegister => Box::new(Gossiping::new(versions::Keeping::new(cluster), &gossip, cluster)),
            Self::LwwRegister => Box::new(Gossiping::new(registers::LastWriter, &gossip, cluster)),
            Self::Rga => Box::new(Gossiping::new(texts::Writing::new(cluster), &gossip, cluster)),
            Self::Cart => Box::new(Gossiping::new(carts::Shopping, &gossip, cluster)),
            Self::Broadcast => Box::new(Gossiping::new(sets::Growing::BROADCAST, &gossip, cluster)),
            Self::LinKvProxy => Box::new(proxy::Proxy::new(options.deadline_ns)),
            Self::Echo => Box::new(plain::Echo),
            Self::UniqueIds => Box::new(plain::UniqueIds::new(cluster, now)),
        }
    }
}

/// The options of a served replica.
#[derive(Clone, Debug)]
pub struct Options {
    /// How often the replica has lost its memory.
    pub incarnation: u32,
    /// The direction of gossip.
    pub mode: Option<Mode>,
    /// What gossip carries.
    pub payload: Option<PayloadKind>,
    /// Are updates sent at once as well?
    pub eager: Option<bool>,
    /// The mean time between rounds of gossip.
    pub interval_ns: Option<u64>,
    /// By how much that time varies; a tenth of the interval unless given.
    pub jitter_ns: Option<u64>,
    /// How many peers a round addresses.
    pub fanout: Option<u32>,
    /// The store behind `occ`.
    pub store: KvKind,
    /// How long the reply of a store to one request may take.
    pub rpc_timeout_ns: u64,
    /// How long an operation on a store may take.
    pub deadline_ns: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            incarnation: 0,
            mode: None,
            payload: None,
            eager: None,
            interval_ns: None,
            jitter_ns: None,
            fanout: None,
            store: KvKind::default(),
            rpc_timeout_ns: 1_000 * MILLISECOND,
            deadline_ns: 4 * SECOND,
        }
    }
}

impl Options {
    fn gossip(&self, kind: ReplicaKind) -> GossipConfig {
        let default = kind.gossip();
        let interval_ns = self.interval_ns.unwrap_or(default.interval_ns).max(1);
        GossipConfig {
            mode: self.mode.unwrap_or(default.mode),
            payload: self.payload.unwrap_or(default.payload),
            eager: self.eager.unwrap_or(default.eager),
            interval_ns,
            jitter_ns: self.jitter_ns.unwrap_or(interval_ns / 10),
            fanout: self.fanout.unwrap_or(default.fanout),
            ..default
        }
    }
}
