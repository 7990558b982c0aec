//! Where two runs that should be equal part.

use super::World;
use crate::kernel::{
    node::{Node, StateOf},
    observer::Observer,
    service::Service,
    time::Time,
    workload::Workload,
};

/// The first event after which two runs differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Divergence {
    /// The number of the event, from 1.
    pub event: u64,
    /// Its virtual time in the first run.
    pub time: Time,
    /// Its virtual time in the second run.
    pub other_time: Time,
}

/// Runs two worlds side by side, event by event, to their end or to the first difference.
pub fn first_divergence<N, S, W, O>(one: &mut World<N, S, W, O>, other: &mut World<N, S, W, O>) -> Option<Divergence>
where
    N: Node,
    S: Service<StateOf<N>>,
    W: Workload<N::Object>,
    O: Observer<N, S>,
{
    loop {
        let (stop, other_stop) = (one.step(), other.step());
        if one.fingerprint() != other.fingerprint() || stop != other_stop {
            return Some(Divergence { event: one.events(), time: one.now(), other_time: other.now() });
        }
        if stop.is_some() {
            return None;
        }
    }
}
