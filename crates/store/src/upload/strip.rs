//! Copies of PNG, GIF and WebP without what is not the picture: texts, times, places, profiles of
//! applications, and whatever hides behind the end.
//!
//! What does not parse here is refused, not repaired. The copy is what is decoded afterwards.

use image::ImageFormat;

/// The same picture without metadata; none if it is not built as it should be.
pub(super) fn metadata(format: ImageFormat, bytes: &[u8]) -> Option<Vec<u8>> {
    match format {
        ImageFormat::Png => png(bytes),
        ImageFormat::Gif => gif(bytes),
        ImageFormat::WebP => webp(bytes),
        _ => None,
    }
}

/// What is read of the bytes, from the front.
struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        let [byte] = self.array()?;
        Some(byte)
    }
}

/// Chunks that say how the picture looks. Not `iCCP`: it is compressed, and whoever opens it, we or
/// a reader, does not know how large it becomes.
const PNG_KEPT: [&[u8; 4]; 15] = [
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"cHRM", b"gAMA", b"sBIT", b"sRGB", b"cICP",
    b"bKGD", b"pHYs", b"acTL", b"fcTL", b"fdAT",
];

fn png(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut input = Input(bytes);
    let mut kept = input.take(8)?.to_vec();
    loop {
        let length = input.array()?;
        let kind: [u8; 4] = input.array()?;
        let content = input.take(usize::try_from(u32::from_be_bytes(length)).ok()?)?;
        let sum = input.take(4)?;
        if PNG_KEPT.contains(&&kind) {
            kept.extend_from_slice(&length);
            kept.extend_from_slice(&kind);
            kept.extend_from_slice(content);
            kept.extend_from_slice(sum);
        }
        if kind == *b"IEND" {
            return Some(kept);
        }
    }
}

const WEBP_KEPT: [&[u8; 4]; 7] = [
    b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF", b"ICCP",
];
/// Of the flags in `VP8X`: that there is EXIF, that there is XMP.
const WEBP_METADATA: u8 = 0b0000_1100;

fn webp(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut input = Input(bytes);
    let riff: [u8; 4] = input.array()?;
    let length = usize::try_from(u32::from_le_bytes(input.array()?)).ok()?;
    let mut input = Input(input.take(length)?);
    let kind: [u8; 4] = input.array()?;
    let mut chunks = Vec::new();
    while !input.0.is_empty() {
        let kind: [u8; 4] = input.array()?;
        let length = input.array()?;
        let size = usize::try_from(u32::from_le_bytes(length)).ok()?;
        let mut content = input.take(size)?.to_vec();
        if size % 2 == 1 && !input.0.is_empty() {
            input.take(1)?;
        }
        if !WEBP_KEPT.contains(&&kind) {
            continue;
        }
        if kind == *b"VP8X" {
            *content.first_mut()? &= !WEBP_METADATA;
        }
        chunks.extend_from_slice(&kind);
        chunks.extend_from_slice(&length);
        chunks.extend_from_slice(&content);
        chunks.resize(chunks.len() + size % 2, 0);
    }
    let length = u32::try_from(chunks.len() + 4).ok()?;
    Some([&riff, &length.to_le_bytes()[..], &kind, &chunks].concat())
}

const GIF_EXTENSION: u8 = 0x21;
const GIF_PICTURE: u8 = 0x2C;
const GIF_END: u8 = 0x3B;
/// How long each frame is shown, and what shines through.
const GIF_CONTROL: u8 = 0xF9;
const GIF_APPLICATION: u8 = 0xFF;
/// How often an animation is repeated: the one application whose data is part of the picture.
const GIF_LOOP: &[u8] = b"\x0BNETSCAPE2.0";

fn gif(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut input = Input(bytes);
    let mut kept = Vec::with_capacity(bytes.len());
    let head = input.take(13)?;
    kept.extend_from_slice(head);
    kept.extend_from_slice(input.take(colours(*head.get(10)?))?);
    loop {
        match input.byte()? {
            GIF_END => {
                kept.push(GIF_END);
                return Some(kept);
            }
            GIF_PICTURE => {
                let head = input.take(9)?;
                kept.push(GIF_PICTURE);
                kept.extend_from_slice(head);
                kept.extend_from_slice(input.take(colours(*head.get(8)?))?);
                kept.push(input.byte()?);
                kept.extend_from_slice(blocks(&mut input)?);
            }
            GIF_EXTENSION => {
                let label = input.byte()?;
                let data = blocks(&mut input)?;
                let is_loop = label == GIF_APPLICATION && data.starts_with(GIF_LOOP);
                if label == GIF_CONTROL || is_loop {
                    kept.extend_from_slice(&[GIF_EXTENSION, label]);
                    kept.extend_from_slice(data);
                }
            }
            _ => return None,
        }
    }
}

/// Bytes of a table of colours, by the flags before it.
fn colours(flags: u8) -> usize {
    if flags & 0x80 == 0 {
        return 0;
    }
    3 << ((flags & 0x07) + 1)
}

/// Blocks with their lengths, up to the empty one and with it.
fn blocks<'a>(input: &mut Input<'a>) -> Option<&'a [u8]> {
    let start = input.0;
    loop {
        let length = input.byte()?;
        if length == 0 {
            return start.get(..start.len() - input.0.len());
        }
        input.take(usize::from(length))?;
    }
}

/// The checksum of a PNG chunk, for tests that forge one.
#[cfg(test)]
pub(super) fn crc(bytes: &[u8]) -> u32 {
    let mut crc = u32::MAX;
    for byte in bytes {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 {
                (crc >> 1) ^ 0xEDB8_8320
            } else {
                crc >> 1
            };
        }
    }
    !crc
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use image::{
        AnimationDecoder, Delay, Frame, RgbImage, RgbaImage,
        codecs::gif::{GifDecoder, GifEncoder, Repeat},
    };
    use proptest::prelude::*;

    use super::*;

    const SECRET: &[u8] = b"GPS 37.5665N";

    fn holds(bytes: &[u8]) -> bool {
        bytes.windows(SECRET.len()).any(|window| window == SECRET)
    }

    fn encoded(format: ImageFormat) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        RgbImage::new(9, 7).write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    #[test]
    fn texts_of_a_png_and_what_hides_behind_its_end_are_gone() {
        let mut bytes = encoded(ImageFormat::Png);
        let content = [b"tEXt".as_slice(), SECRET].concat();
        let length = u32::try_from(SECRET.len()).unwrap().to_be_bytes();
        let chunk = [&length[..], &content, &crc(&content).to_be_bytes()].concat();
        bytes.splice(33..33, chunk);
        bytes.extend_from_slice(SECRET);
        assert!(holds(&bytes));
        let kept = metadata(ImageFormat::Png, &bytes).unwrap();
        assert_eq!(kept, encoded(ImageFormat::Png));
    }

    #[test]
    fn exif_of_a_webp_is_gone_and_its_flags_say_so() {
        let plain = encoded(ImageFormat::WebP);
        let extended = b"VP8X\x0a\0\0\0\x0c\0\0\0\x08\0\0\x06\0\0";
        let exif = [b"EXIF\x0c\0\0\0".as_slice(), SECRET].concat();
        let body = [b"WEBP".as_slice(), extended, &plain[12..], &exif].concat();
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        let bytes = [b"RIFF".as_slice(), &length, &body, SECRET].concat();
        let kept = metadata(ImageFormat::WebP, &bytes).unwrap();
        assert!(holds(&bytes) && !holds(&kept));
        assert_eq!(kept[20], 0);
        assert!(image::load_from_memory_with_format(&kept, ImageFormat::WebP).is_ok());
    }

    #[test]
    fn a_gif_keeps_its_frames_and_its_loop_and_loses_its_comments() {
        let mut bytes = Vec::new();
        let mut encoder = GifEncoder::new(&mut bytes);
        encoder.set_repeat(Repeat::Infinite).unwrap();
        for _ in 0..3 {
            let delay = Delay::from_numer_denom_ms(100, 1);
            let frame = Frame::from_parts(RgbaImage::new(9, 7), 0, 0, delay);
            encoder.encode_frame(frame).unwrap();
        }
        drop(encoder);
        let clean = metadata(ImageFormat::Gif, &bytes).unwrap();
        let comment = [b"\x21\xFE\x0C".as_slice(), SECRET, b"\0"].concat();
        bytes.splice(bytes.len() - 1..bytes.len() - 1, comment);
        assert!(holds(&bytes));
        let kept = metadata(ImageFormat::Gif, &bytes).unwrap();
        assert_eq!(kept, clean);
        assert!(kept.windows(11).any(|window| window == b"NETSCAPE2.0"));
        let decoder = GifDecoder::new(Cursor::new(kept)).unwrap();
        assert_eq!(decoder.into_frames().collect_frames().unwrap().len(), 3);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_fall_over(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            for (format, head) in [
                (ImageFormat::Png, &b"\x89PNG\r\n\x1a\n"[..]),
                (ImageFormat::Gif, b"GIF89a\x01\0\x01\0\0\0\0"),
                (ImageFormat::WebP, b"RIFF\x40\0\0\0WEBP"),
            ] {
                let forged = [head, &bytes].concat();
                prop_assert!(metadata(format, &forged).is_none_or(|kept| kept.len() <= forged.len() + 200));
            }
        }
    }
}
