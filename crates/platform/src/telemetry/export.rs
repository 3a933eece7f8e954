//! Spans for an OpenTelemetry collector, sent in batches over HTTP by a thread of their own.

use opentelemetry::{KeyValue, trace::TracerProvider};
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig};
use opentelemetry_sdk::{
    Resource,
    trace::{SdkTracer, SdkTracerProvider},
};

/// What is left to be sent when the process ends. Does nothing without a collector.
#[must_use]
pub struct Export(Option<SdkTracerProvider>);

impl Export {
    /// `endpoint` is the collector's base address, such as `http://127.0.0.1:4318`.
    pub(super) fn start(endpoint: Option<&str>) -> Result<Self, ExporterBuildError> {
        let Some(endpoint) = endpoint else {
            return Ok(Self(None));
        };
        let exporter = SpanExporter::builder()
            .with_http()
            .with_endpoint(format!("{}/v1/traces", endpoint.trim_end_matches('/')))
            .build()?;
        let version = KeyValue::new("service.version", env!("CARGO_PKG_VERSION"));
        let resource = Resource::builder().with_attribute(version);
        let resource = match std::env::var("OTEL_SERVICE_NAME") {
            Ok(_named) => resource,
            Err(_) => resource.with_service_name("dorandoran"),
        };
        let provider = SdkTracerProvider::builder()
            .with_resource(resource.build())
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
