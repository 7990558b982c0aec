//! Jepsen's procedure: events one after the other, and every read against every element. It shares nothing with the checker
//! but additions and reads.

use std::collections::BTreeMap;

use crate::checkers::set_full::{Addition, Fate, Outcome, Read};

/// What the procedure knows of an element. Reads are `(invoked, call)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub is_added: bool,
    pub is_possible: bool,
    pub known: Option<u64>,
    pub present: Option<(u64, usize)>,
    pub absent: Option<(u64, usize)>,
    pub times_max: usize,
    pub is_phantom: bool,
}

impl Seen {
    pub(super) fn outcome(&self) -> Outcome {
        match (self.present, self.absent, self.known) {
            (Some(_), None, _) => Outcome::Stable,
            (Some(present), Some(absent), _) if absent.0 < present.0 => Outcome::Stable,
            (_, Some(absent), Some(known)) if known < absent.0 => Outcome::Lost,
            _ => Outcome::NeverRead,
        }
    }

    /// How long it took to be stable or lost, in milliseconds.
    pub(super) fn latency_ms(&self) -> Option<u64> {
        let last = match self.outcome() {
            Outcome::Stable => self.absent,
            Outcome::Lost => self.present,
            Outcome::NeverRead => return None,
        };
        let nanos = last.map_or(0, |(invoked, _)| i128::from(invoked) + 1) - i128::from(self.known?);
        Some((nanos.max(0) / 1_000_000) as u64)
    }
}

/// Follows all events; no two of them are at one time.
pub(super) fn follow(additions: &[Addition<u16>], reads: &[Read<u16>]) -> BTreeMap<u16, Seen> {
    enum Event<'a> {
        Add(&'a Addition<u16>),
        Added(&'a Addition<u16>),
        Read(&'a Read<u16>),
    }
    let mut events: Vec<(u64, Event<'_>)> = Vec::new();
    for addition in additions {
        events.push((addition.invoked, Event::Add(addition)));
        if let Fate::Acknowledged(at) = addition.fate {
            events.push((at, Event::Added(addition)));
        }
    }
    events.extend(reads.iter().map(|read| (read.returned, Event::Read(read))));
    events.sort_by_key(|(at, _)| *at);
    let mut elements = BTreeMap::<u16, Seen>::new();
    for (at, event) in events {
        match event {
            Event::Add(addition) => {
                let seen = elements.entry(addition.element).or_default();
                seen.is_added = true;
                seen.is_possible |= addition.fate != Fate::Failed;
            }
            Event::Added(addition) => {
                let seen = elements.entry(addition.element).or_default();
                seen.known = seen.known.or(Some(at));
            }
            Event::Read(read) => {
                for element in &read.elements {
                    let seen = elements.entry(*element).or_default();
                    seen.is_phantom |= !seen.is_possible;
                }
                for (element, seen) in &mut elements {
                    let times = read.elements.iter().filter(|other| *other == element).count();
                    seen.times_max = seen.times_max.max(times);
                    let this = Some((read.invoked, read.call));
                    if times > 0 {
                        seen.known = seen.known.or(Some(at));
                        seen.present = seen.present.max(this);
                    } else if seen.is_added {
                        seen.absent = seen.absent.max(this);
                    }
                }
            }
        }
    }
    elements
}
