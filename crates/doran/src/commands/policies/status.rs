//! `doran policies status`.

use anyhow::Result;
use doran_projection::policy::{Declaration, OperateError, Report, report};
use serde_json::json;

use super::{EVERY, Options};
use crate::{exit::dependency, output};

/// Show how far each policy is behind its stream, and how many aggregates wait for a repair
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  doran policies status --json")]
pub(crate) struct Status {
    #[command(flatten)]
    options: Options,
}

impl Status {
    pub(crate) async fn run(self) -> Result<()> {
        let js = self.options.connect().await?;
        let mut rows = Vec::new();
        for declaration in EVERY {
            let report = match report(&js, &declaration).await {
                Ok(report) => Some(report),
                Err(OperateError::NotThere) => None,
                Err(error) => return Err(dependency(error)),
            };
            rows.push((declaration, report));
        }
        if self.options.json {
            return rows.iter().try_for_each(|(declaration, report)| {
                output::json(&as_json(declaration, report.as_ref()))
            });
        }
        let headings = [
            "POLICY",
            "VERSION",
            "STREAM",
            "HANDLED",
            "WAITING",
            "UNDER WAY",
            "PARKED",
            "STATE",
        ];
        let rows = rows
            .iter()
            .map(|(declaration, report)| columns(declaration, report.as_ref()));
        Ok(output::table(headings, rows)?)
    }
}

fn as_json(declaration: &Declaration, report: Option<&Report>) -> serde_json::Value {
    json!({
        "service": declaration.service,
        "policy": declaration.name,
        "version": declaration.version,
        "stream": declaration.stream,
        "handledUpTo": report.map(|report| report.handled_up_to),
        "waiting": report.map(|report| report.waiting),
        "underWay": report.map(|report| report.under_way),
        "parked": report.map(|report| report.parked),
        "state": state(report),
    })
}

fn columns(declaration: &Declaration, report: Option<&Report>) -> [String; 8] {
    let figure = |figure: fn(&Report) -> u64| {
        report.map_or_else(String::new, |report| figure(report).to_string())
    };
    [
        declaration.name.to_owned(),
        declaration.version.to_string(),
        declaration.stream.to_owned(),
        figure(|report| report.handled_up_to),
        figure(|report| report.waiting),
        figure(|report| report.under_way),
        figure(|report| report.parked as u64),
        state(report).to_owned(),
    ]
}

fn state(report: Option<&Report>) -> &'static str {
    match report {
        None => "has not run yet",
        Some(report) if report.parked > 0 => "parked",
        Some(report) if report.waiting + report.under_way > 0 => "behind",
        Some(_) => "up to date",
    }
}
