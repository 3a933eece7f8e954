//! Logs, spans and metrics of the process. Logs and spans never hold message text, tokens, passwords or addresses.

mod export;
pub mod metric;

use std::io::IsTerminal;

use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};
use opentelemetry_otlp::ExporterBuildError;
use tracing_subscriber::{EnvFilter, layer::SubscriberExt, util::SubscriberInitExt};

pub use self::export::{Collector, Export};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum LogFormat {
    /// Lines for people on a terminal, JSON elsewhere.
    #[default]
    Auto,
    Pretty,
    Json,
}

/// How a process logs, and where its spans go.
#[derive(Clone, Copy, Debug)]
pub struct Logging<'a> {
    pub format: LogFormat,
    /// A filter such as `info` or `doran_chat=debug`, for spans as well.
    pub level: &'a str,
    pub collector: Option<Collector<'a>>,
}

impl Logging<'_> {
    /// Starts logging to standard error, once in a process.
    pub fn start(self) -> Result<Export, ExporterBuildError> {
        let filter = EnvFilter::try_new(self.level).unwrap_or_else(|_| EnvFilter::new("info"));
        let is_json = match self.format {
            LogFormat::Json => true,
            LogFormat::Pretty => false,
            LogFormat::Auto => !std::io::stderr().is_terminal(),
        };
        let export = Export::start(self.collector)?;
        let spans = export
            .tracer()
            .map(|tracer| tracing_opentelemetry::layer().with_tracer(tracer));
        let registry = tracing_subscriber::registry().with(filter).with(spans);
        let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
        if is_json {
            registry.with(lines.json().flatten_event(true)).init();
        } else {
            registry.with(lines.with_target(false)).init();
        }
        Ok(export)
    }
}

/// What the process counts and measures. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Starts collecting, once in a process.
    pub fn start() -> Result<Self, BuildError> {
        let handle = metric::with_buckets(PrometheusBuilder::new())?.install_recorder()?;
        metric::describe();
        metrics::gauge!("doran_build_info", "version" => env!("CARGO_PKG_VERSION")).set(1.0);
        Ok(Self(handle))
    }

    /// Collects for nobody but the holder of the handle, as tests do that share a process.
    pub fn of(handle: PrometheusHandle) -> Self {
        Self(handle)
    }

    /// Everything as Prometheus text.
    pub fn render(&self) -> String {
        metrics_process::Collector::default().collect();
        self.0.render()
    }

    /// Folds old samples into their histograms; to be called every few seconds.
    pub fn run_upkeep(&self) {
        self.0.run_upkeep();
    }
}
