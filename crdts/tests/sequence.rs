//! Sequences against their slow references, and the places where others went wrong.

use crdts::{
    Crdt, DecodeError, Encode, JoinError, Lattice, ReplicaId, UpdateError,
    causality::{CausalContext, Dot},
    laws::{
        Violation,
        histories::{self, check_history, check_small_histories},
        states::{check_decomposition, check_delta_since, check_encoding, check_joins, check_observation},
    },
    objects::sequence::SequenceOp::{self, DeleteAt, InsertAt, Read},
    sequence::{
        ApplyError, Bias, Delete, EditError, Fugue, FugueMax, FugueMaxOrder, FugueOrder, Insert, Op, Ordering, Rga,
        RgaOrder, Text,
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

// ---- laws ----

fn insert_at(position: usize, text: &str) -> SequenceOp {
    InsertAt { position, text: text.to_owned() }
}

fn check_small<O: Ordering>() -> Result<(), Violation> {
    let ops = [insert_at(0, "ab"), DeleteAt { position: 1, len: 1 }];
    let explored = check_small_histories::<Text<O>>(&ops, 3, 3)?;
    assert_eq!(explored.histories, 12 + 12 * 12 + 12 * 12 * 12);
    assert!(explored.states > 20, "{explored:?}");
    Ok(())
}

#[test]
fn small_histories_obey_the_laws() {
    for judged in [check_small::<RgaOrder>(), check_small::<FugueOrder>(), check_small::<FugueMaxOrder>()] {
        if let Err(violation) = judged {
            panic!("{violation}");
        }
    }
}

fn law_steps() -> impl Strategy<Value = Vec<histories::Step<SequenceOp>>> {
    use histories::Step;
    let replica = || 0..4_usize;
    let op = prop_oneof![
        6 => (0..9_usize, "[a-cé]{0,3}").prop_map(|(position, text)| InsertAt { position, text }),
        3 => (0..9_usize, 0..4_usize).prop_map(|(position, len)| DeleteAt { position, len }),
        1 => Just(Read),
    ];
    let step = prop_oneof![
        4 => (replica(), op).prop_map(|(at, op)| Step::Update { at, op }),
        2 => (replica(), replica()).prop_map(|(into, from)| Step::Merge { into, from }),
        2 => (replica(), 0..32_usize).prop_map(|(into, update)| Step::Deliver { into, update }),
        1 => (replica(), replica()).prop_map(|(into, from)| Step::Sync { into, from }),
    ];
    prop::collection::vec(step, 0..20)
}

fn check_states<O: Ordering>(steps: &[Step]) -> Result<(), Violation> {
    let states = Cluster::<O>::play(steps).replicas;
    check_joins(&states[0], &states[1], &states[2])?;
    check_joins(&states[3], &states[1], &states[0])?;
    for state in &states {
        check_decomposition(state)?;
        check_delta_since(state, &states[1])?;
        check_observation(state, &states[0])?;
        check_encoding(state)?;
        for part in state.decompose() {
            check_encoding(&part)?;
        }
        let json = serde_json::to_string(state).expect("a text is representable in JSON");
        assert_eq!(serde_json::from_str::<Text<O>>(&json).ok().as_ref(), Some(state));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn random_histories_obey_the_laws(steps in law_steps()) {
        let judged = check_history::<Fugue>(4, &steps)
            .and_then(|()| check_history::<FugueMax>(4, &steps))
            .and_then(|()| check_history::<Rga>(4, &steps));
        prop_assert!(judged.is_ok(), "{}", judged.map_err(|violation| violation.to_string()).unwrap_err());
    }

    #[test]
    fn states_with_waiting_operations_obey_the_laws(steps in steps(24)) {
        let judged = check_states::<FugueOrder>(&steps)
            .and_then(|()| check_states::<FugueMaxOrder>(&steps))
            .and_then(|()| check_states::<RgaOrder>(&steps));
        prop_assert!(judged.is_ok(), "{}", judged.map_err(|violation| violation.to_string()).unwrap_err());
    }
}

// ---- refusals ----

fn dot(replica: usize, counter: u64) -> Dot {
    Dot::new(R[replica], counter)
}

fn insertion(id: Dot, lamport: u64, left: Option<Dot>, right: Option<Dot>, text: &'static str) -> Op<'static> {
    Insert { id, lamport, left, right, text: text.into() }.into()
}

#[test]
fn operations_that_cannot_be_applied_name_what_is_missing() {
    let mut text = Fugue::new();
    text.insert(R[0], 0, "abc").expect("at the beginning");
    text.delete(R[0], 0, 1).expect("one character");
    let before = text.clone();
    let delete = |id, target, len| Op::from(Delete { id, target, len });
    let missing = |first, count| ApplyError::Missing { first, count };
    let malformed = |dot| ApplyError::Malformed { dot };
    let cases = [
        (insertion(dot(0, 7), 9, None, None, "x"), missing(dot(0, 5), 2)),
        (insertion(dot(1, 3), 9, None, None, "x"), missing(dot(1, 1), 2)),
        (insertion(dot(1, 1), 9, Some(dot(2, 4)), None, "x"), missing(dot(2, 4), 1)),
        (insertion(dot(1, 1), 9, Some(dot(0, 9)), None, "x"), missing(dot(0, 9), 1)),
        (insertion(dot(1, 1), 9, None, Some(dot(0, 9)), "x"), missing(dot(0, 9), 1)),
        (insertion(dot(1, 1), 9, Some(dot(0, 4)), None, "x"), ApplyError::NotACharacter { dot: dot(0, 4) }),
        (insertion(dot(1, 1), 2, Some(dot(0, 2)), None, "x"), ApplyError::LamportTime { origin: dot(0, 2) }),
        (insertion(dot(1, 1), 1, None, Some(dot(0, 2)), "x"), ApplyError::LamportTime { origin: dot(0, 2) }),
        (insertion(dot(0, 2), 2, None, None, "bc"), ApplyError::Conflict { dot: dot(0, 2) }),
        (insertion(dot(0, 1), 1, None, None, "abX"), ApplyError::Conflict { dot: dot(0, 3) }),
        (insertion(dot(0, 1), 2, None, None, "abc"), ApplyError::Conflict { dot: dot(0, 1) }),
        (insertion(dot(0, 4), 4, None, None, "x"), ApplyError::Conflict { dot: dot(0, 4) }),
        (delete(dot(0, 4), dot(0, 2), 1), ApplyError::Conflict { dot: dot(0, 4) }),
        (delete(dot(0, 2), dot(0, 1), 1), ApplyError::Conflict { dot: dot(0, 2) }),
        (delete(dot(1, 1), dot(0, 2), 7), missing(dot(0, 5), 4)),
        (delete(dot(1, 1), dot(0, 2), 3), ApplyError::NotACharacter { dot: dot(0, 4) }),
        (delete(dot(1, 1), dot(3, 1), u64::MAX - 1), missing(dot(3, 1), u64::MAX - 1)),
        (delete(dot(1, 1), dot(0, 2), u64::MAX), malformed(dot(1, 1))),
        (delete(dot(1, 1), dot(0, 2), 0), malformed(dot(1, 1))),
        (delete(dot(1, 1), dot(0, 0), 1), malformed(dot(1, 1))),
        (delete(dot(1, 0), dot(0, 2), 1), malformed(dot(1, 0))),
        (insertion(dot(1, 0), 9, None, None, "x"), malformed(dot(1, 0))),
        (insertion(dot(1, 1), 9, None, None, ""), malformed(dot(1, 1))),
        (insertion(dot(1, 1), 0, None, None, "x"), malformed(dot(1, 1))),
        (insertion(dot(1, 1), u64::MAX, None, None, "x"), malformed(dot(1, 1))),
        (insertion(dot(1, u64::MAX), 9, None, None, "x"), malformed(dot(1, u64::MAX))),
        (insertion(dot(1, 1), 9, Some(dot(0, 0)), None, "x"), malformed(dot(1, 1))),
    ];
    for (op, error) in cases {
        assert_eq!(text.try_apply(&op), Err(error), "{op:?}");
        assert_eq!(text, before, "{op:?}");
    }
    // What is known already is no error, however it is grouped.
    assert_eq!(text.try_apply(&insertion(dot(0, 2), 2, Some(dot(0, 1)), None, "b")), Ok(false));
    assert_eq!(text.try_apply(&delete(dot(0, 4), dot(0, 1), 1)), Ok(false));
    assert_eq!(text, before);
}

#[test]
fn edits_out_of_range_change_nothing() {
    let mut text = Rga::new();
    text.insert(R[0], 0, "né").expect("at the beginning");
    let before = text.clone();
    let outside = |position, len| EditError::OutOfRange { position, len, text_len: 2 };
    assert_eq!(text.insert(R[0], 3, "x").err(), Some(outside(3, 0)));
    assert_eq!(text.insert(R[0], usize::MAX, "x").err(), Some(outside(usize::MAX, 0)));
    assert_eq!(text.insert(R[0], 1, "").err(), Some(EditError::Empty));
    assert_eq!(text.delete(R[0], 1, 2).err(), Some(outside(1, 2)));
    assert_eq!(text.delete(R[0], 2, usize::MAX).err(), Some(outside(2, usize::MAX)));
    assert_eq!(text.slice(1..3).err(), Some(outside(1, 2)));
    assert_eq!(text.anchor(3, Bias::Left).err(), Some(outside(3, 0)));
    assert_eq!(text.delete(R[0], 2, 0).map(|deletions| deletions.len()), Ok(0));
    assert_eq!((text.slice(1..2), text.slice(2..2)), (Ok("é".to_owned()), Ok(String::new())));
    assert_eq!(text, before);
}

#[test]
fn the_last_lamport_time_fits_and_the_next_is_refused() {
    let mut text = Fugue::new();
    assert_eq!(text.try_apply(&insertion(dot(0, 1), u64::MAX - 3, None, None, "a")), Ok(true));
    assert!(text.insert(R[1], 0, "b").is_ok());
    let before = text.clone();
    assert_eq!(text.insert(R[1], 0, "cd").err(), Some(EditError::Overflow));
    assert!(matches!(text.update(R[1], &insert_at(0, "cd")), Err(UpdateError::Overflow)));
    assert_eq!(text, before);
    assert_eq!(text.delete(R[1], 0, 2).map(|deletions| deletions.len()), Ok(2));
}

#[test]
fn one_dot_with_two_contents_is_refused() {
    let [mut ours, mut clone] = [Fugue::new(), Fugue::new()];
    ours.insert(R[0], 0, "ab").expect("at the beginning");
    clone.insert(R[0], 0, "aX").expect("at the beginning");
    let before = ours.clone();
    assert_eq!(ours.try_join(&clone), Err(JoinError::Contradiction { dot: dot(0, 2) }));
    assert_eq!(ours, before);
    assert!(!ours.join(&clone));
    assert_eq!(ours, before);

    // The same while both wait.
    let [mut early, mut other] = [Fugue::new(), Fugue::new()];
    assert_eq!(early.receive(&insertion(dot(0, 5), 9, None, None, "ab")), Ok(true));
    assert_eq!(other.receive(&insertion(dot(0, 6), 10, Some(dot(0, 5)), None, "X")), Ok(true));
    assert_eq!(early.try_join(&other), Err(JoinError::Contradiction { dot: dot(0, 6) }));
    let conflict = early.receive(&insertion(dot(0, 6), 10, Some(dot(0, 5)), None, "X"));
    assert_eq!(conflict, Err(ApplyError::Conflict { dot: dot(0, 6) }));
}

#[test]
fn a_replica_that_is_behind_itself_does_not_write() {
    let mut restored = Fugue::new();
    assert_eq!(restored.receive(&insertion(dot(0, 2), 2, Some(dot(0, 1)), None, "b")), Ok(true));
    assert_eq!(restored.insert(R[0], 0, "x").err(), Some(EditError::Behind));
    assert!(matches!(restored.update(R[0], &insert_at(0, "x")), Err(UpdateError::Unsupported { .. })));
    assert_eq!(restored.receive(&insertion(dot(0, 1), 1, None, None, "a")), Ok(true));
    assert_eq!(restored.text(), "ab");
    assert!(restored.insert(R[0], 2, "c").is_ok());
}

// ---- encodings ----

fn crc32(bytes: &[u8]) -> u32 {
    let step = |sum: u32, _| if sum & 1 == 1 { (sum >> 1) ^ 0xedb8_8320 } else { sum >> 1 };
    !bytes.iter().fold(!0, |sum, &byte| (0..8).fold(sum ^ u32::from(byte), step))
}

fn sealed(mut content: Vec<u8>) -> Vec<u8> {
    let sum = crc32(&content);
    content.extend(sum.to_le_bytes());
    content
}

#[test]
fn encodings_are_pinned() {
    let mut text = Fugue::new();
    let check = |text: &Fugue, content: &[u8]| {
        let mut bytes = Vec::new();
        text.encode(&mut bytes);
        assert_eq!(bytes, sealed(content.to_vec()));
        assert_eq!(Fugue::decode(&bytes).as_ref(), Ok(text));
    };
    check(&text, &[1, 0, 0]);
    let insert = text.insert(R[0], 0, "ab").expect("at the beginning");
    let mut delta = Fugue::new();
    assert_eq!(delta.receive(&insertion(dot(1, 3), 5, Some(dot(0, 2)), None, "c")), Ok(true));
    //              version, no replica, one waiting: r2, third dot, one character, time, r1:2, end, text
    check(&delta, &[1, 0, 1, 2, 2, 2, 5, 3, 2, 0, b'c']);
    assert_eq!(insert.dots(), 2);
    text.delete(R[0], 1, 1).expect("the second character");
    //             version, r1, turns: one, two runs; heads: 2 characters, 1 deletion; places: 0, one to the left
    check(&text, &[1, 1, 1, 2, 0, 2, 2, 4, 7, 2, 1, 2, 0, 0, 0, b'a', b'b']);
    let weight = text.weight();
    assert_eq!((weight.payload_bytes, weight.tombstone_bytes, weight.metadata_bytes), (1, 3, 17));
}

#[test]
fn damaged_encodings_are_refused() {
    let mut text = FugueMax::new();
    text.insert(R[0], 0, "naïve text").expect("at the beginning");
    text.delete(R[0], 2, 3).expect("within the text");
    text.insert(R[1], 2, "yyy").expect("within the text");
    let mut bytes = Vec::new();
    text.encode(&mut bytes);
    for end in 0..bytes.len() {
        assert!(FugueMax::decode(&bytes[..end]).is_err(), "{end}");
    }
    for at in 1..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[at] ^= 4;
        assert_eq!(FugueMax::decode(&damaged), Err(DecodeError::Checksum), "{at}");
    }
    bytes[0] = 9;
    assert_eq!(FugueMax::decode(&bytes), Err(DecodeError::UnknownVersion { found: 9 }));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Hostile bytes behind a right checksum: a state whose encoding they are, or a typed error.
    #[test]
    fn any_bytes_decode_to_what_encodes_to_them(
        steps in steps(12),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop_oneof![0..9_u8, any::<u8>()], 0..3_u8), 0..4),
    ) {
        let mut content = Vec::new();
        Cluster::<FugueOrder>::play(&steps).replicas[1].encode(&mut content);
        content.truncate(content.len() - 4);
        for (at, byte, kind) in changes {
            let at = at.index(content.len());
            match kind {
                0 => content[at] = byte,
                1 => content.insert(at, byte),
                _ => { content.remove(at); }
            }
            if content.is_empty() {
                break;
            }
        }
        let bytes = sealed(content);
        if let Ok(state) = Fugue::decode(&bytes) {
            let mut again = Vec::new();
            state.encode(&mut again);
            prop_assert_eq!(again, bytes);
            drop(state.text());
        }
    }

    #[test]
    fn anchors_stay_between_the_characters_that_remain(steps in steps(30), more in steps(30), place in 0..1000_usize) {
        let mut cluster = Cluster::<FugueMaxOrder>::play(&steps);
        let text = &cluster.replicas[0];
        let position = place % (text.len() + 1);
        let (left, right) = (text.anchor(position, Bias::Left).unwrap(), text.anchor(position, Bias::Right).unwrap());
        prop_assert_eq!((text.position(left), text.position(right)), (Ok(position), Ok(position)));
        for step in &more {
            cluster.perform(step);
            let text = &cluster.replicas[0];
            let (from, to) = (text.position(left).unwrap(), text.position(right).unwrap());
            prop_assert!(from <= to && to <= text.len());
            if let (Some(one), Some(two)) = (left.character, right.character) {
                prop_assert!(one != two);
            }
        }
        cluster.settle();
        let all: Vec<_> = cluster.replicas.iter().map(|text| (text.position(left), text.position(right))).collect();
        prop_assert!(all.iter().all(|one| one == &all[0]));
    }
}

#[test]
fn what_a_delta_misses_is_sent_and_nothing_else() {
    let (mut ours, mut theirs) = (Fugue::new(), Fugue::new());
    ours.insert(R[0], 0, "one two").expect("at the beginning");
    theirs.join(&ours);
    ours.delete(R[0], 3, 4).expect("within the text");
    let ops = ours.ops_since(&theirs.context());
    assert_eq!(ops, [Op::from(Delete { id: dot(0, 8), target: dot(0, 4), len: 4 })]);
    assert_eq!(ours.ops_since(&CausalContext::default()).len(), 2);
    theirs.join(&ours.delta_since(&theirs.digest()));
    assert_eq!(theirs, ours);
    assert!(ours.delta_since(&theirs.digest()).is_bottom());
}
