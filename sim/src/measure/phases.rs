//! Phases: the parts of a run before, during and after its faults.
//!
//! Overlapping fault windows form one disturbed interval. Up to [`INTERVALS_MAX`] intervals have phases of their own; when
//! there are more (flapping, a nemesis), all disturbed time is one phase, and so is the calm between and after.

use crate::kernel::{disturbance::Window, time::Time};

/// The most disturbed intervals that get phases of their own.
pub const INTERVALS_MAX: usize = 4;

/// The phases of a run.
#[derive(Clone, Debug)]
pub struct Phases {
    names: Vec<String>,
    /// From this time on, until the next entry, the phase with this index holds.
    starts: Vec<(Time, usize)>,
}

impl Phases {
    /// The phases that these windows make.
    pub fn of(windows: &[Window]) -> Self {
        let mut intervals: Vec<(Time, Time, String)> = Vec::new();
        let mut sorted: Vec<&Window> = windows.iter().collect();
        sorted.sort_by_key(|window| window.from);
        for window in sorted {
            match intervals.last_mut() {
                Some((_, to, label)) if window.from <= *to => {
                    *to = (*to).max(window.to);
                    if label.len() < 40 {
                        label.push_str(", ");
                        label.push_str(&window.label);
                    }
                }
                _ => intervals.push((window.from, window.to, window.label.clone())),
            }
        }
        let mut phases = Self { names: vec!["before".to_owned()], starts: vec![(Time::ZERO, 0)] };
        let apart = intervals.len() <= INTERVALS_MAX;
        for (from, to, label) in intervals {
            let (during, after) = if apart {
                (format!("during {label}"), format!("after {label}"))
            } else {
                ("during faults".to_owned(), "between and after".to_owned())
            };
            phases.begin(from, during);
            if to != Time::NEVER {
                phases.begin(to, after);
            }
        }
        phases
    }

    fn begin(&mut self, at: Time, name: String) {
        let index = self.names.iter().position(|known| *known == name).unwrap_or_else(|| {
            self.names.push(name);
            self.names.len() - 1
        });
        self.starts.push((at, index));
    }

    /// The names, in the order of first occurrence.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The index of the phase at `time`.
    pub fn at(&self, time: Time) -> usize {
        let next = self.starts.partition_point(|&(start, _)| start <= time);
        self.starts[next - 1].1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::{disturbance::Disturbance, time::SECOND};

    fn window(label: &str, from: u64, to: u64) -> Window {
        Window {
            label: label.to_owned(),
            kind: "pause",
            fault: Some(0),
            from: Time(from * SECOND),
            to: if to == 0 { Time::NEVER } else { Time(to * SECOND) },
            disturbance: Disturbance::Pause { nodes: vec![] },
        }
    }

    #[test]
    fn a_run_without_faults_is_one_phase() {
        let phases = Phases::of(&[]);
        assert_eq!(phases.names(), ["before"]);
        assert_eq!(phases.at(Time(99)), 0);
    }

    #[test]
    fn overlapping_windows_are_one_disturbed_interval() {
        let phases = Phases::of(&[window("b", 6, 9), window("a", 5, 7), window("c", 20, 0)]);
        assert_eq!(phases.names(), ["before", "during a, b", "after a, b", "during c"]);
        let at = |second: u64| phases.names()[phases.at(Time(second * SECOND))].as_str();
        assert_eq!(
            [at(0), at(5), at(8), at(9), at(20)],
            ["before", "during a, b", "during a, b", "after a, b", "during c"]
        );
    }

    #[test]
    fn many_intervals_share_their_phases() {
        let windows: Vec<Window> = (0..9).map(|k| window("flap", 10 * k + 1, 10 * k + 5)).collect();
        let phases = Phases::of(&windows);
        assert_eq!(phases.names(), ["before", "during faults", "between and after"]);
        assert_eq!(phases.at(Time(83 * SECOND)), 1);
        assert_eq!(phases.at(Time(86 * SECOND)), 2);
    }
}
