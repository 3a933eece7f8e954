//! Medians, and how they are told.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use crate::output;

/// What one side did in one round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round {
    /// Events a second.
    pub(super) rate: f64,
    pub(super) p50: Duration,
    pub(super) p99: Duration,
}

impl Round {
    /// `took` of each operation, all within `elapsed`.
    pub(super) fn of(mut took: Vec<Duration>, elapsed: Duration) -> Self {
        took.sort_unstable();
        let at = |share: usize| took.get(took.len() * share / 100).copied();
        #[expect(clippy::cast_precision_loss, reason = "a rate is a float")]
        let rate = took.len() as f64 / elapsed.as_secs_f64();
        Self {
            rate,
            p50: at(50).unwrap_or_default(),
            p99: at(99).unwrap_or_default(),
        }
    }
}

/// Tells of both sides and of their ratio, round by round and as a median.
pub(super) fn tell(name: &str, raw: &[Round], store: &[Round], is_json: bool) -> Result<()> {
    let ratios: Vec<f64> = raw
        .iter()
        .zip(store)
        .map(|(raw, store)| store.rate / raw.rate)
        .collect();
    if is_json {
        return output::json(&json!({
            "bench": name,
            "rawPerSecond": rate(raw),
            "storePerSecond": rate(store),
            "ratio": median(ratios.clone()),
            "ratios": ratios,
        }));
    }
    let rows = [row("raw", raw), row("store", store)];
    output::table([name, "EVENTS/S", "P50 MS", "P99 MS"], rows)?;
    let each = percents(&ratios);
    Ok(output::line(&format!(
        "store / raw: {:.0} % (rounds: {each})",
        median(ratios) * 100.0
    ))?)
}

fn rate(rounds: &[Round]) -> f64 {
    median(rounds.iter().map(|round| round.rate).collect())
}

/// One side's rate and times, as medians of its rounds.
pub(super) fn row(side: &str, rounds: &[Round]) -> [String; 4] {
    let middle = |of: fn(&Round) -> Duration| {
        let all = rounds.iter().map(|round| of(round).as_secs_f64() * 1e3);
        median(all.collect())
    };
    [
        side.to_owned(),
        format!("{:.0}", rate(rounds)),
        format!("{:.2}", middle(|round| round.p50)),
        format!("{:.2}", middle(|round| round.p99)),
    ]
}

/// Ratios, as a list.
pub(super) fn percents(ratios: &[f64]) -> String {
    let each = ratios.iter().map(|ratio| format!("{:.0} %", ratio * 100.0));
    each.collect::<Vec<_>>().join(", ")
}

pub(super) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
