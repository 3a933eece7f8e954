//! Pictures: looked at before they are decoded, rid of what they tell about their maker, and made
//! small.
//!
//! JPEG is turned upright as its metadata says and encoded anew, without that metadata. The other
//! formats are copied without it, so that animations stay what they are.

use std::io::Cursor;

use image::{
    DynamicImage, ImageDecoder, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits,
    codecs::jpeg::JpegEncoder, metadata::Orientation,
};

use super::strip;

/// Pixels that are decoded at most: what phones take, at four bytes each.
const MAX_PIXELS: u64 = 50_000_000;
const MAX_SIDE: u32 = 16_384;
/// What decoding one picture may allocate.
const MAX_MEMORY_BYTES: u64 = 512 * 1024 * 1024;
/// The longer side of a thumbnail.
const THUMBNAIL_SIDE: u32 = 320;
const QUALITY: u8 = 90;
const THUMBNAIL_QUALITY: u8 = 80;

pub(super) struct Picture {
    /// What is kept of it.
    pub(super) bytes: Vec<u8>,
    pub(super) thumbnail: Vec<u8>,
    pub(super) width: u32,
    pub(super) height: u32,
}

#[derive(Debug, thiserror::Error)]
pub(super) enum PictureError {
    #[error("the picture has more than {MAX_PIXELS} pixels or a side over {MAX_SIDE}")]
    Large,
    #[error("the picture is damaged")]
    Damaged,
}

impl From<ImageError> for PictureError {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::Large,
            ImageError::Decoding(_)
            | ImageError::Encoding(_)
            | ImageError::Parameter(_)
            | ImageError::Unsupported(_)
            | ImageError::IoError(_) => Self::Damaged,
        }
    }
}

/// Takes as long as decoding does: not for an async thread.
pub(super) fn prepare(format: ImageFormat, bytes: &[u8]) -> Result<Picture, PictureError> {
    if format == ImageFormat::Jpeg {
        let (mut image, orientation, colours) = decode(format, bytes)?;
        image.apply_orientation(orientation);
        return picture(&image, encode(&image, QUALITY, colours)?);
    }
    // First, for a decoder unpacks what is left out here, without a limit.
    let bytes = strip::metadata(format, bytes).ok_or(PictureError::Damaged)?;
    let (image, ..) = decode(format, &bytes)?;
    picture(&image, bytes)
}

fn picture(image: &DynamicImage, bytes: Vec<u8>) -> Result<Picture, PictureError> {
    Ok(Picture {
        thumbnail: thumbnail(image)?,
        width: image.width(),
        height: image.height(),
        bytes,
    })
}

/// The picture, how it is to be turned, and its profile of colours.
fn decode(
    format: ImageFormat,
    bytes: &[u8],
) -> Result<(DynamicImage, Orientation, Option<Vec<u8>>), PictureError> {
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_SIDE);
    limits.max_image_height = Some(MAX_SIDE);
    limits.max_alloc = Some(MAX_MEMORY_BYTES);
    reader.limits(limits);
    let mut decoder = reader.into_decoder()?;
    let (width, height) = decoder.dimensions();
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::Large);
    }
    let colours = decoder.icc_profile().unwrap_or_default();
    let orientation = decoder.orientation()?;
    let image = DynamicImage::from_decoder(decoder)?;
    Ok((image, orientation, colours))
}

fn encode(
    image: &DynamicImage,
    quality: u8,
    colours: Option<Vec<u8>>,
) -> Result<Vec<u8>, PictureError> {
    let mut bytes = Vec::new();
    let mut encoder = JpegEncoder::new_with_quality(&mut bytes, quality);
    if let Some(colours) = colours {
        // What the encoder cannot write, it does without.
        encoder.set_icc_profile(colours).ok();
    }
    match image {
        DynamicImage::ImageLuma8(_) => image.write_with_encoder(encoder)?,
        _ => image.to_rgb8().write_with_encoder(encoder)?,
    }
    Ok(bytes)
}

/// With what shines through, as PNG; else as JPEG.
fn thumbnail(image: &DynamicImage) -> Result<Vec<u8>, PictureError> {
    let small = if image.width().max(image.height()) > THUMBNAIL_SIDE {
        &image.thumbnail(THUMBNAIL_SIDE, THUMBNAIL_SIDE)
    } else {
        image
    };
    if !small.color().has_alpha() {
        return encode(small, THUMBNAIL_QUALITY, None);
    }
    let mut bytes = Cursor::new(Vec::new());
    small.to_rgba8().write_to(&mut bytes, ImageFormat::Png)?;
    Ok(bytes.into_inner())
}

#[cfg(test)]
mod tests {
    use image::{Rgb, RgbImage, Rgba, RgbaImage};

    use super::*;

    fn encoded(format: ImageFormat, width: u32, height: u32) -> Vec<u8> {
        let mut bytes = Cursor::new(Vec::new());
        let image = RgbImage::from_fn(width, height, |x, _| {
            Rgb([u8::try_from(x % 256).unwrap(), 0, 0])
        });
        image.write_to(&mut bytes, format).unwrap();
        bytes.into_inner()
    }

    /// A JPEG with an EXIF segment: orientation 6 (turn right), and a text in it.
    fn photograph() -> Vec<u8> {
        let jpeg = encoded(ImageFormat::Jpeg, 40, 20);
        let mut exif =
            b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
        exif.extend_from_slice(b"GPS 37.5665N 126.9780E");
        let length = u16::try_from(exif.len() + 2).unwrap().to_be_bytes();
        let mut bytes = jpeg[..2].to_vec();
        bytes.extend_from_slice(b"\xFF\xE1");
        bytes.extend_from_slice(&length);
        bytes.extend_from_slice(&exif);
        bytes.extend_from_slice(&jpeg[2..]);
        bytes
    }

    fn holds(bytes: &[u8], text: &str) -> bool {
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    }

    #[test]
    fn a_photograph_is_upright_and_does_not_say_where_it_was_taken() {
        let photograph = photograph();
        assert!(holds(&photograph, "GPS"));
        let picture = prepare(ImageFormat::Jpeg, &photograph).unwrap();
        assert_eq!((picture.width, picture.height), (20, 40));
        assert!(!holds(&picture.bytes, "GPS") && !holds(&picture.bytes, "Exif"));
        let again = image::load_from_memory(&picture.bytes).unwrap();
        assert_eq!((again.width(), again.height()), (20, 40));
    }

    #[test]
    fn every_format_comes_through_with_a_thumbnail() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
        ] {
            let picture = prepare(format, &encoded(format, 640, 320)).unwrap();
            assert_eq!((picture.width, picture.height), (640, 320), "{format:?}");
            let kept = image::load_from_memory_with_format(&picture.bytes, format).unwrap();
            assert_eq!((kept.width(), kept.height()), (640, 320), "{format:?}");
            let small = image::load_from_memory(&picture.thumbnail).unwrap();
            assert_eq!((small.width(), small.height()), (320, 160), "{format:?}");
        }
    }

    #[test]
    fn what_shines_through_does_so_in_the_thumbnail() {
        let mut bytes = Cursor::new(Vec::new());
        let image = RgbaImage::from_pixel(10, 10, Rgba([1, 2, 3, 0]));
        image.write_to(&mut bytes, ImageFormat::Png).unwrap();
        let picture = prepare(ImageFormat::Png, bytes.get_ref()).unwrap();
        let small = image::load_from_memory(&picture.thumbnail).unwrap();
        assert_eq!(small.to_rgba8().get_pixel(0, 0).0[3], 0);
    }

    #[test]
    fn a_bomb_is_refused_by_what_it_says_of_itself() {
        let mut bomb = encoded(ImageFormat::Png, 8, 8);
        // Width and height in the header, which its checksum covers.
        bomb[16..20].copy_from_slice(&15_000u32.to_be_bytes());
        bomb[20..24].copy_from_slice(&15_000u32.to_be_bytes());
        let sum = strip::crc(&bomb[12..29]).to_be_bytes();
        bomb[29..33].copy_from_slice(&sum);
        let refused = prepare(ImageFormat::Png, &bomb);
        assert!(matches!(refused, Err(PictureError::Large)));
    }

    /// It would be unpacked without a limit.
    #[test]
    fn a_packed_profile_of_colours_is_left_out_before_a_png_is_decoded() {
        let whole = encoded(ImageFormat::Png, 8, 8);
        let mut chunk = b"iCCPa name\0\0packed".to_vec();
        chunk.extend_from_slice(&strip::crc(&chunk).to_be_bytes());
        let length = u32::try_from(chunk.len() - 8).unwrap().to_be_bytes();
        let header = 33;
        let profiled = [&whole[..header], &length, &chunk, &whole[header..]].concat();
        let picture = prepare(ImageFormat::Png, &profiled).unwrap();
        assert_eq!(picture.bytes, whole);
    }

    #[test]
    fn what_ends_early_or_is_noise_is_damaged() {
        for format in [
            ImageFormat::Png,
            ImageFormat::Gif,
            ImageFormat::WebP,
            ImageFormat::Jpeg,
        ] {
            let whole = encoded(format, 64, 64);
            for length in [4, 12, 20, 33, whole.len() / 3] {
                let cut = whole.get(..length).unwrap_or(&whole).to_vec();
                assert!(prepare(format, &cut).is_err(), "{format:?} {length}");
            }
        }
    }
}
