//! A data folder that one supervisor owns at a time.
//!
//! nats-server does not lock its store, and two of them on one folder start silently and diverge.
//! So the folder has a lock file whose open description every server inherits as its standard
//! input: the folder stays locked until the last of them has ended, whoever was killed.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

use crate::{port, secret};

const LOCK: &str = "lock";
const PREFIX: &str = "dorandoran-";
/// How long servers of a killed supervisor may take to end.
const LEAVING: Duration = Duration::from_secs(10);
/// A folder younger than this may be about to be locked by the one who made it.
const SETTLED: Duration = Duration::from_mins(1);

#[derive(Debug)]
pub struct DataFolder {
    path: PathBuf,
    lock: File,
    /// Removes the folder when it is dropped.
    temporary: Option<TempDir>,
}

impl DataFolder {
    /// Opens or creates `path`; fails, naming the holder, while another supervisor has it.
    pub fn open(path: &Path) -> Result<Self> {
        secret::create_folder(path)?;
        let lock = lock(path)?;
        Ok(Self {
            path: path.to_path_buf(),
            lock,
            temporary: None,
        })
    }

    /// A folder of its own that is gone at the end.
    pub fn temporary() -> Result<Self> {
        sweep(&std::env::temp_dir());
        let folder = tempfile::Builder::new().prefix(PREFIX).tempdir()?;
        let path = folder.path().to_path_buf();
        let lock = lock(&path)?;
        Ok(Self {
            path,
            lock,
            temporary: Some(folder),
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn is_temporary(&self) -> bool {
        self.temporary.is_some()
    }

    /// The lock, to be inherited by a server that uses the folder.
    pub(crate) fn lock_file(&self) -> Result<File> {
        Ok(self.lock.try_clone()?)
    }
}

/// Whether somebody runs on the folder.
pub fn is_in_use(path: &Path) -> bool {
    let file = File::open(path.join(LOCK));
    file.is_ok_and(|file| matches!(file.try_lock(), Err(TryLockError::WouldBlock)))
}

fn lock(folder: &Path) -> Result<File> {
    let path = folder.join(LOCK);
    let mut options = OpenOptions::new();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = options
        .open(&path)
        .with_context(|| format!("cannot open {}", path.display()))?;
    let started = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => break,
            Err(TryLockError::WouldBlock) => refuse_or_wait(folder, &mut file, started)?,
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
    }
    file.set_len(0)?;
    file.rewind()?;
    write!(file, "{}", std::process::id())?;
    Ok(file)
}

/// Refuses at once while the owner lives; waits for the servers of an owner who was killed.
fn refuse_or_wait(folder: &Path, file: &mut File, started: Instant) -> Result<()> {
    let mut owner = String::new();
    file.rewind()?;
    file.read_to_string(&mut owner)?;
    let name = owner.trim().parse().ok().and_then(port::process_name);
    let folder = folder.display();
    if let Some(name) = name {
        bail!("{folder} is in use by {name} (pid {owner}); stop it, or use --ephemeral");
    }
    if started.elapsed() > LEAVING {
        bail!(
            "{folder} is still locked by a server of an earlier run (its supervisor was {owner})"
        );
    }
    crate::process::pause();
    Ok(())
}

/// Removes temporary folders whose owner was killed before it could.
fn sweep(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else {
        return;
    };
    for entry in entries.flatten() {
        if entry.file_name().to_string_lossy().starts_with(PREFIX) && is_abandoned(&entry.path()) {
            // Somebody else may be sweeping too.
            fs::remove_dir_all(entry.path()).ok();
        }
    }
}

fn is_abandoned(folder: &Path) -> bool {
    let Ok(file) = File::open(folder.join(LOCK)) else {
        return false;
    };
    let age = file
        .metadata()
        .and_then(|metadata| metadata.modified())
        .map(|time| time.elapsed());
    matches!(age, Ok(Ok(age)) if age > SETTLED) && file.try_lock().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_owner_is_refused_by_name_and_pid() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("data");
        let first = DataFolder::open(&path).unwrap();
        assert!(is_in_use(&path));
        let refusal = DataFolder::open(&path).unwrap_err().to_string();
        assert!(
            refusal.contains(&format!("pid {}", std::process::id())),
            "{refusal}"
        );
        drop(first);
        assert!(!is_in_use(&path));
        DataFolder::open(&path).unwrap();
    }

    #[test]
    fn abandoned_temporary_folders_are_swept_and_used_ones_are_not() {
        let parent = tempfile::tempdir().unwrap();
        let long_ago = std::time::UNIX_EPOCH + Duration::from_secs(1);
        let [used, abandoned, young] = ["used", "abandoned", "young"].map(|name| {
            let folder = parent.path().join(format!("{PREFIX}{name}"));
            fs::create_dir(&folder).unwrap();
            let lock = lock(&folder).unwrap();
            if name != "young" {
                lock.set_modified(long_ago).unwrap();
            }
            (folder, lock)
        });
        drop((abandoned.1, young.1));
        sweep(parent.path());
        assert!(used.0.exists() && young.0.exists());
        assert!(!abandoned.0.exists());
    }
}
