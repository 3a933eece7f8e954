//! Spans for an OpenTelemetry collector, sent in batches over HTTP by a thread of their own.

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};

/// Who gathers spans, and under which name they come from this process.
#[derive(Clone, Copy, Debug)]
pub struct Collector<'a> {
    /// Its base address, such as `http://127.0.0.1:4318`.
    pub url: &'a str,
    pub service: &'a str,
}

/// What is left to be sent when the process ends. Does nothing without a collector.
#[must_use]
pub struct Export(Option<SdkTracerProvider>);

impl Export {
    pub(super) fn start(collector: Option<Collector<'_>>) -> Result<Self, ExporterBuildError> {
        let Some(collector) = collector else {
            return Ok(Self(None));
        };
        let base = collector.url.trim_end_matches('/');
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{base}/v1/traces"))
            .build()?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder()
            .with_service_name(collector.service.to_owned())
            .with_attribute(version)
            .build();
        let provider = SdkTracerProvider::builder()
            .with_resource(resource)
            .with_batch_exporter(exporter)
            .build();
        Ok(Self(Some(provider)))
    }

    pub(super) fn tracer(&self) -> Option<SdkTracer> {
        let provider = self.0.as_ref()?;
        Some(provider.tracer("doran"))
    }

    /// Sends what has not been sent yet.
    pub fn finish(self) {
        if let Some(Err(error)) = self.0.map(|provider| provider.shutdown()) {
            tracing::warn!(%error, "the last spans did not reach the collector");
        }
    }
}
