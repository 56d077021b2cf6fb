//! Keys that are unwrapped in the session now: a bounded number, the least recently used makes room.
//!
//! An entry stands for a key whose MAC was verified under one binding. Dropping it destroys the session object.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::bindings::symbolon::host::pkcs11::Object;
use crate::wrapped::Content;

#[derive(Clone)]
struct Entry {
    binding: Vec<u8>,
    content: Rc<Content>,
    object: Rc<Object>,
    used: u64,
}

/// By the wrapped key, whole.
pub struct Cache {
    capacity: usize,
    uses: u64,
    entries: BTreeMap<Vec<u8>, Entry>,
}

impl Cache {
    pub fn new(capacity: usize) -> Self {
        Self { capacity, uses: 0, entries: BTreeMap::new() }
    }

    pub fn get(&mut self, id: &[u8], binding: &[u8]) -> Option<(Rc<Content>, Rc<Object>)> {
        self.uses += 1;
        let entry = self.entries.get_mut(id).filter(|entry| entry.binding == binding)?;
        entry.used = self.uses;
        Some((entry.content.clone(), entry.object.clone()))
    }

    pub fn put(&mut self, id: &[u8], binding: &[u8], content: Rc<Content>, object: Rc<Object>) {
        if self.capacity == 0 {
            return;
        }
        if self.entries.len() >= self.capacity {
            self.make_room();
        }
        let entry = Entry { binding: binding.into(), content, object, used: self.uses };
        self.entries.insert(id.into(), entry);
    }

    pub fn remove(&mut self, id: &[u8]) {
        self.entries.remove(id);
    }

    fn make_room(&mut self) {
        let oldest = self.entries.iter().min_by_key(|(_, entry)| entry.used).map(|(id, _)| id.clone());
        if let Some(id) = oldest {
            self.entries.remove(&id);
        }
    }
}
