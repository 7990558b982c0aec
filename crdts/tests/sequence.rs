//! Sequences against their slow references, and the places where others went wrong.

use crdts::{
    Lattice, ReplicaId,
    causality::{CausalContext, Dot},
    sequence::{
        ApplyError, Delete, Fugue, FugueMax, FugueMaxOrder, FugueOrder, Insert, Op, Ordering, Rga, RgaOrder, Text,
        reference::{self, Algorithm},
    },
};
use proptest::prelude::*;

const R: [ReplicaId; 4] = [ReplicaId(1), ReplicaId(2), ReplicaId(7), ReplicaId(3)];

#[derive(Clone, Debug)]
enum Step {
    Insert {
        at: usize,
        place: usize,
        text: String,
    },
    Delete {
        at: usize,
        place: usize,
        len: usize,
    },
    /// One operation reaches one replica: late, early, twice or never.
    Deliver {
        into: usize,
        op: usize,
    },
    /// One replica hears all that another knows, as a state or operation by operation.
    Merge {
        into: usize,
        from: usize,
    },
    Sync {
        into: usize,
        from: usize,
    },
}

fn steps(max: usize) -> impl Strategy<Value = Vec<Step>> {
    let replica = || 0..R.len();
    let step = prop_oneof![
        5 => (replica(), 0..1000_usize, "[a-d]{1,4}|[é日𝄞x]{1,3}")
            .prop_map(|(at, place, text)| Step::Insert { at, place, text }),
        3 => (replica(), 0..1000_usize, 1..6_usize).prop_map(|(at, place, len)| Step::Delete { at, place, len }),
        4 => (replica(), 0..1000_usize).prop_map(|(into, op)| Step::Deliver { into, op }),
        1 => (replica(), replica()).prop_map(|(into, from)| Step::Merge { into, from }),
        1 => (replica(), replica()).prop_map(|(into, from)| Step::Sync { into, from }),
    ];
    prop::collection::vec(step, 0..max)
}

/// Replicas with, beside each, the operations that it has heard of.
struct Cluster<O: Ordering> {
    replicas: Vec<Text<O>>,
    heard: Vec<Vec<usize>>,
    ops: Vec<Op<'static>>,
}

impl<O: Ordering> Cluster<O> {
    fn play(steps: &[Step]) -> Self {
        let mut cluster =
            Self { replicas: vec![Text::new(); R.len()], heard: vec![Vec::new(); R.len()], ops: Vec::new() };
        for step in steps {
            cluster.perform(step);
        }
        cluster
    }

    fn note(&mut self, at: usize, op: Op<'static>) {
        self.heard[at].push(self.ops.len());
        self.ops.push(op);
    }

    fn perform(&mut self, step: &Step) {
        match *step {
            Step::Insert { at, place, ref text } => {
                let len = self.replicas[at].len();
                let op = self.replicas[at].insert(R[at], place % (len + 1), text).expect("within the text");
                self.note(at, op.into_owned());
            }
            Step::Delete { at, place, len } => {
                let have = self.replicas[at].len();
                let position = place % (have + 1);
                let deletions =
                    self.replicas[at].delete(R[at], position, len.min(have - position)).expect("within the text");
                for delete in deletions {
                    self.note(at, delete.into());
                }
            }
            Step::Deliver { into, op } => {
                if !self.ops.is_empty() {
                    let op = op % self.ops.len();
                    let new = !self.heard[into].contains(&op);
                    assert_eq!(self.replicas[into].receive(&self.ops[op]), Ok(new));
                    self.heard[into].push(op);
                }
            }
            Step::Merge { into, from } => {
                let other = self.replicas[from].clone();
                let grew = self.heard[from].iter().any(|op| !self.heard[into].contains(op));
                assert_eq!(self.replicas[into].join(&other), grew);
                let heard = self.heard[from].clone();
                self.heard[into].extend(heard);
            }
            Step::Sync { into, from } => {
                for op in self.replicas[from].ops_since(&self.replicas[into].context()) {
                    assert_eq!(self.replicas[into].receive(&op), Ok(true));
                }
                let heard = self.heard[from].clone();
                self.heard[into].extend(heard);
            }
        }
    }

    /// What the definition makes of what a replica has heard.
    fn expected(&self, algorithm: Algorithm, at: usize) -> String {
        reference::text(algorithm, self.heard[at].iter().map(|&op| &self.ops[op]))
    }

    /// Everything reaches everyone, to each in another order.
    fn settle(&mut self) {
        let all = self.ops.len();
        for at in 0..R.len() {
            for nth in 0..all {
                let op = match at {
                    0 => nth,
                    1 => all - 1 - nth,
                    // 7919 is prime, so this visits every operation unless it divides their number.
                    _ if !all.is_multiple_of(7919) => (nth * 7919 + at) % all,
                    _ => nth,
                };
                self.perform(&Step::Deliver { into: at, op });
            }
        }
    }
}

fn check_against_reference<O: Ordering>(algorithm: Algorithm, steps: &[Step]) {
    let mut cluster = Cluster::<O>::play(steps);
    for at in 0..R.len() {
        assert_eq!(cluster.replicas[at].text(), cluster.expected(algorithm, at), "replica {at}");
        for other in 0..R.len() {
            let equal = cluster.replicas[at] == cluster.replicas[other];
            assert_eq!(equal, cluster.replicas[at].context() == cluster.replicas[other].context());
        }
    }
    cluster.settle();
    let expected = cluster.expected(algorithm, 0);
    for replica in &cluster.replicas {
        assert_eq!(replica.text(), expected);
        assert_eq!(replica, &cluster.replicas[0]);
        assert!(replica.le(&cluster.replicas[0]));
    }
}

/// Operations that nobody honest sends: any origins, any Lamport times, any targets, in a small world of dots.
fn forged() -> impl Strategy<Value = Vec<Op<'static>>> {
    let dot = || (0..3_usize, 1..8_u64).prop_map(|(at, counter)| Dot::new(R[at], counter));
    let op = prop_oneof![
        4 => (1..9_u64, prop::option::of(dot()), prop::option::of(dot()), "[a-z]{1,2}"),
    ]
    .prop_map(|(lamport, left, right, text)| (lamport, left, right, text));
    let delete = (dot(), 1..4_u64);
    let ops = prop::collection::vec((0..3_usize, prop_oneof![5 => op.prop_map(Ok), 1 => delete.prop_map(Err)]), 1..14);
    ops.prop_map(|ops| {
        let mut next = [1_u64; 3];
        let made = ops.into_iter().map(|(at, what)| {
            let id = Dot::new(R[at], next[at]);
            let op: Op<'static> = match what {
                Ok((lamport, left, right, text)) => Insert { id, lamport, left, right, text: text.into() }.into(),
                Err((target, len)) => Delete { id, target, len }.into(),
            };
            next[at] += op.dots();
            op
        });
        made.collect()
    })
}

fn check_forged<O: Ordering>(algorithm: Algorithm, ops: &[Op<'static>], order: &[usize]) {
    let expected = reference::text(algorithm, ops);
    let (mut one, mut two) = (Text::<O>::new(), Text::<O>::new());
    for op in ops {
        assert_eq!(one.receive(op), Ok(true));
    }
    for &at in order {
        assert!(two.receive(&ops[at % ops.len()]).is_ok());
    }
    for op in ops.iter().rev() {
        assert!(two.receive(op).is_ok());
    }
    assert_eq!((one.text(), two.text()), (expected.clone(), expected));
    assert_eq!(one, two);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn rga_is_the_reference(steps in steps(40)) {
        check_against_reference::<RgaOrder>(Algorithm::Rga, &steps);
    }

    #[test]
    fn fugue_is_the_reference(steps in steps(40)) {
        check_against_reference::<FugueOrder>(Algorithm::Fugue, &steps);
    }

    #[test]
    fn fugue_max_is_the_reference(steps in steps(40)) {
        check_against_reference::<FugueMaxOrder>(Algorithm::FugueMax, &steps);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn what_nobody_honest_sends_makes_the_same_text_everywhere(
        ops in forged(),
        order in prop::collection::vec(0..20_usize, 0..20),
    ) {
        check_forged::<RgaOrder>(Algorithm::Rga, &ops, &order);
        check_forged::<FugueOrder>(Algorithm::Fugue, &ops, &order);
        check_forged::<FugueMaxOrder>(Algorithm::FugueMax, &ops, &order);
    }
}
