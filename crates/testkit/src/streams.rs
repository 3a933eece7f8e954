//! The streams of the project, from the files in `streams/`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::Result;
use async_nats::jetstream;
use doran_eventstore::topology::{ApplyOptions, Topology};
use doran_supervisor::workspace;
use uuid::Builder;

/// Every stream file of the source tree.
pub fn topology() -> Result<Topology> {
    let root = workspace().join("streams");
    let mut files = Vec::new();
    // The language of the events lies beside the streams.
    let language = [root.join("schemas"), root.join("golden")];
    for path in files_below(&root)? {
        if language.iter().any(|folder| path.starts_with(folder)) {
            continue;
        }
        let name = path.strip_prefix(&root)?.display().to_string();
        files.push((name, fs::read(&path)?));
    }
    Ok(Topology::parse(files)?)
}

pub(crate) async fn apply(jetstream: &jetstream::Context) -> Result<()> {
    let incarnation = Builder::from_random_bytes(rand::random()).into_uuid();
    let options = ApplyOptions {
        replicas: None,
        incarnation,
    };
    topology()?.apply(jetstream, options).await?;
    Ok(())
}

fn files_below(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(files_below(&path)?);
        } else {
            files.push(path);
        }
    }
    Ok(files)
}
