//! Pixels as an image within a page.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

/// A colour: red, green, blue, and how solid it is.
pub(in crate::report) type Colour = [u8; 4];

/// Columns of pixels from the left on, the lowest one of each first; each is the number of one of at
/// most 256 colours.
pub(in crate::report) struct Pixels<'a> {
    pub(in crate::report) columns: &'a [Vec<u8>],
    pub(in crate::report) palette: &'a [Colour],
}

impl Pixels<'_> {
    /// An address that has all of it in it (PNG).
    pub(in crate::report) fn address(&self) -> String {
        let file = self.file().expect("a picture of a pixel at least, written to memory");
        format!("data:image/png;base64,{}", BASE64_STANDARD.encode(file))
    }

    fn file(&self) -> Result<Vec<u8>, png::EncodingError> {
        let rows = self.columns.first().map_or(0, Vec::len);
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, self.columns.len() as u32, rows as u32);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_compression(png::Compression::High);
        encoder
            .set_palette(self.palette.iter().flat_map(|c| [c[0], c[1], c[2]]).collect::<Vec<_>>());
        encoder.set_trns(self.palette.iter().map(|colour| colour[3]).collect::<Vec<_>>());
        let rows = (0..rows).rev();
        let pixels: Vec<u8> =
            rows.flat_map(|row| self.columns.iter().map(move |column| column[row])).collect();
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&pixels)?;
        writer.finish()?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lowest_pixel_is_at_the_bottom_and_colours_are_kept() {
        let palette = [[0, 0, 0, 0], [59, 111, 182, 255]];
        let pixels = Pixels { columns: &[vec![1, 0, 0], vec![0, 1, 1]], palette: &palette };
        let file = pixels.file().expect("it is written");
        let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
        decoder.set_transformations(png::Transformations::EXPAND);
        let mut reader = decoder.read_info().expect("it is a picture");
        let mut bytes = vec![0; reader.output_buffer_size().expect("it has a size")];
        let info = reader.next_frame(&mut bytes).expect("it is whole");
        assert_eq!((info.width, info.height), (2, 3));
        let solid: Vec<u8> = bytes.chunks(4).map(|pixel| pixel[3]).collect();
        // Rows from the top on.
        assert_eq!(solid, [0, 255, 0, 255, 255, 0]);
        assert_eq!(bytes[4..8], [59, 111, 182, 255]);
        assert!(pixels.address().starts_with("data:image/png;base64,iVBORw0KGgo"));
    }
}
