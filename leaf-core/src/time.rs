//! Points in time: milliseconds inside, Julian days in SQL, ISO 8601 in artifacts.
//!
//! Core never asks what time it is; shells pass [`Timestamp`]s in. The three forms and the only conversions
//! between them are here, and they agree bit for bit with SQLite's `julianday()`, because derived tables are
//! compared with those that stock Fossil rebuilds.
//!
//! Source: SQLite `date.c` (`iJD`); Fossil `www/fileformat.wiki` card D.

use core::fmt;

/// A point in time.
///
/// Units: milliseconds since 1970-01-01T00:00:00Z; may be negative.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(pub i64);

/// Milliseconds between the Julian epoch and 1970.
const JULIAN_1970_MS: i64 = 210_866_760_000_000;
/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

impl Timestamp {
    /// Whole seconds since 1970, the unit of `config.mtime` and `unversioned.mtime`.
    pub fn unix(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// From whole seconds since 1970. Saturates.
    pub fn from_unix(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// The Julian day, exactly as SQLite's `julianday()` gives it for the same millisecond.
    pub fn julian(self) -> f64 {
        #[expect(clippy::cast_precision_loss, reason = "SQLite converts the same way")]
        let ms = self.0.saturating_add(JULIAN_1970_MS) as f64;
        ms / 86_400_000.0
    }

    /// From a Julian day, to the nearest millisecond, as SQLite reads one.
    pub fn from_julian(day: f64) -> Self {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a saturating cast is what is wanted"
        )]
        let ms = (day * 86_400_000.0 + 0.5) as i64;
        Self(ms.saturating_sub(JULIAN_1970_MS))
    }

    /// Parses `YYYY-MM-DDTHH:MM:SS` or `YYYY-MM-DDTHH:MM:SS.SSS` (a space may stand for the `T`); UTC.
    ///
    /// Any number of fraction digits is read; what is below a millisecond is rounded, as SQLite does.
    /// `None` when the text has another shape or names no day of the calendar.
    pub fn parse_iso(text: &[u8]) -> Option<Self> {
        let number = |from: usize, to: usize| -> Option<i64> {
            let digits = text.get(from..to)?;
            digits.iter().try_fold(0_i64, |n, d| {
                d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0'))
            })
        };
        let mark = |at: usize, marks: &[u8]| text.get(at).is_some_and(|b| marks.contains(b));
        if !(mark(4, b"-") && mark(7, b"-") && mark(10, b"T ") && mark(13, b":") && mark(16, b":")) {
            return None;
        }
        let (year, month, day) = (number(0, 4)?, number(5, 7)?, number(8, 10)?);
        let (hour, minute, second) = (number(11, 13)?, number(14, 16)?, number(17, 19)?);
        if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 24 || minute > 59 || second > 59 {
            return None;
        }
        let mut ms = ((hour * 60 + minute) * 60 + second) * 1000;
        if let Some(fraction) = text.get(19..).filter(|rest| !rest.is_empty()) {
            let digits = fraction
                .strip_prefix(b".")
                .filter(|d| !d.is_empty() && d.len() <= 9)?;
            let value = digits.iter().try_fold(0_i64, |n, d| {
                d.is_ascii_digit().then(|| n * 10 + i64::from(d - b'0'))
            })?;
            let scale = 10_i64.pow(u32::try_from(digits.len()).ok()?);
            ms += (value * 1000 + scale / 2) / scale;
        }
        Some(Self(days_from_civil(year, month, day) * DAY_MS + ms))
    }

    /// `YYYY-MM-DDTHH:MM:SS.SSS`, the form of `D` cards.
    pub fn iso_ms(self) -> String {
        format!("{}.{:03}", self.iso(), self.0.rem_euclid(1000))
    }

    /// `YYYY-MM-DDTHH:MM:SS`.
    pub fn iso(self) -> String {
        let (day, ms) = (self.0.div_euclid(DAY_MS), self.0.rem_euclid(DAY_MS));
        let (year, month, date) = civil_from_days(day);
        let second = ms / 1000;
        format!(
            "{year:04}-{month:02}-{date:02}T{:02}:{:02}:{:02}",
            second / 3600,
            second / 60 % 60,
            second % 60
        )
    }

    /// Later by `ms`. Saturates.
    #[must_use]
    pub fn plus_ms(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.iso())
    }
}

/// Days since 1970-01-01 of a date in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

/// The inverse of [`days_from_civil`].
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}
