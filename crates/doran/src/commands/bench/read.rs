//! `doran bench read`: pages of a long room, and search in it.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use async_nats::jetstream;
use doran_contract::message::HistoryPage;
use doran_platform::{Clock, Config, nats};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::de::IgnoredAny;
use serde_json::{Value, json};

use super::{
    client::{At, Scene},
    message,
    summary::Round,
    words::Words,
};
use crate::{
    exit::dependency,
    output,
    progress::{Activity, Progress},
};

/// Messages under way while the room is filled.
const UNDER_WAY: usize = 256;
/// The lane with a copy of every message.
const LANE: &str = "MessageSent";
const LONGEST_WAIT_SECONDS: u32 = 600;

/// Measure how long a page of a long room takes, and a search in all of it
///
/// Fills a room with messages of made-up Korean words first, some much more frequent than others.
/// It stays: take a system that you throw away.
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran bench read --messages 1000000")]
pub(crate) struct Read {
    /// Messages in the room
    #[arg(long, default_value_t = 100_000, value_parser = clap::value_parser!(u64).range(100..=100_000_000))]
    messages: u64,
    /// Questions of each kind, one after the other
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u32).range(10..=100_000))]
    questions: u32,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
    #[command(flatten, next_help_heading = "Servers and settings")]
    config: Config,
}

/// The room is there, and what it holds.
struct Filled {
    scene: Scene,
    words: Words,
    first: u64,
    last: u64,
}

impl Read {
    pub(crate) async fn run(self) -> Result<()> {
        let mut filled = self.fill().await?;
        let nothing = filled.ask(self.questions, |_| "/api/chat/health".to_owned());
        let nothing = nothing.await?;
        let room = filled.scene.room;
        let pages = filled.ask(self.questions, |filled| {
            let before = filled.words.number(filled.first..filled.last);
            format!("/api/chat/rooms/{room}/messages?before={before}&limit=50")
        });
        let pages = pages.await?;
        let searches = filled.ask(self.questions, |filled| {
            let word = filled.words.word();
            format!("/api/chat/search?q={word}&limit=20")
        });
        let searches = searches.await?;
        let both = filled.ask(self.questions, |filled| {
            let (word, other) = (filled.words.word(), filled.words.word());
            format!("/api/chat/search?q={word}%20{other}&limit=20")
        });
        let both = both.await?;
        self.tell(&[
            ("nothing (the way to the service and back)", nothing),
            ("page of 50 at any place", pages),
            ("search for a word", searches),
            ("search for two words", both),
        ])
    }

    async fn fill(&self) -> Result<Filled> {
        let mut scene = Scene::set(&self.at, 1).await?;
        let client = nats::connect(&self.config, "doran bench").await;
        let js = jetstream::new(client.map_err(dependency)?);
        let (clock, to) = (Clock::system(), (scene.room, scene.owner().id));
        let (mut words, client) = (Words::default(), js.client());
        let mut progress = Progress::new("filling", self.messages);
        let texts = (0..self.messages).map(|_| words.sentence());
        let mut sending = stream::iter(texts)
            .map(|content| message::send(&client, &clock, to, content))
            .buffered(UNDER_WAY);
        let (mut first, mut last, mut sent) = (0, 0, 0);
        while let Some(sequence) = sending.try_next().await? {
            last = sequence;
            if sent == 0 {
                first = sequence;
            }
            sent += 1;
            progress.at(sent);
        }
        drop(sending);
        progress.end();
        for person in &mut scene.people {
            scene.gateway.log_in_again(person).await?;
        }
        let position = format!("MESSAGE:{last}");
        for path in [
            format!("/api/chat/rooms/{}/messages?limit=1", scene.room),
            "/api/chat/search?q=%EA%B0%80&limit=1".to_owned(),
        ] {
            let caught_up = scene.gateway.get_after(scene.owner(), &path, &position);
            caught_up.await?;
        }
        wait_for_lane(&js).await?;
        let newest = format!("/api/chat/rooms/{}/messages?limit=1", scene.room);
        let newest: HistoryPage = scene.gateway.get(scene.owner(), &newest).await?;
        newest.items.first().context("the room is empty")?;
        Ok(Filled {
            scene,
            words,
            first,
            last,
        })
    }

    fn tell(&self, figures: &[(&str, Round)]) -> Result<()> {
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        if self.json {
            let each = figures.iter().map(|(what, round)| {
                json!({ "what": what, "p50Ms": ms(round.p50), "p99Ms": ms(round.p99) })
            });
            let each: Vec<Value> = each.collect();
            return output::json(
                &json!({ "bench": "read", "messages": self.messages, "figures": each }),
            );
        }
        let rows = figures.iter().map(|(what, round)| {
            [
                (*what).to_owned(),
                format!("{:.2}", ms(round.p50)),
                format!("{:.2}", ms(round.p99)),
            ]
        });
        output::table(["READ", "P50 MS", "P99 MS"], rows)?;
        Ok(())
    }
}

/// nats-server goes on copying into the lane for a minute after the last message of a million, and
/// has no time for anything else meanwhile.
async fn wait_for_lane(js: &jetstream::Context) -> Result<()> {
    let mut lane = js.get_stream(LANE).await?;
    let mut activity = Activity::new();
    for _ in 0..LONGEST_WAIT_SECONDS {
        let sources = &lane.info().await?.sources;
        let lag: u64 = sources.iter().map(|source| source.lag).sum();
        if lag == 0 {
            break;
        }
        activity.at(&format!("the lane {LANE} is filled, {lag} messages to go"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    activity.end();
    Ok(())
}

impl Filled {
    /// Asks so often, one question after the other.
    async fn ask(
        &mut self,
        questions: u32,
        mut path: impl FnMut(&mut Self) -> String,
    ) -> Result<Round> {
        let (mut took, all) = (Vec::new(), Instant::now());
        for _ in 0..questions {
            let path = path(self);
            let began = Instant::now();
            let _answer: IgnoredAny = self.scene.gateway.get(self.scene.owner(), &path).await?;
            took.push(began.elapsed());
        }
        Ok(Round::of(took, all.elapsed()))
    }
}
