//! Exact agreement with the definitions, on short histories of all kinds.

use crate::checkers::{
    Ruling,
    counter::{Addition, Fate, Ledger, Read, check_monotonic, check_reads},
};

/// Short histories.
pub(super) const HISTORIES: u64 = 120_000;

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

/// A short history: most reads return the sum of some of the additions, so that many are right and few absurd.
pub(super) fn any(seed: u64) -> Ledger {
    let mut random = Random(seed << 20);
    let (least, amounts) = [(0, 2), (1, 1), (-2, 5), (0, 10), (-9, 19), (1, 40)][random.below(6) as usize];
    let factor = [1, 1, 3][random.below(3) as usize];
    let duration = 1 + random.below(6);
    let span = 2 + random.below(14);
    let mut ledger = Ledger::default();
    for call in 0..2 + random.below(9) as usize {
        let invoked = random.below(span);
        let returned = invoked + random.below(duration);
        if random.below(5) < 3 {
            let amount = (least + random.below(amounts) as i64) * factor;
            let fate = match random.below(6) {
                0 => Fate::Failed,
                1 | 2 => Fate::Indeterminate,
                _ => Fate::Acknowledged(returned),
            };
            ledger.additions.push(Addition { call, amount, invoked, fate });
        } else {
            let process = random.below(3);
            let read = Read { call, process, replica: None, total: Some(0), invoked, returned, is_final: false };
            ledger.reads.push(read);
        }
    }
    for read in &mut ledger.reads {
        let counted = ledger.additions.iter().filter(|addition| match addition.fate {
            Fate::Acknowledged(acknowledged) if acknowledged < read.invoked => random.below(16) > 0,
            Fate::Failed => random.below(16) == 0,
            _ if addition.invoked > read.returned => random.below(16) == 0,
            _ => random.below(2) == 0,
        });
        let total: i128 = counted.map(|addition| i128::from(addition.amount)).sum();
        read.total = match random.below(30) {
            0 => Some(total + 1),
            1 => None,
            _ => Some(total),
        };
    }
    ledger
}

/// Is the read the sum of all that must count and a subset of what may?
fn is_within_bounds(ledger: &Ledger, read: &Read) -> bool {
    let (mut must, mut may) = (0, Vec::new());
    for addition in &ledger.additions {
        let amount = i128::from(addition.amount);
        match addition.fate {
            Fate::Acknowledged(returned) if returned < read.invoked => must += amount,
            Fate::Acknowledged(_) | Fate::Indeterminate if addition.invoked <= read.returned => may.push(amount),
            _ => {}
        }
    }
    (0_u32..1 << may.len()).any(|subset| {
        let chosen = may.iter().enumerate().filter(|(at, _)| subset >> at & 1 == 1).map(|(_, amount)| amount);
        Some(must + chosen.sum::<i128>()) == read.total
    })
}

/// What bounded reads should be.
pub(super) fn bounded(ledger: &Ledger) -> &'static str {
    match () {
        () if ledger.reads.is_empty() => "vacuous",
        () if ledger.reads.iter().any(|read| !is_within_bounds(ledger, read)) => "fail",
        () if ledger.additions.is_empty() => "vacuous",
        () => "pass",
    }
}

/// The pairs of reads of a process, of which the first was first.
fn in_order(ledger: &Ledger) -> Vec<(&Read, &Read)> {
    let reads = || ledger.reads.iter().filter(|read| read.total.is_some());
    let pairs = reads().flat_map(|one| reads().map(move |other| (one, other)));
    pairs
        .filter(|(one, other)| one.process == other.process)
        .filter(|(one, other)| one.returned < other.invoked || (one.returned == other.invoked && one.call < other.call))
        .collect()
}

/// What monotonic reads should be.
pub(super) fn monotonic(ledger: &Ledger) -> &'static str {
    let pairs = in_order(ledger);
    match () {
        () if ledger.additions.iter().any(|addition| addition.amount < 0 && addition.fate != Fate::Failed) => "vacuous",
        () if pairs.iter().any(|(one, other)| one.total > other.total) => "fail",
        () if pairs.is_empty() => "vacuous",
        () => "pass",
    }
}

fn agree(expected: fn(&Ledger) -> &'static str, check: fn(&Ledger) -> Ruling, witness: fn(&Ledger, &[usize]) -> bool) {
    let mut counts = [0, 0, 0];
    for seed in 0..HISTORIES {
        let ledger = any(seed);
        let (ruling, expected) = (check(&ledger), expected(&ledger));
        assert_eq!(ruling.verdict.name(), expected, "seed {seed}: {ruling:?} of {ledger:#?}");
        assert_eq!(ruling.calls.is_empty(), expected != "fail", "seed {seed}: {ruling:?}");
        assert!(expected != "fail" || witness(&ledger, &ruling.calls), "seed {seed}: {ruling:?} of {ledger:#?}");
        counts[["pass", "fail", "vacuous"].iter().position(|name| *name == expected).expect("one of these")] += 1;
    }
    // Each was put to the test.
    assert!(counts.iter().all(|&count| count > HISTORIES / 20), "{counts:?}");
}

#[test]
fn bounded_reads_are_what_the_definition_says() {
    agree(bounded, check_reads, |ledger, calls| {
        ledger.reads.iter().any(|read| calls.contains(&read.call) && !is_within_bounds(ledger, read))
    });
}

#[test]
fn monotonic_reads_are_what_the_definition_says() {
    agree(monotonic, check_monotonic, |ledger, calls| {
        in_order(ledger).iter().any(|(one, other)| calls == [one.call, other.call] && one.total > other.total)
    });
}
