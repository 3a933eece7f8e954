//! The limits that all gateways share, in Redis: one atomic script, its clock the server's.

use std::{sync::LazyLock, time::Duration};

use doran_platform::redis::Redis;
use redis::Script;

use super::{Group, Subject, Verdict, subject::account};

/// As `Rate::judge`: answers whether it passes, how full the bucket is, and how long to wait.
static SCRIPT: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        r"
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local interval, burst = tonumber(ARGV[1]), tonumber(ARGV[2])
        local due = math.max(tonumber(redis.call('GET', KEYS[1]) or 0), now)
        local following = due + interval
        local wait = following - interval * burst - now
        if wait > 0 then
          return {0, due - now, wait}
        end
        local text = string.format('%.0f', following)
        redis.call('SET', KEYS[1], text, 'PX', math.ceil((following - now) / 1000))
        return {1, following - now, 0}
        ",
    )
});

pub(super) struct Shared(pub(super) Redis);

impl Shared {
    /// None while Redis is away.
    pub(super) async fn check(&self, group: Group, subject: Subject) -> Option<Verdict> {
        let rate = group.rate();
        let mut call = SCRIPT.key(account(group, subject.counted()));
        call.arg(rate.interval_us()).arg(rate.burst);
        let (passes, filled_us, wait_us): (bool, u64, u64) = self.0.run(&call).await?;
        let wait = (!passes).then(|| Duration::from_micros(wait_us));
        Some(rate.verdict(filled_us, wait))
    }
}
