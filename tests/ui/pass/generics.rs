//! Traits with parameters.
#![deny(warnings)]

use farcall::Remote;
use serde::{Serialize, de::DeserializeOwned};
use std::{collections::BTreeMap, sync::Mutex};

#[farcall::remote]
pub trait Store<K: Ord, V = u64>
where
    V: Clone,
{
    async fn put(&self, key: K, value: &V) -> farcall::Result<Option<V>>;
    async fn all(&self, keys: &[K]) -> farcall::Result<Vec<(K, V)>>;
}

#[farcall::remote]
pub trait Block<const N: usize> {
    async fn write(&mut self, bytes: Box<[u8]>) -> farcall::Result<Option<[u8; 4]>>;
}

struct Map<K, V>(Mutex<BTreeMap<K, V>>);

impl<K, V> Store<K, V> for Map<K, V>
where
    K: Ord + Clone + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    async fn put(&self, key: K, value: &V) -> farcall::Result<Option<V>> {
        let mut map = self.0.lock().map_err(|_| farcall::Error::new("poisoned"))?;
        Ok(map.insert(key, value.clone()))
    }
    async fn all(&self, keys: &[K]) -> farcall::Result<Vec<(K, V)>> {
        let map = self.0.lock().map_err(|_| farcall::Error::new("poisoned"))?;
        let found = keys.iter().filter_map(|key| Some((key.clone(), map.get(key)?.clone())));
        Ok(found.collect())
    }
}

/// Generic over the parameters too.
async fn put<K, V>(store: &Remote<dyn Store<K, V>>, key: K, value: V) -> farcall::Result<Option<V>>
where
    K: Ord + Serialize + DeserializeOwned + Send + Sync + 'static,
    V: Clone + Serialize + DeserializeOwned + Send + Sync + 'static,
{
    store.put(key, &value).await
}

fn main() {
    let _ = async {
        let map = Map(Mutex::new(BTreeMap::new()));
        let store = Remote::<dyn Store<String, u64>>::new(map);
        put(&store, "one".to_owned(), 1).await
    };
}
