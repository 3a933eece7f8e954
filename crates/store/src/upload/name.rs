//! Names of files as they are kept: the last part of a path, and nothing that hides what it is.

/// Bytes that file systems take.
const MAX_BYTES: usize = 255;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameError {
    #[error("must have a name")]
    Missing,
    #[error("must have a name of {MAX_BYTES} bytes at most")]
    Long,
    #[error("must have a name without control characters")]
    Control,
}

/// The name without the folders that a client or an attacker put before it.
pub(crate) fn base_name(claimed: &str) -> Result<String, NameError> {
    let name = claimed.rsplit(['/', '\\']).next().unwrap_or_default();
    let name = name.trim();
    if name.chars().any(|c| c.is_control() || turns_direction(c)) {
        return Err(NameError::Control);
    }
    if name.chars().all(|c| c == '.') {
        return Err(NameError::Missing);
    }
    if name.len() > MAX_BYTES {
        return Err(NameError::Long);
    }
    Ok(name.to_owned())
}

/// Makes `gnp.exe` look like `exe.png`.
fn turns_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_left_out() {
        for (claimed, name) in [
            ("사진.png", "사진.png"),
            ("../../etc/passwd", "passwd"),
            ("C:\\Users\\kim\\a.txt", "a.txt"),
            ("/a/b/ c.txt ", "c.txt"),
            ("..\\..\\x.png", "x.png"),
        ] {
            assert_eq!(base_name(claimed).as_deref(), Ok(name), "{claimed}");
        }
    }

    #[test]
    fn what_is_no_name_is_refused() {
        for claimed in ["", " ", ".", "..", "a/", "../..", "a\\"] {
            assert_eq!(base_name(claimed), Err(NameError::Missing), "{claimed}");
        }
        for claimed in ["a\0.png", "a\n.png", "a\u{202e}gnp.exe", "\u{7f}a"] {
            assert_eq!(base_name(claimed), Err(NameError::Control), "{claimed:?}");
        }
        assert_eq!(base_name(&"가".repeat(86)), Err(NameError::Long));
    }
}
