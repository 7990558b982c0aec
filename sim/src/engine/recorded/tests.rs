use super::*;
use crate::{checkers::Consistency, history::History};
use crdts::{
    Object,
    objects::counter::{Counter, CounterOp, CounterRet},
};
use proptest::prelude::*;

/// A history in EDN from short lines: `process type f value`.
fn edn(lines: &str) -> String {
    let event = |line: &str| {
        let mut words = line.trim().splitn(4, ' ');
        let mut next = || words.next().unwrap_or("nil");
        let (process, kind, f, value) = (next(), next(), next(), next());
        format!("{{:process {process}, :type :{kind}, :f :{f}, :value {value}}}\n")
    };
    lines.lines().filter(|line| !line.trim().is_empty()).map(event).collect()
}

fn inquiry(model: ModelKind) -> Inquiry {
    let linearizable = Property::Model(Consistency::Linearizable);
    Inquiry::new(model, linearizable).expect("linearizability is judged for every model")
}

fn judged(model: ModelKind, lines: &str) -> Judged {
    check(edn(lines).as_bytes(), &inquiry(model), &Limits::default()).unwrap_or_else(|error| panic!("{error}\n{lines}"))
}

fn verdict(model: ModelKind, lines: &str) -> &'static str {
    judged(model, lines).ruling.verdict.name()
}

fn refuse(model: ModelKind, lines: &str, line: usize, reason: &str) {
    let error = check(edn(lines).as_bytes(), &inquiry(model), &Limits::default()).expect_err(lines);
    assert!(error.line == line && error.reason.contains(reason), "{lines}: {error}");
}

/// Operations one after the other, and what the last one answers: rightly and wrongly.
fn told(model: ModelKind, before: &str, last: &str, right: &str, wrong: &str) {
    let mut lines = String::new();
    for update in before.lines().map(str::trim).filter(|line| !line.is_empty()) {
        lines.extend(["0 invoke ", update, "\n0 ok ", update, "\n"]);
    }
    for (answer, expected) in [(right, "pass"), (wrong, "fail")] {
        let f = last.split(' ').next().unwrap_or(last);
        let lines = format!("{lines}1 invoke {last}\n1 ok {f} {answer}\n");
        assert_eq!(verdict(model, &lines), expected, "{lines}");
    }
}

#[test]
fn every_model_tells_right_from_wrong() {
    told(ModelKind::Register, "write 1\nwrite 2", "read nil", "2", "1");
    told(ModelKind::CasRegister, "write 1\ncas [1 2]", "read nil", "2", "1");
    told(ModelKind::CasRegister, "write nil\ncas [nil 2]", "read nil", "2", "nil");
    told(
        ModelKind::TextStore,
        "put [x \"a\"]\nappend [x \"b\"]\nappend [y 7]",
        "get [x nil]",
        "[x \"ab\"]",
        "[x \"ba\"]",
    );
    told(ModelKind::TextStore, "append [y \"b\"]", "get [x nil]", "[x nil]", "[x \"b\"]");
    told(ModelKind::ValueStore, "write [1 5]\ncas [1 [5 6]]", "read [1 nil]", "[1 6]", "[1 5]");
    told(ModelKind::ValueStore, "create_if_not_exists [1 [0 6]]", "read [1 nil]", "[1 6]", "[1 nil]");
    told(ModelKind::MultiRegister, "write {x 1, y 2}\nwrite {y 3}", "read [x y]", "{x 1, y 3}", "{x 1, y 2}");
    told(
        ModelKind::MultiRegister,
        "txn [[:w x 1] [\"w\" y 2]]",
        "txn [[:r x nil] [:read z nil]]",
        "[[:r x 1] [:read z nil]]",
        "[[:r x 1] [:read z 2]]",
    );
    told(ModelKind::Counter, "add 2\nincrement\ninc 3\nadd -1", "read", "5", "6");
    told(ModelKind::Flag, "enable\ndisable\nenable", "read", "true", "false");
    told(ModelKind::Set, "add 1\nadd 2\nremove 1", "read", "#{2}", "[1 2]");
    told(ModelKind::GrowOnlySet, "add 1\nadd 2", "read nil", "[2 1]", "#{2}");
    told(ModelKind::GrowOnlySet, "add 1\nadd 2", "read nil", "[2 1]", "[1 2 1]");
    assert_eq!(
        verdict(ModelKind::Mutex, "0 invoke acquire\n0 ok acquire\n0 invoke release\n1 invoke acquire\n1 ok acquire"),
        "pass"
    );
    assert_eq!(verdict(ModelKind::Mutex, "0 invoke acquire\n0 ok acquire\n1 invoke acquire\n1 ok acquire"), "fail");
}

#[test]
fn a_key_that_stands_apart_is_the_same_as_one_in_the_value() {
    let history = "{:process 0, :type :invoke, :f :put, :key \"x\", :value \"a\"}
        {:process 0, :type :ok, :f :put, :key \"x\", :value \"a\"}
        {:process 0, :type :invoke, :f :get, :key \"x\", :value nil}
        {:process 0, :type :ok, :f :get, :key \"x\", :value \"b\"}";
    let judged = check(history.as_bytes(), &inquiry(ModelKind::TextStore), &Limits::default()).expect("a history");
    assert_eq!(judged.ruling.calls, [1], "no write can be blamed: the text is nobody's");
    let get = &judged.operations[1];
    assert_eq!((get.key.as_deref(), get.argument.as_deref(), get.result.as_deref()), (Some("x"), None, Some("b")));
}

#[test]
fn what_failed_did_not_happen_and_what_nobody_knows_may_have() {
    let model = ModelKind::CasRegister;
    assert_eq!(verdict(model, "0 invoke write 1\n0 fail write 1\n1 invoke read\n1 ok read nil"), "pass");
    assert_eq!(verdict(model, "0 invoke write 1\n0 fail write 1\n1 invoke read\n1 ok read 1"), "fail");
    for end in ["0 info write :timed-out\n", ""] {
        for seen in ["nil", "1"] {
            let lines = format!("0 invoke write 1\n{end}1 invoke read\n1 ok read {seen}");
            assert_eq!(verdict(model, &lines), "pass", "{lines}");
        }
        let back = format!("0 invoke write 1\n{end}1 invoke read\n1 ok read 1\n1 invoke read\n1 ok read nil");
        assert_eq!(verdict(model, &back), "fail");
    }
    let reads = judged(
        model,
        "0 invoke read\n0 info read :timed-out\n1 invoke read\n1 fail read\n2 invoke read\n3 invoke read\n3 ok read nil",
    );
    assert_eq!((reads.calls, reads.operations.len()), (1, 4), "reads that were not answered say nothing");
}

#[test]
fn a_failed_cas_says_what_the_inquiry_wants() {
    let lines = edn("0 invoke write 3\n0 ok write 3\n1 invoke cas [3 4]\n1 fail cas [3 4]\n");
    let mut inquiry = inquiry(ModelKind::CasRegister);
    let verdict = |inquiry: &Inquiry| {
        check(lines.as_bytes(), inquiry, &Limits::default()).expect("a history").ruling.verdict.name()
    };
    assert_eq!(verdict(&inquiry), "vacuous");
    inquiry.failed_cas = FailedCas::Compared;
    assert_eq!(verdict(&inquiry), "fail");
    inquiry.init = Value::Int(9);
    assert_eq!(verdict(&inquiry), "fail");
}

#[test]
fn a_failed_cas_of_a_store_counts_where_the_file_says_what_it_found() {
    let history = |error: &str| {
        edn("0 invoke write [x 3]\n0 ok write [x 3]\n1 invoke cas [x [3 4]]\n")
            + &format!("{{:process 1, :type :fail, :f :cas, :value [x [3 4]], :error {error}}}\n")
    };
    let mut inquiry = inquiry(ModelKind::ValueStore);
    inquiry.failed_cas = FailedCas::Compared;
    for (error, expected) in [
        ("22", "fail"),
        ("[:precondition-failed \"no\"]", "fail"),
        ("20", "fail"),
        ("[:key-does-not-exist]", "fail"),
        ("11", "vacuous"),
        ("nil", "vacuous"),
    ] {
        let judged = check(history(error).as_bytes(), &inquiry, &Limits::default()).expect("a history");
        assert_eq!(judged.ruling.verdict.name(), expected, "{error}");
    }
}

#[test]
fn the_value_at_the_beginning_is_that_of_the_inquiry() {
    let lines = edn("0 invoke read nil\n0 ok read 0\n");
    let mut inquiry = inquiry(ModelKind::Register);
    for (init, expected) in [(Value::Nil, "fail"), (Value::Int(0), "pass"), (Value::Text("0".into()), "fail")] {
        inquiry.init = init;
        let judged = check(lines.as_bytes(), &inquiry, &Limits::default()).expect("a history");
        assert_eq!(judged.ruling.verdict.name(), expected);
    }
}

#[test]
fn a_history_that_tells_nothing_is_no_pass() {
    assert_eq!(verdict(ModelKind::Register, ""), "vacuous");
    assert_eq!(verdict(ModelKind::Register, "0 invoke write 1\n0 ok write 1"), "vacuous");
    assert_eq!(verdict(ModelKind::Mutex, "0 invoke acquire"), "vacuous");
    assert_eq!(verdict(ModelKind::Mutex, "0 invoke acquire\n0 ok acquire"), "pass");
}

#[test]
fn a_budget_that_is_spent_is_no_verdict() {
    let mut lines: Vec<String> =
        (0..12).map(|process| format!("{process} invoke cas [{process} {}]", process % 3)).collect();
    lines.push("20 invoke read\n20 ok read 2".to_owned());
    let lines = edn(&lines.join("\n"));
    let mut inquiry = inquiry(ModelKind::CasRegister);
    inquiry.init = Value::Int(5);
    let limits = Limits { steps: 0, ..Limits::default() };
    let judged = check(lines.as_bytes(), &inquiry, &limits).expect("a history");
    assert_eq!(judged.ruling.verdict.name(), "unknown");
    let limits = Limits { stop: Some(&|| true), ..Limits::default() };
    let judged = check(lines.as_bytes(), &inquiry, &limits).expect("a history");
    assert!(matches!(judged.ruling.verdict.name(), "unknown" | "pass"), "a clock is looked at now and then");
}

#[test]
fn what_is_not_understood_is_refused_with_its_line() {
    use ModelKind::*;
    refuse(Register, "0 invoke read\n0 ok read 1\n0 invoke reed", 3, "did you mean `read`?");
    refuse(Register, "0 invoke cas [1 2]", 1, "`cas` is no operation of the model register");
    refuse(CasRegister, "0 invoke cas 1", 1, "[from to]");
    refuse(Register, "-1 invoke read", 1, "a number from 0");
    refuse(TextStore, "0 invoke get x", 1, "[key value]");
    refuse(TextStore, "0 invoke put [x [1]]", 1, "should be a text");
    refuse(TextStore, "0 invoke get [x nil]\n0 ok get 1", 2, "[x value]");
    refuse(ValueStore, "0 invoke write [x nil]", 1, "cannot lose");
    refuse(ValueStore, "0 invoke cas [x [nil 1]]", 1, "cannot lose");
    refuse(ValueStore, "0 invoke wrote [x 1]", 1, "did you mean `write`?");
    refuse(MultiRegister, "0 invoke txn [[:r x nil] [:w y 1]]", 1, "reads and writes");
    refuse(MultiRegister, "0 invoke write [[:r x nil]]", 1, "reads and writes");
    refuse(MultiRegister, "0 invoke txn {x 1}", 1, "micro-operations");
    refuse(MultiRegister, "0 invoke read []", 1, "should be");
    refuse(MultiRegister, "0 invoke read [x x]", 1, "twice");
    refuse(MultiRegister, "0 invoke write {x nil}", 1, "never written");
    refuse(MultiRegister, "0 invoke read [x]\n0 ok read {y 1}", 2, "asked for");
    refuse(Counter, "0 invoke read\n0 ok read x", 2, "whole number");
    refuse(Flag, "0 invoke read\n0 ok read 1", 2, "true or false");
    refuse(Set, "0 invoke read\n0 ok read 1", 2, "as a list or a set");
    refuse(GrowOnlySet, "0 invoke remove 1", 1, "no operation");
    refuse(Mutex, "0 invoke lock", 1, "`acquire`, `release`");
    let large = b"{\"process\":0,\"type\":\"invoke\",\"f\":\"add\",\"value\":9223372036854775808}";
    let error = check(large, &inquiry(Counter), &Limits::default()).expect_err("an amount has 64 bits");
    assert!(error.reason.contains("64 bits"), "{error}");
    let keyed = b"{\"process\":0,\"type\":\"invoke\",\"f\":\"read\",\"key\":1,\"value\":null}";
    let error = check(keyed, &inquiry(Register), &Limits::default()).expect_err("a register has no key");
    assert!(error.reason.contains("`kv-rw` has"), "{error}");
}

#[test]
fn what_is_not_judged_is_said_with_what_is() {
    let reason =
        Inquiry::new(ModelKind::Mutex, Property::Model(Consistency::Causal)).expect_err("there is no such checker");
    assert!(reason.contains("`mutex`; judged are: `linearizable`, `sequential`"), "{reason}");
}

/// The verdicts on a history by all that is judged for its model, by name.
fn verdicts(model: ModelKind, history: &str) -> Vec<(&'static str, &'static str)> {
    let judge = |property: Property| {
        let inquiry = Inquiry::new(model, property).expect("it is judged");
        let judged = check(history.as_bytes(), &inquiry, &Limits::default()).unwrap_or_else(|error| panic!("{error}"));
        assert!(judged.ruling.calls.iter().all(|&call| call < judged.operations.len()));
        (property.name(), judged.ruling.verdict.name())
    };
    model.judged().map(judge).collect()
}

/// Which of them do not hold.
fn broken(model: ModelKind, lines: &str) -> Vec<&'static str> {
    let verdicts = verdicts(model, &edn(lines));
    assert!(verdicts.iter().all(|(_, verdict)| *verdict != "unknown"), "{verdicts:?}");
    verdicts.into_iter().filter(|(_, verdict)| *verdict == "fail").map(|(name, _)| name).collect()
}

#[test]
fn registers_are_judged_by_every_consistency_model() {
    let two_writes = "0 invoke write 1\n0 ok write 1\n0 invoke write 2\n0 ok write 2\n";
    let read = |process: u32, value: u32| format!("{process} invoke read\n{process} ok read {value}\n");
    for model in [ModelKind::Register, ModelKind::CasRegister] {
        let broken = |reads: &[String]| broken(model, &(two_writes.to_owned() + &reads.concat()));
        assert!(broken(&[read(1, 2), read(0, 2)]).is_empty());
        assert_eq!(broken(&[read(1, 1)]), ["linearizable"]);
        assert_eq!(broken(&[read(1, 2), read(1, 1)])[..4], ["linearizable", "sequential", "causal", "pram"]);
        assert!(broken(&[read(1, 2), read(1, 1)]).contains(&"monotonic-reads"));
        assert!(broken(&[read(0, 1)]).contains(&"read-your-writes"));
    }
}

#[test]
fn stores_are_judged_as_a_whole() {
    // Each key alone is sequentially consistent, and both together are not.
    let dekker = "0 invoke write [x 1]\n0 ok write [x 1]\n0 invoke read [y nil]\n0 ok read [y nil]\n\
                  1 invoke write [y 1]\n1 ok write [y 1]\n1 invoke read [x nil]\n1 ok read [x nil]\n";
    assert_eq!(broken(ModelKind::ValueStore, dekker), ["linearizable", "sequential"]);
}

#[test]
fn grow_only_sets_are_judged_by_what_reads_contain() {
    let adds = "0 invoke add 1\n0 ok add 1\n0 invoke add 2\n0 ok add 2\n";
    let read = |process: u32, value: &str| format!("{process} invoke read\n{process} ok read {value}\n");
    let broken = |reads: &[String]| broken(ModelKind::GrowOnlySet, &(adds.to_owned() + &reads.concat()));
    assert!(broken(&[read(1, "[1 2]")]).is_empty());
    assert_eq!(broken(&[read(1, "[1]"), read(1, "[1 2]")]), ["linearizable"]);
    assert!(broken(&[read(1, "[2]"), read(1, "[1 2]")]).contains(&"monotonic-writes"));
    assert!(broken(&[read(1, "[1 2]"), read(1, "[2]")]).contains(&"set-full"), "1 was lost");
    assert_eq!(broken(&[read(1, "[1 2 2]")]).last(), Some(&"set-full"), "2 is in it twice");
    let twice = adds.to_owned() + adds + &read(1, "[1 2]");
    let unknown = verdicts(ModelKind::GrowOnlySet, &edn(&twice));
    assert!(unknown.contains(&("causal", "unknown")), "{unknown:?}");
}

#[test]
fn counters_are_judged_by_their_totals() {
    let adds = "0 invoke add 10\n0 ok add 10\n1 invoke add 5\n1 info add 5\n";
    let read = |total: u32| format!("2 invoke read\n2 ok read {total}\n");
    let broken = |reads: &[String]| {
        let lines = edn(&(adds.to_owned() + &reads.concat())).replace(":f :read", ":final? true, :f :read");
        let failed = |(name, verdict): (&'static str, &'static str)| (verdict == "fail").then_some(name);
        verdicts(ModelKind::Counter, &lines).into_iter().filter_map(failed).collect::<Vec<_>>()
    };
    assert!(broken(&[read(10), read(15)]).is_empty());
    assert_eq!(broken(&[read(15), read(10)]), ["linearizable", "sequential", "rising-totals"]);
    assert_eq!(broken(&[read(11)]), ["linearizable", "sequential", "final-reads", "bounded-reads"]);
}

/// A witness names operations of the file, also where others were left out.
#[test]
fn a_witness_points_into_the_file() {
    let judged = judged(
        ModelKind::Register,
        "9 invoke write 7
         9 fail write 7
         0 invoke write 1
         0 ok write 1
         1 invoke read
         1 info read
         2 invoke write 2
         2 ok write 2
         0 invoke read
         0 ok read 1",
    );
    let lines: Vec<usize> = judged.ruling.calls.iter().map(|&place| judged.operations[place].line).collect();
    assert_eq!(lines, [3, 7, 9]);
    assert_eq!(judged.stuck.map(|place| judged.operations[place].line), Some(9));
    assert_eq!(judged.prefix, [1, 3]);
    assert!(judged.is_minimal);
}

proptest! {
    /// What `sim` writes itself comes back as what was recorded.
    #[test]
    fn histories_of_this_program_come_back(steps in prop::collection::vec((0_u32..3, 0_u8..6, -2_i64..3), 0..24)) {
        let mut history = History::<Counter>::new(3);
        let mut pending: Vec<(u32, bool)> = Vec::new();
        let mut total = 0;
        for (now, (client, what, amount)) in steps.into_iter().enumerate() {
            let now = now as u64;
            if what < 3 || pending.is_empty() {
                let op = if what == 0 { CounterOp::Read } else { CounterOp::Add(amount) };
                pending.push((history.invoke(client, 0, op, now), what == 0));
                continue;
            }
            let (id, is_read) = pending.remove(client as usize % pending.len());
            let added = match history.operations()[id as usize].op { CounterOp::Add(amount) => i128::from(amount), CounterOp::Read => 0 };
            let ret = if is_read { CounterRet::Total(total) } else { CounterRet::Added };
            let outcome = match what {
                3 | 4 => { total += added; crate::history::Outcome::Ok(ret) }
                _ if is_read => crate::history::Outcome::Fail("timeout"),
                _ => crate::history::Outcome::Info("timeout"),
            };
            history.complete(id, now, outcome);
        }
        history.finish(1_000);
        let mut written = Vec::new();
        history.write_json_lines(&mut written).expect("a vector takes everything");
        let judged = check(&written, &inquiry(ModelKind::Counter), &Limits::default()).expect("our own history");
        prop_assert_eq!(judged.operations.len(), history.operations().len());
        for (read, operation) in judged.operations.iter().zip(history.operations()) {
            prop_assert_eq!(read.process, operation.process);
            prop_assert_eq!(&read.f, Counter::op_name(&operation.op));
        }
        let calls = crate::checkers::linearizability::calls_of(&history);
        let direct = Ruling::from(crate::checkers::linearizability::check(
            &crate::checkers::linearizability::models::CounterModel::new(), &calls, &Limits::default(),
        ));
        if judged.ruling.verdict != (Verdict::Vacuous { reason: "no call returned".into() })
            && judged.ruling.verdict.name() != "vacuous"
        {
            prop_assert_eq!(judged.ruling.verdict.name(), direct.verdict.name());
            prop_assert!(judged.calls <= calls.len(), "only what says nothing is left out");
        }
    }

    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200), model in 0..ModelKind::ALL.len()) {
        let _ = check(&bytes, &inquiry(ModelKind::ALL[model]), &Limits::default());
    }

    /// A good history with a few bytes changed is judged or refused.
    #[test]
    fn damaged_histories_are_judged_or_refused(
        model in 0..ModelKind::ALL.len(),
        file in 0_usize..4,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_u8..3), 1..6),
    ) {
        const FILES: [&[u8]; 4] = [
            include_bytes!("../../../tests/histories/cas-register-good.log"),
            include_bytes!("../../../tests/histories/kv-bad.edn"),
            include_bytes!("../../../tests/histories/kv-rw-bad.jsonl"),
            include_bytes!("../../../tests/histories/register-bad.jsonl"),
        ];
        let mut bytes = FILES[file].to_vec();
        for (at, byte, how) in damage {
            let at = at.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => drop(bytes.drain(at..(at + usize::from(byte)).min(bytes.len()))),
                _ => bytes.insert(at, b"[]{}\":;,#\n"[usize::from(byte) % 10]),
            }
            if bytes.is_empty() {
                bytes.push(byte);
            }
        }
        let limits = Limits { steps: 100_000, ..Limits::default() };
        let _ = check(&bytes, &inquiry(ModelKind::ALL[model]), &limits);
    }
}
