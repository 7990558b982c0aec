//! Operations on a counter: additions and reads in a stated mix.
//!
//! The amount of an addition is drawn from an address of its own. Amounts of 0 are allowed: they are updates that change
//! nothing.

use crdts::objects::counter::{Counter, CounterOp};

use super::clients::{Generator, ScriptedOp, Turn};
use crate::kernel::draws::Stream;

/// How much is added.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AmountDistribution {
    /// Always this.
    Constant(i64),
    /// All amounts from `min` to `max` are equally probable.
    Uniform {
        /// The least.
        min: i64,
        /// The greatest, not below the least.
        max: i64,
    },
    /// All entries are equally probable; there is at least one.
    Choice(Vec<i64>),
}

impl AmountDistribution {
    /// The amount for 64 uniform bits.
    pub(super) fn sample(&self, word: u64) -> i64 {
        match self {
            Self::Constant(amount) => *amount,
            Self::Uniform { min, max } => {
                let span = u128::from(max.wrapping_sub(*min) as u64) + 1;
                min.wrapping_add(((u128::from(word) * span) >> 64) as i64)
            }
            Self::Choice(amounts) => amounts[crate::kernel::draws::below(word, amounts.len() as u64) as usize],
        }
    }
}

/// Makes additions and reads.
#[derive(Clone, Debug)]
pub struct CounterGenerator {
    amount: AmountDistribution,
    amounts: Stream,
}

impl CounterGenerator {
    /// Additions of such amounts, under `seed`.
    pub fn new(amount: AmountDistribution, seed: u64) -> Self {
        Self { amount, amounts: Stream::new(seed, "work.amount") }
    }
}

impl Generator<Counter> for CounterGenerator {
    const KINDS: &'static [&'static str] = &["add", "read"];

    #[inline]
    fn operation(&mut self, turn: Turn) -> CounterOp {
        match turn.kind {
            0 => CounterOp::Add(self.amount.sample(self.amounts.word(u64::from(turn.client), turn.number))),
            _ => CounterOp::Read,
        }
    }

    fn scripted(op: &ScriptedOp, _: u32) -> Option<CounterOp> {
        match op {
            ScriptedOp::Counter(op) => Some(*op),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        kernel::{
            ids::NodeId,
            time::{SECOND, Time},
            workload::{Arrival, Workload},
        },
        workloads::{Binding, Clients, Mix, Operations, Pacing, Phase, Source, WorkloadConfig},
    };

    fn mix(add: u32, read: u32) -> Mix {
        Mix::new(vec![add, read]).expect("not both are zero")
    }

    fn config() -> WorkloadConfig {
        WorkloadConfig {
            clients: 4,
            replicas: 3,
            binding: Binding::Roaming,
            source: source(SECOND, mix(7, 3)),
            operations: Operations::Counter(AmountDistribution::Uniform { min: -2, max: 7 }),
        }
    }

    fn source(start_ns: u64, mix: Mix) -> Source {
        let phases = vec![Phase { for_ns: 100 * SECOND, rate_mhz: 400_000, think_ns: 0 }];
        Source::Drawn { pacing: Pacing::Poisson, start: Time(start_ns), phases, mix }
    }

    fn workload(config: &WorkloadConfig, seed: u64) -> Clients<CounterGenerator> {
        let Operations::Counter(amount) = &config.operations else { panic!("a workload of a counter") };
        Clients::new(config, CounterGenerator::new(amount.clone(), seed), seed)
    }

    fn all(config: &WorkloadConfig) -> Vec<Vec<Arrival<CounterOp>>> {
        let clients = config.clients;
        let mut workload = workload(config, 1);
        (0..clients).map(|client| std::iter::from_fn(|| workload.next(client, Time::ZERO)).collect()).collect()
    }

    fn check_times(changed: WorkloadConfig, same: bool) {
        let times = |config| all(&config).concat().iter().map(|arrival| arrival.at).collect::<Vec<_>>();
        assert_eq!(times(config()) == times(changed), same);
    }

    #[test]
    fn the_first_arrivals_never_change() {
        // Golden vectors: a change here gives every published seed other arrivals.
        let mut workload = workload(&config(), 42);
        let first = [0, 0, 0, 3, 3, 3].map(|client| {
            let Arrival { at, replica, op } = workload.next(client, Time::ZERO).expect("the phase is long");
            (at.0, replica.0, op)
        });
        assert_eq!(first, GOLDEN);
    }

    const GOLDEN: [(u64, u32, CounterOp); 6] = [
        (1_001_403_626, 0, CounterOp::Add(2)),
        (1_021_503_104, 0, CounterOp::Add(6)),
        (1_026_886_309, 0, CounterOp::Read),
        (1_014_705_930, 2, CounterOp::Add(4)),
        (1_021_230_428, 0, CounterOp::Read),
        (1_037_142_595, 2, CounterOp::Add(1)),
    ];

    #[test]
    fn equal_seeds_give_equal_operations() {
        assert_eq!(all(&config()), all(&config()));
        let of = |seed| workload(&config(), seed).next(0, Time::ZERO);
        assert_ne!(of(1), of(2));
    }

    #[test]
    fn the_mix_changes_neither_times_nor_replicas_nor_amounts() {
        let mut changed = config();
        changed.source = source(SECOND, mix(1, 1));
        check_times(changed.clone(), true);
        for (before, after) in all(&config()).concat().iter().zip(all(&changed).concat()) {
            assert_eq!(before.replica, after.replica);
            assert!(after.op == CounterOp::Read || after.op == before.op);
        }
        let constant = WorkloadConfig { operations: Operations::Counter(AmountDistribution::Constant(1)), ..config() };
        check_times(constant, true);
        check_times(WorkloadConfig { binding: Binding::Replica, ..config() }, true);
        check_times(WorkloadConfig { source: source(SECOND + 1, mix(7, 3)), ..config() }, false);
    }

    #[test]
    fn the_mix_and_the_amounts_have_their_frequencies() {
        let operations = all(&config()).concat();
        let mut amounts = [0_usize; 10];
        for arrival in &operations {
            if let CounterOp::Add(amount) = arrival.op {
                amounts[usize::try_from(amount + 2).expect("no amount is below -2")] += 1;
            }
        }
        let adds: usize = amounts.iter().sum();
        // Five standard deviations of binomials over 40,000 and 28,000.
        assert!(adds.abs_diff(operations.len() * 7 / 10) < 5 * 92, "{adds} of {}", operations.len());
        assert!(amounts.iter().all(|count| count.abs_diff(adds / 10) < 5 * 51), "{amounts:?}");
        let mut replicas = [0_usize; 3];
        for arrival in &operations {
            replicas[arrival.replica.index()] += 1;
        }
        assert!(replicas.iter().all(|count| count.abs_diff(operations.len() / 3) < 5 * 95), "{replicas:?}");
    }

    #[test]
    fn bound_clients_stay_and_roaming_ones_are_unbound() {
        let mut config = config();
        assert_eq!(config.client_replica(), [None; 4]);
        config.binding = Binding::Replica;
        assert_eq!(config.client_replica(), [0, 1, 2, 0].map(|replica| Some(NodeId(replica))));
        for (client, arrivals) in (0..).zip(all(&config)) {
            assert!(!arrivals.is_empty());
            assert!(arrivals.iter().all(|arrival| arrival.replica == NodeId(client % 3)));
        }
    }

    #[test]
    fn amounts_reach_both_ends_and_no_further() {
        let check = |amount: AmountDistribution, least, greatest| {
            assert_eq!((amount.sample(0), amount.sample(u64::MAX)), (least, greatest), "{amount:?}");
        };
        check(AmountDistribution::Constant(0), 0, 0);
        check(AmountDistribution::Uniform { min: 5, max: 5 }, 5, 5);
        check(AmountDistribution::Uniform { min: -1, max: 1 }, -1, 1);
        check(AmountDistribution::Uniform { min: i64::MIN, max: i64::MAX }, i64::MIN, i64::MAX);
        check(AmountDistribution::Choice(vec![9, 1, 4]), 9, 4);
    }
}
