//! What is asked: an object, the conditions, and what may never happen.
//!
//! Invariant: shares are parts per million, so that a question has one spelling in a command line, a scenario and JSON.
//! [`Question::checked`] refuses what no run could answer.
//!
//! ```
//! use sim::engine::advice::{Need, Question, percent};
//! let question = Question { needs: vec![Need::NeverReadStale], ..Question::default() };
//! assert!(question.checked().is_ok() && percent(question.partition_ppm) == "10%");
//! ```

use serde::{Serialize, Serializer};

use crate::scenario::ObjectName;

/// A share of one in parts per million.
pub const WHOLE_PPM: u32 = 1_000_000;
/// The most replicas that are asked about: beyond, a run takes longer than somebody waits for advice.
pub const REPLICAS_MAX: u32 = 50;
/// The most seeds.
pub const SEEDS_MAX: u32 = 100;
/// The greatest share of reads: beyond, there are too few updates to measure anything.
pub const READS_PPM_MAX: u32 = 950_000;
/// The greatest conflict rate: a rate of 100% would ask for infinitely many updates a second.
pub const CONFLICT_PPM_MAX: u32 = 990_000;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Question {
    /// What is replicated.
    #[serde(serialize_with = "name_of")]
    pub object: ObjectName,
    /// The number of replicas.
    pub replicas: u32,
    /// The share of the time in which the network is cut in two halves.
    pub partition_ppm: u32,
    /// The share of updates during whose read-and-swap another update begins.
    pub conflict_ppm: u32,
    /// The share of operations that are reads.
    pub reads_ppm: u32,
    /// What the user needs.
    pub needs: Vec<Need>,
    /// Under how many seeds each candidate is run: 1, 2, and so on.
    pub seeds: u32,
}

impl Default for Question {
    fn default() -> Self {
        Self {
            object: ObjectName::Counter,
            replicas: 5,
            partition_ppm: 100_000,
            conflict_ppm: 200_000,
            reads_ppm: 500_000,
            needs: vec![Need::NeverRefuseWrites],
            seeds: 3,
        }
    }
}

impl Question {
    /// The question, or why no run could answer it.
    pub fn checked(&self) -> Result<&Self, String> {
        let within = |what: &str, value: u32, min: u32, max: u32| {
            if (min..=max).contains(&value) {
                Ok(())
            } else {
                Err(format!("{what} is from {min} to {max}, not {value}"))
            }
        };
        let share = |what: &str, ppm: u32, max: u32| {
            if ppm <= max { Ok(()) } else { Err(format!("{what} is at most {}, not {}", percent(max), percent(ppm))) }
        };
        within("the number of replicas", self.replicas, 2, REPLICAS_MAX)?;
        within("the number of seeds", self.seeds, 1, SEEDS_MAX)?;
        share("the partition rate", self.partition_ppm, WHOLE_PPM)?;
        share("the conflict rate", self.conflict_ppm, CONFLICT_PPM_MAX)?;
        share("the share of reads", self.reads_ppm, READS_PPM_MAX)?;
        Ok(self)
    }

    /// The command line that asks this again.
    pub fn command(&self) -> String {
        let needs: Vec<&str> = self.needs.iter().map(|need| need.name()).collect();
        format!(
            "sim advise --object {} --replicas {} --partition-rate {} --conflict-rate {} --reads {} --needs {} --seeds {}",
            self.object.name(),
            self.replicas,
            percent(self.partition_ppm),
            percent(self.conflict_ppm),
            percent(self.reads_ppm),
            if needs.is_empty() { "none".to_owned() } else { needs.join(",") },
            self.seeds,
        )
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn name_of<S: Serializer>(object: &ObjectName, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(object.name())
}

/// What a user may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Need {
    /// Every update is acknowledged: none is refused, and none is left in doubt.
    NeverRefuseWrites,
    /// No read misses an update that was acknowledged before: the history is linearizable.
    NeverReadStale,
    /// The state does not grow with the number of updates.
    BoundedMemory,
}

impl Need {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::NeverRefuseWrites, Self::NeverReadStale, Self::BoundedMemory];

    /// The name on the command line and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::NeverRefuseWrites => "never-refuse-writes",
            Self::NeverReadStale => "never-read-stale",
            Self::BoundedMemory => "bounded-memory",
        }
    }
}

/// The families of strategies between which the advice decides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Strategy {
    /// Replicas answer alone, and merge.
    #[serde(rename = "CRDT")]
    Crdt,
    /// Replicas read and swap at a store, and try again when somebody else was faster.
    #[serde(rename = "OCC")]
    Occ,
    /// Replicas take a lease on the store before they read and write.
    Locking,
}

impl Strategy {
    /// The name in texts and in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Crdt => "CRDT",
            Self::Occ => "OCC",
            Self::Locking => "Locking",
        }
    }
}

/// A share in parts per million as an exact percentage: `12.5%`.
pub fn percent(ppm: u32) -> String {
    let (whole, rest) = (ppm / 10_000, ppm % 10_000);
    if rest == 0 {
        return format!("{whole}%");
    }
    let digits = format!("{rest:04}");
    format!("{whole}.{}%", digits.trim_end_matches('0'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_written_exactly() {
        for (ppm, shown) in [(0, "0%"), (1, "0.0001%"), (125_000, "12.5%"), (1_000_000, "100%")] {
            assert_eq!(percent(ppm), shown);
        }
    }

    #[test]
    fn what_no_run_could_answer_is_refused() {
        let with = |change: fn(&mut Question)| {
            let mut question = Question::default();
            change(&mut question);
            question.checked().map(|_| ())
        };
        assert_eq!(with(|_| {}), Ok(()));
        assert_eq!(
            with(|question| question.replicas = 1),
            Err("the number of replicas is from 2 to 50, not 1".to_owned())
        );
        assert_eq!(
            with(|question| question.reads_ppm = 1_000_000),
            Err("the share of reads is at most 95%, not 100%".to_owned())
        );
        assert!(with(|question| question.seeds = 0).is_err());
        assert!(with(|question| question.conflict_ppm = 1_000_000).is_err());
        assert!(with(|question| question.partition_ppm = 1_000_001).is_err());
    }

    #[test]
    fn a_question_is_its_command_line() {
        assert_eq!(
            Question { needs: Vec::new(), ..Question::default() }.command(),
            "sim advise --object counter --replicas 5 --partition-rate 10% --conflict-rate 20% --reads 50% --needs none --seeds 3"
        );
    }
}
