//! The sessions over HTTP of one mount: as many as fit, and no more of one address than fair.

use std::{
    collections::{HashMap, hash_map::Entry as Slot},
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use super::session::Session;
use crate::limits::household;

const MOST: usize = 20_000;
/// Of one address, or one network of IPv6, behind which many people may be.
const MOST_OF_ADDRESS: usize = 500;

/// Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Sessions(Arc<Mutex<Open>>);

#[derive(Default)]
struct Open {
    by_id: HashMap<Arc<str>, Arc<Session>>,
    by_address: HashMap<IpAddr, usize>,
}

/// A session's entry; it goes with the session.
pub(super) struct Entry {
    sessions: Sessions,
    id: Arc<str>,
    address: IpAddr,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TooMany;

impl Sessions {
    pub(super) fn get(&self, id: &str) -> Option<Arc<Session>> {
        self.open().by_id.get(id).cloned()
    }

    /// The session, and its entry if it was made just now.
    pub(super) fn get_or_open(
        &self,
        id: &str,
        address: IpAddr,
        new: impl FnOnce() -> Arc<Session>,
    ) -> Result<(Arc<Session>, Option<Entry>), TooMany> {
        let address = household(address);
        let mut open = self.open();
        let Open { by_id, by_address } = &mut *open;
        let is_full = by_id.len() >= MOST;
        let of_address = by_address.get(&address).copied().unwrap_or_default();
        let slot = match by_id.entry(id.into()) {
            Slot::Occupied(known) => return Ok((Arc::clone(known.get()), None)),
            Slot::Vacant(slot) => slot,
        };
        if is_full || of_address >= MOST_OF_ADDRESS {
            return Err(TooMany);
        }
        by_address.insert(address, of_address + 1);
        let entry = Entry {
            sessions: self.clone(),
            id: Arc::clone(slot.key()),
            address,
        };
        Ok((Arc::clone(slot.insert(new())), Some(entry)))
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut open = self.sessions.open();
        open.by_id.remove(&self.id);
        if let Slot::Occupied(mut count) = open.by_address.entry(self.address) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::sockjs::pipe::Pipe;

    fn session() -> Arc<Session> {
        Arc::new(Session::new(Pipe::new().1, Duration::from_secs(1)))
    }

    #[test]
    fn one_address_has_its_share_and_gets_it_back() {
        let sessions = Sessions::default();
        let [one, other] = [1, 2].map(|n| IpAddr::from([10, 0, 0, n]));
        let open = |id: usize, address| sessions.get_or_open(&id.to_string(), address, session);
        let mut entries: Vec<_> = (0..MOST_OF_ADDRESS)
            .map(|id| open(id, one).unwrap().1.unwrap())
            .collect();
        assert_eq!(open(MOST_OF_ADDRESS, one).err(), Some(TooMany));
        assert!(open(MOST_OF_ADDRESS, other).is_ok());
        let (_, entry) = open(0, one).unwrap();
        assert!(entry.is_none(), "it was open");
        entries.pop();
        assert!(open(MOST_OF_ADDRESS + 1, one).is_ok());
        entries.clear();
        assert!(sessions.get("0").is_none());
    }

    #[test]
    fn a_network_of_ipv6_has_the_share_of_one_address() {
        let sessions = Sessions::default();
        let open = |id: usize, network: u16| {
            let host = u16::try_from(id).unwrap();
            let address = IpAddr::from([0x2001, 0xdb8, 0, network, 0, 0, 0, host]);
            sessions.get_or_open(&format!("{network}-{id}"), address, session)
        };
        let _entries: Vec<_> = (0..MOST_OF_ADDRESS)
            .map(|id| open(id, 1).unwrap())
            .collect();
        assert_eq!(open(MOST_OF_ADDRESS, 1).err(), Some(TooMany));
        assert!(open(0, 2).is_ok());
    }
}
