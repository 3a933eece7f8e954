//! A moment in the past, as a position in every stream that a service reads.

use std::{collections::BTreeSet, str::FromStr};

use anyhow::{Context, Result, bail};
use chrono::{DateTime, Utc};
use doran_eventstore::{LogReader, Position};
use doran_platform::Platform;
use doran_projection::ReadModel;

use super::ServiceName;
use crate::commands::moment::last_before;

#[derive(Clone, Debug)]
pub(super) enum Moment {
    Time(DateTime<Utc>),
    Sequence(u64),
    Positions(Vec<Position>),
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if let Ok(sequence) = text.parse() {
            return Ok(Self::Sequence(sequence));
        }
        if let Ok(time) = text.parse() {
            return Ok(Self::Time(time));
        }
        Position::parse_list(text)
            .map(Self::Positions)
            .map_err(|_error| "expected a time (RFC 3339), a sequence, or STREAM:sequence")
    }
}

/// Where each stream of the service's read models stood.
pub(super) async fn positions(
    platform: &Platform,
    name: ServiceName,
    moment: &Moment,
    schema: &str,
) -> Result<Vec<Position>> {
    if ServiceName::schemas()
        .iter()
        .any(|used| schema.starts_with(used))
    {
        bail!("--schema {schema} could be taken for one in use; choose another name");
    }
    let read_side = name.read_side(platform)?;
    let streams: BTreeSet<_> = read_side.read_models().map(ReadModel::stream).collect();
    match moment {
        Moment::Time(time) => {
            let mut positions = Vec::new();
            for stream in streams {
                let reader = LogReader::new(platform.js.clone(), stream);
                let end = last_before(&reader, *time).await;
                let end = end.with_context(|| format!("stream {stream} cannot be read"))?;
                positions.push(Position::new(stream, end));
            }
            Ok(positions)
        }
        Moment::Sequence(sequence) => match streams.iter().collect::<Vec<_>>()[..] {
            [stream] => Ok(vec![Position::new(*stream, *sequence)]),
            _ => bail!(
                "{name:?} reads several streams; give --to as a time or as {}",
                example(&streams)
            ),
        },
        Moment::Positions(positions) => {
            let named: BTreeSet<_> = positions.iter().map(|end| end.stream.as_str()).collect();
            if named != streams {
                bail!(
                    "--to must name every stream and no other: {}",
                    example(&streams)
                );
            }
            Ok(positions.clone())
        }
    }
}

fn example(streams: &BTreeSet<&str>) -> String {
    let each: Vec<_> = streams.iter().map(|stream| format!("{stream}:1")).collect();
    each.join(",")
}
