//! Histories by hand, good and bad, each with its story.

use crate::checkers::{
    Consistency::{
        self, Causal, Linearizable, MonotonicReads, MonotonicWrites, Pram, ReadYourWrites, Sequential,
        WritesFollowReads,
    },
    Verdict,
    linearizability::{
        Call, Limits,
        models::{KeyValue, RegisterOp, RegisterRet},
    },
    sequential,
    sessions::{
        Access, What, accesses_of_register, check,
        tests::{agreement::MODELS, histories::calls},
    },
};

/// One process a line: `wx1`, `rx1`, `rx-` (the beginning), `sx12` (1 for 2), `wx1?` (of unknown fate). Keys are x, y, z.
pub(super) fn accesses(text: &str) -> Vec<Access<u8, u64>> {
    let mut accesses = Vec::new();
    for (process, line) in text.split(" | ").enumerate() {
        for (at, what) in line.split(' ').enumerate() {
            let letters = what.as_bytes();
            let digit = |at: usize| (letters[at] as char).to_digit(10).map(u64::from);
            let written = |at: usize| digit(at).expect("a digit");
            let access = match letters[0] {
                b'w' => What::Write(written(2)),
                b'r' => What::Read(digit(2)),
                _ => What::Swap { from: digit(2), to: written(3) },
            };
            let (call, invoked) = (accesses.len(), 10 * at as u64);
            let returned = (!what.ends_with('?')).then_some(invoked + 5);
            let key = letters[1].wrapping_sub(b'x');
            accesses.push(Access { call, process: process as u64, key, what: access, invoked, returned });
        }
    }
    accesses
}

#[test]
fn known_histories() {
    // What each history breaks. What is implied by nothing that is broken must hold.
    let cases: &[(&str, &[Consistency], &str)] = &[
        ("wx1 wx2 | rx1 rx2", &[], "one after the other"),
        ("wx1 rx-", &[ReadYourWrites, Pram, Causal], "its own write is not there"),
        ("wx1 | rx1 wx2 rx1", &[ReadYourWrites, Pram, Causal], "its own write is gone again"),
        ("wx1 | wx2 rx1", &[], "its own write was overwritten"),
        ("wx1 | wx2 | rx1 rx2 rx1", &[MonotonicReads, Pram, Causal], "a value came back"),
        ("wx1 wx2 | rx2 rx1", &[MonotonicReads, MonotonicWrites, Pram, Causal], "backwards"),
        ("wx1 | rx1 rx-", &[MonotonicReads, MonotonicWrites, WritesFollowReads, Pram, Causal], "seen, and then not"),
        ("wx1 wy1 | ry1 rx-", &[MonotonicWrites, Pram, Causal], "message passing: the flag without the message"),
        ("wx1 wy1 | rx- ry1 rx1", &[], "message passing as it should be"),
        ("wx1 | rx1 wy1 | ry1 rx-", &[WritesFollowReads, Causal], "PRAM but not causal: an effect without its cause"),
        ("wx1 | rx1 wx2 | rx2 rx1", &[WritesFollowReads, Causal], "an answer, and then the question"),
        ("wx1 ry- | wy1 rx-", &[], "store buffering (Dekker): causal, but not sequential"),
        ("wx1 | wy1 | rx1 ry- | ry1 rx-", &[], "independent reads of independent writes: causal, but not sequential"),
        ("wx1 | wx2 | rx1 rx2 | rx2 rx1", &[], "two orders of one key: causal, but not sequential"),
        ("rx1 wy1 | ry1 wx1", &[WritesFollowReads, Causal], "load buffering: out of thin air, in a circle"),
        ("wx1 | wx2 rx1 | rx1 rx2 | rx2 rx1", &[], "causal memory, by Ahamad et al., with concurrent writes"),
        ("wx1 wz1 | wx2 rx1 rz1 rx2", &[Pram, Causal], "a value of its own came back"),
        ("wx1 | sx12 | sx13", &[], "two swaps of one value: nobody sees that but a linear order"),
        ("wx1? rx- rx1 | rx1", &[], "a write of unknown fate took effect late"),
        ("wy2 wx1? | rx1 ry-", &[MonotonicWrites, Pram, Causal], "but not before what its process had done"),
    ];
    for (text, broken, story) in cases {
        let history = accesses(text);
        for model in MODELS {
            let ruling = check(model, &history);
            let is_broken = matches!(ruling.verdict, Verdict::Fail { .. });
            assert_eq!(is_broken, broken.contains(&model), "{story}: {}: {ruling:?}", model.name());
        }
    }
}

#[test]
fn causal_but_not_sequential() {
    for text in ["wx1 ry- | wy1 rx-", "wx1 | wy1 | rx1 ry- | ry1 rx-", "wx1 | wx2 | rx1 rx2 | rx2 rx1"] {
        let history = accesses(text);
        assert_eq!(check(Causal, &history).verdict, Verdict::Pass);
        let whole = sequential::check(&KeyValue::new(), &calls(&history), &Limits::default());
        assert!(matches!(whole.verdict, Verdict::Fail { .. }));
    }
}

#[test]
fn a_flaw_is_told_step_by_step() {
    let ruling = check(Causal, &accesses("wx1 wz5 | rx1 wy1 | ry1 rz- rx-"));
    assert_eq!(ruling.calls, [0, 2, 4, 3, 6]);
    assert_eq!(
        ruling.verdict.detail().unwrap_or_default(),
        "process 2 has no order of all writes and its reads: each of these comes before the next, and the last finds the \
         beginning:\
         \n  process 0 writes 1 at 0 -- before process 1 reads 1 at 0, which finds it\
         \n  process 1 reads 1 at 0 -- before process 1 writes 1 at 1, in the order of the process\
         \n  process 1 writes 1 at 1 -- before process 2 reads 1 at 1, which finds it\
         \n  process 2 reads 1 at 1 -- before process 2 reads nothing at 0, in the order of the process"
    );
    let ruling = check(ReadYourWrites, &accesses("wx1 | rx1 wx2 rx1"));
    assert_eq!(ruling.calls, [0, 1, 2, 3]);
    assert_eq!(
        ruling.verdict.detail().unwrap_or_default(),
        "process 1 reads 1 at 0, after its own write: process 1 writes 2 at 0; see process 1 reads 1 at 0"
    );
}

#[test]
fn what_cannot_be_judged_is_said() {
    for (text, reason) in [
        ("wx1 | wx1 rx1", "values are not unique: calls 0 and 1 both write 1 to 0"),
        ("wx1? | sx01 rx1", "values are not unique: calls 0 and 1 both write 1 to 0"),
    ] {
        assert_eq!(check(Causal, &accesses(text)).verdict, Verdict::Unknown { reason: reason.into() });
    }
    let thin_air = check(MonotonicReads, &accesses("wx1 rx7"));
    let witness = "process 0 reads 7 at 0, which nobody wrote".to_owned();
    assert_eq!((thin_air.verdict, thin_air.calls), (Verdict::Fail { witness }, vec![1]));
    for model in MODELS {
        assert!(matches!(check(model, &accesses("wx1 wx2 | wx3")).verdict, Verdict::Vacuous { .. }));
    }
    for model in [Linearizable, Sequential] {
        assert!(matches!(check(model, &accesses("wx1 rx1")).verdict, Verdict::Unknown { .. }));
    }
    let mut overlapping = accesses("wx1 rx1");
    overlapping[1].invoked = 3;
    assert!(matches!(check(Pram, &overlapping).verdict, Verdict::Unknown { .. }));
}

#[test]
fn registers_tell_accesses() {
    let swap = RegisterOp::CompareAndSet { from: 0, to: 1 };
    let calls = [
        Call::returned(0, swap.clone(), RegisterRet::Swapped(true), 0, 1),
        Call::returned(1, swap.clone(), RegisterRet::Swapped(false), 0, 1),
        Call::returned(1, RegisterOp::Read, RegisterRet::Value(Some(0)), 2, 3),
        Call::indeterminate(1, RegisterOp::CompareAndSet { from: 1, to: 2 }, 4),
    ];
    let told: Vec<_> =
        accesses_of_register(Some(&0), &calls).expect("they fit").into_iter().map(|access| access.what).collect();
    assert_eq!(told, [What::Swap { from: None, to: 1 }, What::Read(None), What::Write(2)]);
    for (op, ret) in [(RegisterOp::Write(0), RegisterRet::Done), (RegisterOp::Read, RegisterRet::Done)] {
        assert!(accesses_of_register(Some(&0), &[Call::returned(0, op, ret, 0, 1)]).is_err());
    }
}
