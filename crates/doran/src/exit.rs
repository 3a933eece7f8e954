//! How the process ends: one line for people, a code for programs.

use std::{io, process::ExitCode};

/// For `--help`.
pub(crate) const CODES: &str = "\
Exit codes:
  0  it worked
  1  it failed
  2  the command line is wrong
  3  something it depends on is missing or wrong: a server, a stream, a key";

const DEPENDENCY: u8 = 3;

/// Something outside of this process has to be mended first.
#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct Dependency(anyhow::Error);

/// Marks an error as one that the process ends with code 3 for.
pub(crate) fn dependency(error: impl Into<anyhow::Error>) -> anyhow::Error {
    Dependency(error.into()).into()
}

/// Says what went wrong, in one line, and chooses the code.
pub(crate) fn report(result: anyhow::Result<()>) -> ExitCode {
    let Err(error) = result else {
        return ExitCode::SUCCESS;
    };
    if reader_has_left(&error) {
        return ExitCode::SUCCESS;
    }
    #[expect(
        clippy::print_stderr,
        reason = "the one place that says why the process ends"
    )]
    {
        eprintln!("doran: {}", one_line(&error));
    }
    if error.downcast_ref::<Dependency>().is_some() {
        ExitCode::from(DEPENDENCY)
    } else {
        ExitCode::FAILURE
    }
}

/// `doran events view … | head` is not a failure.
fn reader_has_left(error: &anyhow::Error) -> bool {
    let broken = |cause: &io::Error| cause.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref().is_some_and(broken)
}

/// The error with its mend first, then what lay beneath it.
pub(crate) fn one_line(error: &anyhow::Error) -> String {
    let mut causes = error.chain().map(|cause| words(&cause.to_string()));
    let line = causes.next().unwrap_or_default();
    let mut beneath: Vec<String> = Vec::new();
    for cause in causes {
        let is_said = line.contains(&cause) || beneath.iter().any(|said| said.contains(&cause));
        if !is_said {
            beneath.push(cause);
        }
    }
    if beneath.is_empty() {
        return line;
    }
    format!("{line} ({})", beneath.join(": "))
}

fn words(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use anyhow::{Context, anyhow};

    use super::*;

    #[test]
    fn an_error_is_one_line_with_its_causes_once() {
        let error = anyhow!("refused:\n  by peer")
            .context("no answer")
            .context("start it");
        assert_eq!(one_line(&error), "start it (no answer: refused: by peer)");
        let repeated = anyhow!("refused").context("no answer: refused");
        assert_eq!(one_line(&repeated), "no answer: refused");
    }

    #[test]
    fn what_has_to_be_mended_first_has_its_own_code() {
        let missing = Err(dependency(anyhow!("no server"))).context("cannot start");
        assert_eq!(report(missing), ExitCode::from(DEPENDENCY));
        assert_eq!(report(Err(anyhow!("no"))), ExitCode::FAILURE);
        assert_eq!(report(Ok(())), ExitCode::SUCCESS);
    }

    #[test]
    fn a_reader_that_has_left_is_no_failure() {
        let left = io::Error::from(io::ErrorKind::BrokenPipe);
        assert_eq!(report(Err(left).context("cannot print")), ExitCode::SUCCESS);
    }
}
