//! Places as pixels: a colour for each kind, the fuller the place the denser.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use maud::{Markup, html};

use super::{ACROSS, LEFT, f};
use crate::metric::{By, MOST_KINDS, Places};

/// The colours of kinds, of what is nobody's last: the same on light and dark ground, as those of
/// `.m0` and on in the style.
const COLOURS: [[u8; 3]; MOST_KINDS + 1] = [
    [0x2a, 0xa1, 0xb3],
    [0x3b, 0x6f, 0xc4],
    [0x8e, 0x5c, 0xb8],
    [0xe0, 0x8e, 0x2b],
    [0x3f, 0x96, 0x52],
    [0xd4, 0x6a, 0xa5],
    [0xa9, 0x84, 0x4f],
    [0x7d, 0x85, 0x90],
    [0x9a, 0xa0, 0xa8],
];

/// Shades of a colour: what is granted in part is neither free nor full.
const SHADES: usize = 8;

/// Pixels as an image within the page, from `y` on.
pub(super) fn image<'a>(
    y: f64,
    height: f64,
    columns: impl Iterator<Item = &'a Places>,
    by: By,
) -> Markup {
    let columns = columns.map(|places| pixels(&places.shares, places.kinds(by)));
    let mut columns: Vec<Vec<u8>> = columns.collect();
    if columns.is_empty() {
        columns.push(vec![0]);
    }
    of_pixels(y, height, &columns)
}

fn of_pixels(y: f64, height: f64, columns: &[Vec<u8>]) -> Markup {
    let file = png(columns).expect("a picture of a pixel at least, written to memory");
    html! {
        rect .free x=(f(LEFT)) y=(f(y)) width=(f(ACROSS)) height=(f(height)) {}
        image x=(f(LEFT)) y=(f(y)) width=(f(ACROSS)) height=(f(height)) preserveAspectRatio="none"
            href={ "data:image/png;base64," (BASE64_STANDARD.encode(file)) } {} "
    "
    }
}

/// One moment, lowest page on the left.
pub(super) fn strip(y: f64, height: f64, places: &Places, by: By) -> Markup {
    let pixels = pixels(&places.shares, places.kinds(by));
    let columns: Vec<Vec<u8>> = pixels.into_iter().map(|pixel| vec![pixel]).collect();
    of_pixels(y, height, &columns)
}

/// The colours of places: 0 for what is free.
fn pixels(shares: &[u8], kinds: &[u8]) -> Vec<u8> {
    let pixel = |(share, kind): (&u8, &u8)| match usize::from(*share) {
        0 => 0,
        share => 1 + kind * SHADES as u8 + (share * SHADES).div_ceil(255) as u8 - 1,
    };
    shares.iter().zip(kinds).map(pixel).collect()
}

/// Pixels as a file, the lowest place at the bottom.
fn png(columns: &[Vec<u8>]) -> Result<Vec<u8>, png::EncodingError> {
    let (width, rows) = (columns.len() as u32, columns.first().map_or(0, Vec::len));
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, width, rows as u32);
    encoder.set_color(png::ColorType::Indexed);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_filter(png::Filter::NoFilter);
    let (mut palette, mut opacity) = (vec![0; 3], vec![0]);
    for colour in COLOURS {
        for shade in 1..=SHADES {
            palette.extend(colour);
            opacity.push((255 * (shade + 1) / (SHADES + 1)) as u8);
        }
    }
    encoder.set_palette(palette);
    encoder.set_trns(opacity);
    let mut pixels = Vec::with_capacity(columns.len() * rows);
    for row in (0..rows).rev() {
        pixels.extend(columns.iter().map(|column| column[row]));
    }
    let mut writer = encoder.write_header()?;
    writer.write_image_data(&pixels)?;
    writer.finish()?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_has_no_colour_and_what_is_full_the_densest() {
        let kinds = [0, 0, 0, MOST_KINDS as u8];
        assert_eq!(
            pixels(&[0, 1, 255, 255], &kinds),
            [0, 1, SHADES as u8, ((MOST_KINDS + 1) * SHADES) as u8]
        );
    }

    #[test]
    fn the_style_has_the_colours_of_the_pixels() {
        let style = include_str!("../sweep.css");
        for (kind, [red, green, blue]) in COLOURS.iter().take(MOST_KINDS).enumerate() {
            let rule = format!(".m{kind} {{ fill: #{red:02x}{green:02x}{blue:02x}; }}");
            assert!(style.contains(&rule), "{rule}");
        }
    }
}
