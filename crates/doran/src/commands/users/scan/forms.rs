//! The forms in which a text may lie in a file.

use std::fmt::Write;

use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Bytes that mean the text.
pub(super) struct Form<'a> {
    pub(super) name: &'static str,
    pub(super) text: &'a str,
    pub(super) bytes: Vec<u8>,
}

impl<'a> Form<'a> {
    /// All of them; equal ones once.
    pub(super) fn of(text: &'a str) -> Vec<Self> {
        let mut forms: Vec<Self> = Vec::new();
        let mut add = |name, bytes: Vec<u8>| {
            if !forms.iter().any(|form| form.bytes == bytes) {
                forms.push(Self { name, text, bytes });
            }
        };
        add("plain", text.as_bytes().to_vec());
        add("JSON escapes", escaped(text));
        add(
            "UTF-16",
            text.encode_utf16().flat_map(u16::to_le_bytes).collect(),
        );
        add("hexadecimal", hexadecimal(text));
        for offset in 0..3 {
            add("base64", base64(&STANDARD_NO_PAD, text, offset));
            add("base64", base64(&URL_SAFE_NO_PAD, text, offset));
        }
        forms
    }
}

fn escaped(text: &str) -> Vec<u8> {
    let mut escaped = String::new();
    for unit in text.encode_utf16() {
        match u8::try_from(unit) {
            Ok(byte) if byte.is_ascii() => escaped.push(char::from(byte)),
            _ => write!(escaped, "\\u{unit:04x}").unwrap_or_default(),
        }
    }
    escaped.into_bytes()
}

fn hexadecimal(text: &str) -> Vec<u8> {
    let digits = text.bytes().map(|byte| format!("{byte:02x}"));
    digits.collect::<String>().into_bytes()
}

/// The characters that are the same whatever stands before and after the text, which begins
/// `offset` bytes after a multiple of three.
fn base64(engine: &impl Engine, text: &str, offset: usize) -> Vec<u8> {
    let mut bytes = vec![0; offset];
    bytes.extend(text.bytes());
    let whole = bytes.len() * 8 / 6;
    let mixed = (offset * 8).div_ceil(6);
    let encoded = engine.encode(&bytes).into_bytes();
    encoded.into_iter().take(whole).skip(mixed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_inside_of_other_text_has_one_of_the_forms_in_base64() {
        let text = "planted-김민수";
        for before in ["", "a", "ab", "abc", "다"] {
            for after in ["", "x", "xy", "xyz"] {
                let around = format!("{before}{text}{after}");
                for encoded in [
                    STANDARD_NO_PAD.encode(&around),
                    URL_SAFE_NO_PAD.encode(&around),
                ] {
                    let is_in = |form: &Form<'_>| {
                        encoded.contains(std::str::from_utf8(&form.bytes).unwrap_or("\0"))
                    };
                    assert!(Form::of(text).iter().any(is_in), "{around}");
                }
            }
        }
    }

    #[test]
    fn other_forms_are_those_that_programs_write() {
        let forms = Form::of("a김");
        let bytes = |name| {
            let form = forms.iter().find(|form| form.name == name);
            form.map(|form| form.bytes.clone())
        };
        assert_eq!(bytes("JSON escapes"), Some(b"a\\uae40".to_vec()));
        assert_eq!(bytes("hexadecimal"), Some(b"61eab980".to_vec()));
        assert_eq!(bytes("UTF-16"), Some(vec![0x61, 0, 0x40, 0xae]));
    }
}
