//! Histories by hand, good and bad, each with its story.

use crate::checkers::{
    Ruling, Verdict, linearizability,
    linearizability::{
        Call, Limits,
        models::{KeyValue, KeyValueOp, KeyValueRet},
    },
    sequential::{check, verify_order},
};

type Store = Vec<Call<KeyValueOp<char, u8>, KeyValueRet<u8>>>;

/// One process a line: `wx1`, `rx1`, `rx-` (nothing was there), `cx12` (compare 1, set 2), `cx12!` (it failed), `wx1?` and
/// `cx12?` (of unknown fate). The n-th call of each process is made at the same time.
fn store(text: &str) -> Store {
    let mut calls = Vec::new();
    for (process, line) in text.split(" | ").enumerate() {
        for (at, what) in line.split(' ').enumerate() {
            let letters: Vec<char> = what.chars().collect();
            let digit = |at: usize| letters[at].to_digit(10).expect("a digit") as u8;
            let key = letters[1];
            let (op, ret) = match letters[0] {
                'w' => (KeyValueOp::Write { key, value: digit(2) }, KeyValueRet::Done),
                'r' if letters[2] == '-' => (KeyValueOp::Read { key }, KeyValueRet::Missing),
                'r' => (KeyValueOp::Read { key }, KeyValueRet::Value(digit(2))),
                _ => (
                    KeyValueOp::CompareAndSet { key, from: digit(2), to: digit(3), create_if_not_exists: false },
                    if what.ends_with('!') { KeyValueRet::Mismatch } else { KeyValueRet::Done },
                ),
            };
            let invoked = 10 * at as u64;
            calls.push(if what.ends_with('?') {
                Call::indeterminate(process as u64, op, invoked)
            } else {
                Call::returned(process as u64, op, ret, invoked, invoked + 5)
            });
        }
    }
    calls
}

fn judged(text: &str) -> Ruling {
    check(&KeyValue::new(), &store(text), &Limits::default())
}

#[test]
fn known_histories() {
    for (text, expected, story) in [
        ("wx1 ry- | wy1 rx-", false, "store buffering: each overtakes its own write (Dekker)"),
        ("wx1 ry1 | wy1 rx-", true, "one of them came first"),
        ("wx1 wy1 | ry1 rx-", false, "message passing: the flag without the message"),
        ("wx1 wy1 | ry- rx1 | ry1 rx1", true, "the message without the flag"),
        ("wx1 | wy1 | rx1 ry- | ry1 rx-", false, "independent reads of independent writes in two orders"),
        ("wx1 | wy1 | rx1 ry- | ry1 rx1", true, "in one order"),
        ("rx1 wy1 | ry1 wx1", false, "load buffering: out of thin air, in a circle"),
        ("wx1 | wx2 | rx1 rx2 | rx2 rx1", false, "two orders of one key"),
        ("wx1 | wx2 | rx1 rx2 | rx1 rx2", true, "one order of one key"),
        ("wx1 wx2 | rx- rx1 rx2", true, "late, but in order"),
        ("wx1 wx2 | rx2 rx1", false, "backwards"),
        ("wx1 rx-", false, "its own write is not there"),
        ("wx1? rx- rx1 | rx1 rx1", true, "a write of unknown fate took effect late"),
        ("wx1? rx1 rx- | rx1 rx1", false, "and cannot be undone"),
        ("rx1 wx1?", false, "nothing is found before it is asked for"),
        ("wx1 cx12 | rx1 rx2 rx2", true, "a chain of swaps"),
        ("wx1 | cx12 | cx13", false, "two swaps of one value"),
        ("wx1 | cx12 rx3 | cx13! cx23", true, "one of them failed, and tried again"),
        ("wx1 | cx12? rx1 | rx2 rx2", true, "a swap of unknown fate that took place"),
        ("rx7", false, "nobody wrote this"),
        ("wx1 wx1 | rx1 wx2 rx1", true, "the same value twice"),
        ("wx1 | rx1 wx2 rx1", false, "the same value once"),
        // Each key for itself has an order.
        ("wx1 rx1 wy1 ry1 ry2 | wy2 ry2 ry1 wx2 rx2 rx1", false, "not local"),
    ] {
        let ruling = judged(text);
        assert_eq!(ruling.verdict == Verdict::Pass, expected, "{story}: {ruling:?}");
        assert_eq!(matches!(ruling.verdict, Verdict::Fail { .. }), !expected, "{story}: {ruling:?}");
    }
}

#[test]
fn sequential_but_not_linearizable() {
    let calls = store("wx1 wx2 wx3 | rx- rx1 rx1");
    assert!(!linearizability::check(&KeyValue::new(), &calls, &Limits::default()).is_linearizable());
    assert_eq!(check(&KeyValue::new(), &calls, &Limits::default()).verdict, Verdict::Pass);
}

#[test]
fn a_cycle_is_told_step_by_step() {
    let ruling = judged("wx1 wz5 ry- | wy1 rx- rz- wz7");
    assert_eq!(ruling.calls, [3, 1, 2, 5]);
    let text = ruling.verdict.detail().unwrap_or_default();
    assert!(text.contains("the last before the first:"), "{text}");
}

#[test]
fn what_is_no_history_is_unknown() {
    let write = |process, invoked, returned| {
        Call::returned(process, KeyValueOp::Write { key: 'x', value: 1 }, KeyValueRet::Done, invoked, returned)
    };
    for (calls, why) in [
        (vec![write(0, 0, 10), write(0, 5, 15)], "process 0 makes call 1 before its call 0 returns"),
        (vec![write(0, 5, 4)], "call 0 returns before it is invoked"),
    ] {
        let ruling = check(&KeyValue::new(), &calls, &Limits::default());
        assert_eq!(ruling.verdict, Verdict::Unknown { reason: why.into() });
        assert_eq!(verify_order(&KeyValue::new(), &calls, &[]), Err(why.into()));
    }
    // One thing at a time: back to back is in order, even for calls that take no time.
    let calls = [write(0, 0, 5), write(0, 5, 5), write(0, 5, 9)];
    assert_eq!(check(&KeyValue::new(), &calls, &Limits::default()).verdict, Verdict::Pass);
    assert!(matches!(check(&KeyValue::<char, u8>::new(), &[], &Limits::default()).verdict, Verdict::Vacuous { .. }));
}

#[test]
fn limits_are_kept() {
    let calls = store("wx1 cx12! rx1 cx13 | wx1 cx12 rx2 rx1 | wx2 rx1 cx11 wx3 | rx1 wx1 rx3 rx2");
    let none = Limits { steps: 0, ..Limits::default() };
    let small = Limits { bytes: 0, ..Limits::default() };
    let stopped = Limits { stop: Some(&|| true), ..Limits::default() };
    for limits in [&none, &small] {
        assert!(matches!(check(&KeyValue::new(), &calls, limits).verdict, Verdict::Unknown { .. }));
    }
    assert!(!matches!(check(&KeyValue::new(), &calls, &stopped).verdict, Verdict::Vacuous { .. }));
}

#[test]
fn an_order_is_checked() {
    let calls = store("wx1 rx1 | wx2? rx2 | rx2");
    for (order, expected) in [
        (&[0, 1, 2, 3, 4][..], Ok(())),
        (&[0, 1, 2, 4, 3], Ok(())),
        (&[1, 0, 2, 3, 4], Err("call 1 stands before one that its process 0 made earlier")),
        (&[0, 2, 1, 3, 4], Err("call 1, Read { key: 'x' } -> Value(1), is not right after those before it")),
        (&[0, 1, 2, 3], Err("call 4 returned, and is not in the order")),
        (&[0, 0, 1, 2, 3, 4], Err("call 0 stands twice")),
        (&[0, 1, 2, 3, 4, 5], Err("there is no call 5")),
    ] {
        assert_eq!(verify_order(&KeyValue::new(), &calls, order), expected.map_err(str::to_owned), "{order:?}");
    }
}
