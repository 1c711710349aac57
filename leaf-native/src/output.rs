//! Where a command's answer goes: text for people, JSON for programs, notes beside either.
//!
//! Answers go to standard output, notes and errors to standard error. A reader that goes away (`leaf timeline |
//! head`) is no error.

use crate::error::CliError;
use anstyle::{AnsiColor, Style};
use serde_json::Value;
use std::io::{self, IsTerminal, Write};

/// Names, hashes.
pub const HASH: Style = AnsiColor::Yellow.on_default();
/// What is good.
pub const GOOD: Style = AnsiColor::Green.on_default();
/// What is bad.
pub const BAD: Style = AnsiColor::Red.on_default().bold();
/// What is beside the point.
pub const DIM: Style = Style::new().dimmed();
/// What the eye should find.
pub const STRONG: Style = Style::new().bold();

/// `text` in `style`; colours are dropped later when the output is no terminal.
pub fn paint(style: Style, text: impl std::fmt::Display) -> String {
    format!("{style}{text}{style:#}")
}

/// How the answers of one command are given.
#[derive(Clone, Copy, Debug)]
pub struct Out {
    /// One JSON value instead of text.
    pub json: bool,
    /// No notes and no progress.
    pub quiet: bool,
}

impl Out {
    /// Prints the answer: `value` when JSON is wanted, else what `text` writes.
    ///
    /// # Errors
    ///
    /// When standard output cannot be written, unless its reader has gone.
    pub fn answer(
        self,
        value: &Value,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CliError> {
        let mut out = io::BufWriter::new(anstream::stdout().lock());
        let written = if self.json {
            serde_json::to_writer_pretty(&mut out, value)
                .map_err(io::Error::from)
                .and_then(|()| writeln!(out))
        } else {
            text(&mut out)
        };
        tolerate_gone(written.and_then(|()| out.flush()))
    }

    /// Prints one of many answers, at once: a line of JSON, or what `text` writes. Says whether somebody still reads.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub fn line(
        self,
        value: &Value,
        text: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<bool, CliError> {
        let mut out = anstream::stdout().lock();
        let written = match self.json {
            true => writeln!(out, "{value}"),
            false => text(&mut out),
        };
        let written = written.and_then(|()| out.flush());
        let is_gone = matches!(&written, Err(error) if error.kind() == io::ErrorKind::BrokenPipe);
        tolerate_gone(written)?;
        Ok(!is_gone)
    }

    /// Prints bytes as they are.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer).
    pub fn bytes(self, bytes: &[u8]) -> Result<(), CliError> {
        let mut out = io::stdout().lock();
        tolerate_gone(out.write_all(bytes).and_then(|()| out.flush()))
    }

    /// Says something beside the answer, unless quiet.
    pub fn note(self, text: impl std::fmt::Display) {
        if !self.quiet {
            anstream::eprintln!("{text}");
        }
    }

    /// Whether progress may move about on the screen.
    pub fn is_lively(self) -> bool {
        !self.quiet && io::stderr().is_terminal()
    }
}

fn tolerate_gone(written: io::Result<()>) -> Result<(), CliError> {
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(CliError::from(error).during("standard output cannot be written"))
        }
        _ => Ok(()),
    }
}

/// A number of bytes for people: `1.2 MB`.
pub fn human_bytes(bytes: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if bytes < 1000 {
        return format!("{bytes} B");
    }
    #[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
    let mut value = bytes as f64 / 1000.0;
    let mut unit = 0;
    while value >= 999.95 && unit + 1 < UNITS.len() {
        value /= 1000.0;
        unit += 1;
    }
    format!("{value:.1} {}", UNITS[unit])
}

/// `1 artifact`, `2,000 artifacts`.
pub fn count(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", grouped(number))
}

/// A number with a comma before each three digits.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() * 4 / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Terminal control characters taken out: names and comments come from strangers.
pub fn tame(text: &str) -> String {
    text.chars()
        .map(|c| {
            if c.is_control() && c != '\n' && c != '\t' {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_given_as_people_read_them() {
        assert_eq!(
            [0, 999, 1000, 1_234_567].map(grouped),
            ["0", "999", "1,000", "1,234,567"]
        );
        assert_eq!(
            [999, 1000, 999_949, 999_951].map(human_bytes),
            ["999 B", "1.0 kB", "999.9 kB", "1.0 MB"]
        );
        assert_eq!(count(1, "round"), "1 round");
    }

    #[test]
    fn control_characters_of_strangers_are_tamed() {
        assert_eq!(tame("a\x1b[31mb\u{9b}c\nd"), "a\u{fffd}[31mb\u{fffd}c\nd");
    }
}
