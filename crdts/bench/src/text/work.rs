//! The work that replicas of a text do, the same for all libraries.

use std::{hint::black_box, time::Duration};

use cpu_time::ThreadTime;

use super::{Replica, single};
use crate::{
    contest::{Contest, LIMIT, Sample},
    memory::{self, Heap},
    traces::Trace,
};

/// Does up to `steps` steps. The limit is looked at when that has become worth it.
fn timed(steps: usize, mut step: impl FnMut(usize)) -> Sample {
    const LOOK_EVERY: Duration = Duration::from_millis(10);
    let start = ThreadTime::now();
    let (mut look_at, mut stride, mut looked) = (1, 1, Duration::ZERO);
    for index in 0..steps {
        if index == look_at {
            let now = start.elapsed();
            if now > LIMIT {
                return Sample { time: now, units: index };
            }
            stride = if now.saturating_sub(looked) < LOOK_EVERY { stride * 2 } else { (stride / 2).max(1) };
            (look_at, looked) = (index + stride, now);
        }
        step(index);
    }
    Sample { time: start.elapsed(), units: steps }
}

/// One author types a trace; after every transaction the document could be read.
fn replay<R: Replica>(replica: &mut R, trace: &Trace) -> Sample {
    timed(trace.txns.len(), |index| replica.edit(&trace.txns[index].patches))
}

/// What all authors of a trace have sent, in the order of the trace.
struct Recording<R: Replica> {
    updates: Vec<R::Update>,
    agents: usize,
}

impl<R: Replica> Recording<R> {
    /// Lets the authors edit. Before each transaction its author hears of the transactions that it was made on.
    fn new(trace: &Trace) -> Self {
        let mut authors = R::family(trace.num_agents + 1);
        let mut heard = vec![vec![false; trace.txns.len()]; if trace.num_agents > 1 { trace.num_agents } else { 0 }];
        let mut updates: Vec<R::Update> = Vec::new();
        timed(trace.txns.len(), |index| {
            let transaction = &trace.txns[index];
            let author = &mut authors[transaction.agent];
            if let Some(heard) = heard.get_mut(transaction.agent) {
                for unheard in unheard_of(trace, &transaction.parents, heard) {
                    author.receive(&updates[unheard]);
                }
                heard[index] = true;
            }
            updates.push(author.edit_and_send(&transaction.patches));
        });
        Self { updates, agents: trace.num_agents }
    }

    /// A replica that has received nothing.
    fn reader(&self) -> R {
        R::family(self.agents + 1).pop().expect("the family has a member")
    }

    /// A replica receives everything, one update after the other.
    fn read(&self, reader: &mut R) -> Sample {
        timed(self.updates.len(), |index| reader.receive(&self.updates[index]))
    }

    /// Such a replica, and the heap that it took, unless the limit cut the writing or the reading.
    fn read_all(&self, trace: &Trace) -> Option<(R, Heap)> {
        let ((sample, reader), heap) = memory::measure(|| {
            let mut reader = self.reader();
            (self.read(&mut reader), reader)
        });
        (sample.units == trace.txns.len()).then_some((reader, heap))
    }
}

/// The transactions up to `heads` that were not heard of yet, parents first; from now on they are.
fn unheard_of(trace: &Trace, heads: &[usize], heard: &mut [bool]) -> Vec<usize> {
    let (mut pending, mut unheard) = (heads.to_vec(), Vec::new());
    while let Some(index) = pending.pop() {
        if !std::mem::replace(&mut heard[index], true) {
            unheard.push(index);
            pending.extend(&trace.txns[index].parents);
        }
    }
    unheard.sort_unstable();
    unheard
}

/// How a replica ends that has received everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ending {
    /// Bytes of all updates.
    pub update_bytes: Option<usize>,
    /// The replica's heap, unless the limit cut it.
    pub heap: Option<Heap>,
    /// Is its text the one that the trace says? None if it holds none, or the trace does not say, or the limit cut it.
    pub is_as_recorded: Option<bool>,
    /// Bytes of its encoding.
    pub encoded_bytes: Option<usize>,
}

/// A library behind plain functions.
#[derive(Clone, Copy, Debug)]
pub struct Lane {
    /// The name in tables.
    pub name: &'static str,
    /// One author replays a trace.
    pub local: for<'a> fn(&mut Contest<'a>, usize, &'a Trace),
    /// The heap after that, unless the limit cut it.
    pub local_heap: fn(&Trace) -> Option<Heap>,
    /// A replica receives what the authors of a trace sent, one update after the other.
    pub remote: for<'a> fn(&mut Contest<'a>, usize, &'a Trace),
    /// A replica receives all of it in one message.
    pub batch: for<'a> fn(&mut Contest<'a>, usize, &'a Trace),
    /// How such a replica ends.
    pub ending: fn(&Trace) -> Ending,
    /// Encodes a replica that has received everything (first column), and decodes that (second column).
    pub codec: for<'a> fn(&mut Contest<'a>, [usize; 2], &'a Trace) -> Option<Encoded>,
}

/// What an encoding of a document takes.
#[derive(Clone, Debug)]
pub struct Encoded {
    /// Bytes.
    pub bytes: usize,
    /// Another encoding of the same.
    pub otherwise: Option<(&'static str, usize)>,
}

impl Lane {
    /// The lane of a library.
    pub fn of<R: Replica + 'static>() -> Self {
        Self {
            name: R::NAME,
            local: local::<R>,
            local_heap: local_heap::<R>,
            remote: remote::<R>,
            batch: batch::<R>,
            ending: ending::<R>,
            codec: codec::<R>,
        }
    }
}

fn local<'a, R: Replica + 'static>(contest: &mut Contest<'a>, column: usize, trace: &'a Trace) {
    contest.sampled(column, move || {
        let mut replica: R = single();
        let sample = replay(&mut replica, trace);
        if sample.units == trace.txns.len() && replica.text().is_some() {
            let is_as_recorded = replica.text() == trace.end_content;
            assert!(is_as_recorded, "{} ends {} otherwise than recorded", R::NAME, trace.name);
        }
        sample
    });
}

fn local_heap<R: Replica>(trace: &Trace) -> Option<Heap> {
    let ((sample, _replica), heap) = memory::measure(|| {
        let mut replica: R = single();
        (replay(&mut replica, trace), replica)
    });
    (sample.units == trace.txns.len()).then_some(heap)
}

fn remote<'a, R: Replica + 'static>(contest: &mut Contest<'a>, column: usize, trace: &'a Trace) {
    let recording = Recording::<R>::new(trace);
    contest.sampled(column, move || {
        let mut reader = recording.reader();
        let sample = recording.read(&mut reader);
        black_box(reader);
        sample
    });
}

fn batch<'a, R: Replica + 'static>(contest: &mut Contest<'a>, column: usize, trace: &'a Trace) {
    let recording = Recording::<R>::new(trace);
    let Some((mut writer, _)) = recording.read_all(trace) else { return };
    let Some(batch) = writer.batch() else { return };
    let prepare = move || recording.reader();
    contest.fresh(column, (trace.txns.len(), 1), prepare, move |reader| reader.receive_batch(&batch));
}

fn ending<R: Replica>(trace: &Trace) -> Ending {
    let recording = Recording::<R>::new(trace);
    let Some((mut reader, heap)) = recording.read_all(trace) else { return Ending::default() };
    Ending {
        update_bytes: recording.updates.iter().map(R::update_bytes).sum(),
        heap: Some(heap),
        is_as_recorded: trace.end_content.as_ref().and_then(|expected| Some(reader.text()? == *expected)),
        encoded_bytes: reader.encode().map(|bytes| bytes.len()),
    }
}

fn codec<'a, R: Replica + 'static>(
    contest: &mut Contest<'a>,
    [to, from]: [usize; 2],
    trace: &'a Trace,
) -> Option<Encoded> {
    let mut replica: R = if trace.num_agents == 1 {
        let mut replica = single();
        if replay(&mut replica, trace).units < trace.txns.len() {
            return None;
        }
        replica
    } else {
        Recording::<R>::new(trace).read_all(trace)?.0
    };
    let bytes = replica.encode()?;
    let otherwise = replica.encode_otherwise().map(|(name, bytes)| (name, bytes.len()));
    assert!(R::decode(&bytes).text() == replica.text(), "{} does not decode what it encoded", R::NAME);
    let encoded = Encoded { bytes: bytes.len(), otherwise };
    contest.repeated(to, replica, Replica::encode);
    contest.repeated(from, bytes, |bytes| R::decode(bytes));
    Some(encoded)
}

/// What the limit means in words.
pub fn limit_seconds() -> u64 {
    LIMIT.as_secs()
}
