//! Which messages there may be: a message that is new for certain need not be asked for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use doran_contract::MessageId;
use doran_platform::Lifecycle;
use fastbloom::AtomicBloomFilter;
use sqlx::{PgPool, types::Uuid};
use tokio::time::sleep;

/// 16 MiB: of new messages PostgreSQL is asked for one in 600 with ten million, for one in fifteen with
/// twenty million, and for most with fifty million.
const BITS: usize = 1 << 27;
const EXPECTED: usize = 10_000_000;
/// Ids that are read at once.
const PAGE: i64 = 10_000;
const AGAIN: Duration = Duration::from_secs(1);

/// A Bloom filter over the ids of all messages. Cheap to clone.
#[derive(Clone)]
pub(super) struct Seen {
    filter: Arc<AtomicBloomFilter>,
    is_whole: Arc<AtomicBool>,
}

impl Seen {
    /// Reads in the background what PostgreSQL has, as soon as it has all messages up to `until`.
    /// The newer ones must be noted.
    pub(super) fn start(pool: PgPool, until: u64, lifecycle: &Lifecycle) -> Self {
        let seen = Self::empty();
        let (filling, stopping) = (seen.clone(), lifecycle.stopping().clone());
        lifecycle.spawn(async move {
            let filled = async {
                while let Err(error) = filling.fill(&pool, until).await {
                    tracing::debug!(%error, "the ids of messages cannot be read yet");
                    sleep(AGAIN).await;
                }
            };
            stopping.run_until_cancelled(filled).await;
        });
        seen
    }

    fn empty() -> Self {
        let filter = AtomicBloomFilter::with_num_bits(BITS).expected_items(EXPECTED);
        Self {
            filter: Arc::new(filter),
            is_whole: Arc::default(),
        }
    }

    pub(super) fn note(&self, id: Uuid) {
        self.filter.insert(&id);
    }

    /// Whether no message of this id was stored before the process began to note them.
    pub(super) fn is_new(&self, id: MessageId) -> bool {
        self.is_whole.load(Ordering::Acquire) && !self.filter.contains(&id.as_uuid())
    }

    /// From now on nobody notes what is new.
    pub(super) fn give_up(&self) {
        self.is_whole.store(false, Ordering::Release);
    }

    async fn fill(&self, pool: &PgPool, until: u64) -> Result<(), sqlx::Error> {
        let position = "select sequence from projection_position where read_model = 'messages'";
        loop {
            let position: Option<i64> = sqlx::query_scalar(position).fetch_optional(pool).await?;
            if position.is_some_and(|position| position.unsigned_abs() >= until) {
                break;
            }
            sleep(AGAIN).await;
        }
        let mut last = Uuid::nil();
        loop {
            let page = "select id from messages where id > $1 order by id limit $2";
            let page = sqlx::query_scalar(page).bind(last).bind(PAGE);
            let ids: Vec<Uuid> = page.fetch_all(pool).await?;
            let Some(newest) = ids.last() else { break };
            last = *newest;
            self.filter.insert_all(&ids);
        }
        self.is_whole.store(true, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_filter_tells_what_is_new() {
        let seen = Seen::empty();
        let (known, new) = (Uuid::from_u128(1), Uuid::from_u128(2));
        seen.note(known);
        assert!(!seen.is_new(MessageId::new(new)));
        seen.is_whole.store(true, Ordering::Release);
        assert!(seen.is_new(MessageId::new(new)));
        assert!(!seen.is_new(MessageId::new(known)));
        seen.give_up();
        assert!(!seen.is_new(MessageId::new(new)));
    }

    #[test]
    fn few_of_ten_million_messages_are_asked_for_in_vain() {
        let filter = AtomicBloomFilter::with_num_bits(BITS).expected_items(EXPECTED);
        assert!(filter.expected_false_pos(EXPECTED) < 0.01);
        assert!(filter.expected_false_pos(2 * EXPECTED) < 0.1);
    }
}
