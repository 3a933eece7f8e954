//! Every metric of every role: its name, what kind it is, its unit, and what it says. A test
//! holds the table against the sources, the rules and the dashboards.

use metrics::Unit;
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder};

/// What a process may show under `/metrics`.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub unit: Unit,
    pub help: &'static str,
}

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    Counter,
    Gauge,
    /// With the upper bounds of its buckets.
    Histogram(&'static [f64]),
}

const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0,
];
const MINUTES: &[f64] = &[0.1, 1.0, 5.0, 15.0, 60.0, 300.0, 900.0, 3600.0, 14_400.0];
/// A runner takes 500 events at most while it follows, several thousand in a rebuild.
const EVENTS: &[f64] = &[
    1.0, 2.0, 5.0, 10.0, 25.0, 50.0, 100.0, 250.0, 500.0, 1000.0, 5000.0,
];

pub const EVERY: &[Metric] = &[
    // HTTP, in whichever process answered
    counter(
        "http_requests_total",
        "Requests answered, by area, method and status.",
    ),
    seconds(
        "http_request_seconds",
        "Time from a request to the head of its answer, by area.",
    ),
    // gateway
    gauge("gateway_sockets", Unit::Count, "Sockets that are open."),
    gauge(
        "gateway_rooms",
        Unit::Count,
        "Rooms that somebody connected here follows.",
    ),
    counter(
        "gateway_closes_total",
        "Sockets closed by the gateway, by close code.",
    ),
    counter(
        "gateway_outbox_overflows_total",
        "Sockets given up because they did not read (close code 4004).",
    ),
    counter(
        "gateway_hints_dropped_total",
        "Typing and presence frames that were not queued because much waited already.",
    ),
    counter(
        "gateway_holes_total",
        "Holes in live events that were noticed and filled from the log.",
    ),
    counter(
        "gateway_limit_decisions_total",
        "Requests counted against a rate limit, by group and outcome: allowed, refused.",
    ),
    gauge(
        "redis_away",
        Unit::Count,
        "1 while Redis does not answer: stricter limits of each gateway, nobody's presence known.",
    ),
    gauge(
        "gateway_breaker_open",
        Unit::Count,
        "1 while a service that did not answer is left alone, by service.",
    ),
    counter(
        "gateway_upstream_retries_total",
        "Calls of a service that were made again, by service.",
    ),
    // auth
    counter(
        "auth_log_ins_total",
        "Attempts to log in, by outcome: succeeded, wrong, throttled, locked, failed.",
    ),
    // chat
    counter(
        "chat_messages_sent_total",
        "Messages that the log has acknowledged.",
    ),
    seconds(
        "chat_message_processing_seconds",
        "Time from a send command to the log's acknowledgement.",
    ),
    // store
    counter(
        "store_uploads_collected_total",
        "Files removed because nobody posted them or their upload never ended.",
    ),
    // batch
    counter(
        "batch_job_runs_total",
        "Runs of jobs that ended, by job and outcome.",
    ),
    Metric {
        name: "batch_job_run_seconds",
        kind: Kind::Histogram(MINUTES),
        unit: Unit::Seconds,
        help: "Time that a run of a job took, by job.",
    },
    gauge(
        "batch_job_last_success_timestamp_seconds",
        Unit::Seconds,
        "When a job last succeeded in this process, in seconds since 1970, by job.",
    ),
    gauge(
        "batch_audit_differences",
        Unit::Count,
        "Tables that differ from what the log makes of them, as the last audit found, by service.",
    ),
    // bots
    counter(
        "bot_deliveries_total",
        "Calls of bots' webhooks, by bot and outcome.",
    ),
    seconds(
        "bot_delivery_seconds",
        "Time that a bot's webhook took to answer, by bot.",
    ),
    gauge(
        "bot_breaker_open",
        Unit::Count,
        "1 while a bot that failed too often is left alone, by bot.",
    ),
    // event store
    counter(
        "eventstore_commands_total",
        "Commands on aggregates, by stream and outcome.",
    ),
    counter(
        "eventstore_conflicts_total",
        "Appends whose guard did not hold and that were decided again, by stream.",
    ),
    seconds(
        "eventstore_append_seconds",
        "Time from the first try of a guarded append to its acknowledgement.",
    ),
    counter(
        "eventstore_append_retries_total",
        "Appends sent again because no acknowledgement came.",
    ),
    counter(
        "eventstore_lane_events_total",
        "Events appended without a guard, by outcome.",
    ),
    counter(
        "eventstore_snapshots_total",
        "Snapshots of aggregates, by outcome.",
    ),
    seconds(
        "eventstore_load_seconds",
        "Time to load an aggregate from its snapshot and the log, by stream.",
    ),
    counter(
        "eventstore_follow_restarts_total",
        "Interrupted readings of a stream that went on where they had stopped, by stream.",
    ),
    // read models
    gauge(
        "projection_position",
        Unit::Count,
        "Stream sequence up to which a read model holds everything.",
    ),
    gauge(
        "projection_lag_events",
        Unit::Count,
        "Events of the stream that a read model has not seen yet.",
    ),
    gauge(
        "projection_lag_seconds",
        Unit::Seconds,
        "Age of the oldest event that a read model has not applied yet.",
    ),
    gauge(
        "projection_parked",
        Unit::Count,
        "Aggregates whose events a read model could not apply.",
    ),
    gauge(
        "projection_halted",
        Unit::Count,
        "1 while a read model stands still until somebody acts, seen by this process.",
    ),
    Metric {
        name: "projection_batch_size",
        kind: Kind::Histogram(EVENTS),
        unit: Unit::Count,
        help: "Events that a read model applied in one transaction.",
    },
    counter(
        "projection_unknown_types_total",
        "Events skipped because this release does not know their type.",
    ),
    gauge(
        "projection_rebuild_position",
        Unit::Count,
        "Stream sequence that a rebuild under way has reached; 0 without one.",
    ),
    // policies
    counter(
        "policy_events_total",
        "Events that a policy took, by outcome.",
    ),
    gauge(
        "policy_lag_events",
        Unit::Count,
        "Events that a policy has not handled yet.",
    ),
    gauge(
        "policy_parked",
        Unit::Count,
        "Aggregates whose events a policy could not handle.",
    ),
    // what a process depends on
    gauge(
        "dependency_up",
        Unit::Count,
        "1 while something that this process needs answers, as /health/ready says, by dependency.",
    ),
    gauge(
        "nats_connected",
        Unit::Count,
        "1 while this process is connected to NATS.",
    ),
    counter(
        "nats_connects_total",
        "Connections made to NATS: the first, and every one after a loss.",
    ),
    counter(
        "nats_errors_total",
        "Errors that NATS told this connection, by kind: server, client, slow_consumer.",
    ),
    gauge(
        "nats_store_bytes",
        Unit::Bytes,
        "Bytes on disk that JetStream uses, by server.",
    ),
    gauge(
        "nats_store_limit_bytes",
        Unit::Bytes,
        "Bytes on disk that JetStream may use, by server.",
    ),
    gauge(
        "nats_store_full",
        Unit::Count,
        "1 while the server has no room left, or has shut its store down, and nothing can be written, by server.",
    ),
    gauge(
        "postgres_pool_connections",
        Unit::Count,
        "Connections to PostgreSQL, by schema and state: used, idle.",
    ),
    gauge(
        "postgres_pool_max_connections",
        Unit::Count,
        "Connections to PostgreSQL that a service may open, by schema.",
    ),
    // the process itself
    counter(
        "process_cpu_seconds_total",
        "User and system time spent, in seconds.",
    ),
    gauge(
        "process_resident_memory_bytes",
        Unit::Bytes,
        "Memory in use.",
    ),
    gauge(
        "process_virtual_memory_bytes",
        Unit::Bytes,
        "Address space in use.",
    ),
    gauge(
        "process_virtual_memory_max_bytes",
        Unit::Bytes,
        "Address space that may be used.",
    ),
    gauge("process_open_fds", Unit::Count, "Open file descriptors."),
    gauge(
        "process_max_fds",
        Unit::Count,
        "File descriptors that may be open.",
    ),
    gauge(
        "process_start_time_seconds",
        Unit::Seconds,
        "When the process started, in seconds since 1970.",
    ),
    gauge("process_threads", Unit::Count, "Threads of the process."),
    gauge(
        "doran_build_info",
        Unit::Count,
        "1, with the version that runs.",
    ),
];

/// Buckets for every histogram of the table.
pub(super) fn with_buckets(builder: PrometheusBuilder) -> Result<PrometheusBuilder, BuildError> {
    EVERY
        .iter()
        .try_fold(builder, |builder, metric| match metric.kind {
            Kind::Counter | Kind::Gauge => Ok(builder),
            Kind::Histogram(bounds) => {
                builder.set_buckets_for_metric(Matcher::Full(metric.name.to_owned()), bounds)
            }
        })
}

/// Tells the recorder that is installed what the names mean.
pub(super) fn describe() {
    for Metric {
        name,
        kind,
        unit,
        help,
    } in EVERY.iter().copied()
    {
        match kind {
            Kind::Counter => metrics::describe_counter!(name, unit, help),
            Kind::Gauge => metrics::describe_gauge!(name, unit, help),
            Kind::Histogram(_) => metrics::describe_histogram!(name, unit, help),
        }
    }
}

const fn counter(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Counter,
        unit: Unit::Count,
        help,
    }
}

const fn gauge(name: &'static str, unit: Unit, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Gauge,
        unit,
        help,
    }
}

const fn seconds(name: &'static str, help: &'static str) -> Metric {
    Metric {
        name,
        kind: Kind::Histogram(SECONDS),
        unit: Unit::Seconds,
        help,
    }
}
