//! An ordered map for stores: sorted keys and what belongs to them, in a list of chunks.
//!
//! Invariants: keys ascend within and across chunks, no chunk is empty, and the fence between two chunks is above all keys
//! before it and at most the first key behind it. Two maps are equal if their contents are; how those are cut into chunks
//! depends on history and is never seen.
//!
//! Why not `std::collections::BTreeMap`: a map of one entry, which is what deltas hold, needs no allocation here; large maps
//! waste an eighth of their memory instead of half of it in whatever order keys come; and keys lie side by side, so equal maps compare
//! at the speed of memory. A chunk holds up to a sixteenth of as many entries as there are chunks, so an insertion moves
//! in the order of √n entries within a chunk and, once per chunk, in the order of √n chunks: a few kilobytes at a million entries.
//!
//! What is deliberately absent: any knowledge of dots.

use std::fmt;

/// Many of up to so many entries are never split: moving them costs less than finding them.
const CHUNK_MIN: usize = 64;
/// The largest chunk.
const CHUNK_MAX: usize = 1024;

/// A map from keys to values, ascending by key.
#[derive(Clone)]
pub(super) struct Ordered<K, V> {
    entries: Entries<K, V>,
}

#[derive(Clone)]
enum Entries<K, V> {
    None,
    One(K, V),
    Many(Box<Many<K, V>>),
}

#[derive(Clone)]
struct Many<K, V> {
    len: usize,
    /// `fences[i]` stands between `chunks[i]` and `chunks[i + 1]`.
    fences: Vec<K>,
    chunks: Vec<Chunk<K, V>>,
}

/// As many values as keys.
#[derive(Clone)]
struct Chunk<K, V> {
    keys: Vec<K>,
    values: Vec<V>,
}

/// Where a key is, or would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    chunk: usize,
    at: usize,
}

impl<K, V> Default for Ordered<K, V> {
    #[inline]
    fn default() -> Self {
        Self { entries: Entries::None }
    }
}

impl<K, V> Ordered<K, V> {
    #[inline]
    pub(super) fn one(key: K, value: V) -> Self {
        Self { entries: Entries::One(key, value) }
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        match &self.entries {
            Entries::None => 0,
            Entries::One(..) => 1,
            Entries::Many(many) => many.len,
        }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        matches!(self.entries, Entries::None)
    }

    /// Keys and values, ascending.
    #[inline]
    pub(super) fn iter(&self) -> Iter<'_, K, V> {
        let (keys, values, chunks): (&[K], &[V], &[Chunk<K, V>]) = match &self.entries {
            Entries::None => (&[], &[], &[]),
            Entries::One(key, value) => (std::slice::from_ref(key), std::slice::from_ref(value), &[]),
            Entries::Many(many) => (&[], &[], &many.chunks),
        };
        Iter { keys: keys.iter(), values: values.iter(), chunks: chunks.iter(), left: self.len() }
    }

    /// All entries by value, ascending.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (K, V)> {
        let (one, chunks) = match self.entries {
            Entries::None => (None, Vec::new()),
            Entries::One(key, value) => (Some((key, value)), Vec::new()),
            Entries::Many(many) => (None, many.chunks),
        };
        one.into_iter().chain(chunks.into_iter().flat_map(|chunk| chunk.keys.into_iter().zip(chunk.values)))
    }
}

impl<K: Ord + Clone, V> Ordered<K, V> {
    /// Where the key is (`Ok`), or would be (`Err`).
    #[inline]
    pub(super) fn find(&self, key: &K) -> Result<Place, Place> {
        match &self.entries {
            Entries::None => Err(Place { chunk: 0, at: 0 }),
            Entries::One(only, _) => match only.cmp(key) {
                std::cmp::Ordering::Equal => Ok(Place { chunk: 0, at: 0 }),
                order => Err(Place { chunk: 0, at: usize::from(order.is_lt()) }),
            },
            Entries::Many(many) => {
                let chunk = many.fences.partition_point(|fence| fence <= key);
                match many.chunks[chunk].keys.binary_search(key) {
                    Ok(at) => Ok(Place { chunk, at }),
                    Err(at) => Err(Place { chunk, at }),
                }
            }
        }
    }

    #[inline]
    pub(super) fn get(&self, key: &K) -> Option<&V> {
        let place = self.find(key).ok()?;
        match &self.entries {
            Entries::None => None,
            Entries::One(_, value) => Some(value),
            Entries::Many(many) => Some(&many.chunks[place.chunk].values[place.at]),
        }
    }

    pub(super) fn last_key(&self) -> Option<&K> {
        match &self.entries {
            Entries::None => None,
            Entries::One(key, _) => Some(key),
            Entries::Many(many) => many.chunks.last().and_then(|chunk| chunk.keys.last()),
        }
    }

    /// The value at a place that was found.
    #[inline]
    pub(super) fn value_mut(&mut self, place: Place) -> &mut V {
        match &mut self.entries {
            Entries::None => unreachable!("nothing was found in an empty map"),
            Entries::One(_, value) => value,
            Entries::Many(many) => &mut many.chunks[place.chunk].values[place.at],
        }
    }

    /// Inserts an entry where its key was looked for in vain.
    #[inline]
    pub(super) fn insert_at(&mut self, place: Place, key: K, value: V) {
        match &mut self.entries {
            Entries::None => self.entries = Entries::One(key, value),
            Entries::One(..) => self.insert_second(place, key, value),
            Entries::Many(many) => many.insert(place, key, value),
        }
    }

    fn insert_second(&mut self, place: Place, key: K, value: V) {
        if let Entries::One(other, theirs) = std::mem::replace(&mut self.entries, Entries::None) {
            let mut chunk = Chunk::with_capacity(4);
            chunk.insert(0, other, theirs);
            chunk.insert(place.at, key, value);
            self.entries = Entries::Many(Box::new(Many { len: 2, fences: Vec::new(), chunks: vec![chunk] }));
        }
    }

    /// Takes out the entry at a place that was found.
    #[inline]
    pub(super) fn remove_at(&mut self, place: Place) -> V {
        if let Entries::Many(many) = &mut self.entries {
            let value = many.remove(place);
            if many.len == 0 {
                self.entries = Entries::None;
            }
            return value;
        }
        match std::mem::replace(&mut self.entries, Entries::None) {
            Entries::One(_, value) => value,
            Entries::None | Entries::Many(_) => unreachable!("nothing was found in an empty map"),
        }
    }

    /// Appends an entry whose key is above all others.
    pub(super) fn push(&mut self, key: K, value: V) {
        debug_assert!(self.last_key().is_none_or(|last| *last < key), "keys are pushed in ascending order");
        match &mut self.entries {
            Entries::Many(many) => many.push(key, value),
            Entries::None => self.entries = Entries::One(key, value),
            Entries::One(..) => self.insert_second(Place { chunk: 0, at: 1 }, key, value),
        }
    }

    /// Keeps the entries that `keep` accepts, ascending. Returns whether any went.
    #[inline]
    pub(super) fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) -> bool {
        match &mut self.entries {
            Entries::None => false,
            Entries::One(key, value) => {
                let kept = keep(key, value);
                if !kept {
                    self.entries = Entries::None;
                }
                !kept
            }
            Entries::Many(many) => {
                let dropped = many.retain(keep);
                if many.len == 0 {
                    self.entries = Entries::None;
                }
                dropped
            }
        }
    }

    /// Adds entries, ascending, whose keys are not in the map.
    pub(super) fn extend(&mut self, news: Vec<(K, V)>) {
        // Below a quarter, finding and moving costs less than copying everything.
        if news.len() < self.len() / 4 {
            for (key, value) in news {
                if let Err(place) = self.find(&key) {
                    self.insert_at(place, key, value);
                }
            }
            return;
        }
        let mut news = news.into_iter().peekable();
        let mut merged = Self::default();
        for (key, value) in std::mem::take(self).into_entries() {
            while let Some((key, value)) = news.next_if(|(new, _)| *new < key) {
                merged.push(key, value);
            }
            merged.push(key, value);
        }
        for (key, value) in news {
            merged.push(key, value);
        }
        *self = merged;
    }
}

impl<K: Ord + Clone, V> Many<K, V> {
    /// How many entries a chunk may have: see the [module documentation](self).
    #[inline]
    fn chunk_max(&self) -> usize {
        (self.chunks.len() / 16).clamp(CHUNK_MIN, CHUNK_MAX)
    }

    #[inline]
    fn insert(&mut self, place: Place, key: K, value: V) {
        self.len += 1;
        if self.chunks[place.chunk].len() < self.chunk_max() {
            self.chunks[place.chunk].insert(place.at, key, value);
        } else {
            self.insert_into_full(place, key, value);
        }
    }

    /// At the ends of a chunk the neighbour takes the entry, or a new chunk if that is full, too: so runs of keys in either
    /// direction leave full chunks behind. In the middle the chunk is halved.
    #[cold]
    fn insert_into_full(&mut self, Place { chunk, at }: Place, key: K, value: V) {
        let max = self.chunk_max();
        if at == self.chunks[chunk].len() {
            match self.chunks.get_mut(chunk + 1).filter(|next| next.len() < max) {
                Some(next) => {
                    self.fences[chunk] = key.clone();
                    next.insert(0, key, value);
                }
                None => self.open(chunk + 1, key.clone(), Chunk::single(key, value)),
            }
        } else if at == 0 {
            let first = self.chunks[chunk].keys[0].clone();
            if chunk > 0 && self.chunks[chunk - 1].len() < max {
                let before = &mut self.chunks[chunk - 1];
                before.insert(before.len(), key, value);
                self.fences[chunk - 1] = first;
            } else {
                let full = std::mem::replace(&mut self.chunks[chunk], Chunk::single(key, value));
                self.open(chunk + 1, first, full);
            }
        } else {
            let left = &mut self.chunks[chunk];
            let right = left.split_off(left.len() / 2);
            let half = left.len();
            self.open(chunk + 1, right.keys[0].clone(), right);
            if at <= half {
                self.chunks[chunk].insert(at, key, value);
            } else {
                self.chunks[chunk + 1].insert(at - half, key, value);
            }
        }
    }

    /// Puts a chunk at `at`, which is not the front, with the fence before it.
    fn open(&mut self, at: usize, fence: K, chunk: Chunk<K, V>) {
        self.fences.insert(at - 1, fence);
        self.chunks.insert(at, chunk);
    }

    /// Leaves a quarter of each chunk free for later.
    fn push(&mut self, key: K, value: V) {
        self.len += 1;
        let full = self.chunk_max() / 4 * 3;
        if let Some(last) = self.chunks.last_mut().filter(|last| last.len() < full) {
            last.insert(last.len(), key, value);
        } else {
            let mut chunk = Chunk::with_capacity(full);
            chunk.insert(0, key.clone(), value);
            self.open(self.chunks.len(), key, chunk);
        }
    }

    fn remove(&mut self, Place { chunk, at }: Place) -> V {
        self.len -= 1;
        let value = self.chunks[chunk].remove(at);
        if self.chunks[chunk].len() < self.chunk_max() / 4 {
            self.merge(chunk);
        }
        value
    }

    /// Merges a sparse chunk into a neighbour, if there is one that stays below three quarters.
    #[cold]
    fn merge(&mut self, chunk: usize) {
        let most = self.chunk_max() / 4 * 3;
        let joined = |left: usize| match self.chunks.get(left..=left + 1) {
            Some([a, b]) => a.len() + b.len() <= most || a.len() == 0 || b.len() == 0,
            _ => false,
        };
        let Some(left) = [Some(chunk), chunk.checked_sub(1)].into_iter().flatten().find(|&left| joined(left)) else {
            return;
        };
        let right = self.chunks.remove(left + 1);
        self.fences.remove(left);
        self.chunks[left].append(right);
    }

    #[inline]
    fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) -> bool {
        let (before, sparse) = (self.len, self.chunk_max() / 4);
        let mut settle = false;
        for chunk in &mut self.chunks {
            let dropped = chunk.retain(&mut keep);
            self.len -= dropped;
            settle |= dropped > 0 && chunk.len() < sparse;
        }
        if settle {
            self.settle();
        }
        self.len < before
    }

    /// Drops empty chunks, and merges sparse ones.
    fn settle(&mut self) {
        let most = self.chunk_max() / 4 * 3;
        let chunks = std::mem::take(&mut self.chunks);
        let fences = std::mem::take(&mut self.fences);
        for (chunk, fence) in chunks.into_iter().zip(std::iter::once(None).chain(fences.into_iter().map(Some))) {
            match (self.chunks.last_mut(), fence) {
                _ if chunk.len() == 0 => {}
                (Some(last), _) if last.len() + chunk.len() <= most => last.append(chunk),
                (last, fence) => {
                    self.fences.extend(fence.filter(|_| last.is_some()));
                    self.chunks.push(chunk);
                }
            }
        }
    }
}

impl<K, V> Chunk<K, V> {
    fn with_capacity(entries: usize) -> Self {
        Self { keys: Vec::with_capacity(entries), values: Vec::with_capacity(entries) }
    }

    fn single(key: K, value: V) -> Self {
        let mut chunk = Self::with_capacity(4);
        chunk.insert(0, key, value);
        chunk
    }

    #[inline]
    fn len(&self) -> usize {
        self.keys.len()
    }

    #[inline]
    fn insert(&mut self, at: usize, key: K, value: V) {
        if self.keys.len() == self.keys.capacity() {
            self.grow();
        }
        self.keys.insert(at, key);
        self.values.insert(at, value);
    }

    /// By a quarter: doubling would waste a third of the memory of large maps.
    #[cold]
    fn grow(&mut self) {
        let more = (self.len() / 4).max(4);
        self.keys.reserve_exact(more);
        self.values.reserve_exact(more);
    }

    #[inline]
    fn remove(&mut self, at: usize) -> V {
        self.keys.remove(at);
        let value = self.values.remove(at);
        if self.keys.capacity() - self.len() > self.len() / 2 + 16 {
            self.shrink();
        }
        value
    }

    /// Returns memory beyond a quarter.
    #[cold]
    fn shrink(&mut self) {
        let room = self.len() + (self.len() / 4).max(4);
        self.keys.shrink_to(room);
        self.values.shrink_to(room);
    }

    fn split_off(&mut self, at: usize) -> Self {
        let mut right = Self { keys: self.keys.split_off(at), values: self.values.split_off(at) };
        self.shrink();
        right.grow();
        right
    }

    fn append(&mut self, mut other: Self) {
        self.keys.reserve_exact(other.keys.len());
        self.values.reserve_exact(other.values.len());
        self.keys.append(&mut other.keys);
        self.values.append(&mut other.values);
    }

    /// Returns how many entries went.
    #[inline]
    fn retain(&mut self, mut keep: impl FnMut(&K, &mut V) -> bool) -> usize {
        let Some(first) = self.keys.iter().zip(&mut self.values).position(|(key, value)| !keep(key, value)) else {
            return 0;
        };
        let mut kept = first;
        for at in first + 1..self.keys.len() {
            if keep(&self.keys[at], &mut self.values[at]) {
                self.keys.swap(kept, at);
                self.values.swap(kept, at);
                kept += 1;
            }
        }
        let dropped = self.keys.len() - kept;
        self.keys.truncate(kept);
        self.values.truncate(kept);
        if self.keys.capacity() - kept > kept / 2 + 16 {
            self.shrink();
        }
        dropped
    }
}

/// Entries in ascending order of their keys.
pub(super) struct Iter<'a, K, V> {
    keys: std::slice::Iter<'a, K>,
    values: std::slice::Iter<'a, V>,
    chunks: std::slice::Iter<'a, Chunk<K, V>>,
    left: usize,
}

impl<'a, K, V> Iterator for Iter<'a, K, V> {
    type Item = (&'a K, &'a V);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let (Some(key), Some(value)) = (self.keys.next(), self.values.next()) {
                self.left -= 1;
                return Some((key, value));
            }
            let chunk = self.chunks.next()?;
            (self.keys, self.values) = (chunk.keys.iter(), chunk.values.iter());
        }
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl<K, V> ExactSizeIterator for Iter<'_, K, V> {}

/// Equal contents, slice by slice: chunks of two maps need not begin at the same keys.
impl<K: PartialEq, V: PartialEq> PartialEq for Ordered<K, V> {
    fn eq(&self, other: &Self) -> bool {
        if self.len() != other.len() {
            return false;
        }
        let (mut ours, mut theirs) = (self.iter(), other.iter());
        while ours.left > 0 {
            ours.open();
            theirs.open();
            let run = ours.keys.len().min(theirs.keys.len());
            let (a, b) = (ours.skip_run(run), theirs.skip_run(run));
            if a != b {
                return false;
            }
        }
        true
    }
}

impl<'a, K, V> Iter<'a, K, V> {
    /// Goes on to the next chunk if this one is at its end.
    fn open(&mut self) {
        if self.keys.len() == 0
            && let Some(chunk) = self.chunks.next()
        {
            (self.keys, self.values) = (chunk.keys.iter(), chunk.values.iter());
        }
    }

    /// The next `run` entries, which are in this chunk.
    fn skip_run(&mut self, run: usize) -> (&'a [K], &'a [V]) {
        let ((keys, more_keys), (values, more_values)) =
            (self.keys.as_slice().split_at(run), self.values.as_slice().split_at(run));
        (self.keys, self.values) = (more_keys.iter(), more_values.iter());
        self.left -= run;
        (keys, values)
    }
}

impl<K: fmt::Debug, V: fmt::Debug> fmt::Debug for Ordered<K, V> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn check_invariants(map: &Ordered<u16, u32>) {
        let Entries::Many(many) = &map.entries else { return };
        assert_eq!(many.len, many.chunks.iter().map(Chunk::len).sum::<usize>());
        assert_eq!(many.fences.len() + 1, many.chunks.len());
        assert!(many.chunks.iter().all(|chunk| chunk.len() > 0 && chunk.len() == chunk.values.len()));
        assert!(map.iter().map(|(key, _)| key).is_sorted_by(|a, b| a < b));
        for (at, fence) in many.fences.iter().enumerate() {
            assert!(many.chunks[at].keys.last() < Some(fence) && Some(fence) <= many.chunks[at + 1].keys.first());
        }
    }

    fn insert(map: &mut Ordered<u16, u32>, key: u16, value: u32) {
        match map.find(&key) {
            Ok(place) => *map.value_mut(place) = value,
            Err(place) => map.insert_at(place, key, value),
        }
    }

    fn agree(map: &Ordered<u16, u32>, model: &BTreeMap<u16, u32>) -> bool {
        check_invariants(map);
        map.len() == model.len() && map.iter().eq(model.iter())
    }

    #[derive(Clone, Debug)]
    enum Op {
        /// So many keys from a start, in steps of some width, upward or downward.
        Insert(u16, u16, u16, bool),
        Remove(u16, u16, u16, bool),
        /// Drops the keys that leave this remainder.
        Retain(u16, u16),
        Extend(u16, u16, u16),
    }

    fn run(start: u16, count: u16, step: u16, up: bool) -> Vec<u16> {
        let keys = (0..count).map(|at| start.wrapping_add(at.wrapping_mul(step)));
        if up { keys.collect() } else { keys.rev().collect() }
    }

    fn op() -> impl Strategy<Value = Op> {
        let step = || prop_oneof![Just(1_u16), Just(7), any::<u16>()];
        let count = || prop_oneof![0..4_u16, 0..400_u16];
        prop_oneof![
            4 => (any::<u16>(), count(), step(), any::<bool>()).prop_map(|(a, b, c, d)| Op::Insert(a, b, c, d)),
            2 => (any::<u16>(), count(), step(), any::<bool>()).prop_map(|(a, b, c, d)| Op::Remove(a, b, c, d)),
            1 => (1..6_u16, 0..6_u16).prop_map(|(a, b)| Op::Retain(a, b)),
            1 => (any::<u16>(), count(), step()).prop_map(|(a, b, c)| Op::Extend(a, b, c)),
        ]
    }

    fn perform(map: &mut Ordered<u16, u32>, model: &mut BTreeMap<u16, u32>, op: &Op, value: u32) {
        match *op {
            Op::Insert(start, count, step, up) => {
                for key in run(start, count, step, up) {
                    insert(map, key, value);
                    model.insert(key, value);
                }
            }
            Op::Remove(start, count, step, up) => {
                for key in run(start, count, step, up) {
                    let removed = map.find(&key).ok().map(|place| map.remove_at(place));
                    assert_eq!(removed, model.remove(&key));
                    assert_eq!(map.get(&key), None);
                }
            }
            Op::Retain(modulus, rest) => {
                let before = model.len();
                model.retain(|key, _| key % modulus != rest);
                assert_eq!(map.retain(|key, _| key % modulus != rest), model.len() < before);
            }
            Op::Extend(start, count, step) => {
                let mut news = run(start, count, step, true);
                news.sort_unstable();
                news.dedup();
                news.retain(|key| !model.contains_key(key));
                map.extend(news.iter().map(|&key| (key, value)).collect());
                model.extend(news.iter().map(|&key| (key, value)));
            }
        }
    }

    proptest! {
        #[test]
        fn agrees_with_the_standard_map(ops in prop::collection::vec(op(), 0..24), probe in any::<u16>()) {
            let (mut map, mut model) = (Ordered::default(), BTreeMap::new());
            for (at, op) in ops.iter().enumerate() {
                perform(&mut map, &mut model, op, at as u32);
                prop_assert!(agree(&map, &model), "{op:?}");
                prop_assert_eq!(map.get(&probe), model.get(&probe));
                prop_assert_eq!(map.last_key(), model.last_key_value().map(|(key, _)| key));
            }
            // The same content in other chunks is the same map.
            let mut again = Ordered::default();
            for (&key, &value) in &model {
                again.push(key, value);
            }
            check_invariants(&again);
            prop_assert!(map == again && again == map.clone());
            prop_assert!(again.clone().into_entries().eq(model));
            if let Ok(place) = again.find(&probe) {
                *again.value_mut(place) += 1;
                prop_assert!(map != again);
            }
        }
    }

    /// Room for how many entries there is for each hundred that are there.
    fn room_percent(map: &Ordered<u16, u32>) -> usize {
        let Entries::Many(many) = &map.entries else { return 100 };
        100 * many.chunks.iter().map(|chunk| chunk.keys.capacity()).sum::<usize>() / many.len
    }

    #[test]
    fn chunks_are_dense_in_whatever_order_keys_come() {
        let mut orders: Vec<Vec<u16>> = Vec::new();
        orders.push((0..60_000).collect());
        orders.push((0..60_000).rev().collect());
        // 40,503 is odd, so this visits every key once, scattered.
        orders.push((0..60_000).map(|at: u16| at.wrapping_mul(40_503)).collect());
        // From the middle outward, to both sides in turn.
        orders.push(
            (0..60_000)
                .map(|at: u16| if at.is_multiple_of(2) { 30_000 + at / 2 } else { 30_000 - at / 2 - 1 })
                .collect(),
        );
        // Two ascending runs, and two descending ones, that take turns.
        orders.push((0..60_000).map(|at: u16| at / 2 + at % 2 * 30_000).collect());
        orders.push((0..60_000).rev().map(|at: u16| at / 2 + at % 2 * 30_000).collect());
        for (number, order) in orders.iter().enumerate() {
            let mut map = Ordered::default();
            for &key in order {
                insert(&mut map, key, 0);
            }
            check_invariants(&map);
            assert_eq!(map.len(), 60_000);
            assert!(room_percent(&map) < 130, "order {number}: {}", room_percent(&map));
            for &key in &order[..59_000] {
                let place = map.find(&key).expect("the key was inserted");
                map.remove_at(place);
            }
            check_invariants(&map);
            assert!(room_percent(&map) < 250, "order {number} after removals: {}", room_percent(&map));
        }
    }
}
