//! Searching the bytes of files, without holding one in memory.

use std::{
    collections::VecDeque,
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use memchr::memmem;

use super::forms::Form;

const BUFFER: usize = 1 << 20;

/// Every plain file below some folders. Links are not followed.
pub(super) struct Files(VecDeque<PathBuf>);

/// What became of one file.
pub(super) struct Searched<'a> {
    pub(super) bytes: u64,
    pub(super) found: Vec<(u64, &'a Form<'a>)>,
}

impl Files {
    pub(super) fn below(folders: Vec<PathBuf>) -> Self {
        Self(folders.into())
    }

    /// The next file, with the files of folders that had to be looked into put after the others.
    fn try_next(&mut self) -> io::Result<Option<PathBuf>> {
        while let Some(path) = self.0.pop_front() {
            let Some(metadata) = unless_gone(fs::symlink_metadata(&path))? else {
                continue;
            };
            if metadata.is_file() {
                return Ok(Some(path));
            }
            if metadata.is_dir() {
                let Some(entries) = unless_gone(fs::read_dir(&path))? else {
                    continue;
                };
                for entry in entries {
                    self.0.push_back(entry?.path());
                }
            }
        }
        Ok(None)
    }
}

impl Iterator for Files {
    type Item = io::Result<PathBuf>;

    fn next(&mut self) -> Option<Self::Item> {
        self.try_next().transpose()
    }
}

/// Where the forms stand in a file; none if there is no such file any more.
pub(super) fn find<'a>(path: &Path, forms: &'a [Form<'a>]) -> io::Result<Option<Searched<'a>>> {
    match unless_gone(File::open(path))? {
        Some(file) => search(file, forms, BUFFER).map(Some),
        None => Ok(None),
    }
}

fn search<'a>(
    mut input: impl Read,
    forms: &'a [Form<'a>],
    size: usize,
) -> io::Result<Searched<'a>> {
    let longest = forms.iter().map(|form| form.bytes.len()).max().unwrap_or(1);
    let mut window: Vec<u8> = Vec::new();
    // Where the window begins in the file, and up to where in it everything is reported.
    let (mut start, mut reported) = (0_u64, 0_u64);
    let mut found = Vec::new();
    loop {
        let more = input.by_ref().take(size as u64).read_to_end(&mut window)?;
        if more == 0 {
            found.sort_by_key(|(offset, _)| *offset);
            return Ok(Searched {
                bytes: start + window.len() as u64,
                found,
            });
        }
        for form in forms {
            for at in memmem::find_iter(&window, &form.bytes) {
                let end = start + (at + form.bytes.len()) as u64;
                if end > reported {
                    found.push((start + at as u64, form));
                }
            }
        }
        reported = start + window.len() as u64;
        let done = window.len().saturating_sub(longest - 1);
        window.drain(..done);
        start += done as u64;
    }
}

fn unless_gone<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_once_wherever_it_stands_between_two_reads() {
        let forms = Form::of("planted");
        for before in 0..40 {
            let text = format!("{}planted{}", "-".repeat(before), "-".repeat(9));
            let searched = search(text.as_bytes(), &forms, 8).unwrap();
            let offsets: Vec<_> = searched.found.iter().map(|(at, _)| *at).collect();
            assert_eq!(offsets, [before as u64]);
            assert_eq!(searched.bytes, text.len() as u64);
        }
    }

    #[test]
    fn what_is_not_there_is_not_found() {
        let forms = Form::of("planted");
        let searched = search(&b"plante plant-ed"[..], &forms, 8).unwrap();
        assert_eq!(searched.found.len(), 0);
    }
}
