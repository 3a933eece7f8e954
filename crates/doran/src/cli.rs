//! The command line: what there is to say before a command's own flags.

use anyhow::Result;
use clap::{Arg, CommandFactory, FromArgMatches, Parser};
use doran_platform::telemetry::{Collector, LogFormat, Logging};

use crate::{commands::Command, exit};

/// DoranDoran, a chat platform whose source of truth is an event log
#[derive(Debug, Parser)]
#[command(
    name = "doran",
    version,
    after_help = format!("Example:\n  doran all --dev\n\n{}", exit::CODES)
)]
pub(crate) struct Cli {
    #[command(flatten)]
    telemetry: Telemetry,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Logging and tracing")]
struct Telemetry {
    /// How log lines look on standard error
    #[arg(
        long,
        global = true,
        env = "DORAN_LOG_FORMAT",
        value_enum,
        default_value = "auto"
    )]
    log_format: LogFormat,
    /// What is logged: a level, or a filter such as `info,doran_chat=debug`; roles say `info`
    /// unless told, tools `warn`
    #[arg(long, global = true, env = "DORAN_LOG", value_name = "FILTER")]
    log_level: Option<String>,
    /// Where an OpenTelemetry collector takes spans over HTTP, such as `http://127.0.0.1:4318`
    #[arg(
        long,
        global = true,
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        value_name = "URL"
    )]
    collector: Option<String>,
    /// What this process is called there
    #[arg(
        long,
        global = true,
        env = "OTEL_SERVICE_NAME",
        value_name = "NAME",
        default_value = "dorandoran"
    )]
    service_name: String,
}

/// Settings of a serving process. Tools take them too, because they share its environment, but
/// their help is about what matters to them.
const OF_ROLES: [&str; 10] = [
    "access_token_minutes",
    "allowed_origins",
    "archive_after_days",
    "database_connections",
    "dev",
    "listen",
    "no_limits",
    "purge_rooms_after_days",
    "session_days",
    "signing_key_file",
];

impl Cli {
    /// Reads the process's own command line; ends the process when it is wrong.
    pub(crate) fn read() -> Self {
        let command = Self::command().mut_subcommands(|command| {
            let is_role = command
                .get_arguments()
                .any(|argument| argument.get_id() == "port");
            if is_role {
                command
            } else {
                without_settings_of_roles(command)
            }
        });
        let matches = command.get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }

    pub(crate) async fn run(self) -> Result<()> {
        let level = self
            .telemetry
            .log_level
            .as_deref()
            .unwrap_or(self.command.log_level());
        let url = self
            .telemetry
            .collector
            .as_deref()
            .filter(|url| !url.is_empty());
        let logging = Logging {
            format: self.telemetry.log_format,
            level,
            collector: url.map(|url| Collector {
                url,
                service: &self.telemetry.service_name,
            }),
        };
        let export = logging.start()?;
        let done = self.command.run().await;
        export.finish();
        done
    }
}

fn without_settings_of_roles(tool: clap::Command) -> clap::Command {
    let hidden = |argument: Arg| {
        let is_of_roles = OF_ROLES.contains(&argument.get_id().as_str());
        argument.hide(is_of_roles)
    };
    tool.mut_args(hidden)
        .mut_subcommands(without_settings_of_roles)
}
