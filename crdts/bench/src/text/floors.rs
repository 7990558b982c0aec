//! Text without replication.

use cpu_time::ThreadTime;
use jumprope::{JumpRope, JumpRopeBuf};

use crate::{
    contest::{Contest, Sample},
    floors::GapBuffer,
    memory::{self, Heap},
    traces::{Patch, Trace},
};

/// A text that can be edited.
pub trait Plain: Default {
    /// The name in tables.
    const NAME: &'static str;
    /// Makes an edit.
    fn edit(&mut self, patch: &Patch);
    /// The text.
    fn text(&self) -> String;
}

impl Plain for GapBuffer {
    const NAME: &'static str = "gap buffer";

    fn edit(&mut self, Patch(position, deleted, inserted): &Patch) {
        self.splice(*position, *deleted, inserted);
    }

    fn text(&self) -> String {
        Self::text(self)
    }
}

impl Plain for JumpRope {
    const NAME: &'static str = "jumprope";

    fn edit(&mut self, Patch(position, deleted, inserted): &Patch) {
        if *deleted > 0 {
            self.remove(*position..position + deleted);
        }
        if !inserted.is_empty() {
            self.insert(*position, inserted);
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

impl Plain for JumpRopeBuf {
    const NAME: &'static str = "jumprope, buffered";

    fn edit(&mut self, Patch(position, deleted, inserted): &Patch) {
        if *deleted > 0 {
            self.remove(*position..position + deleted);
        }
        if !inserted.is_empty() {
            self.insert(*position, inserted);
        }
    }

    fn text(&self) -> String {
        self.to_string()
    }
}

/// A floor behind plain functions.
#[derive(Clone, Copy, Debug)]
pub struct Floor {
    /// The name in tables.
    pub name: &'static str,
    /// Replays a trace.
    pub local: for<'a> fn(&mut Contest<'a>, usize, &'a Trace),
    /// The heap of the text in the end.
    pub heap: fn(&Trace) -> Heap,
}

impl Floor {
    /// All floors.
    pub fn all() -> [Self; 3] {
        [Self::of::<GapBuffer>(), Self::of::<JumpRope>(), Self::of::<JumpRopeBuf>()]
    }

    fn of<P: Plain>() -> Self {
        Self { name: P::NAME, local: local::<P>, heap: |trace| memory::measure(|| replay::<P>(trace)).1 }
    }
}

fn replay<P: Plain>(trace: &Trace) -> P {
    let mut plain = P::default();
    for patch in trace.txns.iter().flat_map(|transaction| &transaction.patches) {
        plain.edit(patch);
    }
    plain
}

fn local<'a, P: Plain>(contest: &mut Contest<'a>, column: usize, trace: &'a Trace) {
    let is_as_recorded = trace.end_content == Some(replay::<P>(trace).text());
    assert!(is_as_recorded, "{} ends {} otherwise than recorded", P::NAME, trace.name);
    contest.sampled(column, || {
        let start = ThreadTime::now();
        let plain = std::hint::black_box(replay::<P>(trace));
        let time = start.elapsed();
        drop(plain);
        Sample { time, units: trace.txns.len() }
    });
}
