//! Places of which no key gets them all: a flood under one signed key leaves room for the others (A15).

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Places there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capacity {
    /// For all keys together.
    pub total: usize,
    /// For one key.
    pub each: usize,
}

/// Why there is no place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoPlace {
    /// All are taken.
    Full,
    /// This key has its share; others have room.
    KeyShare,
}

/// Places taken, by key. Keys without any are not kept.
#[derive(Debug)]
pub(crate) struct Shares {
    capacity: Capacity,
    all: usize,
    by_key: HashMap<[u8; 32], usize>,
}

impl Shares {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self { capacity, all: 0, by_key: HashMap::new() }
    }

    /// Whether `key` may take one more. A key over its share is told so even when nothing is free at all; where the share is
    /// everything there is, it is only full.
    pub(crate) fn check(&self, key: &[u8; 32]) -> Result<(), NoPlace> {
        if self.of(key) >= self.capacity.each && self.capacity.each < self.capacity.total {
            Err(NoPlace::KeyShare)
        } else if self.all >= self.capacity.total {
            Err(NoPlace::Full)
        } else {
            Ok(())
        }
    }

    /// Takes a place; whoever calls has checked.
    pub(crate) fn add(&mut self, key: [u8; 32]) {
        self.all += 1;
        *self.by_key.entry(key).or_default() += 1;
    }

    /// Gives back a place of `key`.
    pub(crate) fn remove(&mut self, key: &[u8; 32]) {
        if let Some(n) = self.by_key.get_mut(key) {
            *n -= 1;
            self.all -= 1;
            if *n == 0 {
                self.by_key.remove(key);
            }
        }
    }

    pub(crate) fn of(&self, key: &[u8; 32]) -> usize {
        self.by_key.get(key).copied().unwrap_or(0)
    }

    pub(crate) fn all(&self) -> usize {
        self.all
    }
}

/// Places that are given back when their holder is dropped.
#[derive(Debug)]
pub(crate) struct Places(Arc<Mutex<Shares>>);

/// One of [`Places`].
#[derive(Debug)]
pub(crate) struct Place {
    shares: Arc<Mutex<Shares>>,
    key: [u8; 32],
}

fn lock(shares: &Mutex<Shares>) -> MutexGuard<'_, Shares> {
    // No change in here can panic half way.
    shares.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Places {
    pub(crate) fn new(capacity: Capacity) -> Self {
        Self(Arc::new(Mutex::new(Shares::new(capacity))))
    }

    pub(crate) fn take(&self, key: [u8; 32]) -> Result<Place, NoPlace> {
        let mut shares = lock(&self.0);
        shares.check(&key)?;
        shares.add(key);
        Ok(Place { shares: Arc::clone(&self.0), key })
    }

    /// Places taken.
    pub(crate) fn taken(&self) -> usize {
        lock(&self.0).all()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        lock(&self.shares).remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A15: one key takes its share and no more; the others have the rest; a place given back can be taken again.
    #[test]
    fn a15_one_key_never_has_all_places() {
        let places = Places::new(Capacity { total: 5, each: 3 });
        let flood: Vec<_> = (0..3).map(|_| places.take([1; 32]).unwrap()).collect();
        assert_eq!(places.take([1; 32]).unwrap_err(), NoPlace::KeyShare);
        let other = [places.take([2; 32]).unwrap(), places.take([3; 32]).unwrap()];
        assert_eq!(places.take([4; 32]).unwrap_err(), NoPlace::Full);
        assert_eq!(places.take([1; 32]).unwrap_err(), NoPlace::KeyShare);
        drop(other);
        assert_eq!(places.take([1; 32]).unwrap_err(), NoPlace::KeyShare, "still its share");
        drop(flood);
        assert_eq!(places.taken(), 0);
        assert!(lock(&places.0).by_key.is_empty(), "keys without places are forgotten");
        places.take([1; 32]).unwrap();
        let undivided = Places::new(Capacity { total: 1, each: 1 });
        let _one = undivided.take([1; 32]).unwrap();
        assert_eq!(undivided.take([1; 32]).unwrap_err(), NoPlace::Full);
    }
}
