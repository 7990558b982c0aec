//! The grid: which scenarios answer a question.
//!
//! Five points: the conditions that were asked about; the same without partitions; the same for half and for twice as long,
//! between which the growth of the state is measured; and a burst of updates at all replicas, in which all conflict and which
//! nothing follows: what a strategy does to conflicting updates is seen when no later one covers it. Without conflicts there is
//! no burst. Every point is a scenario as text, so that whoever doubts an advice can run it. All candidates of a point meet the
//! same draws.
//!
//! **From a conflict rate to a rate of updates.** Two updates conflict if one begins while the other is between its read and
//! its swap, which takes two round trips: 80 ms at the median latency of 20 ms. Arrivals are a Poisson process, so an update
//! meets no other in that time with probability `exp(-rate * 80 ms)`, and `rate = -ln(1 - c) / 80 ms`.
//!
//! Invariant: the text is a function of the question and the point. What is deliberately absent: the network as a variable;
//! who has another one writes the scenario to a file and changes it there.

use std::fmt::Write;

use super::question::{Question, Strategy, WHOLE_PPM, percent};
use crate::{
    kernel::time::{MILLISECOND, Nanos, SECOND},
    scenario::{CrdtName, ObjectName, Plan},
};

/// How long a read and a swap take at the median: two round trips.
pub const CONFLICT_WINDOW_NS: u64 = 4 * 20 * MILLISECOND;
/// One partition in this time, as long as the partition rate makes it.
const CYCLE_NS: u64 = 10 * SECOND;
/// The length of a run is a multiple of this, so that half of it has whole cycles.
const STEP_NS: u64 = 2 * CYCLE_NS;
/// The longest run of the point that was asked about.
const WORK_NS_MAX: u64 = 300 * SECOND;
/// As many updates are wanted in a run, if it does not get too long.
const UPDATES_WANTED: u64 = 200;
/// How long the burst lasts: less than one round of gossip.
const BURST_NS: u64 = 100 * MILLISECOND;
/// Conflict rates below are run as this one: there would be too few updates to measure.
const CONFLICT_PPM_MIN: u32 = 10_000;

/// A strategy with the means to try it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The family.
    pub strategy: Strategy,
    /// The system in the scenario.
    pub name: &'static str,
}

/// Who can replicate this object, in the order of the table.
pub fn candidates(object: ObjectName) -> Vec<Candidate> {
    let crdts: &[CrdtName] = match object {
        ObjectName::Counter => &[CrdtName::PnCounter],
        ObjectName::Set => &[CrdtName::OrSet],
        ObjectName::Register => &[CrdtName::MvRegister, CrdtName::LwwRegister],
        ObjectName::Sequence => &[CrdtName::Rga],
        ObjectName::Cart => &[CrdtName::Cart],
        // Of what programs speak, nothing here is replicated.
        _ => return Vec::new(),
    };
    let crdts = crdts.iter().map(|crdt| Candidate { strategy: Strategy::Crdt, name: crdt.name() });
    let stores = [(Strategy::Occ, "occ"), (Strategy::Locking, "lock")];
    crdts.chain(stores.map(|(strategy, name)| Candidate { strategy, name })).collect()
}

/// A point of the grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Point {
    /// What was asked.
    Asked,
    /// The same without partitions.
    Whole,
    /// The same, half as long.
    Half,
    /// The same, twice as long.
    Double,
    /// Two updates of every replica within a tenth of a second, and nothing else.
    Burst,
}

impl Point {
    /// All of them.
    const ALL: [Self; 5] = [Self::Asked, Self::Whole, Self::Half, Self::Double, Self::Burst];

    /// The points that differ for this question.
    pub(super) fn of(question: &Question) -> Vec<Self> {
        let differs = |point: &Self| match point {
            Self::Asked | Self::Half | Self::Double => true,
            Self::Whole => question.partition_ppm > 0,
            Self::Burst => question.conflict_ppm > 0,
        };
        Self::ALL.into_iter().filter(differs).collect()
    }

    fn is_cut(self) -> bool {
        matches!(self, Self::Asked | Self::Half | Self::Double)
    }
}

/// Updates of all clients together, in 1000 seconds.
pub fn updates_mhz(conflict_ppm: u32) -> u64 {
    let share = f64::from(conflict_ppm.max(CONFLICT_PPM_MIN)) / f64::from(WHOLE_PPM);
    let per_window = -libm::log1p(-share);
    libm::round(per_window * 1e12 / CONFLICT_WINDOW_NS as f64) as u64
}

/// How long clients work at this point.
pub fn work_ns(question: &Question, point: Point) -> u64 {
    let wanted_ns = UPDATES_WANTED * 1_000 * SECOND / updates_mhz(question.conflict_ppm);
    let asked_ns = (wanted_ns.div_ceil(STEP_NS) * STEP_NS).min(WORK_NS_MAX);
    match point {
        Point::Asked | Point::Whole => asked_ns,
        Point::Half => asked_ns / 2,
        Point::Double => asked_ns * 2,
        Point::Burst => BURST_NS,
    }
}

/// The scenario of a point, as text.
pub fn scenario(question: &Question, point: Point) -> String {
    let mut text = String::new();
    let work_ns = work_ns(question, point);
    // Writing to a string cannot fail.
    let _ = write!(
        text,
        "# {} replicas of a {} are cut in halves for {} of the time, and {} of the updates conflict. Which strategy\n\
         # answers, stays fresh, and stays small? Written by `sim advise`.\n\
         name = \"advice\"\nseed = 1\n\n\
         [cluster]\nnodes = {}\n\n\
         [network]\nlatency = {{ lognormal = {{ median = \"20ms\", p99 = \"120ms\" }} }}\nloss = \"2%\"\n\n\
         [workload]\nobject = \"{}\"\nclients = {}\nrate = \"{}/s\"\nduration = \"{}\"\nmix = {}\n{}",
        question.replicas,
        question.object.name(),
        percent(if point.is_cut() { question.partition_ppm } else { 0 }),
        percent(question.conflict_ppm),
        question.replicas,
        question.object.name(),
        2 * question.replicas,
        thousandths(operations_mhz(question, point)),
        Nanos(work_ns),
        mix(question.object, if point == Point::Burst { 0 } else { question.reads_ppm }),
        // Clients take turns, so that every replica gets its share.
        if point == Point::Burst { "arrivals = \"fixed\"\n" } else { "" },
    );
    text.push_str(match question.object {
        // Few, so that what is alive has its full size long before the end of a run.
        ObjectName::Set => "elements = 8\n",
        ObjectName::Cart => "items = 8\n",
        _ => "",
    });
    if point.is_cut() {
        text.push_str(&fault(question.partition_ppm, work_ns));
    }
    for Candidate { strategy, name } in candidates(question.object) {
        let protocol = match strategy {
            Strategy::Crdt => format!(
                "gossip = {{ crdt = \"{name}\", mode = \"push-pull\", interval = \"100ms\", fanout = {}, payload = \"delta\" }}",
                2.min(question.replicas - 1)
            ),
            Strategy::Occ => "occ = { store = \"lin-kv\" }".to_owned(),
            Strategy::Locking => "lock = {}".to_owned(),
        };
        let _ = write!(text, "\n[[system]]\nname = \"{name}\"\n{protocol}\n");
    }
    text
}

/// The plan of a point.
///
/// # Panics
/// When the question was not checked: whatever passes the check makes a scenario.
pub(super) fn plan(question: &Question, point: Point) -> Plan {
    let text = scenario(question, point);
    crate::scenario::parse("advice.toml", &text, &[])
        .unwrap_or_else(|errors| panic!("a checked question makes a scenario: {errors}\n{text}"))
}

/// Operations of all clients together, in 1000 seconds.
fn operations_mhz(question: &Question, point: Point) -> u64 {
    if point == Point::Burst {
        return 2 * u64::from(question.replicas) * 1_000 * SECOND / BURST_NS;
    }
    let updates_ppm = u64::from(WHOLE_PPM - question.reads_ppm);
    updates_mhz(question.conflict_ppm) * u64::from(WHOLE_PPM) / updates_ppm
}

fn thousandths(number: u64) -> String {
    format!("{}.{:03}", number / 1_000, number % 1_000)
}

/// The mix of operations: updates in fixed proportions, and as many reads as were asked for.
fn mix(object: ObjectName, reads_ppm: u32) -> String {
    let updates: &[(&str, u32)] = match object {
        ObjectName::Counter => &[("add", 1)],
        ObjectName::Register => &[("write", 1)],
        ObjectName::Set => &[("add", 1), ("remove", 1)],
        ObjectName::Sequence => &[("insert", 1), ("delete", 1)],
        ObjectName::Cart => &[("add", 2), ("change", 1), ("remove", 1)],
        _ => &[],
    };
    let read = if object == ObjectName::Cart { "view" } else { "read" };
    let parts: u32 = updates.iter().map(|(_, weight)| weight).sum();
    let of_updates = WHOLE_PPM - reads_ppm;
    let updates = updates.iter().map(|(kind, weight)| format!("{kind} = {}", weight * of_updates / parts));
    let weights: Vec<String> = updates.chain([format!("{read} = {reads_ppm}")]).collect();
    format!("{{ {} }}", weights.join(", "))
}

/// Halves, in the middle of every cycle for the share that was asked for.
fn fault(partition_ppm: u32, work_ns: u64) -> String {
    let cut_ns = CYCLE_NS * u64::from(partition_ppm) / u64::from(WHOLE_PPM);
    match cut_ns {
        0 => String::new(),
        CYCLE_NS => format!("\n[[fault]]\nat = \"0s\"\nfor = \"{}\"\npartition = \"halves\"\n", Nanos(work_ns)),
        _ => format!(
            "\n[[fault]]\nat = \"{}\"\nfor = \"{}\"\nevery = \"{}\"\npartition = \"halves\"\n",
            Nanos((CYCLE_NS - cut_ns) / 2),
            Nanos(cut_ns),
            Nanos(CYCLE_NS),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_follow_from_conflicts() {
        // -ln(0.8) / 80 ms and -ln(0.01) / 80 ms, to a thousandth of an event per second.
        assert_eq!([200_000, 990_000].map(updates_mhz), [2_789, 57_565]);
        assert_eq!(updates_mhz(0), updates_mhz(CONFLICT_PPM_MIN));
        assert_eq!(updates_mhz(CONFLICT_PPM_MIN), 126);
    }

    #[test]
    fn every_question_makes_scenarios_in_which_the_shares_are_as_asked() {
        for object in ObjectName::ALL.into_iter().filter(|object| !object.is_foreign()) {
            for (partition_ppm, conflict_ppm, reads_ppm, replicas) in [
                (0, 0, 0, 2),
                (1, 1, 1, 3),
                (100_000, 200_000, 500_000, 5),
                (999_999, 990_000, 950_000, 50),
                (1_000_000, 500_000, 0, 4),
            ] {
                let question =
                    Question { object, replicas, partition_ppm, conflict_ppm, reads_ppm, ..Question::default() };
                question.checked().expect("a question");
                for point in Point::of(&question) {
                    let run = plan(&question, point).run_plan(1);
                    let cut_ns: u64 = run.windows.iter().map(|window| window.to - window.from).sum();
                    let wanted_ppm = if point.is_cut() { partition_ppm } else { 0 };
                    let wanted_ns = u128::from(work_ns(&question, point)) * u128::from(wanted_ppm) / 1_000_000;
                    assert_eq!(u128::from(cut_ns), wanted_ns, "{question:?} {point:?}");
                }
            }
        }
    }

    #[test]
    fn runs_have_updates_enough_and_an_end() {
        let asked = |conflict_ppm| work_ns(&Question { conflict_ppm, ..Question::default() }, Point::Asked) / SECOND;
        assert_eq!([0, 200_000, 500_000, 990_000].map(asked), [300, 80, 40, 20]);
    }
}
