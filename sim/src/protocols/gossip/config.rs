//! The options of gossip.

use crate::kernel::time::MILLISECOND;

/// In which direction a round carries knowledge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// To the peer.
    Push,
    /// From the peer.
    Pull,
    /// Both ways.
    #[default]
    PushPull,
}

impl Mode {
    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::Push => "push",
            Self::Pull => "pull",
            Self::PushPull => "push-pull",
        }
    }
}

/// What messages carry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PayloadKind {
    /// The full state.
    #[default]
    State,
    /// What the peer has not acknowledged yet. Nothing is sent when there is no such thing. With [`Mode::Pull`] nobody
    /// keeps account of peers, and the request carries a digest as with [`PayloadKind::Digest`].
    Delta,
    /// A digest first, and then what is missing.
    Digest,
}

impl PayloadKind {
    /// The name in scenarios and reports.
    pub fn name(self) -> &'static str {
        match self {
            Self::State => "state",
            Self::Delta => "delta",
            Self::Digest => "digest",
        }
    }
}

/// The options of [`super::Gossip`]. They do not depend on the data type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GossipConfig {
    /// The direction of a round. Default push-pull.
    pub mode: Mode,
    /// What messages carry. Default the full state.
    pub payload: PayloadKind,
    /// Send every update at once as well: to all peers if all other replicas are peers and there are at most
    /// [`GossipConfig::EAGER_PEERS_MAX`], else to `fanout` random ones. Receivers do not pass it on before their next
    /// round. Default off.
    pub eager: bool,
    /// The mean time between rounds, at least 1. Default 100 ms.
    pub interval_ns: u64,
    /// The time between two rounds differs from the mean by at most this much, at random. Default 10 ms.
    pub jitter_ns: u64,
    /// How many distinct random peers a round addresses. Up to 8 without allocation. Default 1.
    pub fanout: u32,
    /// How many deltas are kept for [`PayloadKind::Delta`]. A peer that misses more gets the full state. Default 1024.
    pub delta_buffer_max: u32,
}

impl GossipConfig {
    /// Up to this many peers, an eager broadcast goes to all of them.
    pub const EAGER_PEERS_MAX: u32 = 16;
}

impl Default for GossipConfig {
    fn default() -> Self {
        Self {
            mode: Mode::default(),
            payload: PayloadKind::default(),
            eager: false,
            interval_ns: 100 * MILLISECOND,
            jitter_ns: 10 * MILLISECOND,
            fanout: 1,
            delta_buffer_max: 1024,
        }
    }
}
