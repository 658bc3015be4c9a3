//! The most frequent keys of a stream, in bounded memory. Not here: what is counted under a key.
//!
//! Space-saving counters (Metwally, Agrawal, El Abbadi 2005), pruned in batches: a key that comes anew takes over the count
//! of those that were dropped, so that each count is at most `total / capacity` too high and no frequent key is missing.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;

use super::distinct::Distinct;
use super::hash::hash;

/// Two that were counted apart become one.
pub(super) trait Merge {
    fn merge(&mut self, other: Self);
}

/// Counts without anything beside.
impl Merge for () {
    fn merge(&mut self, (): Self) {}
}

/// A key, how often it came, and what was gathered under it.
#[derive(Debug, Clone)]
pub(super) struct Entry<V> {
    pub(super) key: Box<[u8]>,
    hash: u64,
    /// At most this often.
    pub(super) count: u64,
    /// The count may be too high by this; `value` knows nothing of what was before.
    pub(super) over: u64,
    pub(super) value: V,
}

/// Where no entry is.
const EMPTY: u32 = u32::MAX;

/// The keys that came most often.
#[derive(Debug, Clone)]
pub(super) struct Top<V> {
    capacity: usize,
    entries: Vec<Entry<V>>,
    /// Places in `entries` by hash, open addressing; its length is a power of two.
    index: Vec<u32>,
    /// The highest count that was ever dropped.
    floor: u64,
    /// Keys come from clients: where they land must not be foreseeable.
    seed: u64,
    total: u64,
    /// Since the first key was dropped; until then the entries say it.
    distinct: Option<Distinct>,
}

impl<V: Default + Merge> Top<V> {
    /// Keeps at least `capacity` keys, and never more than twice as many.
    pub(super) fn new(capacity: usize) -> Self {
        let places = (capacity * 4).next_power_of_two().max(8);
        Self {
            capacity: capacity.max(1),
            entries: Vec::new(),
            index: vec![EMPTY; places],
            floor: 0,
            seed: RandomState::new().hash_one(0),
            total: 0,
            distinct: None,
        }
    }

    /// Counts a key once, and gives what is gathered under it.
    pub(super) fn count(&mut self, key: &[u8]) -> &mut V {
        self.total += 1;
        let place = self.place(key);
        let entry = &mut self.entries[place];
        entry.count += 1;
        &mut entry.value
    }

    /// Where the key's entry is, now at the latest.
    fn place(&mut self, key: &[u8]) -> usize {
        let hash = hash(key, self.seed);
        match self.find(key, hash) {
            Ok(place) => place,
            Err(slot) => self.insert(key, hash, slot),
        }
    }

    /// The key's place, or the slot of the index where it would go.
    fn find(&self, key: &[u8], hash: u64) -> Result<usize, usize> {
        let mask = self.index.len() - 1;
        let mut slot = hash as usize & mask;
        loop {
            match self.index[slot] {
                EMPTY => return Err(slot),
                place => {
                    let entry = &self.entries[place as usize];
                    if entry.hash == hash && *entry.key == *key {
                        return Ok(place as usize);
                    }
                }
            }
            slot = (slot + 1) & mask;
        }
    }

    fn insert(&mut self, key: &[u8], hash: u64, slot: usize) -> usize {
        let mut slot = slot;
        if self.entries.len() >= self.capacity * 2 {
            self.prune();
            slot = self.find(key, hash).unwrap_or_else(|slot| slot);
        }
        if let Some(distinct) = &mut self.distinct {
            distinct.add(key);
        }
        self.index[slot] = u32::try_from(self.entries.len()).unwrap_or(EMPTY);
        let entry = Entry { key: key.into(), hash, count: self.floor, over: self.floor, value: V::default() };
        self.entries.push(entry);
        self.entries.len() - 1
    }

    /// Drops all but the most frequent keys.
    fn prune(&mut self) {
        self.know_distinct();
        // Of equals those that came first stay: which they are depends on nothing but the stream.
        self.entries.sort_by_key(|entry| std::cmp::Reverse(entry.count));
        if let Some(first) = self.entries.get(self.capacity) {
            self.floor = self.floor.max(first.count);
        }
        self.entries.truncate(self.capacity);
        self.reindex();
    }

    fn know_distinct(&mut self) -> &mut Distinct {
        self.distinct.get_or_insert_with(|| {
            let mut distinct = Distinct::default();
            self.entries.iter().for_each(|entry| distinct.add(&entry.key));
            distinct
        })
    }

    fn reindex(&mut self) {
        self.index.fill(EMPTY);
        for place in 0..self.entries.len() {
            let entry = &self.entries[place];
            if let Err(slot) = self.find(&entry.key, entry.hash) {
                self.index[slot] = u32::try_from(place).unwrap_or(EMPTY);
            }
        }
    }

    /// How many keys there were: exactly while none was dropped, otherwise estimated.
    pub(super) fn distinct(&self) -> Count {
        match &self.distinct {
            None => Count::Exactly(self.entries.len() as u64),
            Some(distinct) => Count::About(distinct.estimate()),
        }
    }

    /// How often any key came.
    pub(super) fn total(&self) -> u64 {
        self.total
    }

    /// The entries, the most frequent first; equals in the order of their keys.
    pub(super) fn most(&self) -> Vec<&Entry<V>> {
        self.most_by(|entry| entry.count)
    }

    /// The entries, those with the most of `measure` first.
    pub(super) fn most_by(&self, measure: impl Fn(&Entry<V>) -> u64) -> Vec<&Entry<V>> {
        let mut entries: Vec<_> = self.entries.iter().collect();
        entries.sort_by(|a, b| measure(b).cmp(&measure(a)).then_with(|| a.key.cmp(&b.key)));
        entries
    }

    /// What is gathered under a key, if it is still known.
    pub(super) fn get(&self, key: &[u8]) -> Option<&Entry<V>> {
        let place = self.find(key, hash(key, self.seed)).ok()?;
        self.entries.get(place)
    }
}

impl<V: Default + Merge> Merge for Top<V> {
    /// The bounds of both add up, as each may have dropped what the other kept.
    fn merge(&mut self, other: Self) {
        self.total += other.total;
        let other_floor = other.floor;
        for entry in &mut self.entries {
            entry.count += other_floor;
            entry.over += other_floor;
        }
        self.floor += other_floor;
        for entry in other.entries {
            let place = self.place(&entry.key);
            let own = &mut self.entries[place];
            // The other's floor is counted already: it stands for what is now known.
            own.count = own.count - other_floor + entry.count;
            own.over = own.over - other_floor + entry.over;
            own.value.merge(entry.value);
        }
        if let Some(distinct) = other.distinct {
            self.know_distinct().merge(distinct);
        }
    }
}

/// How many there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Count {
    Exactly(u64),
    /// Within a few percent.
    About(u64),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Sum(u64);

    impl Merge for Sum {
        fn merge(&mut self, other: Self) {
            self.0 += other.0;
        }
    }

    fn of(keys: impl IntoIterator<Item = u64>, capacity: usize) -> Top<Sum> {
        let mut top = Top::<Sum>::new(capacity);
        for key in keys {
            top.count(&key.to_le_bytes()).0 += 1;
        }
        top
    }

    /// One frequent key among a hundred that come once each, ten thousand times over.
    fn skewed(many: u64) -> impl Iterator<Item = u64> {
        (0..many).map(|n| if n % 10 == 0 { 1 } else { 1000 + n })
    }

    #[test]
    fn counts_are_exact_while_all_fit() {
        let top = of([5, 6, 5, 7, 5, 6], 8);
        let most: Vec<_> = top.most().iter().map(|entry| (entry.key[0], entry.count, entry.over)).collect();
        assert_eq!(most, [(5, 3, 0), (6, 2, 0), (7, 1, 0)]);
        assert_eq!(top.distinct(), Count::Exactly(3));
    }

    #[test]
    fn a_million_distinct_keys_take_bounded_memory_and_hide_no_frequent_one() {
        let many = 1_000_000;
        let top = of(skewed(many), 100);
        assert!(top.entries.len() <= 200 && top.entries.capacity() <= 512, "{}", top.entries.capacity());
        let first = top.most()[0];
        assert_eq!(first.key[..], 1u64.to_le_bytes());
        let (real, bound) = (many / 10, many / 100);
        assert!(first.count >= real && first.count - first.over <= real && first.over <= bound, "{first:?}");
        let Count::About(distinct) = top.distinct() else { panic!("it was exact") };
        assert!(distinct.abs_diff(many * 9 / 10) < many / 20, "{distinct}");
    }

    #[test]
    fn parts_that_are_merged_keep_the_bounds() {
        let mut parts: Vec<_> = (0..4).map(|part| of(skewed(50_000).map(|n| n + part * (n > 1) as u64), 64)).collect();
        let mut all = parts.remove(0);
        parts.into_iter().for_each(|part| all.merge(part));
        let first = all.most()[0];
        assert_eq!((first.key[..].to_vec(), all.total()), (1u64.to_le_bytes().to_vec(), 200_000));
        let bound = 200_000 / 64;
        assert!(first.count >= 20_000 && first.count - first.over <= 20_000 && first.over <= bound, "{first:?}");
        assert!(all.entries.len() <= 128);
    }

    #[test]
    fn merging_parts_that_fit_is_exact() {
        let mut all = of([1, 1, 2], 8);
        all.merge(of([2, 2, 3], 8));
        let most: Vec<_> = all.most().iter().map(|entry| (entry.key[0], entry.count, entry.value.0)).collect();
        assert_eq!(most, [(2, 3, 3), (1, 2, 2), (3, 1, 1)]);
        assert!(all.get(&3u64.to_le_bytes()).is_some() && all.get(b"x").is_none());
    }
}
