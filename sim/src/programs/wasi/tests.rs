//! Small programs in the text form, each showing one thing, and the node that speaks the protocol.

use std::{path::Path, process::Command};

use super::*;
use crate::{
    kernel::time::{MILLISECOND, SECOND, Time},
    programs::{Ending, Line, Program, Step, TimeSource},
};

/// Imports and memory that the programs share: `$say` writes a line of `length` bytes from `at`; `$number` writes a number
/// of 64 bits in hexadecimal as a line; `$read` waits for input at 2,048, and returns how many bytes it got.
const PRELUDE: &str = r#"
    (import "wasi_snapshot_preview1" "fd_read" (func $fd_read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (param i32 i64 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random_get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $proc_exit (param i32)))
    (memory (export "memory") 2)
    (func $write (param $fd i32) (param $at i32) (param $length i32)
        (i32.store (i32.const 0) (local.get $at))
        (i32.store (i32.const 4) (local.get $length))
        (drop (call $fd_write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func $say (param $at i32) (param $length i32)
        (call $write (i32.const 1) (local.get $at) (local.get $length)))
    (func $number (param $value i64)
        (local $at i32) (local $digit i32)
        (local.set $at (i32.const 1040))
        (i32.store8 (i32.const 1040) (i32.const 10))
        (loop $next
            (local.set $at (i32.sub (local.get $at) (i32.const 1)))
            (local.set $digit (i32.and (i32.wrap_i64 (local.get $value)) (i32.const 15)))
            (i32.store8 (local.get $at) (i32.add (local.get $digit)
                (select (i32.const 48) (i32.const 87) (i32.lt_u (local.get $digit) (i32.const 10)))))
            (local.set $value (i64.shr_u (local.get $value) (i64.const 4)))
            (br_if $next (i64.ne (local.get $value) (i64.const 0))))
        (call $say (local.get $at) (i32.sub (i32.const 1041) (local.get $at))))
    (func $read (result i32)
        (i32.store (i32.const 0) (i32.const 2048))
        (i32.store (i32.const 4) (i32.const 4096))
        (if (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)) (then (unreachable)))
        (i32.load (i32.const 8)))
    (func $now (param $clock i32) (result i64)
        (drop (call $clock_time_get (local.get $clock) (i64.const 0) (i32.const 16)))
        (i64.load (i32.const 16)))
"#;

fn module(body: &str) -> Code {
    Code::Bytes(wat::parse_str(format!("(module {PRELUDE} {body})")).expect("the text of a module"))
}

fn program(body: &str) -> WasiProgram {
    WasiProgram::load(&WasiSpec::new("test", module(body)))
}

fn lines(step: &Step) -> Vec<String> {
    let text = |line: &Line| match line {
        Line::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        other => format!("{other:?}"),
    };
    step.lines.iter().map(text).collect()
}

/// Steps a program at an instant with these inputs, which it survives.
fn step(program: &mut dyn Program, now: Time, inputs: &[&str]) -> (Vec<String>, Option<Time>) {
    let inputs: Vec<_> = inputs.iter().map(|input| input.as_bytes()).collect();
    let step = program.step(now, &inputs);
    assert_eq!(step.ended, None);
    (lines(&step), step.deadline)
}

/// How a program ends in its first step.
fn end(spec: &WasiSpec) -> (Vec<String>, Option<Ending>) {
    let step = WasiProgram::load(spec).step(Time::ZERO, &[]);
    assert_eq!(step.deadline, None, "who has ended waits for nothing");
    (lines(&step), step.ended)
}

/// Writes back whatever it reads, in the pieces in which it reads.
const MIRROR: &str = r#"(func (export "_start") (local $length i32)
    (loop $next
        (local.set $length (call $read))
        (if (local.get $length) (then (call $say (i32.const 2048) (local.get $length)) (br $next)))))"#;

/// Waits for input and for a timer of 500 ms, and says which it was: `i` and the input, or `t` and the time.
const TIMER: &str = r#"
    (data (i32.const 512) "t\n")
    (func (export "_start") (local $due i64) (local $told i32)
        (local.set $due (i64.add (call $now (i32.const 1)) (i64.const 500000000)))
        (loop $next
            (i64.store (i32.const 256) (i64.const 11))                ;; userdata
            (i32.store8 (i32.const 264) (i32.const 0))                ;; a clock
            (i32.store (i32.const 272) (i32.const 1))                 ;; the monotonic one
            (i64.store (i32.const 280) (local.get $due))
            (i32.store16 (i32.const 296) (i32.const 1))               ;; absolute
            (i64.store (i32.const 304) (i64.const 22))
            (i32.store8 (i32.const 312) (i32.const 1))                ;; a descriptor to read: 0
            (if (call $poll_oneoff (i32.const 256) (i32.const 384) (i32.const 2) (i32.const 24)) (then (unreachable)))
            (local.set $told (i32.const 384))
            (loop $event
                (if (i64.eq (i64.load (local.get $told)) (i64.const 11))
                    (then
                        (call $say (i32.const 512) (i32.const 2))
                        (call $number (call $now (i32.const 1)))
                        (local.set $due (i64.add (local.get $due) (i64.const 500000000))))
                    (else (call $say (i32.const 2048) (call $read))))
                (local.set $told (i32.add (local.get $told) (i32.const 32)))
                (i32.store (i32.const 24) (i32.sub (i32.load (i32.const 24)) (i32.const 1)))
                (br_if $event (i32.load (i32.const 24))))
            (br $next)))"#;

/// Says the time by three clocks and 16 random bytes, at every input.
const ORACLE: &str = r#"(func (export "_start")
    (loop $next
        (drop (call $read))
        (call $number (call $now (i32.const 0)))
        (call $number (call $now (i32.const 1)))
        (call $number (call $now (i32.const 2)))
        (drop (call $random_get (i32.const 600) (i32.const 16)))
        (call $number (i64.load (i32.const 600)))
        (call $number (i64.load (i32.const 608)))
        (br $next)))"#;

#[test]
fn a_program_waits_for_input_and_goes_on_with_it() {
    let mut mirror = program(MIRROR);
    assert_eq!(step(&mut mirror, Time::ZERO, &[]), (vec![], None));
    assert_eq!(step(&mut mirror, Time(5), &["one"]).0, ["one"]);
    assert_eq!(step(&mut mirror, Time(5), &["two", "", "three"]).0, ["two", "", "three"]);
    assert_eq!(step(&mut mirror, Time(9), &[]).0, [""; 0]);
    let long = "x".repeat(100_000);
    assert_eq!(step(&mut mirror, Time(9), &[&long]).0, [long], "read in pieces, written in pieces, one line");
    assert_eq!(mirror.time_source(), TimeSource::Interpreter);
    mirror.end_input();
    let last = mirror.step(Time(10), &[b"last"]);
    assert_eq!((lines(&last), last.ended), (vec!["last".to_owned()], Some(Ending::Exited(0))));
    assert_eq!(mirror.step(Time(11), &[b"ghost"]).ended, Some(Ending::Exited(0)), "an end is for ever");
}

#[test]
fn a_wait_ends_with_input_or_at_its_instant_whichever_comes_first() {
    let mut timer = program(TIMER);
    let ms = |ms: u64| Time(ms * MILLISECOND);
    let hex = |time: Time| format!("{:x}", time.0);
    assert_eq!(step(&mut timer, ms(100), &[]), (vec![], Some(ms(600))));
    assert_eq!(step(&mut timer, ms(300), &["hello"]), (vec!["hello".to_owned()], Some(ms(600))));
    assert_eq!(step(&mut timer, ms(599), &[]), (vec![], Some(ms(600))));
    assert_eq!(step(&mut timer, ms(600), &[]), (vec!["t".to_owned(), hex(ms(600))], Some(ms(1100))));
    // Three timers are due: each fires at its own instant, and then the input comes.
    let fired = [ms(1100), ms(1600), ms(2100)].map(|due| ["t".to_owned(), hex(due)]).concat();
    let told = [fired, vec!["late".to_owned()]].concat();
    assert_eq!(step(&mut timer, ms(2599), &["late"]), (told, Some(ms(2600))));
}

#[test]
fn clocks_show_virtual_time_and_entropy_comes_from_the_seed() {
    let transcript = |seed: u64| {
        let mut oracle = WasiProgram::load(&WasiSpec { seed, ..WasiSpec::new("oracle", module(ORACLE)) });
        [Time::ZERO, Time(SECOND), Time(SECOND), Time(7 * SECOND)].map(|now| step(&mut oracle, now, &["?"]).0)
    };
    let (one, two) = (transcript(1), transcript(2));
    assert_eq!(one, transcript(1));
    let number = |text: &String| u64::from_str_radix(text, 16).expect("hexadecimal");
    for (said, now) in one.iter().zip([0, SECOND, SECOND, 7 * SECOND]) {
        let clocks: Vec<_> = said[..3].iter().map(number).collect();
        assert_eq!(clocks, [REALTIME_START_NS + now, now, 0]);
    }
    let entropy =
        |transcript: &[Vec<String>]| transcript.iter().flat_map(|said| said[3..].to_vec()).collect::<Vec<_>>();
    let mut all = [entropy(&one), entropy(&two)].concat();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 16, "no word is drawn twice, by one seed or by another");
}

#[test]
fn programs_of_one_compiled_module_are_apart() {
    let compiled = module(ORACLE).compile().expect("it compiles");
    let spec = WasiSpec::new("oracle", Code::Compiled(compiled));
    let (mut one, mut two) = (WasiProgram::load(&spec), WasiProgram::load(&spec));
    assert_eq!(step(&mut one, Time::ZERO, &["?"]), step(&mut two, Time::ZERO, &["?"]));
    let ahead = step(&mut one, Time(1), &["?"]);
    assert_eq!(step(&mut two, Time(1), &["?"]), ahead);
}

#[test]
fn a_program_that_traps_says_why_and_keeps_its_last_words() {
    let mut program = program(
        r#"(data (i32.const 512) "half\nof a line" "alas\n")
        (func (export "_start")
            (call $say (i32.const 512) (i32.const 14))
            (call $write (i32.const 2) (i32.const 526) (i32.const 5))
            (unreachable))"#,
    );
    let step = program.step(Time::ZERO, &[]);
    assert_eq!(lines(&step), ["half", "of a line"], "a last line without a break counts");
    let Some(Ending::Trapped(reason)) = step.ended else { panic!("{:?}", step.ended) };
    assert!(reason.contains("unreachable"), "{reason}");
    assert_eq!(program.last_words(), ["alas"]);
    for (what, body) in [
        ("a pointer out of memory", "(drop (i32.load (i32.const -4)))"),
        ("a division by zero", "(drop (i32.div_u (i32.const 1) (i32.const 0)))"),
        ("a call of itself without end", "(call $start)"),
    ] {
        let code = module(&format!("(func $start (export \"_start\") {body})"));
        let ended = end(&WasiSpec::new("test", code)).1;
        assert!(matches!(ended, Some(Ending::Trapped(_))), "{what}: {ended:?}");
    }
}

#[test]
fn a_program_that_never_waits_runs_out_of_fuel() {
    let limited = |body: &str| WasiSpec { fuel_per_step: 1_000_000, ..WasiSpec::new("test", module(body)) };
    for (what, body) in [
        ("computes for ever", "(loop $next (br $next))"),
        ("asks for the time for ever", "(loop $next (drop (call $now (i32.const 1))) (br $next))"),
        ("writes for ever", "(loop $next (call $say (i32.const 0) (i32.const 60000)) (br $next))"),
        (
            "sleeps for no time, for ever",
            "(loop $next (drop (call $poll_oneoff (i32.const 256) (i32.const 384) (i32.const 1) (i32.const 24))) (br $next))",
        ),
    ] {
        let ended = end(&limited(&format!("(func (export \"_start\") {body})"))).1;
        assert_eq!(ended, Some(Ending::NeverQuiet), "{what}");
    }
    // Each step has its own fuel: many steps together may burn more than one may.
    let mut mirror = WasiProgram::load(&limited(MIRROR));
    for _ in 0..100 {
        assert_eq!(step(&mut mirror, Time::ZERO, &[&"x".repeat(20_000)]).0.len(), 1);
    }
}

#[test]
fn floods_and_long_lines_are_cut_and_counted() {
    let body = r#"(data (i32.const 512) "ok\n")
        (func (export "_start") (local $times i32)
            (call $say (i32.const 512) (i32.const 3))
            (loop $next
                (call $say (i32.const 4096) (i32.const 60000))
                (local.set $times (i32.add (local.get $times) (i32.const 1)))
                (br_if $next (i32.lt_u (local.get $times) (i32.const 10))))
            (call $say (i32.const 514) (i32.const 1))
            (call $say (i32.const 512) (i32.const 3)))"#;
    let spec = WasiSpec { line_bytes_max: 1_000, ..WasiSpec::new("test", module(body)) };
    let too_long = Line::TooLong { start: vec![0; 200], bytes: 600_000 };
    let ok = Line::Whole(b"ok".to_vec());
    let told = WasiProgram::load(&spec).step(Time::ZERO, &[]).lines;
    assert_eq!(told, [ok.clone(), too_long, ok.clone()]);
    let spec = WasiSpec { step_bytes_max: 100_000, ..spec };
    let told = WasiProgram::load(&spec).step(Time::ZERO, &[]);
    assert_eq!(told.lines, [ok, Line::Flood { bytes: 600_004 }]);
    assert_eq!(told.ended, Some(Ending::Exited(0)), "what is thrown away does not stop it");
}

#[test]
fn exits_have_their_codes() {
    for code in [0, 1, 3, -1] {
        let body = format!("(func (export \"_start\") (call $proc_exit (i32.const {code})))");
        assert_eq!(end(&WasiSpec::new("test", module(&body))).1, Some(Ending::Exited(code)));
    }
    assert_eq!(end(&WasiSpec::new("test", module("(func (export \"_start\"))"))).1, Some(Ending::Exited(0)));
}

/// Reads without waiting, then waits for standard input, for standard output and for what is not there, and says what came of it.
const IMPATIENT: &str = r#"
    (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $set_flags (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_close" (func $close (param i32) (result i32)))
    (func $try (result i32)
        (i32.store (i32.const 0) (i32.const 2048))
        (i32.store (i32.const 4) (i32.const 4096))
        (call $fd_read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 8)))
    (func $subscribe (param $at i32) (param $kind i32) (param $fd i32)
        (i32.store8 (i32.add (local.get $at) (i32.const 8)) (local.get $kind))
        (i32.store (i32.add (local.get $at) (i32.const 16)) (local.get $fd)))
    (func $events (param $from i32) (param $count i32)
        (drop (call $poll_oneoff (local.get $from) (i32.const 512) (local.get $count) (i32.const 24)))
        (local.set $count (i32.load (i32.const 24)))
        (local.set $from (i32.const 512))
        (loop $next
            ;; The error, the kind, and whether it is the end.
            (call $number (i64.extend_i32_u (i32.or
                (i32.or (i32.shl (i32.load16_u (i32.add (local.get $from) (i32.const 8))) (i32.const 8))
                        (i32.shl (i32.load8_u (i32.add (local.get $from) (i32.const 10))) (i32.const 4)))
                (i32.load16_u (i32.add (local.get $from) (i32.const 24))))))
            (local.set $from (i32.add (local.get $from) (i32.const 32)))
            (local.set $count (i32.sub (local.get $count) (i32.const 1)))
            (br_if $next (local.get $count))))
    (func (export "_start")
        (drop (call $set_flags (i32.const 0) (i32.const 4)))
        (call $number (i64.extend_i32_u (call $try)))                       ;; nothing to read
        (call $subscribe (i32.const 256) (i32.const 1) (i32.const 0))       ;; input
        (call $subscribe (i32.const 304) (i32.const 2) (i32.const 1))       ;; output
        (call $subscribe (i32.const 352) (i32.const 1) (i32.const 5))       ;; what is not there
        (call $subscribe (i32.const 400) (i32.const 2) (i32.const 0))       ;; what makes no sense
        (call $events (i32.const 256) (i32.const 4))
        (call $events (i32.const 256) (i32.const 1))                        ;; waits for input
        (call $number (i64.extend_i32_u (call $try)))
        (call $events (i32.const 256) (i32.const 1))                        ;; waits for the end
        (drop (call $close (i32.const 0)))
        (call $number (i64.extend_i32_u (call $try))))"#;

#[test]
fn who_does_not_want_to_wait_is_told_what_is_ready() {
    // Imports come before everything else in a module.
    let is_import = |line: &&str| line.contains("(import");
    let (imports, rest): (Vec<&str>, Vec<&str>) = PRELUDE.lines().chain(IMPATIENT.lines()).partition(is_import);
    let text = format!("(module {} {})", imports.join("\n"), rest.join("\n"));
    let code = Code::Bytes(wat::parse_str(text).expect("the text of a module"));
    let mut program = WasiProgram::load(&WasiSpec::new("test", code));
    // Nothing to read is error 6. Output is ready (kind 2), descriptor 5 is none (error 8), input cannot be written (error 76).
    assert_eq!(step(&mut program, Time::ZERO, &[]), (["6", "20", "810", "4c20"].map(String::from).to_vec(), None));
    assert_eq!(step(&mut program, Time(1), &["input"]), (["10", "0"].map(String::from).to_vec(), None));
    program.end_input();
    let last = program.step(Time(2), &[]);
    assert_eq!((lines(&last), last.ended), (["11", "8"].map(String::from).to_vec(), Some(Ending::Exited(0))));
}

#[test]
fn what_cannot_be_started_says_why() {
    let text = |text: &str| Code::Bytes(wat::parse_str(text).expect("the text of a module"));
    let strange = r#"(module (import "env" "abort" (func)) (memory (export "memory") 1) (func (export "_start")))"#;
    let crooked = r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i64) (result i32)))
        (memory (export "memory") 1) (func (export "_start")))"#;
    for (code, part) in [
        (Code::File("no/such/file.wasm".into()), "no/such/file.wasm"),
        (Code::Bytes(b"#!/bin/sh".to_vec()), "not a WebAssembly module"),
        (text("(module)"), "_start"),
        (text("(module (func (export \"_start\") (param i32)))"), "_start"),
        (text(strange), "env.abort"),
        (text(crooked), "fd_close"),
        (text("(module (memory (export \"memory\") 10000) (func (export \"_start\")))"), "memory"),
    ] {
        let (_, ended) = end(&WasiSpec::new("test", code));
        let Some(Ending::NotStarted(reason)) = ended else { panic!("{part}: {ended:?}") };
        assert!(reason.contains(part), "{part}: {reason}");
    }
}

#[test]
fn memory_has_a_limit_and_a_program_can_live_with_it() {
    let body = r#"(func (export "_start")
        (call $number (i64.extend_i32_s (memory.grow (i32.const 10))))
        (call $number (i64.extend_i32_u (memory.grow (i32.const 1000))))
        (call $number (i64.extend_i32_u (memory.size))))"#;
    let spec = WasiSpec { memory_bytes_max: 100 << 16, ..WasiSpec::new("test", module(body)) };
    assert_eq!(end(&spec), (vec!["2".into(), "ffffffff".into(), "c".into()], Some(Ending::Exited(0))));
}

#[test]
fn arguments_and_environment_are_given_and_nothing_else() {
    let body = r#"
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_get" (func $args_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $environ_sizes_get (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_get" (func $environ_get (param i32 i32) (result i32)))
        (memory (export "memory") 1)
        (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (param i32 i32 i32 i32) (result i32)))
        (func $write_all (drop (call $fd_write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8))))
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 1024))
            (drop (call $args_sizes_get (i32.const 12) (i32.const 4)))
            (drop (call $args_get (i32.const 64) (i32.const 1024)))
            (call $write_all)
            (drop (call $environ_sizes_get (i32.const 12) (i32.const 4)))
            (drop (call $environ_get (i32.const 64) (i32.const 1024)))
            (call $write_all))"#;
    // Imports come before everything else in a module.
    let (imports, rest): (Vec<&str>, Vec<&str>) = body.lines().partition(|line| line.contains("(import"));
    let text = format!("(module {} {})", imports.join("\n"), rest.join("\n"));
    let code = Code::Bytes(wat::parse_str(text).expect("the text of a module"));
    let spec = WasiSpec {
        args: vec!["--bug".into(), "none".into()],
        env: vec![("A".into(), "1".into()), ("B".into(), String::new())],
        ..WasiSpec::new("node", code)
    };
    assert_eq!(end(&spec).0, ["node\0--bug\0none\0A=1\0B=\0"]);
}

#[test]
fn every_function_can_be_called_with_nonsense() {
    for (name, parameters) in imports::signatures() {
        for wild in ["0", "-1", "2147483647"] {
            let kinds = parameters.replace('i', "i32 ").replace('I', "i64 ");
            let numbers: Vec<_> = kinds.split_whitespace().map(|kind| format!("({kind}.const {wild})")).collect();
            let numbers = numbers.concat();
            let (result, call) =
                if name == "proc_exit" { ("", "(call $f ") } else { ("(result i32)", "(call $exit (call $f ") };
            let close = if name == "proc_exit" { ")" } else { "))" };
            let text = format!(
                "(module (import \"wasi_snapshot_preview1\" \"{name}\" (func $f (param {kinds}) {result}))
                (import \"wasi_snapshot_preview1\" \"proc_exit\" (func $exit (param i32)))
                (memory (export \"memory\") 1)
                (func (export \"_start\") {call}{numbers}{close}))"
            );
            let code = Code::Bytes(wat::parse_str(&text).unwrap_or_else(|error| panic!("{text}: {error}")));
            let step = WasiProgram::load(&WasiSpec::new("test", code)).step(Time::ZERO, &[]);
            let code = |ending| matches!(ending, Ending::Exited(_));
            assert!(step.ended.clone().is_none_or(code), "{name} of {wild}: {:?}", step.ended);
        }
    }
}

#[test]
fn a_call_that_waits_is_refused_before_the_program_has_begun() {
    let text =
        format!("(module {PRELUDE} (func $early (drop (call $read))) (start $early) (func (export \"_start\")))");
    let code = Code::Bytes(wat::parse_str(text).expect("the text of a module"));
    let (_, ended) = end(&WasiSpec::new("test", code));
    assert!(matches!(ended, Some(Ending::NotStarted(_))), "{ended:?}");
}

#[test]
fn the_echo_node_speaks_the_protocol() {
    let module = wat::parse_file(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/nodes/echo.wat")).expect("a module");
    let mut node = WasiProgram::load(&WasiSpec::new("n1", Code::Bytes(module)));
    let init =
        r#"{"id":0,"src":"c0","dest":"n1","body":{"type":"init","msg_id":1,"node_id":"n1","node_ids":["n1","n2"]}}"#;
    let init_ok = r#"{"src":"n1","dest":"c0","body":{"type":"init_ok","in_reply_to":1}}"#;
    assert_eq!(step(&mut node, Time::ZERO, &[init]).0, [init_ok]);
    for (body, reply) in [
        (r#"{"type":"echo","msg_id":2,"echo":"hi"}"#, Some(r#""echo":"hi","in_reply_to":2"#)),
        (
            r#"{"echo" : { "type": ["}", "\"\\"] } , "type" : "echo", "msg_id" :3 }"#,
            Some(r#""echo":{ "type": ["}", "\"\\"] },"in_reply_to":3"#),
        ),
        (r#"{"type":"echo","echo":-1.5e3}"#, Some(r#""echo":-1.5e3"#)),
        (r#"{"type":"echo","msg_id":0,"echo":null}"#, Some(r#""echo":null,"in_reply_to":0"#)),
        (r#"{"type":"echo","msg_id":5}"#, None),
        (r#"{"type":"topology","msg_id":6,"echo":"no"}"#, None),
        (r#""a body that is none""#, None),
    ] {
        let line = format!(r#"{{"dest": "n1", "body": {body}, "id": 17, "src": "c7"}}"#);
        let reply = reply.map(|rest| format!(r#"{{"src":"n1","dest":"c7","body":{{"type":"echo_ok",{rest}}}}}"#));
        assert_eq!(step(&mut node, Time::ZERO, &[&line]).0, Vec::from_iter(reply), "{line}");
    }
    for line in ["", "no JSON", "{", "{\"src", "{\"src\":", "[1,2]", "{\"src\":\"\\"] {
        assert_eq!(step(&mut node, Time::ZERO, &[line]).0, [""; 0], "{line}");
    }
    assert_eq!(step(&mut node, Time::ZERO, &[init, "?", init]).0, [init_ok, init_ok]);
}

/// Compiles a source file for WASI. `None`, with the reason printed, where the standard library for it is not installed.
fn compiled_rust(source: &Path) -> Option<Code> {
    const TARGET: &str = "wasm32-wasip1";
    let rustc = || Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let found = rustc().args(["--print", "target-libdir", "--target", TARGET]).output().ok();
    let library = found.and_then(|found| String::from_utf8(found.stdout).ok()).unwrap_or_default();
    if !Path::new(library.trim()).is_dir() {
        println!("skipped: the compiler has no standard library for {TARGET}");
        return None;
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let module = folder.path().join("program.wasm");
    let arguments = ["-O", "--edition", "2024", "--target", TARGET, "-o"];
    let status = rustc().args(arguments).args([&module, source]).status().expect("the compiler starts");
    assert!(status.success(), "{} does not compile", source.display());
    Some(Code::Bytes(std::fs::read(&module).expect("what was compiled")))
}

#[test]
fn a_node_in_rust_runs_as_it_is() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/nodes/echo.rs");
    let Some(code) = compiled_rust(&source) else { return };
    let transcript = |args: &[&str]| {
        let args = args.iter().map(ToString::to_string).collect();
        let mut node = WasiProgram::load(&WasiSpec { args, ..WasiSpec::new("n1", code.clone()) });
        let echo =
            |text: &str| format!(r#"{{"src":"c1","dest":"n1","body":{{"type":"echo","msg_id":7,"echo":"{text}"}}}}"#);
        let said = ["one", "two"].map(|text| step(&mut node, Time(SECOND), &[&echo(text)]).0.concat());
        assert_eq!(step(&mut node, Time(SECOND), &["nonsense"]).0, [""; 0]);
        assert_eq!(node.last_words(), ["passed over nonsense"]);
        node.end_input();
        assert_eq!(node.step(Time(SECOND), &[]).ended, Some(Ending::Exited(0)));
        said
    };
    let answer = |text: &str| {
        format!(r#"{{"src":"n1","dest":"c1","body":{{"type":"echo_ok","echo":"{text}","in_reply_to":7}}}}"#)
    };
    assert_eq!(transcript(&[]), [answer("one"), answer("two")]);
    assert_eq!(transcript(&["--bug", "previous"]), [answer("one"), answer("one")]);
    let mut refused = WasiProgram::load(&WasiSpec { args: vec!["--help".into()], ..WasiSpec::new("n1", code) });
    assert_eq!(refused.step(Time::ZERO, &[]).ended, Some(Ending::Exited(2)));
    assert_eq!(refused.last_words(), ["usage: [--bug previous]"]);
}

/// Asks the standard library for everything that would differ between two runs on a machine.
const RUST: &str = r#"
    use std::{collections::HashSet, env, io, thread, time::{Duration, Instant, SystemTime, UNIX_EPOCH}};
    fn main() {
        println!("{:?}", env::args().chain(env::vars().map(|(name, value)| name + &value)).collect::<Vec<_>>());
        println!("{}", SystemTime::now().duration_since(UNIX_EPOCH).expect("a date").as_nanos());
        let begun = Instant::now();
        thread::sleep(Duration::from_millis(1500));
        println!("{:?}", begun.elapsed());
        let order: Vec<u32> = (0..50).collect::<HashSet<_>>().into_iter().collect();
        println!("{order:?}");
        println!("{}", io::stdin().lines().map(|line| line.expect("a line").len()).sum::<usize>());
        panic!("at last");
    }
"#;

#[test]
fn the_standard_library_of_rust_sees_virtual_time_and_seeded_entropy() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let source = folder.path().join("program.rs");
    std::fs::write(&source, RUST).expect("a file in a temporary folder");
    let Some(code) = compiled_rust(&source) else { return };
    let run = |seed| {
        let env = vec![("NAME".into(), "value".into())];
        let mut program = WasiProgram::load(&WasiSpec { env, seed, ..WasiSpec::new("n1", code.clone()) });
        let first = step(&mut program, Time(SECOND), &["read", "later"]);
        let date = (REALTIME_START_NS + SECOND).to_string();
        assert_eq!(first, (vec![r#"["n1", "NAMEvalue"]"#.to_owned(), date], Some(Time(2_500 * MILLISECOND))));
        let mut second = step(&mut program, Time(2_500 * MILLISECOND), &[]).0;
        assert_eq!(second.remove(0), "1.5s");
        program.end_input();
        let last = program.step(Time(3 * SECOND), &[b"on"]);
        assert_eq!(lines(&last), ["11"]);
        assert!(matches!(last.ended, Some(Ending::Trapped(_))), "{:?}", last.ended);
        assert!(program.last_words().iter().any(|line| line == "at last"), "{:?}", program.last_words());
        second
    };
    assert_eq!(run(1), run(1));
    assert_ne!(run(1), run(2), "the order of a hash set");
}
