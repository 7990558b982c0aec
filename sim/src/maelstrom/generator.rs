//! What clients ask of programs: the operations of a workload.
//!
//! Amounts are drawn as for all other systems, so that a program's clients ask for the same as those of the system beside it.
//! What is included in a set is never included again.
//!
//! Invariant: every draw is addressed by the client and the number of its operation.
//!
//! What is deliberately absent: removals.

use crate::{
    kernel::draws::{Stream, below},
    objects::foreign::{Ask, Asked, Foreign},
    workloads::{CounterGenerator, Generator, Operations, ScriptedOp, Turn},
};

use super::words::Dialect;
use crdts::objects::counter::CounterOp;

/// The values that are written to stores: 0 to 4.
const VALUES: u64 = 5;
/// The texts that are said: 128.
const SAYINGS: u64 = 128;

/// Makes operations on programs.
#[derive(Clone, Debug)]
pub struct ForeignGenerator {
    what: What,
    clients: u64,
    keys: Stream,
    values: Stream,
}

#[derive(Clone, Debug)]
enum What {
    Counter(CounterGenerator),
    Elements,
    Store { keys: u32 },
    Echo,
    Ids,
}

/// The words of a workload, if programs speak any for it.
pub fn dialect(operations: &Operations) -> Option<Dialect> {
    match operations {
        Operations::Counter(_) => Some(Dialect::Counter),
        Operations::GrowOnlySet => Some(Dialect::GrowOnlySet),
        Operations::Broadcast => Some(Dialect::Broadcast),
        Operations::KeyValue { .. } => Some(Dialect::KeyValue),
        Operations::Echo => Some(Dialect::Echo),
        Operations::UniqueIds => Some(Dialect::UniqueIds),
        Operations::Set(_) | Operations::Register | Operations::Sequence(_) | Operations::Cart(_) => None,
    }
}

impl ForeignGenerator {
    /// The operations of this many clients under `seed`; `None` where programs speak no words for them.
    pub fn new(operations: &Operations, clients: u32, seed: u64) -> Option<Self> {
        let what = match operations {
            Operations::Counter(amount) => What::Counter(CounterGenerator::new(amount.clone(), seed)),
            Operations::GrowOnlySet | Operations::Broadcast => What::Elements,
            Operations::KeyValue { keys } => What::Store { keys: *keys },
            Operations::Echo => What::Echo,
            Operations::UniqueIds => What::Ids,
            Operations::Set(_) | Operations::Register | Operations::Sequence(_) | Operations::Cart(_) => return None,
        };
        let (keys, values) = (Stream::new(seed, "work.key"), Stream::new(seed, "work.value"));
        Some(Self { what, clients: u64::from(clients), keys, values })
    }
}

impl Generator<Foreign> for ForeignGenerator {
    /// Those of the workload: see `ObjectName::kinds`.
    const KINDS: &'static [&'static str] = &[];

    fn operation(&mut self, turn: Turn) -> Asked {
        let (entity, number) = (u64::from(turn.client), turn.number);
        let value = |of: u64, bound: u64| below(self.values.word(entity, number * 2 + of), bound) as i64;
        let what = match &mut self.what {
            What::Counter(counter) => match counter.operation(turn) {
                CounterOp::Add(amount) => Ask::Add(amount),
                CounterOp::Read => Ask::Read,
            },
            What::Elements if turn.kind == 0 => Ask::Include((number * self.clients + entity) as i64),
            What::Elements => Ask::Read,
            What::Store { keys } => {
                let key = below(self.keys.word(entity, number), u64::from(*keys)) as u32;
                match turn.kind {
                    0 => Ask::Get(key),
                    1 => Ask::Put(key, value(0, VALUES)),
                    _ => Ask::Swap(key, value(0, VALUES), value(1, VALUES)),
                }
            }
            What::Echo => Ask::Echo(format!("Please echo {}", value(0, SAYINGS)).into()),
            What::Ids => Ask::Generate,
        };
        Asked { client: Some(turn.client), what }
    }

    fn scripted(op: &ScriptedOp, client: u32) -> Option<Asked> {
        let ScriptedOp::Counter(op) = op else { return None };
        let what = match op {
            CounterOp::Add(amount) => Ask::Add(*amount),
            CounterOp::Read => Ask::Read,
        };
        Some(Asked { client: Some(client), what })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_occur_once_and_stores_get_all_kinds() {
        let mut elements = ForeignGenerator::new(&Operations::Broadcast, 3, 1).expect("there are words");
        let mut seen = std::collections::BTreeSet::new();
        for (client, number) in (0..3).flat_map(|client| (0..50).map(move |number| (client, number))) {
            let Ask::Include(element) = elements.operation(Turn { client, number, kind: 0 }).what else {
                panic!("the first kind includes")
            };
            assert!(seen.insert(element));
        }
        let mut store = ForeignGenerator::new(&Operations::KeyValue { keys: 4 }, 3, 1).expect("there are words");
        let mut make = |kind| store.operation(Turn { client: 1, number: 7, kind }).what;
        assert!(matches!(make(0), Ask::Get(0..4)));
        assert!(matches!(make(1), Ask::Put(0..4, 0..5)));
        assert!(matches!(make(2), Ask::Swap(0..4, 0..5, 0..5)));
    }
}
