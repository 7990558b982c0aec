//! The judge of contents against the definitions, by exhaustion, on small histories; known histories; mutants.

use super::{Contents, Fate, Read, Update};
use crate::checkers::{
    Consistency::{
        self, Causal, Linearizable, MonotonicReads, MonotonicWrites, Pram, ReadYourWrites, Sequential,
        StronglyConvergent, WritesFollowReads,
    },
    Verdict,
};

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut word = self.0;
        word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (word ^ (word >> 31)) % end
    }
}

/// A history as the oracle sees it: calls with a bit per update.
#[derive(Clone, Debug)]
struct Small {
    updates: Vec<Update>,
    reads: Vec<(Read, u32)>,
}

impl Small {
    /// Two or three processes that take turns at random; contents are what a replica that lags might show, or nonsense.
    fn any(seed: u64) -> Self {
        let mut random = Random(seed << 20);
        let processes = 2 + random.below(2);
        let calls = 3 + random.below(4);
        let nonsense = random.below(4) == 0;
        let mut free = vec![0; processes as usize];
        let mut small = Self { updates: Vec::new(), reads: Vec::new() };
        let mut known = vec![0_u32; processes as usize];
        for call in 0..calls as usize {
            let process = random.below(processes);
            // All times differ, since half of them are odd and each call has its own.
            let invoked = free[process as usize] + 1 + 32 * random.below(3) + 2 * call as u64;
            let returned = invoked + 32 * random.below(4) + 1;
            free[process as usize] = (returned / 32 + 1) * 32;
            let own = &mut known[process as usize];
            if random.below(2) == 0 && small.updates.len() < 4 {
                *own |= 1 << small.updates.len();
                let fate = if random.below(4) == 0 { Fate::Indeterminate } else { Fate::Acknowledged };
                let returned = (fate == Fate::Acknowledged).then_some(returned);
                small.updates.push(Update { call, process, invoked, returned, fate });
            } else {
                let all = (1 << small.updates.len()) - 1;
                let noise = random.below(1 << small.updates.len()) as u32;
                let content = match random.below(6) {
                    _ if nonsense => noise,
                    0 => *own,
                    1 => *own | noise,
                    2 => all & !noise,
                    _ => all,
                };
                *own |= content;
                small.reads.push((Read { call, process, invoked, returned, misfit: None }, content));
            }
        }
        small
    }

    fn contents(&self) -> Contents {
        let mut contents = Contents::new(&self.updates);
        for (read, content) in &self.reads {
            contents.push(read.clone(), (0..32).filter(|bit| content >> bit & 1 == 1));
        }
        contents
    }

    fn judged(&self, model: Consistency) -> Option<bool> {
        match self.contents().judge(model, &|call| call.to_string()).verdict {
            Verdict::Pass => Some(true),
            Verdict::Fail { .. } => Some(false),
            Verdict::Vacuous { .. } => None,
            Verdict::Unknown { reason } => panic!("{reason}"),
        }
    }

    fn calls(&self) -> usize {
        self.updates.len() + self.reads.len()
    }

    /// `(process, invoked, returned)`; updates come first.
    fn call(&self, at: usize) -> (u64, u64, Option<u64>) {
        if let Some(update) = self.updates.get(at) {
            return (update.process, update.invoked, update.returned);
        }
        let read = &self.reads[at - self.updates.len()].0;
        (read.process, read.invoked, Some(read.returned))
    }

    /// Is there an order of these calls, all of them but for indeterminate updates, in which reads contain just what stands
    /// before them?
    fn has_order(&self, among: u32, precedes: &dyn Fn(usize, usize) -> bool) -> bool {
        self.extends(among, 0, 0, precedes)
    }

    fn extends(&self, among: u32, done: u32, content: u32, precedes: &dyn Fn(usize, usize) -> bool) -> bool {
        let open = |at: usize| among >> at & 1 == 1 && done >> at & 1 == 0;
        let may_miss = |at: usize| self.updates.get(at).is_some_and(|update| update.fate == Fate::Indeterminate);
        if (0..self.calls()).all(|at| !open(at) || may_miss(at)) {
            return true;
        }
        (0..self.calls()).filter(|&at| open(at)).any(|at| {
            if (0..self.calls()).any(|other| open(other) && !may_miss(other) && precedes(other, at)) {
                return false;
            }
            let content = match at.checked_sub(self.updates.len()) {
                None => content | 1 << at,
                Some(read) if self.reads[read].1 == content => content,
                Some(_) => return false,
            };
            self.extends(among, done | 1 << at, content, precedes)
        })
    }

    fn in_process(&self, a: usize, b: usize) -> bool {
        let ((p, from, returned), (q, to, _)) = (self.call(a), self.call(b));
        p == q && from < to && returned.is_some()
    }

    /// The definitions of the models, to the letter.
    fn holds(&self, model: Consistency) -> bool {
        let all = (1_u32 << self.calls()) - 1;
        let updates = self.updates.len();
        let is_future = |(read, content): &(Read, u32)| {
            self.updates.iter().enumerate().any(|(bit, u)| content >> bit & 1 == 1 && u.invoked > read.returned)
        };
        if self.reads.iter().any(is_future) {
            return false;
        }
        let session = |a: usize, b: usize| self.in_process(a, b);
        let content = |read: usize| self.reads[read - updates].1;
        let reads = || updates..self.calls();
        let bits = |content: u32| (0..updates).filter(move |bit| content >> bit & 1 == 1);
        match model {
            Linearizable => self.has_order(all, &|a, b| self.call(a).2.is_some_and(|end| end < self.call(b).1)),
            Sequential => self.has_order(all, &session),
            Pram => {
                let mut processes: Vec<u64> = (0..self.calls()).map(|at| self.call(at).0).collect();
                processes.dedup();
                processes.into_iter().all(|process| {
                    let own = reads().filter(|&read| self.call(read).0 == process).fold(0, |own, read| own | 1 << read);
                    self.has_order(((1 << updates) - 1) | own, &session)
                })
            }
            Causal => {
                // The transitive closure of the order of processes, and of being read.
                let every = || 0..self.calls();
                let is_past = |a: usize, b: usize| {
                    let ((p, from, _), (q, to, _)) = (self.call(a), self.call(b));
                    // What a process read comes before its updates, also before those of unknown fate.
                    session(a, b)
                        || (b >= updates && a < updates && content(b) >> a & 1 == 1)
                        || (a >= updates && p == q && from < to)
                };
                let mut past: Vec<Vec<bool>> = every().map(|b| every().map(|a| is_past(a, b)).collect()).collect();
                for k in every() {
                    let through = past[k].clone();
                    for row in past.iter_mut().filter(|row| row[k]) {
                        row.iter_mut().zip(&through).for_each(|(cell, more)| *cell |= more);
                    }
                }
                reads().all(|read| (0..updates).all(|a| !past[read][a] || content(read) >> a & 1 == 1))
            }
            ReadYourWrites => reads().all(|r| (0..updates).all(|u| !session(u, r) || content(r) >> u & 1 == 1)),
            MonotonicReads => reads().all(|a| reads().all(|b| !session(a, b) || content(a) & !content(b) == 0)),
            MonotonicWrites => reads()
                .all(|r| bits(content(r)).all(|b| (0..updates).all(|a| !session(a, b) || content(r) >> a & 1 == 1))),
            WritesFollowReads => reads()
                .all(|r| bits(content(r)).all(|u| reads().all(|a| !session(a, u) || content(a) & !content(r) == 0))),
            StronglyConvergent => unreachable!("it is not about contents"),
        }
    }
}

const MODELS: [Consistency; 8] =
    [Linearizable, Sequential, Causal, Pram, WritesFollowReads, MonotonicWrites, MonotonicReads, ReadYourWrites];

const HISTORIES: u64 = 100_000;

#[test]
fn agrees_with_the_definitions_on_every_small_history() {
    let mut held = [0_u64; MODELS.len()];
    let mut judged = 0_u64;
    for seed in 0..HISTORIES {
        let small = Small::any(seed);
        for (at, model) in MODELS.into_iter().enumerate() {
            let Some(found) = small.judged(model) else { continue };
            assert_eq!(found, small.holds(model), "{model:?}, seed {seed}: {small:#?}");
            held[at] += u64::from(found);
        }
        judged += u64::from(small.judged(Causal).is_some());
    }
    // Both answers are frequent, so that agreeing means something.
    assert!(held.iter().all(|&held| held > judged / 20 && held < judged * 19 / 20), "{held:?} of {judged}");
}

#[test]
fn what_implies_what() {
    for small in (HISTORIES..HISTORIES + 20_000).map(Small::any).filter(|small| small.judged(Causal).is_some()) {
        let show = |call: usize| call.to_string();
        let all = small.contents().judge_all(&MODELS, &show);
        let each: Vec<_> = MODELS.into_iter().map(|model| small.contents().judge(model, &show)).collect();
        assert_eq!(all, each, "{small:#?}");
        for a in MODELS {
            for b in MODELS {
                assert!(
                    !a.implies(b) || small.judged(a) == Some(false) || small.judged(b) == Some(true),
                    "{a:?} without {b:?}: {small:#?}"
                );
            }
        }
    }
}

/// A judge that sees what `blur` leaves of the contents must be wrong somewhere.
fn is_caught(model: Consistency, blur: fn(&mut Small)) -> bool {
    (0..HISTORIES).map(Small::any).any(|small| {
        let mut blurred = small.clone();
        blur(&mut blurred);
        matches!((blurred.judged(model), small.judged(model)), (Some(a), Some(_)) if a != small.holds(model))
    })
}

#[test]
fn mutants_are_caught() {
    for model in MODELS {
        assert!(is_caught(model, |small| small.reads.truncate(1)), "{model:?}: only one read is looked at");
        let ignored: fn(&mut Small) = |small| {
            for update in &mut small.updates {
                (update.fate, update.returned) = (Fate::Indeterminate, None);
            }
        };
        let needs_acknowledgement = !matches!(model, MonotonicReads | WritesFollowReads);
        assert_eq!(is_caught(model, ignored), needs_acknowledgement, "{model:?}: nothing is ever acknowledged");
        let certain: fn(&mut Small) = |small| {
            for update in &mut small.updates {
                (update.fate, update.returned) = (Fate::Acknowledged, Some(update.returned.unwrap_or(update.invoked)));
            }
        };
        assert_eq!(is_caught(model, certain), needs_acknowledgement, "{model:?}: whatever was invoked took effect");
        let apart: fn(&mut Small) = |small| {
            let calls = small.updates.iter_mut().map(|update| (&mut update.process, update.call));
            let calls = calls.chain(small.reads.iter_mut().map(|(read, _)| (&mut read.process, read.call)));
            for (process, call) in calls {
                *process = call as u64;
            }
        };
        assert_eq!(is_caught(model, apart), model != Linearizable, "{model:?}: every call is a process of its own");
    }
    let together: fn(&mut Small) = |small| {
        for (read, _) in &mut small.reads {
            (read.invoked, read.returned) = (0, 1 << 40);
        }
    };
    assert!(is_caught(Linearizable, together), "real time is ignored");
}

/// `u` an update, `i` one of unknown fate, `f` a refused one, `r` a read of the updates with these numbers; each by a process
/// and one after the other.
fn told(story: &[(u64, char, &[u32])]) -> Contents {
    let mut updates = Vec::new();
    let mut reads = Vec::new();
    for (call, &(process, kind, content)) in story.iter().enumerate() {
        let invoked = 10 * call as u64;
        let returned = invoked + 5;
        let (fate, ended) = match kind {
            'u' => (Fate::Acknowledged, Some(returned)),
            'i' => (Fate::Indeterminate, None),
            'f' => (Fate::Refused, Some(returned)),
            _ => {
                reads.push((Read { call, process, invoked, returned, misfit: None }, content));
                continue;
            }
        };
        updates.push(Update { call, process, invoked, returned: ended, fate });
    }
    let mut contents = Contents::new(&updates);
    for (read, content) in reads {
        contents.push(read, content.iter().copied());
    }
    contents
}

/// Which models hold, and what is said of the first that does not.
fn verdicts(contents: &Contents) -> (Vec<Consistency>, String) {
    let judge = |model| contents.judge(model, &|call| format!("call {call}"));
    let holds = MODELS.into_iter().filter(|&model| judge(model).verdict == Verdict::Pass).collect();
    let broken = MODELS.into_iter().find(|&model| judge(model).verdict != Verdict::Pass);
    (holds, broken.map_or_else(String::new, |model| judge(model).verdict.to_string()))
}

#[test]
fn known_histories() {
    let sessions = [WritesFollowReads, MonotonicWrites, MonotonicReads, ReadYourWrites];
    let from = |strongest: Consistency| -> Vec<Consistency> {
        MODELS.into_iter().filter(|&model| strongest.implies(model)).collect()
    };
    let without = |missing: &[Consistency]| -> Vec<Consistency> {
        sessions.into_iter().filter(|model| !missing.contains(model)).collect()
    };
    for (story, story_of, holds, why) in [
        (
            "all is seen at once",
            &[(1, 'u', &[][..]), (2, 'r', &[0]), (2, 'u', &[]), (1, 'r', &[0, 1])][..],
            from(Linearizable),
            "",
        ),
        (
            "an old state",
            &[(1, 'u', &[]), (2, 'r', &[]), (1, 'r', &[0])],
            from(Sequential),
            "fail: [call 1] does not contain [call 0], acknowledged before it",
        ),
        (
            "two replicas of a CRDT",
            &[(1, 'u', &[]), (2, 'u', &[]), (1, 'r', &[0]), (2, 'r', &[1]), (1, 'r', &[0, 1])],
            from(Causal),
            "fail: [call 2] does not contain [call 1], acknowledged before it",
        ),
        (
            "an answer without its question",
            &[(1, 'u', &[]), (2, 'r', &[0]), (2, 'u', &[]), (3, 'r', &[1])],
            [Pram].into_iter().chain(without(&[WritesFollowReads])).collect(),
            "fail: [call 3] does not contain [call 0], acknowledged before it",
        ),
        (
            "a step back",
            &[(1, 'u', &[]), (2, 'r', &[0]), (2, 'r', &[])],
            without(&[MonotonicReads]),
            "fail: [call 2] does not contain [call 0], acknowledged before it",
        ),
        (
            "an own write that is gone",
            &[(1, 'u', &[]), (1, 'r', &[])],
            without(&[ReadYourWrites]),
            "fail: [call 1] does not contain [call 0], acknowledged before it",
        ),
        (
            "the second write of two",
            &[(1, 'u', &[]), (1, 'u', &[]), (2, 'r', &[1])],
            without(&[MonotonicWrites]),
            "fail: [call 2] does not contain [call 0], acknowledged before it",
        ),
        (
            "an update of unknown fate that took effect late",
            &[(1, 'i', &[]), (2, 'r', &[]), (2, 'r', &[0])],
            from(Linearizable),
            "",
        ),
        (
            "refused, and there all the same",
            &[(1, 'f', &[]), (2, 'r', &[0])],
            vec![],
            "fail: [call 1] contains [call 0], which was refused",
        ),
        (
            "foreseen",
            &[(2, 'r', &[0]), (1, 'u', &[])],
            vec![],
            "fail: [call 0] contains [call 1], which was invoked later",
        ),
    ] {
        assert_eq!(verdicts(&told(story_of)), (holds, why.to_owned()), "{story}");
    }
}

#[test]
fn a_fork_is_told_by_two_updates_and_two_reads() {
    let contents = told(&[(1, 'i', &[]), (2, 'i', &[]), (3, 'r', &[0]), (4, 'r', &[1])]);
    let ruling = contents.judge(Linearizable, &|call| format!("call {call}"));
    assert_eq!(ruling.calls, [0, 1, 2, 3]);
    assert_eq!(
        ruling.verdict.to_string(),
        "fail: no order of two updates explains two reads: [call 2] contains [call 0] but not [call 1], and [call 3] the \
         other way round"
    );
}

#[test]
fn nothing_to_judge_is_no_pass_and_neither_is_too_much() {
    let judge = |contents: &Contents| contents.judge(Sequential, &|call| call.to_string()).verdict.name();
    assert_eq!(judge(&told(&[(1, 'u', &[])])), "vacuous");
    assert_eq!(judge(&told(&[(1, 'r', &[])])), "vacuous");
    let update = Update { call: 0, process: 0, invoked: 0, returned: Some(1), fate: Fate::Acknowledged };
    let mut contents = Contents::new(&vec![update; 1 << 17]);
    for call in 0..=(super::BYTES_MAX >> 14) {
        contents.push(Read { call, process: 1, invoked: 2, returned: 3, misfit: None }, []);
    }
    assert_eq!(judge(&contents), "unknown");
}

#[test]
fn an_answer_that_its_content_does_not_amount_to_has_no_order() {
    let mut contents = told(&[(1, 'u', &[])]);
    let misfit = Some("it returned 6, and its updates amount to 3".into());
    contents.push(Read { call: 1, process: 1, invoked: 10, returned: 11, misfit }, [0]);
    assert_eq!(
        verdicts(&contents),
        (vec![], "fail: no order explains [call 1]: it returned 6, and its updates amount to 3".into())
    );
}
