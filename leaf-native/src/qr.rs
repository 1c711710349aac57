//! A QR code on a terminal: two modules a character, black on white whatever the terminal's colours are.
//!
//! Source: ISO/IEC 18004, by the crate `qrcode`.

use crate::output::paint;
use anstyle::{AnsiColor, Color, Style};
use console::Term;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

/// Paper and ink.
const PAPER: Style = Style::new()
    .fg_color(Some(Color::Ansi(AnsiColor::Black)))
    .bg_color(Some(Color::Ansi(AnsiColor::BrightWhite)));

/// The code of `text`, for the terminal that is standard output; `None` if it is none, or has no room for it.
///
/// Letters are made capitals, which need half the room.
pub(crate) fn on_terminal(text: &str) -> Option<String> {
    let terminal = Term::stdout();
    let (_, columns) = terminal.size_checked().filter(|_| terminal.is_term())?;
    let code = QrCode::with_error_correction_level(text.to_uppercase(), EcLevel::L).ok()?;
    let drawn = code.render::<Dense1x2>().build();
    let lines = drawn.lines().map(|line| paint(PAPER, line) + "\n");
    let is_room = drawn
        .lines()
        .all(|line| line.chars().count() <= usize::from(columns));
    is_room.then(|| lines.collect())
}
