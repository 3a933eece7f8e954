//! Configuration: flags and environment variables, read once by the binary.

use std::{net::SocketAddr, path::PathBuf};

use crate::Network;

/// What every role is told when it starts.
#[derive(Clone, Debug, clap::Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Config {
    /// NATS servers, comma separated.
    #[arg(long, env = "NATS_URL", default_value = "nats://127.0.0.1:4222")]
    pub nats_url: String,
    /// NATS user of this role.
    #[arg(long, env = "NATS_USER")]
    pub nats_user: Option<String>,
    /// Its password.
    #[arg(long, env = "NATS_PASSWORD", hide_env_values = true)]
    pub nats_password: Option<String>,
    /// NATS user of the system account, to read the server's durability setting.
    #[arg(long, env = "NATS_SYSTEM_USER")]
    pub nats_system_user: Option<String>,
    /// Its password.
    #[arg(long, env = "NATS_SYSTEM_PASSWORD", hide_env_values = true)]
    pub nats_system_password: Option<String>,
    /// PostgreSQL, `postgres://user:password@host:port/database`.
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        default_value = "postgres://127.0.0.1:5432/doran"
    )]
    pub database_url: String,
    /// Redis, `redis://user:password@host:port/number`.
    #[arg(
        long,
        env = "REDIS_URL",
        hide_env_values = true,
        default_value = "redis://127.0.0.1:6379"
    )]
    pub redis_url: String,
    /// File with 32 random bytes in base64; all other keys are derived from it.
    #[arg(long, env = "DORAN_MASTER_KEY_FILE")]
    pub master_key_file: Option<PathBuf>,
    /// File with the Ed25519 key (PKCS#8 in PEM) that signs access tokens; auth only.
    #[arg(long, env = "DORAN_SIGNING_KEY_FILE")]
    pub signing_key_file: Option<PathBuf>,
    /// Address to listen on; each role has its own port by default.
    #[arg(long, env = "DORAN_LISTEN")]
    pub listen: Option<SocketAddr>,
    /// Origins that may call from a browser, comma separated.
    #[arg(long, env = "DORAN_ALLOWED_ORIGINS", value_delimiter = ',')]
    pub allowed_origins: Vec<String>,
    /// Proxies in front of the gateway that may say where a request came from, as addresses or
    /// networks such as `10.0.0.0/8`, comma separated.
    #[arg(long, env = "DORAN_TRUSTED_PROXIES", value_delimiter = ',')]
    pub trusted_proxies: Vec<Network>,
    /// Where the page is, for links in mail.
    #[arg(
        long,
        env = "DORAN_PUBLIC_URL",
        default_value = "http://localhost:8080"
    )]
    pub public_url: String,
    /// Mail server, `smtps://user:password@host:port`, or `smtp://` with `?tls=required`.
    #[arg(long, env = "SMTP_URL", hide_env_values = true)]
    pub smtp_url: Option<String>,
    /// Folder in which mail is put as files, instead of being sent.
    #[arg(long, env = "MAIL_DIR", value_name = "FOLDER")]
    pub mail_dir: Option<PathBuf>,
    /// Who mail is from.
    #[arg(
        long,
        env = "MAIL_FROM",
        default_value = "DoranDoran <no-reply@dorandoran.local>"
    )]
    pub mail_from: String,
    /// Minutes that an access token lives.
    #[arg(long, env = "DORAN_ACCESS_TOKEN_MINUTES", default_value_t = 5)]
    pub access_token_minutes: u32,
    /// Days that a session lives without being used.
    #[arg(long, env = "DORAN_SESSION_DAYS", default_value_t = 30)]
    pub session_days: u32,
    /// Days after which what was said in a deleted room is taken out of the tables.
    #[arg(long, env = "DORAN_PURGE_ROOMS_AFTER_DAYS", default_value_t = 30)]
    pub purge_rooms_after_days: u32,
    /// Days after which messages are filed away from the tables.
    #[arg(long, env = "DORAN_ARCHIVE_AFTER_DAYS", default_value_t = 365)]
    pub archive_after_days: u32,
    /// Replicas of every stream, instead of what the stream files say; odd, up to 5.
    #[arg(long, env = "DORAN_REPLICAS", value_name = "N", value_parser = clap::value_parser!(u8).range(1..=5))]
    pub replicas: Option<u8>,
    /// Run against a NATS server that acknowledges before it has written to disk.
    #[arg(long, env = "DORAN_ALLOW_UNSYNCED")]
    pub allow_unsynced: bool,
    /// Serve SockJS's oldest transports too, `htmlfile` and `jsonp`, which browsers without CORS need.
    #[arg(long, env = "DORAN_SOCKJS_OLD_TRANSPORTS")]
    pub sockjs_old_transports: bool,
    /// Where other gateways reach this one, `http://host:port`; by default the address by which it
    /// reaches NATS.
    #[arg(long, env = "DORAN_GATEWAY_URL", value_name = "URL")]
    pub gateway_url: Option<String>,
    /// Run without rate limits and without waiting after failed log-ins, for load tests on one's own
    /// machine.
    #[arg(long, env = "DORAN_NO_LIMITS")]
    pub no_limits: bool,
    /// Development: make missing secrets, allow the usual local origins.
    #[arg(long, env = "DORAN_DEV")]
    pub dev: bool,
    #[command(flatten, next_help_heading = "Files")]
    pub files: FileConfig,
    /// Connections to PostgreSQL that one service may open.
    #[arg(long, env = "DORAN_DATABASE_CONNECTIONS", default_value_t = 10)]
    pub database_connections: u32,
}

/// What the store service keeps, how much of it, and where.
#[derive(Clone, Debug, clap::Args)]
pub struct FileConfig {
    /// Bytes that a file may have.
    #[arg(long, env = "DORAN_MAX_FILE_BYTES", default_value_t = 100 * 1024 * 1024)]
    pub max_file_bytes: u64,
    /// Bytes that the files of one person may have together.
    #[arg(long, env = "DORAN_FILE_QUOTA_BYTES", default_value_t = 2 * 1024 * 1024 * 1024)]
    pub file_quota_bytes: u64,
    /// Seconds between two looks for uploads that no message has.
    #[arg(long, env = "DORAN_COLLECT_SECONDS", default_value_t = 600,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub collect_seconds: u64,
    /// An S3-compatible store for the bytes of files, instead of NATS: `https://host:port`.
    #[arg(long, env = "S3_ENDPOINT", requires_all = ["s3_bucket", "s3_access_key", "s3_secret_key"])]
    pub s3_endpoint: Option<String>,
    /// Its bucket, which must be there.
    #[arg(long, env = "S3_BUCKET")]
    pub s3_bucket: Option<String>,
    /// Its region.
    #[arg(long, env = "S3_REGION", default_value = "us-east-1")]
    pub s3_region: String,
    /// Name of the access key.
    #[arg(long, env = "S3_ACCESS_KEY")]
    pub s3_access_key: Option<String>,
    /// The access key's secret.
    #[arg(long, env = "S3_SECRET_KEY", hide_env_values = true)]
    pub s3_secret_key: Option<String>,
}

impl Config {
    /// The exact origins that browsers may come from.
    pub fn origins(&self) -> Vec<String> {
        let mut origins = self.allowed_origins.clone();
        if self.dev {
            origins.extend(["http://localhost:3000", "http://localhost:5173"].map(String::from));
        }
        origins
    }
}
