//! Histories by hand, good and bad, each with its story.

use std::fmt::Write;

use super::specimens::Cas;
use super::{agreement::searched, histories::Random};
use crate::checkers::{
    Ruling,
    linearizability::{
        Call, Judgement, Limits, check,
        models::{KeyValue, KeyValueOp, KeyValueRet, Register, RegisterOp, RegisterRet},
        search::{Found, Sound},
    },
};

type Registers = Vec<Call<RegisterOp<u8>, RegisterRet<u8>>>;

/// `process from to what`, with `?` for an unknown fate; what is `w1`, `r1`, `c12` (and `c12!` if it failed).
fn register(text: &str) -> Registers {
    let digit = |what: &str, at: usize| what.as_bytes()[at] - b'0';
    text.split(", ")
        .map(|line| {
            let words: Vec<&str> = line.split(' ').collect();
            let number = |word: &str| word.parse::<u64>().expect("a number");
            let what = words[3];
            let (op, ret) = match &what[..1] {
                "w" => (RegisterOp::Write(digit(what, 1)), RegisterRet::Done),
                "r" => (RegisterOp::Read, RegisterRet::Value(Some(digit(what, 1)))),
                _ => (
                    RegisterOp::CompareAndSet { from: digit(what, 1), to: digit(what, 2) },
                    RegisterRet::Swapped(!what.ends_with('!')),
                ),
            };
            match words[2] {
                "?" => Call::indeterminate(number(words[0]), op, number(words[1])),
                to => Call::returned(number(words[0]), op, ret, number(words[1]), number(to)),
            }
        })
        .collect()
}

#[test]
fn known_histories_of_registers() {
    for (text, expected, story) in [
        ("0 0 1 w1, 1 2 3 r1", true, "one after the other"),
        ("0 0 1 w1, 1 2 3 r0", false, "a stale read"),
        ("0 0 2 w1, 1 2 3 r0", true, "closed intervals: the read began when the write ended"),
        ("0 0 9 w1, 1 1 2 r1, 2 3 4 r0", false, "a value was seen, and then not"),
        ("0 0 9 w1, 0 0 9 w2, 1 1 2 r1, 2 3 4 r2, 1 5 6 r1", false, "a value came back"),
        ("0 0 ? w1, 1 5 6 r0, 1 7 8 r1", true, "a write of unknown fate took effect late"),
        ("0 0 ? w1, 1 5 6 r1, 1 7 8 r0", false, "and cannot be undone"),
        ("0 5 ? w1, 1 0 4 r1", false, "nothing takes effect before it is invoked"),
        ("0 0 ? w1, 1 1 2 w2, 1 3 4 r1, 1 5 6 w2, 1 7 8 r1", false, "once only"),
        ("0 0 ? w1, 2 0 ? w1, 1 1 2 w2, 1 3 4 r1, 1 5 6 w2, 1 7 8 r1", true, "twice if there are two"),
        ("0 0 1 c01, 1 2 3 c01!, 1 4 5 c12, 2 6 7 r2", true, "a chain of swaps"),
        ("0 0 5 c01, 1 0 5 c01", false, "two swaps cannot both find the same value"),
        ("0 0 5 c01, 1 0 5 c01!", true, "but one of them can"),
        ("0 0 1 c01!", false, "nothing was in its way"),
        ("0 0 ? c12, 1 0 ? c01, 2 1 2 r0, 2 3 4 r2", true, "two swaps of unknown fate in a row"),
        ("0 0 ? c12, 2 1 2 r0, 2 3 4 r2", false, "one alone does not get there"),
    ] {
        let calls = register(text);
        let judged = check(&Register { init: Some(0) }, &calls, &Limits::default());
        assert_eq!(judged.is_linearizable(), expected, "{story}: {text}: {judged:?}");
        assert_eq!(matches!(searched::<Cas, Sound>(&calls), Found::Order(_)), expected, "{story}: {text}");
    }
}

#[test]
fn a_witness_is_short_and_reads_well() {
    let mut text = "0 0 1 w1, 1 2 3 r1, 0 4 5 w2".to_owned();
    for at in 3..20 {
        let (from, to) = (2 * at, 2 * at + 1);
        write!(text, ", 1 {from} {to} r2, 0 {from} {to} w2").expect("a string takes everything");
    }
    text.push_str(", 1 50 51 r1, 1 60 61 r2");
    let Judgement::NotLinearizable(witness) = check(&Register { init: Some(0) }, &register(&text), &Limits::default())
    else {
        panic!("a value came back")
    };
    assert_eq!(
        witness.text,
        "3 calls have no order, whenever the 36 others took effect, if ever:\n  \
         process 1 from 2 to 3: read -> 1\n  \
         process 0 from 38 to 39: write 2\n  \
         process 1 from 50 to 51: read -> 1"
    );
}

#[test]
fn parts_are_judged_apart_and_named() {
    let write = |key, value| KeyValueOp::Write { key, value };
    let mut calls: Vec<_> =
        (0..10).map(|at| Call::returned(at, write(at % 5, at), KeyValueRet::Done, 10 * at, 10 * at + 5)).collect();
    calls.push(Call::returned(0, KeyValueOp::Read { key: 3 }, KeyValueRet::Value(3), 200, 201));
    let verdict = Ruling::from(check(&KeyValue::new(), &calls, &Limits::default())).verdict;
    let detail = verdict.detail().expect("a witness");
    assert!(detail.starts_with("3 calls on key 3 have no order:"), "{verdict}");
    calls.pop();
    let judged = check(&KeyValue::new(), &calls, &Limits::default());
    assert!(matches!(judged, Judgement::Linearizable { parts: 5, .. }), "{judged:?}");
}

#[test]
fn limits_make_it_unknown_and_bad_input_is_refused() {
    let calls = register("0 0 9 c01, 1 0 9 c12, 2 0 9 c20, 3 0 9 c01");
    let register = Register { init: Some(0) };
    for limits in [Limits { steps: 1, ..Limits::default() }, Limits { bytes: 1, ..Limits::default() }] {
        let judged = check(&register, &calls, &limits);
        assert!(matches!(judged, Judgement::Unknown { .. }), "{judged:?}");
    }
    assert!(check(&register, &calls, &Limits::default()).is_linearizable());
    let mut backward = calls;
    backward[1].invoked = 10;
    let judged = check(&register, &backward, &Limits::default());
    assert_eq!(judged, Judgement::Unknown { reason: "call 1 returns before it is invoked".into() });
    let nothing: Registers = Vec::new();
    assert_eq!(Ruling::from(check(&register, &nothing, &Limits::default())).verdict.name(), "vacuous");
}

#[test]
fn many_calls_of_unknown_fate_are_no_burden() {
    let mut random = Random(7);
    let mut calls = register("0 0 1 w1, 1 2 3 r1");
    for at in 0..2_000 {
        let (from, to) = (random.below(5) as u8, random.below(5) as u8);
        calls.push(Call::indeterminate(10 + at, RegisterOp::CompareAndSet { from, to }, at));
        calls.push(Call::indeterminate(10 + at, RegisterOp::Write(to), at));
        calls.push(Call::indeterminate(10 + at, RegisterOp::Read, at));
        calls.push(Call::returned(0, RegisterOp::Read, RegisterRet::Value(Some(to)), 10 + at, 20 + at));
    }
    let limits = Limits { steps: 20_000, ..Limits::default() };
    assert!(check(&Register { init: Some(0) }, &calls, &limits).is_linearizable());
    calls.push(Call::returned(1, RegisterOp::Read, RegisterRet::Value(Some(9)), 500, 600));
    assert!(matches!(check(&Register { init: Some(0) }, &calls, &limits), Judgement::NotLinearizable(_)));
}
