//! What the world keeps for every replica and service beside its state: half a cache line, because every event looks at
//! it.

use super::node::Purpose;

/// Whether an endpoint takes part, and the counters of its draws.
#[derive(Clone, Copy, Debug, Default)]
#[repr(align(32))]
pub(crate) struct Host {
    /// Draws so far, by purpose.
    pub(crate) draws: [u32; Purpose::COUNT],
    /// How often it has been restarted.
    pub(crate) incarnation: u32,
    /// Fault windows that keep it down.
    pub(crate) down: u16,
    /// Fault windows that keep it paused.
    pub(crate) paused: u16,
    /// Fault windows that keep it slow.
    pub(crate) slow: u16,
}

const _: () = assert!(size_of::<Host>() == 32, "two hosts fill a cache line");

impl Host {
    #[inline]
    pub(crate) fn is_down(&self) -> bool {
        self.down > 0
    }

    /// Would a request be answered?
    pub(crate) fn answers(&self) -> bool {
        self.down == 0 && self.paused == 0
    }

    #[inline]
    pub(crate) fn is_undisturbed(&self) -> bool {
        self.down | self.paused | self.slow == 0
    }
}
