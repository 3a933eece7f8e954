//! What files may be: by the end of their name, by what is claimed, and by their first bytes.
//!
//! All three have to agree. What a browser would run, such as HTML and SVG, is not in the table.

use std::ops::Range;

use image::ImageFormat;

/// A type of file that is taken.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Kind {
    pub(crate) media_type: &'static str,
    extensions: &'static [&'static str],
    form: Form,
}

#[derive(Debug, PartialEq, Eq)]
enum Form {
    Picture(ImageFormat),
    /// One of these at the beginning: where, and what.
    Marked(&'static [&'static [(usize, &'static [u8])]]),
    /// No bytes that text does not have.
    Text,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum KindError {
    #[error("files of this type are not taken")]
    Unknown,
    #[error("the name says something else than the content type")]
    Claimed,
    #[error("the file is not what its name says")]
    Content,
}

/// So much of the beginning says what a file is.
const HEAD: Range<usize> = 0..512;

const ZIP: Form = Form::Marked(&[&[(0, b"PK\x03\x04")]]);
const COMPOUND: Form = Form::Marked(&[&[(0, b"\xD0\xCF\x11\xE0\xA1\xB1\x1A\xE1")]]);
const ISO_MEDIA: Form = Form::Marked(&[&[(4, b"ftyp")]]);

macro_rules! kinds {
    ($($media_type:literal $extensions:expr, $form:expr;)+) => {
        const KINDS: &[Kind] = &[$(Kind {
            media_type: $media_type,
            extensions: &$extensions,
            form: $form,
        }),+];
    };
}

kinds! {
    "image/jpeg" ["jpg", "jpeg"], Form::Picture(ImageFormat::Jpeg);
    "image/png" ["png"], Form::Picture(ImageFormat::Png);
    "image/gif" ["gif"], Form::Picture(ImageFormat::Gif);
    "image/webp" ["webp"], Form::Picture(ImageFormat::WebP);
    "application/pdf" ["pdf"], Form::Marked(&[&[(0, b"%PDF-")]]);
    "application/zip" ["zip"], ZIP;
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document" ["docx"], ZIP;
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" ["xlsx"], ZIP;
    "application/vnd.openxmlformats-officedocument.presentationml.presentation" ["pptx"], ZIP;
    "application/hwp+zip" ["hwpx"], ZIP;
    "application/x-hwp" ["hwp"], COMPOUND;
    "application/msword" ["doc"], COMPOUND;
    "application/vnd.ms-excel" ["xls"], COMPOUND;
    "application/vnd.ms-powerpoint" ["ppt"], COMPOUND;
    "application/gzip" ["gz", "tgz"], Form::Marked(&[&[(0, b"\x1F\x8B")]]);
    "application/x-7z-compressed" ["7z"], Form::Marked(&[&[(0, b"7z\xBC\xAF\x27\x1C")]]);
    "text/plain" ["txt", "log"], Form::Text;
    "text/markdown" ["md"], Form::Text;
    "text/csv" ["csv"], Form::Text;
    "application/json" ["json"], Form::Text;
    "audio/mpeg" ["mp3"], Form::Marked(&[
        &[(0, b"ID3")], &[(0, b"\xFF\xFB")], &[(0, b"\xFF\xF3")], &[(0, b"\xFF\xF2")],
    ]);
    "audio/wav" ["wav"], Form::Marked(&[&[(0, b"RIFF"), (8, b"WAVE")]]);
    "audio/ogg" ["ogg"], Form::Marked(&[&[(0, b"OggS")]]);
    "audio/mp4" ["m4a"], ISO_MEDIA;
    "video/mp4" ["mp4"], ISO_MEDIA;
    "video/quicktime" ["mov"], ISO_MEDIA;
    "video/webm" ["webm"], Form::Marked(&[&[(0, b"\x1A\x45\xDF\xA3")]]);
}

impl Kind {
    /// What the name says, unless a claim contradicts it.
    pub(crate) fn of(name: &str, claimed: Option<&str>) -> Result<&'static Self, KindError> {
        let (_, extension) = name.rsplit_once('.').ok_or(KindError::Unknown)?;
        let extension = extension.to_ascii_lowercase();
        let kind = KINDS
            .iter()
            .find(|kind| kind.extensions.contains(&extension.as_str()))
            .ok_or(KindError::Unknown)?;
        if claimed.is_some_and(|claimed| !kind.may_be_called(claimed)) {
            return Err(KindError::Claimed);
        }
        Ok(kind)
    }

    /// Whether the first bytes are those of such a file.
    pub(crate) fn check(&self, bytes: &[u8]) -> Result<(), KindError> {
        let head = bytes.get(HEAD).unwrap_or(bytes);
        let fits = match &self.form {
            Form::Picture(format) => image::guess_format(head).is_ok_and(|found| found == *format),
            Form::Marked(choices) => choices.iter().any(|marks| {
                let mut marks = marks.iter();
                marks.all(|(at, mark)| head.get(*at..).is_some_and(|rest| rest.starts_with(mark)))
            }),
            Form::Text => head.iter().all(|byte| is_text(*byte)),
        };
        fits.then_some(()).ok_or(KindError::Content)
    }

    /// The format of a picture that is shown.
    pub(crate) fn picture(&self) -> Option<ImageFormat> {
        match self.form {
            Form::Picture(format) => Some(format),
            Form::Marked(_) | Form::Text => None,
        }
    }

    /// Clients guess, above all for text: only what names another kind, or what a browser would
    /// run, contradicts.
    fn may_be_called(&self, claimed: &str) -> bool {
        let claimed = claimed.split(';').next().unwrap_or_default();
        let claimed = claimed.trim().to_ascii_lowercase();
        if claimed == self.media_type {
            return true;
        }
        let is_run = ["html", "svg", "script", "/xml", "+xml"]
            .iter()
            .any(|part| claimed.contains(part));
        let is_picture = claimed.starts_with("image/");
        let is_other_kind = KINDS.iter().any(|kind| kind.media_type == claimed);
        let is_loose = self.form == Form::Text
            && (claimed.starts_with("text/") || claimed == "application/vnd.ms-excel");
        !is_run && !is_picture && (is_loose || !is_other_kind)
    }
}

/// Whether a picture of the media type is shown in place; everything else is saved.
pub(crate) fn is_shown(media_type: &str) -> bool {
    KINDS
        .iter()
        .any(|kind| kind.media_type == media_type && kind.picture().is_some())
}

fn is_text(byte: u8) -> bool {
    byte >= 0x20 && byte != 0x7F || matches!(byte, b'\t' | b'\n' | b'\r' | 0x0C | 0x1B)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(name: &str, claimed: Option<&str>, bytes: &[u8]) -> Result<&'static str, KindError> {
        let kind = Kind::of(name, claimed)?;
        kind.check(bytes)?;
        Ok(kind.media_type)
    }

    #[test]
    fn name_claim_and_bytes_have_to_agree() {
        let png = b"\x89PNG\r\n\x1a\n rest";
        assert_eq!(checked("a.PNG", Some("image/png"), png), Ok("image/png"));
        assert_eq!(checked("a.png", None, png), Ok("image/png"));
        let any = Some("application/octet-stream");
        assert_eq!(checked("a.png", any, png), Ok("image/png"));
        for claimed in [
            "image/jpeg",
            "text/html",
            "image/svg+xml",
            "application/pdf",
        ] {
            let refused = checked("a.png", Some(claimed), png);
            assert_eq!(refused, Err(KindError::Claimed), "{claimed}");
        }
        for bytes in [
            &b"MZ\x90\x00"[..],
            b"\xFF\xD8\xFF",
            b"<svg onload=",
            b"",
            b"\x89PN",
        ] {
            let refused = checked("a.png", Some("image/png"), bytes);
            assert_eq!(refused, Err(KindError::Content), "{bytes:?}");
        }
    }

    #[test]
    fn what_a_browser_or_a_machine_runs_is_not_taken() {
        for name in [
            "a.svg",
            "a.html",
            "a.htm",
            "a.xhtml",
            "a.xml",
            "a.exe",
            "a.js",
            "a.png.exe",
            "a",
            "png",
            "a.",
            "a.sh",
        ] {
            assert_eq!(checked(name, None, b"x"), Err(KindError::Unknown), "{name}");
        }
    }

    #[test]
    fn text_is_what_has_no_other_bytes() {
        let korean = "회의록\n".as_bytes();
        assert_eq!(
            checked("a.txt", Some("text/plain; charset=utf-8"), korean),
            Ok("text/plain")
        );
        let csv = Some("application/vnd.ms-excel");
        assert_eq!(checked("a.csv", csv, b"a,b\n"), Ok("text/csv"));
        assert_eq!(
            checked("a.txt", None, b"\x7fELF\x01"),
            Err(KindError::Content)
        );
        assert_eq!(
            checked("a.txt", Some("text/html"), b"<p>"),
            Err(KindError::Claimed)
        );
    }

    #[test]
    fn office_files_are_told_by_their_container() {
        let docx = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
        assert_eq!(checked("a.docx", Some(docx), b"PK\x03\x04.."), Ok(docx));
        assert_eq!(
            checked("a.wav", None, b"RIFF\0\0\0\0WAVEfmt "),
            Ok("audio/wav")
        );
        assert_eq!(
            checked("a.wav", None, b"RIFF\0\0\0\0WEBP"),
            Err(KindError::Content)
        );
    }
}
