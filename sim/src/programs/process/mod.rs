//! Foreign processes, step by step: started with pipes, told the time, and given one input after the other.
//!
//! A process is any program of the machine. A library that is preloaded into it ([`TimeSource::Shim`]) answers for clocks, sleeps,
//! timeouts and entropy, so that an hour of it passes at once, and the same way each time. Where it cannot be preloaded, a process
//! keeps the time of the machine ([`TimeSource::Wall`]) and is still stepped.
//!
//! Invariant: a step ends when nothing is on its way in, every thread of the process and of its descendants is blocked, and everything
//! that they wrote has been read. Time moves only in between. Timers fire one at a time, in the order of their deadlines, a
//! microsecond late, since some programs wait until it is strictly later; and what is due within a millisecond of an input fires
//! before it, since some programs round to milliseconds.
//!
//! ```no_run
//! use sim::kernel::time::{SECOND, Time};
//! use sim::programs::{Program, process::{Process, ProcessSpec}};
//! let mut node = Process::spawn(&ProcessSpec::new(["python3", "node.py"]));
//! let step = node.step(Time::ZERO, &[br#"{"type":"init"}"#]);
//! let timers = node.step(Time(60 * SECOND), &[]);
//! # drop((step, timers));
//! ```
//!
//! What is deliberately absent: what lines mean; and the guarantee that two runs are alike. A process may look at what no library can
//! hide (threads that race, counters of the processor, the disk, the network), so whoever needs it repeats a run and compares.

mod clock;
mod launch;
mod patience;
mod pipes;
mod tree;

use std::fmt;
use std::path::PathBuf;
use std::process::Child;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Ending, Line, Program, Step, TimeSource};
use crate::kernel::time::{MICROSECOND, MILLISECOND, Time};
use clock::{ClockFile, Wait};
use pipes::{Input, Noise, Output};
use tree::Tree;

pub use launch::ENVIRONMENT;
pub use patience::Patience;

/// How long after its deadline a timer fires.
const LATE_NS: u64 = MICROSECOND;
/// How close before a deadline an input waits for it.
const CLOSE_NS: u64 = MILLISECOND;
/// How often to look at a process before sleeping between looks.
const EAGER_LOOKS: u32 = 40;
/// The longest sleep between looks.
const SLEEP_NS_MAX: u64 = 2 * MILLISECOND;
/// How often a process has to be found at rest that leaves its input unread.
const UNREAD_LOOKS: u32 = 4;
/// How long to wait for a process that does nothing where threads cannot be seen.
const BLIND_LOOKS: u32 = 12;

/// Where the time of a process shall come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Clocks {
    /// From the simulator if the process can be told so, else from the machine.
    #[default]
    Auto,
    /// From the simulator, or the process does not start.
    Shim,
    /// The process needs none.
    Messages,
    /// From the machine.
    Wall,
}

/// What to start, and what it may do.
#[derive(Clone, Debug)]
pub struct ProcessSpec {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Where it runs; the directory of the simulator if not said.
    pub directory: Option<PathBuf>,
    /// Variables of the environment, which win over [`ENVIRONMENT`].
    pub env: Vec<(String, String)>,
    /// What it is called in messages.
    pub name: String,
    /// Where its entropy begins.
    pub seed: u64,
    /// Where its time comes from.
    pub clocks: Clocks,
    /// The instant of virtual time at which it starts.
    pub started: Time,
    /// How long, in real time, until it comes to rest after its start.
    pub start_limit: Duration,
    /// How long, in real time, a step may take, on top of the virtual time that passes in it.
    pub step_limit: Duration,
    /// How long a line may be; of a longer one the beginning is kept.
    pub line_bytes_max: usize,
    /// How much it may write in a step, each line counted as 32 bytes more; the rest is counted and thrown away.
    pub step_bytes_max: u64,
}

impl ProcessSpec {
    /// A command with the usual limits.
    pub fn new<I: IntoIterator<Item = S>, S: Into<String>>(command: I) -> Self {
        let command: Vec<String> = command.into_iter().map(Into::into).collect();
        Self {
            name: command.first().cloned().unwrap_or_default(),
            command,
            directory: None,
            env: Vec::new(),
            seed: 0,
            clocks: Clocks::Auto,
            started: Time::ZERO,
            start_limit: Duration::from_secs(10),
            step_limit: Duration::from_secs(10),
            line_bytes_max: 16 << 20,
            step_bytes_max: 64 << 20,
        }
    }
}

/// A running process. Dropping it ends it, with all that it started.
pub struct Process {
    spec: ProcessSpec,
    state: State,
    clock: Option<ClockFile>,
    input: Input,
    output: Output,
    noise: Noise,
    /// Whether it has come to rest since its start.
    started: bool,
    time_source: TimeSource,
}

/// Whether it lives.
enum State {
    Running(Child, Tree),
    Ended(Ending),
}

impl fmt::Debug for Process {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut shown = f.debug_struct("Process");
        shown.field("name", &self.spec.name).field("time_source", &self.time_source);
        match &self.state {
            State::Running(child, _) => shown.field("process", &child.id()),
            State::Ended(ending) => shown.field("ended", ending),
        };
        shown.finish_non_exhaustive()
    }
}

/// How waiting for a process ended.
enum Settled {
    AtRest,
    Ended,
    NeverQuiet,
}

impl Process {
    /// Starts a process. It boots while others are started; if it cannot be started, its first step says so.
    pub fn spawn(spec: &ProcessSpec) -> Self {
        let wanted = matches!(spec.clocks, Clocks::Auto | Clocks::Shim) && clock::library().is_some();
        let clock = wanted.then(|| ClockFile::new(spec.seed, spec.started).ok()).flatten();
        let (line, step) = (spec.line_bytes_max, spec.step_bytes_max);
        let (state, input, output, noise) = match launch::start(spec, clock.as_ref()) {
            Ok(mut child) => {
                let input = Input::new(child.stdin.take());
                let output = Output::new(child.stdout.take(), line, step);
                let noise = Noise::new(child.stderr.take());
                let tree = Tree::new(child.id());
                (State::Running(child, tree), input, output, noise)
            }
            Err(error) => {
                let ending = Ending::NotStarted(error.to_string());
                (State::Ended(ending), Input::new(None), Output::new(None, line, step), Noise::new(None))
            }
        };
        let time_source = if spec.clocks == Clocks::Messages { TimeSource::Messages } else { TimeSource::Wall };
        Self { spec: spec.clone(), state, clock, input, output, noise, started: false, time_source }
    }

    /// Lets somebody hear every line of the standard error.
    pub fn listen(&mut self, listener: impl FnMut(&str) + Send + 'static) {
        self.noise.listener = Some(Box::new(listener));
    }

    /// What it is called in messages.
    pub fn name(&self) -> &str {
        &self.spec.name
    }

    /// Its number, while it runs.
    pub fn id(&self) -> Option<u32> {
        match &self.state {
            State::Running(child, _) => Some(child.id()),
            State::Ended(_) => None,
        }
    }

    /// Ends its input, which many programs take for the wish that they end.
    pub fn close_input(&mut self) {
        self.input.close();
    }

    /// Collects what has come since the last step, without waiting: for processes that keep the time of the machine.
    pub fn drain(&mut self) -> Step {
        self.collect();
        if let State::Running(child, _) = &self.state
            && launch::has_ended(child)
        {
            self.end(None);
        }
        self.outcome()
    }

    /// Waits until it has booted.
    fn boot(&mut self) -> Settled {
        let settled = self.settle(Patience::new(self.spec.start_limit));
        self.started = true;
        if let (State::Running(_, tree), Some(clock)) = (&self.state, &self.clock)
            && clock.attached()
            && tree.all_map(ClockFile::NAME)
        {
            self.time_source = TimeSource::Shim;
        } else if self.spec.clocks == Clocks::Shim && matches!(settled, Settled::AtRest) {
            let reason = "it does not take its time from the simulator; is it linked statically?";
            self.end(Some(Ending::NotStarted(reason.to_owned())));
            return Settled::Ended;
        }
        settled
    }

    /// Lets it run to `now`, then with inputs.
    fn run(&mut self, now: Time, inputs: &[&[u8]]) -> Settled {
        if !self.started {
            match self.boot() {
                Settled::AtRest => {}
                other => return other,
            }
        }
        // Much may happen in a long time; it may take as long as it would without a simulator.
        let passes_ns = self.clock.as_ref().map_or(0, |clock| now.since(clock.now()));
        let patience = Patience::new(self.spec.step_limit + Duration::from_nanos(passes_ns));
        if self.time_source == TimeSource::Shim {
            let close_ns = if inputs.is_empty() { 0 } else { CLOSE_NS };
            match self.fire_until(now + close_ns, patience) {
                Settled::AtRest => {}
                other => return other,
            }
            if let Some(clock) = &mut self.clock {
                clock.advance(now);
            }
        }
        for line in inputs {
            self.input.line(line);
        }
        self.settle(patience)
    }

    /// Fires the timers that are due before `until` or then, one after the other.
    fn fire_until(&mut self, until: Time, patience: Patience) -> Settled {
        while let Some(wait) = self.clock.as_mut().and_then(ClockFile::next).filter(|wait| wait.deadline() <= until) {
            if patience.over() {
                return Settled::NeverQuiet;
            }
            if let State::Running(_, tree) = &mut self.state
                && !tree.has(wait.process, wait.thread)
                && let Some(clock) = &self.clock
            {
                clock.forget(&wait);
                continue;
            }
            match self.fire(&wait, patience) {
                Settled::AtRest => {}
                other => return other,
            }
        }
        Settled::AtRest
    }

    /// Fires a timer.
    fn fire(&mut self, wait: &Wait, patience: Patience) -> Settled {
        let Some(clock) = &mut self.clock else { return Settled::AtRest };
        clock.advance(wait.deadline() + LATE_NS);
        clock.set_due(wait);
        // A thread may have been seen blocked on its way into its wait. Then it has to be woken again.
        for _ in 0..2 {
            wake(wait);
            match self.settle(patience) {
                Settled::AtRest => {}
                other => return other,
            }
            if !self.clock.as_mut().is_some_and(|clock| clock.still_due(wait)) {
                break;
            }
        }
        Settled::AtRest
    }

    /// Reads what the process wrote, and writes what it has to read. Says whether anything moved.
    fn collect(&mut self) -> bool {
        let fed = self.input.feed();
        let read = self.output.drain();
        let heard = self.noise.drain();
        fed || read || heard
    }

    /// Waits until it is at rest.
    fn settle(&mut self, patience: Patience) -> Settled {
        let (mut looks, mut rests, mut sleep_ns) = (0_u32, 0_u32, 20 * MICROSECOND);
        loop {
            if self.collect() {
                (rests, sleep_ns) = (0, 20 * MICROSECOND);
            }
            let unread = self.input.unread();
            let State::Running(child, tree) = &mut self.state else { return Settled::Ended };
            let at_rest = if tree.visible() { (!unread || looks >= EAGER_LOOKS) && tree.at_rest() } else { looks > 0 };
            let enough = if !tree.visible() {
                BLIND_LOOKS
            } else if unread {
                UNREAD_LOOKS
            } else {
                1
            };
            if !at_rest {
                rests = 0;
                if launch::has_ended(child) {
                    self.end(None);
                    return Settled::Ended;
                }
            } else if !self.collect() {
                rests += 1;
                if rests >= enough {
                    let ended = matches!(&self.state, State::Running(child, _) if launch::has_ended(child));
                    if ended {
                        self.end(None);
                        return Settled::Ended;
                    }
                    return Settled::AtRest;
                }
            }
            if patience.over() {
                return Settled::NeverQuiet;
            }
            looks += 1;
            if looks < EAGER_LOOKS {
                std::thread::yield_now();
            } else {
                self.sleep(sleep_ns);
                sleep_ns = (sleep_ns * 2).min(SLEEP_NS_MAX);
            }
        }
    }

    /// Waits until something moves, or a short time.
    fn sleep(&self, ns: u64) {
        let mut fds = Vec::with_capacity(3);
        fds.extend(self.output.pipe().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.noise.pipe().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        fds.extend(self.input.wanted().map(|pipe| PollFd::new(pipe, PollFlags::OUT)));
        let timeout = Timespec { tv_sec: 0, tv_nsec: ns as _ };
        // Whether it was this or that does not matter: the caller looks at everything.
        let _ = poll(&mut fds, Some(&timeout));
    }

    /// Ends it for this reason, or says how it ended by itself.
    fn end(&mut self, reason: Option<Ending>) {
        if let State::Running(child, tree) = &mut self.state {
            let own = child.id();
            let ending = launch::end(child, tree.processes().filter(|process| *process != own));
            self.state = State::Ended(reason.unwrap_or(ending));
            while self.collect() {}
            self.input.close();
        }
    }

    /// What came of a step.
    fn outcome(&mut self) -> Step {
        match &self.state {
            State::Ended(ending) => Step { lines: self.output.take_all(), deadline: None, ended: Some(ending.clone()) },
            State::Running(..) => {
                let clock = self.clock.as_mut().filter(|_| self.time_source == TimeSource::Shim);
                let deadline = clock.and_then(|clock| clock.next().map(|wait| wait.deadline().max(clock.now())));
                Step { lines: self.output.take(), deadline, ended: None }
            }
        }
    }
}

/// Wakes the thread of a process that wakes the others.
fn wake(wait: &Wait) {
    use std::io::Write;
    use std::os::unix::fs::OpenOptionsExt;
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits() as i32;
    let path = format!("/proc/{}/fd/{}", wait.process, wait.pipe);
    let pipe = std::fs::OpenOptions::new().write(true).custom_flags(nonblocking).open(path);
    // A process that is gone needs no waking.
    drop(pipe.and_then(|mut pipe| pipe.write_all(b"!")));
}

impl Program for Process {
    fn step(&mut self, now: Time, inputs: &[&[u8]]) -> Step {
        if let Settled::NeverQuiet = self.run(now, inputs) {
            self.end(Some(Ending::NeverQuiet));
        }
        self.outcome()
    }

    fn time_source(&self) -> TimeSource {
        self.time_source
    }

    fn last_words(&self) -> Vec<String> {
        self.noise.last_words()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end(None);
    }
}

/// The lines as text, for tests and messages.
pub fn text(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .map(|line| match line {
            Line::Whole(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            other => format!("{other:?}"),
        })
        .collect()
}
