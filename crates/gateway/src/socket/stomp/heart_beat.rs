//! Heart-beats: a line end now and then, from either side, as both agree when they connect.

use std::{future::pending, time::Duration};

use doran_contract::frame::CloseCode;
use tokio::time::{interval, sleep};

use crate::socket::{Link, closing::End};

/// What this side can do, and what it would like of the other.
const OURS_MS: u64 = 10_000;

/// How often which side makes itself heard; none: not at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::socket) struct Rates {
    send: Option<Duration>,
    expect: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("heart-beat is two numbers of milliseconds")]
pub(super) struct NotTwoNumbers;

impl Rates {
    pub(super) fn agree(header: Option<&str>) -> Result<Self, NotTwoNumbers> {
        let Some(header) = header else {
            return Ok(Self::default());
        };
        let (can, wants) = header.split_once(',').ok_or(NotTwoNumbers)?;
        let number = |text: &str| text.trim().parse::<u32>().map_err(|_invalid| NotTwoNumbers);
        let agreed = |theirs: u32| {
            let both = Duration::from_millis(u64::from(theirs).max(OURS_MS));
            (theirs > 0).then_some(both)
        };
        Ok(Self {
            send: agreed(number(wants)?),
            expect: agreed(number(can)?),
        })
    }

    /// The header of the answer.
    pub(super) fn header(self) -> String {
        let ours = |rate: Option<Duration>| if rate.is_some() { OURS_MS } else { 0 };
        format!("{},{}", ours(self.send), ours(self.expect))
    }
}

/// Beats, and listens; returns when nothing has been heard for too long.
pub(in crate::socket) async fn heart_beats(link: &Link, rates: Rates) -> End {
    tokio::select! {
        end = beat(link, rates.send) => end,
        end = listen(link, rates.expect) => end,
    }
}

async fn beat(link: &Link, send: Option<Duration>) -> End {
    let Some(every) = send else {
        return pending().await;
    };
    let mut beats = interval(every);
    loop {
        beats.tick().await;
        link.outbox.push("\n".into());
    }
}

async fn listen(link: &Link, expect: Option<Duration>) -> End {
    let Some(every) = expect else {
        return pending().await;
    };
    // Twice, because what is sent in time may come late.
    let patience = every * 2;
    loop {
        let left = patience.saturating_sub(link.silence());
        if left.is_zero() {
            return End::Close(CloseCode::PingTimeout);
        }
        sleep(left).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rates(send_ms: Option<u64>, expect_ms: Option<u64>) -> Rates {
        Rates {
            send: send_ms.map(Duration::from_millis),
            expect: expect_ms.map(Duration::from_millis),
        }
    }

    #[test]
    fn the_slower_side_decides_and_zero_means_not_at_all() {
        let agreed = |header| Rates::agree(header).unwrap();
        assert_eq!(agreed(None), rates(None, None));
        assert_eq!(agreed(Some("0,0")), rates(None, None));
        assert_eq!(
            agreed(Some("10000,20000")),
            rates(Some(20_000), Some(10_000))
        );
        assert_eq!(agreed(Some("1,0")), rates(None, Some(10_000)));
        assert_eq!(agreed(Some("0, 500")).header(), "10000,0");
        for text in ["", "1", "1,", "a,b", "1,2,3", "-1,0", "1,99999999999"] {
            assert_eq!(Rates::agree(Some(text)), Err(NotTwoNumbers), "{text}");
        }
    }
}
