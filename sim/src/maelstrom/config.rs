//! What a scenario says about a system of programs.
//!
//! What is deliberately absent: a way to give every replica a command of its own. Replicas are told apart by what `init` says.

/// Where the programs' time is to come from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeChoice {
    /// The best that is there: an interpreter for WebAssembly, else the shim, else the clock on the wall.
    #[default]
    Auto,
    /// The shim, or nothing.
    Shim,
    /// Messages to `sim-time`: for programs that have no timers of their own.
    Messages,
    /// The clock on the wall.
    Wall,
}

/// All choices, in the order of the enumeration.
pub const TIMES: &[(&str, &str)] = &[
    ("auto", "the shim where it can be loaded, else the clock on the wall"),
    ("shim", "a preloaded library: clocks, sleeps, timeouts and entropy are virtual"),
    ("messages", "none: the program has no timers, or asks `sim-time` for them"),
    ("wall", "the clock on the wall, which nobody can replay"),
];

/// How inputs are handed over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Delivery {
    /// One input, then wait until the program is quiet.
    #[default]
    Lockstep,
    /// All inputs of a millisecond at once: finds races inside of a program, and cannot be replayed.
    Burst,
}

/// All deliveries, in the order of the enumeration.
pub const DELIVERIES: &[(&str, &str)] = &[
    ("lockstep", "one input at a time, each when the program has come to rest"),
    ("burst", "all inputs of a millisecond at once, which finds races inside of a program; not replayable"),
];

/// The options of a system of programs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalConfig {
    /// The program and its arguments.
    pub command: Vec<String>,
    /// Variables of its environment.
    pub env: Vec<(String, String)>,
    /// Where its time comes from.
    pub time: TimeChoice,
    /// How inputs are handed over.
    pub delivery: Delivery,
    /// How often every replica is read by an observer beside it, in nanoseconds; 0 for never.
    pub probe_ns: u64,
    /// The neighbours that `topology` tells replicas of broadcasts.
    pub topology: super::topology::Shape,
    /// How long a program may take to be ready, in real nanoseconds.
    pub start_ns_max: u64,
    /// How long a step may take, in real nanoseconds.
    pub step_ns_max: u64,
    /// Is everything that is out of order a failure?
    pub strict: bool,
}

/// The second in which most programs are ready, and then some.
pub const START_NS_MAX: u64 = 10_000_000_000;
/// A step that takes this long never ends.
pub const STEP_NS_MAX: u64 = 10_000_000_000;
/// Between two looks of the observer, unless a scenario says otherwise.
pub const PROBE_NS: u64 = 100_000_000;

impl ExternalConfig {
    /// The defaults, for this command.
    pub fn new(command: Vec<String>) -> Self {
        Self {
            command,
            env: Vec::new(),
            time: TimeChoice::default(),
            delivery: Delivery::default(),
            probe_ns: PROBE_NS,
            topology: super::topology::Shape::default(),
            start_ns_max: START_NS_MAX,
            step_ns_max: STEP_NS_MAX,
            strict: false,
        }
    }
}
