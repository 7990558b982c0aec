//! What stands outside of one program: its arguments, its clock, its entropy, its standard streams, and what it waits for.
//!
//! Invariant: everything that a program can learn is in here, and comes from the specification, from virtual time or from its input.
//!
//! Example: two programs from one specification, given the same inputs at the same instants, see equal systems at every call.
//!
//! What is deliberately absent: files, sockets, and the machine.

use std::collections::VecDeque;

use wasmi::{Memory, StoreLimits, StoreLimitsBuilder};

use super::{
    WasiSpec,
    lines::{LastWords, Lines},
    poll::Poll,
};
use crate::kernel::{draws::Stream, time::Time};

/// What a program waits for.
#[derive(Debug)]
pub(super) enum Wait {
    /// Input, to be read into these buffers.
    Read {
        /// Where the list of buffers is.
        buffers: u32,
        /// How many there are.
        count: u32,
        /// Where to write how many bytes were read.
        read: u32,
    },
    /// The first of several events.
    Poll(Poll),
}

impl Wait {
    /// When it is over even without input.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self {
            Self::Read { .. } => None,
            Self::Poll(poll) => poll.deadline(),
        }
    }
}

/// What stands outside of one program.
#[derive(Debug)]
pub(super) struct System {
    /// The arguments, each ended by a zero byte.
    pub(super) args: Vec<Vec<u8>>,
    /// The environment, each `NAME=value` ended by a zero byte.
    pub(super) env: Vec<Vec<u8>>,
    /// The instant that all clocks show.
    pub(super) now: Time,
    /// The entropy.
    pub(super) entropy: Stream,
    /// How many words of it were taken.
    pub(super) words_taken: u64,
    /// What was given and not yet read.
    pub(super) input: VecDeque<u8>,
    /// No more will be given.
    pub(super) input_ended: bool,
    /// Which of the descriptors 0, 1 and 2 are open.
    pub(super) open: [bool; 3],
    /// Their flags.
    pub(super) flags: [u16; 3],
    /// Standard output.
    pub(super) output: Lines,
    /// Standard error.
    pub(super) errors: LastWords,
    /// What the program waits for, while it waits.
    pub(super) wait: Option<Wait>,
    /// The memory of the program, once a call has looked it up.
    pub(super) memory: Option<Memory>,
    /// How much memory it may have.
    pub(super) limits: StoreLimits,
}

impl System {
    /// The outside of a program that has not begun.
    pub(super) fn new(spec: &WasiSpec) -> Self {
        let ended = |text: String| [text.into_bytes(), vec![0]].concat();
        Self {
            args: std::iter::once(&spec.name).chain(&spec.args).cloned().map(ended).collect(),
            env: spec.env.iter().map(|(name, value)| ended(format!("{name}={value}"))).collect(),
            now: Time::ZERO,
            entropy: Stream::new(spec.seed, "wasi.entropy"),
            words_taken: 0,
            input: VecDeque::new(),
            input_ended: false,
            open: [true; 3],
            flags: [0; 3],
            output: Lines::new(spec.line_bytes_max, spec.step_bytes_max),
            errors: LastWords::default(),
            wait: None,
            memory: None,
            limits: StoreLimitsBuilder::new()
                .memory_size(spec.memory_bytes_max)
                .table_elements(TABLE_ELEMENTS_MAX)
                .build(),
        }
    }

    /// Whether a call that reads would come back at once.
    pub(super) fn can_read(&self) -> bool {
        !self.input.is_empty() || self.input_ended
    }
}

/// How many entries a table of functions may have; languages that compile to WebAssembly need some thousands.
const TABLE_ELEMENTS_MAX: usize = 1_000_000;
