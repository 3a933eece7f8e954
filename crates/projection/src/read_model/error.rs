//! Why a read model's folder cannot be used.

/// A read model's folder is wrong; says which file and why.
#[derive(Debug, thiserror::Error)]
#[error("{file}: {problem}")]
pub struct FolderError {
    file: String,
    problem: String,
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl FolderError {
    pub(crate) fn new(file: &str, problem: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            problem: problem.into(),
            source: None,
        }
    }

    pub(crate) fn caused(
        file: &str,
        problem: &str,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self {
            source: Some(source.into()),
            ..Self::new(file, problem)
        }
    }

    /// The file, with its folder.
    pub fn file(&self) -> &str {
        &self.file
    }
}
