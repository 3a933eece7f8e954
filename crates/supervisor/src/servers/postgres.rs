//! PostgreSQL with TCP on loopback only, also where we are root, whom it refuses.

use std::fs;
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use nix::sys::signal::Signal;

use super::{Server, ask};
use crate::data::DataFolder;
use crate::environment::Variables;
use crate::process::{self, Identity, Launch, NOBODY};
use crate::programs::{self, Program};
use crate::secret;

const OWNER: &str = "doran";
const DATABASE: &str = "doran";
const INITDB: Duration = Duration::from_mins(2);

pub struct Postgres {
    pub server: Server,
    password: String,
}

/// What the data are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Keep,
    /// Faster, many connections, and nothing survives a power cut.
    Test,
}

impl Postgres {
    /// Starts a server on `data`, with a database made at the first start, its log in `logs`.
    pub fn start(program: &Path, data: &DataFolder, logs: &Path, purpose: Purpose) -> Result<Self> {
        let identity = identity()?;
        let cluster = data.path().join("postgres");
        let password = secret::kept(&data.path().join("postgres.password"), secret::password)?;
        let cluster = Cluster {
            program,
            data,
            logs,
            path: cluster,
            identity,
            purpose,
        };
        cluster.create_if_missing()?;
        cluster.forget_the_killed()?;
        own(&cluster.path, identity)?;
        let server = Server::start(|port| {
            let launch = cluster.server(port)?;
            Ok((launch, Box::new(move || accepts(port))))
        })?;
        Ok(Self { server, password })
    }

    /// The URL of a database of this server.
    pub fn url(&self, database: &str) -> String {
        let (port, password) = (self.server.port(), &self.password);
        format!("postgres://{OWNER}:{password}@127.0.0.1:{port}/{database}")
    }

    pub fn variables(&self) -> Variables {
        vec![("DATABASE_URL".to_owned(), self.url(DATABASE))]
    }
}

/// The major version of PostgreSQL that wrote the data, if there are any.
pub fn major_version_of(data: &Path) -> Option<u32> {
    let version = fs::read_to_string(data.join("postgres/PG_VERSION")).ok()?;
    version.trim().parse().ok()
}

struct Cluster<'a> {
    program: &'a Path,
    data: &'a DataFolder,
    logs: &'a Path,
    path: PathBuf,
    identity: Identity,
    purpose: Purpose,
}

impl Cluster<'_> {
    /// Works under another name until it is finished, so that a half-made one is never used.
    fn create_if_missing(&self) -> Result<()> {
        if let Some(major) = major_version_of(self.data.path()) {
            let ours = programs::major_version(Program::Postgres, self.program)?;
            if major != ours {
                bail!(
                    "{} was written by PostgreSQL {major}, not {ours}",
                    self.path.display()
                );
            }
            return Ok(());
        }
        let new = self.path.with_extension("new");
        if new.exists() {
            fs::remove_dir_all(&new)?;
        }
        secret::create_folder(&new)?;
        own(&new, self.identity)?;
        self.initdb(&new)?;
        self.create_database(&new)?;
        fs::rename(&new, &self.path).context("cannot name the new cluster")
    }

    /// PostgreSQL refuses to start while the process named in its pid file seems to live, which may
    /// be one that nobody has reaped yet, or another one of that number. That we hold the folder,
    /// whose lock every process of a server inherits, proves that it is gone.
    fn forget_the_killed(&self) -> Result<()> {
        match fs::remove_file(self.path.join("postmaster.pid")) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(error).context("cannot remove the pid file of a killed PostgreSQL")
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn initdb(&self, new: &Path) -> Result<()> {
        let initdb = self.program.with_file_name("initdb");
        let password = self.data.path().join("postgres.password");
        let options = "--encoding=UTF8 --locale=C --no-sync --no-instructions";
        // A client built without optimisation needs a tenth of a second for SCRAM, and tests
        // connect thousands of times.
        let login = match self.purpose {
            Purpose::Keep => "--auth=scram-sha-256",
            Purpose::Test => "--auth=password",
        };
        let launch = Launch::new("initdb", &initdb, &self.logs.join("initdb.log"))
            .identity(self.identity)
            .arguments(["--pgdata".into(), new.as_os_str().to_owned()])
            .arguments([
                format!("--username={OWNER}"),
                format!("--pwfile={}", password.display()),
            ])
            .arguments([login])
            .arguments(options.split_whitespace());
        process::run(&launch, INITDB)
    }

    /// In single-user mode, because there may be no client on the machine.
    fn create_database(&self, new: &Path) -> Result<()> {
        let sql = self.data.path().join("create.sql");
        writeln!(secret::create(&sql)?, "create database {DATABASE};")?;
        let launch = Launch::new("postgres", self.program, &self.logs.join("initdb.log"))
            .identity(self.identity)
            .arguments(["--single".into(), "-D".into(), new.as_os_str().to_owned()])
            .arguments(["postgres"])
            .reading(&sql);
        process::run(&launch, INITDB)?;
        fs::remove_file(&sql)?;
        Ok(())
    }

    fn server(&self, port: u16) -> Result<Launch> {
        let mut settings = vec![
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={port}"),
            // Paths of sockets have room for 107 bytes only.
            "unix_socket_directories=".to_owned(),
        ];
        if self.purpose == Purpose::Test {
            let test = [
                "fsync=off",
                "synchronous_commit=off",
                "full_page_writes=off",
                // What a test reads of it byte by byte.
                "max_wal_size=128MB",
                "min_wal_size=32MB",
            ];
            settings.extend(test.map(ToOwned::to_owned));
            settings.push("max_connections=400".to_owned());
        }
        let launch = Launch::new("postgres", self.program, &self.logs.join("postgres.log"))
            .identity(self.identity)
            .stopped_by(Signal::SIGINT)
            .arguments(["-D".into(), self.path.as_os_str().to_owned()])
            .arguments(
                settings
                    .into_iter()
                    .flat_map(|setting| ["-c".to_owned(), setting]),
            );
        launch.holding(self.data)
    }
}

/// Whether the server would let a client in: it then asks for the password.
fn accepts(port: u16) -> bool {
    let parameters = format!("user\0{OWNER}\0database\0{DATABASE}\0\0");
    let length = u32::try_from(parameters.len() + 8).unwrap_or_default();
    let mut startup = length.to_be_bytes().to_vec();
    startup.extend(196_608_u32.to_be_bytes());
    startup.extend(parameters.as_bytes());
    ask(port, &startup).is_ok_and(|answer| answer.first() == Some(&b'R'))
}

fn identity() -> Result<Identity> {
    if !nix::unistd::geteuid().is_root() {
        return Ok(Identity::Ours);
    }
    let mut candidates = [Identity::NobodyInNamespace, Identity::NobodyWithAccess].into_iter();
    let works = |identity: &Identity| {
        let mut words = identity.prefix().into_iter();
        let mut command = Command::new(words.next().unwrap_or_default());
        command
            .args(words)
            .arg("true")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    candidates.find(works).context(
        "PostgreSQL does not run as root, and neither unshare nor setpriv can change that here; \
         run ./dev as another user",
    )
}

/// Gives the cluster to whom the server will be: in a namespace that is ourselves.
fn own(folder: &Path, identity: Identity) -> Result<()> {
    let owner = match identity {
        Identity::NobodyWithAccess => NOBODY,
        Identity::Ours | Identity::NobodyInNamespace => nix::unistd::geteuid().as_raw(),
    };
    if fs::symlink_metadata(folder)?.uid() == owner {
        return Ok(());
    }
    // From the leaves up, so that a change that was cut short starts again.
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            own(&entry.path(), identity)?;
        } else {
            chown(entry.path(), Some(owner), Some(owner))?;
        }
    }
    chown(folder, Some(owner), Some(owner)).context("cannot give the cluster to its server")
}
