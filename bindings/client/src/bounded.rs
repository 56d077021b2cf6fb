//! A cache that can't grow without end: the entry that came first goes first.

use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};

/// A map of at most so many entries, shared by threads.
pub(crate) struct Bounded<K, V> {
    capacity: usize,
    state: Mutex<(HashMap<K, V>, VecDeque<K>)>,
}

impl<K: Clone + Eq + Hash, V: Clone> Bounded<K, V> {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, state: Mutex::default() }
    }

    pub(crate) fn get(&self, key: &K) -> Option<V> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.get(key).cloned()
    }

    pub(crate) fn insert(&self, key: K, value: V) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (map, order) = &mut *state;
        if map.insert(key.clone(), value).is_none() {
            order.push_back(key);
        }
        if map.len() > self.capacity
            && let Some(oldest) = order.pop_front()
        {
            map.remove(&oldest);
        }
    }

    /// Every entry's value.
    pub(crate) fn values(&self) -> Vec<V> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).0.values().cloned().collect()
    }

    /// The entry, or a new one.
    pub(crate) fn get_or_insert_with(&self, key: &K, make: impl FnOnce() -> V) -> V {
        self.get(key).unwrap_or_else(|| {
            let value = make();
            self.insert(key.clone(), value.clone());
            value
        })
    }

    pub(crate) fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.clear();
        state.1.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_goes_first() {
        let cache = Bounded::new(2);
        for key in [1, 2, 1, 3] {
            cache.insert(key, key * 10);
        }
        assert_eq!([1, 2, 3].map(|key| cache.get(&key)), [None, Some(20), Some(30)]);
        assert_eq!(cache.get_or_insert_with(&3, || 0), 30);
        cache.clear();
        assert_eq!(cache.get_or_insert_with(&3, || 0), 0);
    }
}
