//! Elements: what reads show of each.
//!
//! Invariant: reads are numbered in the order of their invocation, and of those invoked at one instant in the order in which
//! they are given. A read that returned before an addition was invoked, or at that instant, does not see its absence.
//!
//! Whether an element is present is found by going through the reads' elements once. The last absent read is found from the
//! end: reads are passed over only as long as they contain the element. Reads that were invoked before the addition, and can
//! be absent only if they returned after it, are found by a tree of latest returns.
//!
//! What is deliberately absent: verdicts.

use std::collections::BTreeMap;

use super::{Addition, Fate, Outcome, Read};

/// What the checker relies on. Mutants of it are in the tests.
pub(super) trait Rules {
    /// A read makes its elements known.
    const READS_MAKE_KNOWN: bool = true;
    /// An element can be lost only by a read that was invoked after it was known.
    const KNOWN_BEFORE_LOST: bool = true;
    /// Reads that returned before an element was added do not miss it.
    const ADDED_BEFORE_MISSED: bool = true;
    /// The order of reads is that of their invocations, and not of their returns.
    const INVOCATIONS_ORDER: bool = true;
    /// An addition that failed adds nothing.
    const FAILED_ADD_NOTHING: bool = true;
    /// Nothing can be read before its addition was invoked.
    const ADDED_BEFORE_READ: bool = true;
}

/// The rules as they should be.
pub(super) enum Sound {}

impl Rules for Sound {}

/// What is known of an element.
#[derive(Clone, Debug)]
pub(super) struct Element<'a, E> {
    pub value: &'a E,
    /// Its first addition, and when it was invoked; nothing if nobody added it.
    pub added: Option<(u64, usize)>,
    /// The first invocation of an addition that did not fail.
    possible: Option<u64>,
    /// The first instant at which it was known.
    pub known: Option<u64>,
    /// The last read that contains it: its invocation and its place in the history.
    pub present: Option<(u64, usize)>,
    /// The last read that could have contained it and does not.
    pub absent: Option<(u64, usize)>,
    /// A read that contains it more than once, and the most that it is contained.
    pub duplicated: Option<(usize, usize)>,
    /// A read that contains it before anybody could have added it.
    pub phantom: Option<usize>,
    pub outcome: Outcome,
    /// The numbers of the reads that contain it, ascending.
    reads: Vec<usize>,
}

impl<'a, E> Element<'a, E> {
    fn new(value: &'a E) -> Self {
        Self {
            value,
            added: None,
            possible: None,
            known: None,
            present: None,
            absent: None,
            duplicated: None,
            phantom: None,
            outcome: Outcome::NeverRead,
            reads: Vec::new(),
        }
    }

    fn know(&mut self, at: u64) {
        self.known = Some(self.known.map_or(at, |known| known.min(at)));
    }
}

/// All elements that were added or read, ascending.
pub(super) fn follow<'a, E: Ord, R: Rules>(additions: &'a [Addition<E>], reads: &'a [Read<E>]) -> Vec<Element<'a, E>> {
    let mut elements = BTreeMap::<&E, Element<'a, E>>::new();
    for addition in additions {
        let of = elements.entry(&addition.element).or_insert_with(|| Element::new(&addition.element));
        let this = (addition.invoked, addition.call);
        of.added = Some(of.added.map_or(this, |first| first.min(this)));
        if addition.fate != Fate::Failed || !R::FAILED_ADD_NOTHING {
            of.possible = Some(of.possible.map_or(addition.invoked, |first| first.min(addition.invoked)));
        }
        if let Fate::Acknowledged(at) = addition.fate {
            of.know(at);
        }
    }
    let mut ordered: Vec<&Read<E>> = reads.iter().collect();
    ordered.sort_by_key(|read| if R::INVOCATIONS_ORDER { read.invoked } else { read.returned });
    for (number, read) in ordered.iter().enumerate() {
        let mut contained: Vec<&E> = read.elements.iter().collect();
        contained.sort_unstable();
        for equal in contained.chunk_by(|one, other| one == other) {
            let of = elements.entry(equal[0]).or_insert_with(|| Element::new(equal[0]));
            of.reads.push(number);
            of.present = Some((read.invoked, read.call));
            if R::READS_MAKE_KNOWN {
                of.know(read.returned);
            }
            if equal.len() > of.duplicated.map_or(1, |(_, times)| times) {
                of.duplicated = Some((read.call, equal.len()));
            }
            let is_too_early = of.possible.is_none_or(|added| read.returned < added && R::ADDED_BEFORE_READ);
            if is_too_early && of.phantom.is_none() {
                of.phantom = Some(read.call);
            }
        }
    }
    let returns = LatestReturns::new(ordered.iter().map(|read| read.returned));
    let mut elements: Vec<Element<'a, E>> = elements.into_values().collect();
    for element in &mut elements {
        let added = element.added.map_or(0, |(invoked, _)| if R::ADDED_BEFORE_MISSED { invoked } else { 0 });
        let absent = last_absent(&element.reads, added, &returns);
        element.absent = absent.map(|number| (ordered[number].invoked, ordered[number].call));
        element.outcome = outcome::<E, R>(element, element.reads.last().copied(), absent);
    }
    elements
}

/// The last read beside these that returned after this time.
fn last_absent(present: &[usize], added: u64, returns: &LatestReturns) -> Option<usize> {
    let mut present = present.iter().rev().peekable();
    let mut end = returns.count;
    loop {
        let last = returns.last_after(end, added)?;
        while present.next_if(|&&number| number > last).is_some() {}
        if present.peek() != Some(&&last) {
            return Some(last);
        }
        end = last;
    }
}

/// What became of an element, by its known time and the numbers of its last present and its last absent read.
fn outcome<E, R: Rules>(element: &Element<'_, E>, present: Option<usize>, absent: Option<usize>) -> Outcome {
    if present > absent {
        return Outcome::Stable;
    }
    let is_later =
        |(invoked, _): (u64, usize)| element.known.is_some_and(|known| known < invoked || !R::KNOWN_BEFORE_LOST);
    if element.absent.is_some_and(is_later) { Outcome::Lost } else { Outcome::NeverRead }
}

/// The latest return in every range of reads whose length is a power of two.
struct LatestReturns {
    count: usize,
    /// The number of leaves, a power of two above the count.
    width: usize,
    /// A binary tree from index 1 on; the children of `k` are `2k` and `2k + 1`.
    latest: Vec<Option<u64>>,
}

impl LatestReturns {
    fn new(returns: impl ExactSizeIterator<Item = u64>) -> Self {
        let count = returns.len();
        let width = (count + 1).next_power_of_two();
        let mut latest = vec![None; 2 * width];
        for (at, returned) in returns.enumerate() {
            latest[width + at] = Some(returned);
        }
        for at in (1..width).rev() {
            latest[at] = latest[2 * at].max(latest[2 * at + 1]);
        }
        Self { count, width, latest }
    }

    /// The last of the first `end` reads that returned after `time`.
    fn last_after(&self, end: usize, time: u64) -> Option<usize> {
        let is_after = |at: usize| self.latest[at].is_some_and(|returned| returned > time);
        // Up from the end, over what lies to the left of it, and down to the last leaf.
        let mut at = self.width + end;
        while at > 1 {
            if at % 2 == 1 && is_after(at - 1) {
                at -= 1;
                while at < self.width {
                    at = 2 * at + usize::from(is_after(2 * at + 1));
                }
                return Some(at - self.width);
            }
            at /= 2;
        }
        None
    }
}
