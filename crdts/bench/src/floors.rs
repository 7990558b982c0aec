//! Floors: what the same work costs without replication, or without anything but the arithmetic of it.

/// Raises every count to its counterpart: the join of counters whose replicas are known by their index.
pub fn raise(counts: &mut [u64], others: &[u64]) {
    for (count, &other) in counts.iter_mut().zip(others) {
        *count = (*count).max(other);
    }
}

/// A set without tombstones, for two replicas: elements with the dot that added each, sorted, and how far each replica's
/// dots are known (Bieniusa et al. 2012). It can be joined and nothing else.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SortedDots {
    /// Element, replica and counter of its dot.
    pub entries: Vec<(u64, u32, u64)>,
    /// The dots of each replica up to here are known.
    pub known: [u64; 2],
}

impl SortedDots {
    /// Elements that one replica has added in this order.
    pub fn of(elements: &[u64]) -> Self {
        let mut set = Self::default();
        set.add_all(0, elements);
        set
    }

    /// A replica adds elements that are not there.
    pub fn add_all(&mut self, replica: u32, elements: &[u64]) {
        for &element in elements {
            self.known[replica as usize] += 1;
            self.entries.push((element, replica, self.known[replica as usize]));
        }
        self.entries.sort_unstable();
    }

    /// Removes elements.
    pub fn remove_all(&mut self, sorted_elements: &[u64]) {
        self.entries.retain(|(element, ..)| sorted_elements.binary_search(element).is_err());
    }

    /// Keeps what both have, and what one has and the other has not heard of.
    pub fn join(&mut self, other: &Self) {
        let mut joined = Vec::with_capacity(self.entries.len().max(other.entries.len()));
        let (mut ours, mut theirs) = (self.entries.iter().peekable(), other.entries.iter().peekable());
        let is_new = |entry: &(u64, u32, u64), known: &[u64; 2]| entry.2 > known[entry.1 as usize];
        while let (Some(&our), Some(&their)) = (ours.peek(), theirs.peek()) {
            match our.cmp(their) {
                std::cmp::Ordering::Equal => {
                    joined.push(*our);
                    ours.next();
                    theirs.next();
                }
                std::cmp::Ordering::Less => {
                    joined.extend(ours.next().filter(|entry| is_new(entry, &other.known)));
                }
                std::cmp::Ordering::Greater => {
                    joined.extend(theirs.next().filter(|entry| is_new(entry, &self.known)));
                }
            }
        }
        joined.extend(ours.filter(|entry| is_new(entry, &other.known)));
        joined.extend(theirs.filter(|entry| is_new(entry, &self.known)));
        self.entries = joined;
        raise(&mut self.known, &other.known);
    }
}

/// Text with a gap where it was last edited. Positions are bytes, so it is a floor for ASCII.
#[derive(Clone, Debug, Default)]
pub struct GapBuffer {
    bytes: Vec<u8>,
    gap_start: usize,
    gap_end: usize,
}

impl GapBuffer {
    /// Bytes of text.
    pub fn len(&self) -> usize {
        self.bytes.len() - (self.gap_end - self.gap_start)
    }

    /// Is there no text?
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Removes `removed` bytes at `position` and puts `inserted` there.
    pub fn splice(&mut self, position: usize, removed: usize, inserted: &str) {
        assert!(position + removed <= self.len(), "the edit is within the text");
        self.move_gap(position);
        self.gap_end += removed;
        if self.gap_end - self.gap_start < inserted.len() {
            self.widen(inserted.len());
        }
        self.bytes[self.gap_start..self.gap_start + inserted.len()].copy_from_slice(inserted.as_bytes());
        self.gap_start += inserted.len();
    }

    /// The text in one piece.
    pub fn text(&self) -> String {
        let mut bytes = self.bytes[..self.gap_start].to_vec();
        bytes.extend_from_slice(&self.bytes[self.gap_end..]);
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn move_gap(&mut self, position: usize) {
        if position < self.gap_start {
            let moved = self.gap_start - position;
            self.bytes.copy_within(position..self.gap_start, self.gap_end - moved);
            self.gap_end -= moved;
        } else {
            let moved = position - self.gap_start;
            self.bytes.copy_within(self.gap_end..self.gap_end + moved, self.gap_start);
            self.gap_end += moved;
        }
        self.gap_start = position;
    }

    fn widen(&mut self, needed: usize) {
        let behind = self.bytes.len() - self.gap_end;
        let widened = (self.bytes.len() * 2).max(self.len() + needed).max(64);
        self.bytes.resize(widened, 0);
        let gap_end = widened - behind;
        self.bytes.copy_within(self.gap_end..self.gap_end + behind, gap_end);
        self.gap_end = gap_end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Draws;

    #[test]
    fn a_gap_buffer_is_a_string() {
        let (mut buffer, mut string, mut draws) = (GapBuffer::default(), String::new(), Draws::new(1));
        for _ in 0..5000 {
            let position = draws.below(string.len() + 1);
            let removed = draws.below(4).min(string.len() - position);
            let inserted = &"replicas agree"[..draws.below(6)];
            buffer.splice(position, removed, inserted);
            string.replace_range(position..position + removed, inserted);
            assert_eq!(buffer.len(), string.len());
        }
        assert_eq!(buffer.text(), string);
    }

    #[test]
    fn sorted_dots_keep_what_is_new_and_forget_what_was_removed() {
        let common = SortedDots::of(&[1, 2, 3, 4]);
        let (mut ours, mut theirs) = (common.clone(), common);
        ours.remove_all(&[2]);
        ours.add_all(0, &[7]);
        theirs.remove_all(&[3]);
        theirs.add_all(1, &[5]);
        let before = ours.clone();
        ours.join(&theirs);
        theirs.join(&before);
        assert_eq!(ours, theirs);
        assert_eq!(ours.entries.iter().map(|entry| entry.0).collect::<Vec<_>>(), [1, 4, 5, 7]);
    }
}
