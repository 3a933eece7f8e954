//! The variables that the supervisor reads and the `.doran/env` file that it writes.

use std::fs;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};

use crate::secret;

/// A variable that somebody set to something.
#[expect(
    clippy::disallowed_methods,
    reason = "the rule is for services; this is the supervisor's only reader of its environment"
)]
pub fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Names and values in the order in which they are shown.
pub type Variables = Vec<(String, String)>;

/// Writes `variables` so that a shell can source the file and only its owner can read it.
pub fn write_file(path: &Path, variables: &Variables) -> Result<()> {
    let mut text = String::new();
    for (name, value) in variables {
        text.push_str(name);
        text.push_str("='");
        text.push_str(&value.replace('\'', r"'\''"));
        text.push_str("'\n");
    }
    let new = path.with_extension("new");
    secret::create(&new)?.write_all(text.as_bytes())?;
    fs::rename(&new, path).with_context(|| format!("cannot write {}", path.display()))
}

/// Reads what [`write_file`] wrote.
pub fn read_file(path: &Path) -> Result<Variables> {
    let text =
        fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    let lines = text.lines().filter_map(|line| line.split_once('='));
    Ok(lines
        .map(|(name, value)| (name.to_owned(), unquoted(value)))
        .collect())
}

fn unquoted(value: &str) -> String {
    let inner = value
        .strip_prefix('\'')
        .and_then(|value| value.strip_suffix('\''));
    inner.unwrap_or(value).replace(r"'\''", "'")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_written_file_reads_back_and_is_private() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("env");
        let variables = vec![
            ("A".to_owned(), "it's $HOME".to_owned()),
            ("B".to_owned(), "b=c".to_owned()),
        ];
        write_file(&path, &variables).unwrap();
        assert_eq!(read_file(&path).unwrap(), variables);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600
        );
        let shell = std::process::Command::new("sh")
            .arg("-c")
            .arg(format!(". {} && printf %s \"$A\"", path.display()))
            .output()
            .unwrap();
        assert_eq!(shell.stdout, b"it's $HOME");
    }
}
