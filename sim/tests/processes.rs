//! Foreign processes of several languages, in lockstep and in virtual time.
//!
//! Whoever lacks an interpreter skips its tests and reads so. No test measures real time.
#![cfg(all(target_os = "linux", target_env = "gnu", any(target_arch = "x86_64", target_arch = "aarch64")))]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use sim::kernel::time::{MICROSECOND, MILLISECOND, SECOND, Time};
use sim::programs::process::{Clocks, Process, ProcessSpec, text};
use sim::programs::{Ending, Line, Program, Step, TimeSource};

/// How often a run is repeated to see whether it is the same.
const REPETITIONS: usize = 20;

/// Whether a program can be started. Says so if not.
fn present(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output().is_ok_and(|output| output.status.success());
    if !found {
        println!("skipped: `{program}` cannot be started");
    }
    found
}

/// A program in Python. The interpreter is asked for itself, since what is called `python3` may be a script that looks for it.
fn python(source: &str) -> Option<ProcessSpec> {
    static INTERPRETER: OnceLock<Option<String>> = OnceLock::new();
    let interpreter = INTERPRETER.get_or_init(|| {
        let output = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
        let output = output.ok().filter(|output| output.status.success());
        output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    });
    if interpreter.is_none() {
        println!("skipped: `python3` cannot be started");
    }
    interpreter.as_ref().map(|interpreter| ProcessSpec::new([interpreter, "-c", source]))
}

/// A program for Node.js.
fn node(source: &str) -> Option<ProcessSpec> {
    present("node").then(|| ProcessSpec::new(["node", "-e", source]))
}

/// A folder for what is compiled here.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("processes");
        std::fs::create_dir_all(&folder).expect("a folder for compiled programs");
        folder
    })
}

/// Compiles a program, once per name.
fn compiled(compiler: &str, name: &str, extension: &str, source: &str, arguments: &[&str]) -> Option<ProcessSpec> {
    if !present(compiler) {
        return None;
    }
    let file = folder().join(format!("{name}.{extension}"));
    let program = folder().join(name);
    std::fs::write(&file, source).expect("the source can be written");
    let status = Command::new(compiler).args(arguments).arg("-o").arg(&program).arg(&file).status();
    assert!(status.expect("the compiler starts").success(), "{name} does not compile");
    Some(ProcessSpec::new([program.to_str().expect("a path in Unicode")]))
}

/// A program in Rust.
fn rust(name: &str, source: &str) -> Option<ProcessSpec> {
    compiled("rustc", name, "rs", source, &["--edition", "2024", "-O"])
}

/// A program in C.
fn c(name: &str, source: &str) -> Option<ProcessSpec> {
    compiled("cc", name, "c", source, &["-O1", "-pthread"])
}

/// Lets a process run to `until` from deadline to deadline. Returns what it wrote, with the instant of each step.
fn run(process: &mut Process, until: Time) -> Vec<String> {
    let mut shown = Vec::new();
    let mut now = Time::ZERO;
    loop {
        let step = process.step(now, &[]);
        shown.extend(text(&step.lines).into_iter().map(|line| format!("{now} {line}")));
        if let Some(ending) = step.ended {
            shown.push(format!("{now} {ending}"));
            return shown;
        }
        match step.deadline.filter(|deadline| *deadline <= until) {
            Some(deadline) => now = deadline.max(now),
            None => return shown,
        }
    }
}

/// Runs a program many times. All transcripts are equal; returns one.
fn same(spec: Option<ProcessSpec>, until: Time) -> Option<Vec<String>> {
    let spec = spec?;
    let first = run(&mut Process::spawn(&spec), until);
    for _ in 1..REPETITIONS {
        let mut process = Process::spawn(&spec);
        let again = run(&mut process, until);
        assert_eq!(first, again, "{:?}", process.last_words());
        assert_eq!(process.time_source(), TimeSource::Shim);
    }
    Some(first)
}

/// The program writes these lines at these instants, in every run.
#[track_caller]
fn writes(spec: Option<ProcessSpec>, until: Time, expected: &[&str]) {
    if let Some(shown) = same(spec, until) {
        assert_eq!(shown, expected);
    }
}

/// A minute.
const MINUTE: Time = Time(60 * SECOND);

#[test]
fn python_sleeps() {
    let source = "
import time
start = time.monotonic(); day = time.time()
for i in range(3):
    time.sleep(20)
    print(i, round(time.monotonic() - start, 5), round(time.time() - day, 5), time.gmtime().tm_year)
";
    writes(
        python(source),
        MINUTE + 1_000_000,
        &[
            "20s 0 20.0 20.0 2020",
            "40.000001s 1 40.0 40.0 2020",
            "60.000002s 2 60.0 60.0 2020",
            "60.000002s exited with code 0",
        ],
    );
}

#[test]
fn python_waits_with_timeouts() {
    let source = "
import threading, queue, select, os, random
event = threading.Event()
print('event', event.wait(10))
condition = threading.Condition()
with condition:
    print('condition', condition.wait(10))
try: queue.Queue().get(timeout=10)
except queue.Empty: print('queue')
r, w = os.pipe()
print('select', select.select([r], [], [], 10))
print('poll', len(select.epoll().poll(10)))
lock = threading.Lock(); lock.acquire()
print('lock', lock.acquire(timeout=10))
print(os.urandom(4).hex(), random.random())
";
    let Some(shown) = same(python(source), Time(61 * SECOND)) else { return };
    let heads: Vec<&str> = shown.iter().map(|line| line.split(' ').next().unwrap_or_default()).collect();
    assert_eq!(
        &heads[..7],
        ["10s", "20.000001s", "30.000002s", "40.000003s", "50.000004s", "60.000005s", "60.000005s"]
    );
}

#[test]
fn python_has_timers_in_an_event_loop() {
    let source = "
import asyncio, os, random
async def tick(name, every):
    for i in range(3):
        await asyncio.sleep(every)
        print(name, i)
async def main():
    try:
        async with asyncio.timeout(1.0): await asyncio.sleep(9)
    except TimeoutError: print('timeout')
    await asyncio.gather(tick('a', 5), tick('b', 7))
    print({object() for _ in range(3)}, random.getrandbits(32), os.urandom(3))
asyncio.run(main())
";
    let Some(mut shown) = same(python(source), MINUTE) else { return };
    // What stands there differs from interpreter to interpreter, and is the same in all runs of one.
    shown.retain(|line| !line.contains("object"));
    let instants: Vec<(u64, &str)> = shown
        .iter()
        .filter_map(|line| {
            let (at, what) = line.split_once("s ")?;
            Some((at.split('.').next()?.parse().ok()?, what))
        })
        .collect();
    let expected = [
        (1, "timeout"),
        (6, "a 0"),
        (8, "b 0"),
        (11, "a 1"),
        (15, "b 1"),
        (16, "a 2"),
        (22, "b 2"),
        (22, "exited with code 0"),
    ];
    assert_eq!(instants, expected, "{shown:#?}");
}

#[test]
fn children_have_the_same_time_and_entropy_of_their_own() {
    let source = "
import multiprocessing, os, random, subprocess, time
script = 'sleep 3; date +%s; head -c 4 /dev/urandom | od -x'
print(subprocess.run(['sh', '-c', script], capture_output=True, text=True).stdout.split())
def child(answers):
    time.sleep(2)
    answers.put((int(time.time()), os.urandom(3), random.random()))
multiprocessing.set_start_method('fork')
answers = multiprocessing.Queue()
process = multiprocessing.Process(target=child, args=(answers,))
process.start(); print(answers.get()); process.join()
if os.fork() == 0:
    time.sleep(1); print('child', int(time.time()), os.urandom(3)); os._exit(0)
os.wait(); print('parent', int(time.time()), os.urandom(3))
";
    let Some(shown) = same(python(source), MINUTE) else { return };
    let heads: Vec<&str> = shown.iter().map(|line| &line[..line.len().min(26)]).collect();
    assert!(heads[0].starts_with("3s ['1577836803',"), "{shown:#?}");
    assert!(heads[1].starts_with("5.000001s (1577836805, b'"), "{shown:#?}");
    assert!(heads[2].starts_with("6.000002s child 1577836806"), "{shown:#?}");
    assert!(heads[3].starts_with("6.000002s parent 157783680"), "{shown:#?}");
}

#[test]
fn java_has_schedules_and_random_numbers() {
    if !present("javac") || !present("java") {
        return;
    }
    let source = r#"
import java.util.*;
import java.util.concurrent.*;
public class Ticks {
    public static void main(String[] arguments) {
        Executors.newScheduledThreadPool(1).scheduleAtFixedRate(() -> {
            System.out.println(System.currentTimeMillis() + " " + new Random().nextInt() + " " + UUID.randomUUID());
        }, 20, 20, TimeUnit.SECONDS);
    }
}
"#;
    let file = folder().join("Ticks.java");
    std::fs::write(&file, source).expect("the source can be written");
    assert!(Command::new("javac").arg(&file).status().expect("the compiler starts").success());
    let folder = folder().to_str().expect("a path in Unicode");
    // The compiler of the virtual machine has threads and timers of its own, which take their time.
    let spec = ProcessSpec::new(["java", "-Xint", "-XX:+UseSerialGC", "-cp", folder, "Ticks"]);
    let Some(shown) = same(Some(spec), MINUTE + MILLISECOND) else { return };
    let days: Vec<&str> = shown.iter().filter_map(|line| line.split(' ').nth(1)).collect();
    assert_eq!(days, ["1577836820000", "1577836840000", "1577836860000"], "{shown:#?}");
}

#[test]
fn node_has_intervals_and_random_numbers() {
    let source = "
const crypto = require('crypto');
let n = 0;
setInterval(() => {
    n += 1;
    console.log(n, Date.now(), Math.round(performance.now()) % 5000 < 50, Math.random(), crypto.randomBytes(4).toString('hex'));
}, 5000);
";
    let Some(shown) = same(node(source), MINUTE) else { return };
    assert_eq!(shown.len(), 11, "{shown:#?}");
    assert!(shown[0].starts_with("5s 1 1577836805000 true 0."), "{shown:#?}");
    assert!(shown[10].starts_with("55.00001s 11 1577836855000 true 0."), "{shown:#?}");
}

#[test]
fn rust_sleeps_and_waits() {
    let source = r#"
use std::{collections::HashSet, sync::{Condvar, Mutex, mpsc::channel}, thread, time::{Duration, Instant}};
fn main() {
    let start = Instant::now();
    thread::sleep(Duration::from_secs(20));
    println!("slept {:?}", start.elapsed());
    let (sender, receiver) = channel::<()>();
    println!("{:?}", receiver.recv_timeout(Duration::from_secs(20)));
    drop(sender);
    let (mutex, condition) = (Mutex::new(()), Condvar::new());
    let (_guard, result) = condition.wait_timeout(mutex.lock().unwrap(), Duration::from_secs(20)).unwrap();
    println!("{} {:?}", result.timed_out(), start.elapsed());
    println!("{:?}", (0..20).collect::<HashSet<u32>>());
}
"#;
    let Some(shown) = same(rust("waits", source), Time(61 * SECOND)) else { return };
    assert_eq!(shown.len(), 5, "{shown:#?}");
    assert_eq!(shown[0], "20s slept 20.000001s");
    assert_eq!(shown[1], "40.000001s Err(Timeout)");
    assert_eq!(shown[2], "60.000002s true 60.000003s");
}

#[test]
fn c_waits_for_descriptors_and_locks() {
    let source = r#"
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <sys/time.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
static void *other(void *unused) { sleep(66); puts("other"); fflush(stdout); return unused; }
int main(void) {
    pthread_t thread;
    pthread_create(&thread, 0, other, 0);
    setvbuf(stdout, 0, _IOLBF, 0);
    int ends[2];
    if (pipe(ends)) return 9;
    struct pollfd fd = { ends[0], POLLIN, 0 };
    printf("poll %d\n", poll(&fd, 1, 10000));
    fd_set set; FD_ZERO(&set); FD_SET(ends[0], &set);
    struct timeval ten = { 10, 0 };
    int n = select(ends[0] + 1, &set, 0, 0, &ten);
    printf("select %d %d %ld\n", n, FD_ISSET(ends[0], &set), (long)ten.tv_sec);
    usleep(10000000);
    struct timespec now; clock_gettime(CLOCK_REALTIME, &now);
    printf("usleep %ld\n", (long)now.tv_sec);
    now.tv_sec += 10;
    sem_t semaphore; sem_init(&semaphore, 0, 0);
    n = sem_timedwait(&semaphore, &now);
    printf("sem %d %d\n", n, errno == ETIMEDOUT);
    now.tv_sec += 10;
    pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER; pthread_cond_t condition = PTHREAD_COND_INITIALIZER;
    pthread_mutex_lock(&mutex);
    printf("condition %d\n", pthread_cond_timedwait(&condition, &mutex, &now) == ETIMEDOUT);
    struct epoll_event event;
    printf("epoll %d\n", epoll_wait(epoll_create1(0), &event, 1, 10000));
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    struct itimerspec spec = { { 2, 0 }, { 1, 0 } };
    timerfd_settime(timer, 0, &spec, 0);
    unsigned long long fired[3] = { 0, 0, 0 };
    for (int i = 0; i < 3; i++)
        if (read(timer, &fired[i], 8) != 8) return 8;
    timerfd_gettime(timer, &spec);
    printf("timer %llu %llu %llu %ld\n", fired[0], fired[1], fired[2], (long)(spec.it_value.tv_sec * 1000 + spec.it_value.tv_nsec / 1000000));
    spec.it_value.tv_sec = spec.it_value.tv_nsec = 0;
    timerfd_settime(timer, 0, &spec, 0);
    unsigned char bytes[2][4];
    FILE *device = fopen("/dev/urandom", "r");
    if (!device || fread(bytes[0], 4, 1, device) != 1) return 7;
    int opened = open("/dev/urandom", O_RDONLY);
    static char many[300000];
    for (size_t n = 0; n < sizeof many;) { ssize_t got = read(opened, many + n, sizeof many - n); if (got <= 0) return 6; n += got; }
    memcpy(bytes[1], many + sizeof many - 4, 4);
    printf("random %x %x\n", *(unsigned *)bytes[0], *(unsigned *)bytes[1]);
    puts("end");
    pthread_join(thread, 0);
    return 3;
}
"#;
    writes(
        c("waits_c", source),
        Time(67 * SECOND),
        &[
            "10s poll 0",
            "20.000001s select 0 0 0",
            "30.000002s usleep 1577836830",
            "40.000003s sem -1 1",
            "50.000003s condition 1",
            "60.000004s epoll 0",
            "65.000005s timer 1 1 1 1999",
            "65.000005s random b07b8143 4683d403",
            "65.000005s end",
            "66s other",
            "66s exited with code 3",
        ],
    );
}

/// Steps at time 0.
fn step(process: &mut Process, inputs: &[&[u8]]) -> Step {
    process.step(Time::ZERO, inputs)
}

#[test]
fn messages_are_answered_one_by_one() {
    let Some(spec) = python("import sys\nfor line in sys.stdin: print('>' + line, end='')") else { return };
    let mut process = Process::spawn(&spec);
    for i in 0..500 {
        let line = i.to_string();
        let step = process.step(Time(i * MILLISECOND), &[line.as_bytes()]);
        assert_eq!(text(&step.lines), [format!(">{i}")]);
        assert_eq!((step.deadline, step.ended), (None, None));
    }
}

#[test]
fn a_step_ends_when_the_last_thread_and_the_last_child_are_done() {
    let source = "
import queue, subprocess, sys, threading
queues = [queue.Queue() for _ in range(4)]
def hand_on(i):
    while True:
        line = queues[i].get()
        print(i, line)
        if i < 3: queues[i + 1].put(line)
        else: filter.stdin.write(line); filter.stdin.flush()
filter = subprocess.Popen(['sh', '-c', 'while read x; do echo filtered $x; done'], stdin=subprocess.PIPE, text=True)
for i in range(4): threading.Thread(target=hand_on, args=(i,), daemon=True).start()
for line in sys.stdin: queues[0].put(line)
";
    let Some(spec) = python(source) else { return };
    let mut process = Process::spawn(&spec);
    for i in 0..300 {
        let step = process.step(Time(i), &[b"x"]);
        assert_eq!(text(&step.lines).last().map(String::as_str), Some("filtered x"), "{step:?}");
        assert_eq!(step.lines.len(), 4 + 4 + 1, "{step:?}");
    }
}

#[test]
fn many_processes_have_enough_descriptors() {
    let Some(spec) = python(
        "import sys, threading, time\nfor _ in range(30): threading.Thread(target=time.sleep, args=(9,), daemon=True).start()\nfor line in sys.stdin: print(line, end='')",
    ) else {
        return;
    };
    let mut processes: Vec<Process> = (0..20).map(|_| Process::spawn(&spec)).collect();
    for process in &mut processes {
        assert_eq!(text(&step(process, &[b"x"]).lines), ["x"]);
    }
}

#[test]
fn inputs_wait_for_timers_that_are_close() {
    let source = "
import select, sys, os
while True:
    if select.select([0], [], [], 1.0)[0]: print(os.read(0, 99))
    else: print('timer')
";
    let Some(spec) = python(source) else { return };
    let mut process = Process::spawn(&spec);
    assert_eq!(step(&mut process, &[]).deadline, Some(Time(SECOND)));
    let shown = process.step(Time(SECOND - MICROSECOND), &[b"x"]);
    assert_eq!(text(&shown.lines), ["timer", "b'x\\n'"]);
    assert_eq!(shown.deadline, Some(Time(2 * SECOND + MICROSECOND)));
    let shown = process.step(Time(SECOND + 2 * MICROSECOND), &[b"y"]);
    assert_eq!(text(&shown.lines), ["b'y\\n'"]);
}

#[test]
fn whoever_sleeps_reads_later() {
    let Some(spec) = python("import time, sys\ntime.sleep(5)\nprint(sys.stdin.readline(), end='')") else { return };
    let mut process = Process::spawn(&spec);
    let asleep = step(&mut process, &[b"early"]);
    assert_eq!((asleep.lines, asleep.deadline, asleep.ended), (vec![], Some(Time(5 * SECOND)), None));
    let awake = process.step(Time(5 * SECOND), &[]);
    assert_eq!(text(&awake.lines), ["early"]);
    assert_eq!(awake.ended, Some(Ending::Exited(0)));
}

#[test]
fn a_process_may_write_much_before_it_reads() {
    let source = "
import sys
for i in range(1000): print('x' * 100_000)
print(len(sys.stdin.readline()))
";
    let Some(mut spec) = python(source) else { return };
    spec.step_bytes_max = 200 << 20;
    spec.start_limit = Duration::from_mins(1);
    let mut process = Process::spawn(&spec);
    let input = vec![b'y'; 3_000_000];
    let step = step(&mut process, &[&input]);
    assert_eq!(step.lines.len(), 1001);
    assert_eq!(step.lines.last(), Some(&Line::Whole(b"3000001".to_vec())));
}

#[test]
fn floods_are_cut_and_long_lines_shortened() {
    let Some(mut spec) = python("print('a'); print('x' * 100_000_000); print('b', end='')") else { return };
    spec.start_limit = Duration::from_mins(1);
    spec.line_bytes_max = 10;
    spec.step_bytes_max = 200 << 20;
    let shown = step(&mut Process::spawn(&spec), &[]);
    assert_eq!(
        shown.lines,
        [
            Line::Whole(b"a".to_vec()),
            Line::TooLong { start: b"xxxxxxxxxx".to_vec(), bytes: 100_000_000 },
            Line::Whole(b"b".to_vec()),
        ]
    );
    spec.step_bytes_max = 1000;
    let shown = step(&mut Process::spawn(&spec), &[]);
    assert_eq!(shown.lines, [Line::Whole(b"a".to_vec()), Line::Flood { bytes: 100_000_002 }]);
    assert_eq!(shown.ended, Some(Ending::Exited(0)));
}

#[test]
fn whoever_never_stops_writing_is_ended() {
    let mut spec = ProcessSpec::new(["sh", "-c", "while :; do echo; done"]);
    spec.start_limit = Duration::from_millis(300);
    spec.step_bytes_max = 1000;
    let shown = step(&mut Process::spawn(&spec), &[]);
    assert_eq!(shown.ended, Some(Ending::NeverQuiet));
    assert!(shown.lines.len() < 100_000 && matches!(shown.lines.last(), Some(Line::Flood { .. })));
}

#[test]
fn orphans_have_time_too() {
    // The parent of the shell that sleeps ends at once, so that nothing points to it. It is found through the sleeper that it waits
    // for.
    let script = "(sh -c 'sleep 5; echo orphan' &) ; while read x; do echo $x; done";
    for _ in 0..REPETITIONS {
        let mut process = Process::spawn(&ProcessSpec::new(["sh", "-c", script]));
        let deadline = step(&mut process, &[]).deadline;
        // Whether it waits already cannot be seen while it is not known.
        let lines = text(&process.step(Time(1), &[b"x"]).lines);
        assert!(lines.iter().any(|line| line == "x"), "{lines:?}");
        if deadline.is_some() {
            assert_eq!(text(&process.step(Time(6 * SECOND), &[]).lines), ["orphan"]);
        }
    }
}

#[test]
fn endings_are_told_apart() {
    let sh = |script: &str| ProcessSpec::new(["sh", "-c", script]);
    let ending = |spec: &ProcessSpec| {
        let mut process = Process::spawn(spec);
        let step = step(&mut process, &[b"x"]);
        assert_eq!(process.step(Time(1), &[b"x"]).ended, step.ended, "it stays ended");
        (text(&step.lines).join("|"), step.ended, process.last_words().join("|"))
    };
    assert_eq!(ending(&sh("printf a; exit 7")), ("a".to_owned(), Some(Ending::Exited(7)), String::new()));
    assert_eq!(ending(&sh("echo bad >&2; kill -SEGV $$")), (String::new(), Some(Ending::Killed(11)), "bad".to_owned()));
    assert_eq!(ending(&sh("exec >&-; while read x; do :; done")), (String::new(), None, String::new()));
    let missing = ending(&ProcessSpec::new(["/does/not/exist"])).1;
    assert!(matches!(missing, Some(Ending::NotStarted(_))), "{missing:?}");
    assert!(matches!(ending(&ProcessSpec::new(Vec::<String>::new())).1, Some(Ending::NotStarted(_))));
    let mut busy = sh("echo busy >&2; while :; do :; done");
    busy.start_limit = Duration::from_millis(300);
    assert_eq!(ending(&busy), (String::new(), Some(Ending::NeverQuiet), "busy".to_owned()));
}

#[test]
fn a_loop_that_reads_the_clock_is_ended() {
    let Some(mut spec) = python("import time\nend = time.time() + 1\nwhile time.time() < end: pass") else { return };
    spec.start_limit = Duration::from_millis(500);
    assert_eq!(step(&mut Process::spawn(&spec), &[]).ended, Some(Ending::NeverQuiet));
}

#[test]
fn silence_is_rest() {
    let mut process = Process::spawn(&ProcessSpec::new(["sh", "-c", "while read x; do :; done"]));
    for i in 0..100 {
        assert_eq!(process.step(Time(i), &[b"x"]), Step::default());
    }
}

#[test]
fn children_are_waited_for_and_ended() {
    // A child of a child, which ignores what can be ignored.
    let script = "(trap '' TERM HUP; sh -c 'echo $$; sleep 100; echo later; cat' & wait) & read x; echo $x; wait";
    let mut process = Process::spawn(&ProcessSpec::new(["sh", "-c", script]));
    let first = step(&mut process, &[]);
    let grandchild = text(&first.lines).concat();
    let alive = || Path::new(&format!("/proc/{grandchild}/cmdline")).exists();
    assert!(grandchild.parse::<u32>().is_ok() && alive(), "{first:?}");
    assert_eq!(first.deadline, Some(Time(100 * SECOND)));
    assert_eq!(text(&process.step(Time(1), &[b"x"]).lines), ["x"]);
    assert_eq!(text(&process.step(Time(100 * SECOND), &[]).lines), ["later"]);
    drop(process);
    // It is nobody's child here, so whoever reaps it may take a moment.
    for _ in 0..1000 {
        let state = std::fs::read_to_string(format!("/proc/{grandchild}/stat")).unwrap_or_default();
        if state.is_empty() || state.contains(") Z") {
            return;
        }
        std::thread::yield_now();
        std::thread::sleep(Duration::from_millis(5));
    }
    panic!("{grandchild} lives");
}

#[test]
fn processes_survive_the_thread_that_started_them() {
    let spec = ProcessSpec::new(["cat"]);
    let started = std::thread::spawn(move || {
        let mut process = Process::spawn(&spec);
        step(&mut process, &[b"a"]);
        process
    });
    let mut process = started.join().expect("the thread ends well");
    assert_eq!(text(&process.step(Time(1), &[b"b"]).lines), ["b"]);
}

#[test]
fn whoever_cannot_be_told_the_time_keeps_that_of_the_machine() {
    let source = "#include <stdio.h>\nint main(void) { int c; while ((c = getchar()) != EOF) { putchar(c); fflush(stdout); } return 0; }";
    let Some(mut spec) = compiled("cc", "static_echo", "c", source, &["-static"]) else { return };
    let mut process = Process::spawn(&spec);
    assert_eq!(text(&step(&mut process, &[b"a"]).lines), ["a"]);
    assert_eq!(process.time_source(), TimeSource::Wall);
    spec.clocks = Clocks::Shim;
    let refused = step(&mut Process::spawn(&spec), &[]).ended;
    assert!(matches!(refused, Some(Ending::NotStarted(_))), "{refused:?}");
    spec.clocks = Clocks::Messages;
    let mut process = Process::spawn(&spec);
    assert_eq!(text(&step(&mut process, &[b"a"]).lines), ["a"]);
    assert_eq!(process.time_source(), TimeSource::Messages);
}
