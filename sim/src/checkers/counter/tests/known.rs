//! Histories by hand and by the thousand, good and bad, each with its story.

use crdts::objects::counter::{
    Counter,
    CounterOp::{self, Add, Read},
    CounterRet::{self, Added, Total},
};

use crate::{
    checkers::{
        counter::{Fate, Ledger, bounded, check_monotonic, check_reads},
        linearizability::Call,
    },
    history::{History, Outcome},
};

type Calls = Vec<Call<CounterOp, CounterRet>>;

fn ledger(calls: &[Call<CounterOp, CounterRet>]) -> Ledger {
    Ledger::from(calls)
}

fn read(process: u64, total: i128, invoked: u64, returned: u64) -> Call<CounterOp, CounterRet> {
    Call::returned(process, Read, Total(total), invoked, returned)
}

#[test]
fn histories_and_calls_give_the_same_ledger() {
    let mut history = History::<Counter>::new(2);
    let add = history.invoke(0, 0, Add(3), 10);
    let read = history.invoke(1, 1, Read, 20);
    let lost = history.invoke(0, 0, Add(4), 25);
    history.complete(add, 30, Outcome::Ok(Added));
    history.complete(read, 40, Outcome::Ok(Total(3)));
    history.complete(lost, 50, Outcome::Info("timeout"));
    let (of_history, mut of_calls) =
        (Ledger::from(&history), ledger(&crate::checkers::linearizability::calls_of(&history)));
    of_calls.reads[0].replica = Some(1);
    assert_eq!(of_history, of_calls);
    history.invoke(1, 0, Add(5), 60);
    let refused = history.invoke(1, 0, Add(6), 60);
    history.complete(refused, 61, Outcome::Fail("down"));
    let fates: Vec<Fate> = Ledger::from(&history).additions.iter().map(|addition| addition.fate).collect();
    assert_eq!(fates, [Fate::Acknowledged(30), Fate::Indeterminate, Fate::Indeterminate, Fate::Failed]);
}

#[test]
fn the_known_vector_of_subset_sums_is_exact() {
    let mut calls: Calls = vec![Call::returned(0, Add(10), Added, 0, 1)];
    calls.extend([5, -1, -1].map(|amount| Call::indeterminate(1, Add(amount), 2)));
    for total in 0..25 {
        let with = [&calls[..], &[read(2, total, 3, 4)]].concat();
        let expected = if matches!(total, 8..=10 | 13..=15) { "pass" } else { "fail" };
        assert_eq!(check_reads(&ledger(&with)).verdict.name(), expected, "{total}");
    }
}

#[test]
fn a_wrong_read_is_named_with_what_it_missed_or_should_not_have_counted() {
    let adds = [
        Call::returned(0, Add(2), Added, 0, 1),
        Call::returned(1, Add(3), Added, 0, 2),
        Call::returned(0, Add(7), Added, 90, 91),
    ];
    let shown = |total| check_reads(&ledger(&[&adds[..], &[read(4, total, 5, 6)]].concat())).verdict.to_string();
    assert_eq!(
        shown(2),
        "fail: 1 of 1 reads are not acceptable: read 3 returned 2 to process 4, from 5 to 6; acceptable: 5 (2 additions \
         must count, 0 may, 1 must not); it misses addition 1 of 3, acknowledged at 2"
    );
    assert!(shown(12).ends_with("; it counts addition 2 of 7, which was invoked at 90"), "{}", shown(12));
    assert!(shown(99).ends_with("(2 additions must count, 0 may, 1 must not)"), "{}", shown(99));
}

#[test]
fn a_read_is_judged_by_its_own_interval() {
    let add = Call::returned(0, Add(1), Added, 5, 10);
    for (invoked, returned, zero, one) in
        [(0, 4, "pass", "fail"), (0, 5, "pass", "pass"), (10, 12, "pass", "pass"), (11, 12, "fail", "pass")]
    {
        for (total, expected) in [(0, zero), (1, one)] {
            let ruling = check_reads(&ledger(&[add.clone(), read(1, total, invoked, returned)]));
            assert_eq!(ruling.verdict.name(), expected, "{total} from {invoked} to {returned}");
        }
    }
}

#[test]
fn what_tests_nothing_is_vacuous_and_bad_input_unknown() {
    assert_eq!(check_reads(&ledger(&[])).verdict.to_string(), "vacuous: no read returned");
    assert_eq!(check_reads(&ledger(&[read(0, 0, 1, 2)])).verdict.to_string(), "vacuous: no addition was invoked");
    assert_eq!(check_reads(&ledger(&[read(0, 1, 1, 2)])).verdict.name(), "fail");
    let backward = ledger(&[read(0, 0, 2, 1)]);
    assert_eq!(check_reads(&backward).verdict.to_string(), "unknown: call 0 returns before it is invoked");
    assert_eq!(check_monotonic(&backward).verdict.name(), "unknown");
    let no_total = ledger(&[Call::returned(0, Read, Added, 0, 1)]);
    assert_eq!(check_reads(&no_total).verdict.name(), "fail");
    assert_eq!(check_monotonic(&no_total).verdict.to_string(), "vacuous: no process read twice");
    let extreme = [Call::indeterminate(0, Add(i64::MIN), 0), read(1, i128::MAX, 1, 2), read(1, i128::MIN, 3, 4)];
    assert_eq!(check_reads(&ledger(&extreme)).verdict.name(), "fail");
}

#[test]
fn scattered_totals_are_unknown_only_between_the_bounds() {
    enum Narrow {}
    impl bounded::Rules for Narrow {
        const RANGES_MAX: usize = 4;
    }
    let mut calls: Calls = (0..6).map(|k| Call::indeterminate(k, Add(4_i64.pow(k as u32)), 0)).collect();
    calls.push(read(9, 2, 1, 2));
    assert_eq!(check_reads(&ledger(&calls)).verdict.name(), "fail");
    let narrow = bounded::check_by::<Narrow>(&ledger(&calls));
    assert!(narrow.verdict.to_string().starts_with("unknown: the acceptable totals of 1 of 1 reads"), "{narrow:?}");
    calls.push(read(9, 5_000, 3, 4));
    assert_eq!(bounded::check_by::<Narrow>(&ledger(&calls)).verdict.name(), "fail");
}

#[test]
fn a_fall_is_named_with_both_reads() {
    let calls = [
        Call::returned(0, Add(3), Added, 0, 1),
        read(1, 3, 2, 3),
        read(1, 3, 3, 3),
        read(1, 2, 4, 5),
        read(2, 0, 6, 7),
        read(1, 1, 8, 9),
    ];
    let ruling = check_monotonic(&ledger(&calls));
    assert_eq!(
        ruling.verdict.to_string(),
        "fail: process 1 read 3 (read 2, from 3 to 3) and then 2 (read 3, from 4 to 5), and 1 more totals fell"
    );
    assert_eq!(ruling.calls, [2, 3]);
    let shrinking = [&calls[..], &[Call::indeterminate(0, Add(-1), 90)]].concat();
    assert_eq!(
        check_monotonic(&ledger(&shrinking)).verdict.to_string(),
        "vacuous: not a counter that only grows: addition 6 is of -1"
    );
}

/// Ten thousand operations of fifty clients, half of them reads; the counter is right all the time.
fn large(amount: impl Fn(u64) -> i64) -> Calls {
    let mut total = 0;
    let mut calls = Calls::new();
    for k in 0..10_000_u64 {
        let (process, invoked, returned) = (k % 50, k * 10, k * 10 + 480);
        let pick = k.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40;
        if pick.is_multiple_of(2) {
            calls.push(read(process, total, invoked, returned));
            continue;
        }
        let amount = amount(pick / 2);
        let (is_lost, is_late) = (pick % 10 == 1, pick % 4 == 1);
        total += if is_late { 0 } else { i128::from(amount) };
        calls.push(match (is_lost, is_late) {
            (true, _) => Call::indeterminate(process + 50 * k, Add(amount), invoked),
            (false, true) => Call::returned(process, Add(0), Added, invoked, returned),
            (false, false) => Call::returned(process, Add(amount), Added, invoked, returned),
        });
    }
    calls
}

#[test]
fn ten_thousand_operations_are_judged_exactly() {
    for (name, amount) in [
        ("small", (|pick| (pick % 10) as i64 - 5) as fn(u64) -> i64),
        ("growing", |pick| (pick % 5) as i64),
        ("ones", |_| 1),
        ("large", |pick| (pick % 1_009) as i64),
        ("scattered", |pick| (pick % 1_000_003) as i64),
        ("multiples", |pick| (pick % 7) as i64 * 1_000),
    ] {
        let mut calls = large(amount);
        let ruling = check_reads(&ledger(&calls));
        let is_scattered = name == "scattered" && ruling.verdict.name() == "unknown";
        assert!(ruling.verdict.name() == "pass" || is_scattered, "{name}: {}", ruling.verdict);
        let last = calls.iter_mut().rev().find(|call| call.op == Read).expect("a read");
        last.ret = Some(Total(i128::from(i64::MAX)));
        assert_eq!(check_reads(&ledger(&calls)).verdict.name(), "fail", "{name}");
    }
}
