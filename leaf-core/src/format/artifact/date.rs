//! The dates of `D` and `E` cards, which are whatever SQLite's `julianday()` can read.
//!
//! Stock Fossil writes `YYYY-MM-DDTHH:MM:SS.SSS` alone, yet other tools have left shorter dates and time zones
//! in histories that must still be read. `now`, which SQLite takes too, is no date: it would be another one at
//! every reading.
//!
//! Source: SQLite `src/date.c` `parseDateOrTime()`, `computeJD()`.

use crate::time::Timestamp;

/// Milliseconds between the Julian epoch and 1970.
const JULIAN_1970_MS: i64 = 210_866_760_000_000;
/// The last millisecond of the year 9999, in milliseconds since the Julian epoch.
const JULIAN_MS_MAX: i64 = 464_269_060_799_999;
/// Milliseconds in a day.
const DAY_MS: i64 = 86_400_000;

/// Reads a date. `None` when SQLite could not, or when it lies before the Julian epoch.
pub(super) fn parse(text: &[u8]) -> Option<Timestamp> {
    let julian_ms = date_and_time(text)
        .or_else(|| time_alone(text))
        .or_else(|| julian_day(text))?;
    (1..=JULIAN_MS_MAX)
        .contains(&julian_ms)
        .then(|| Timestamp(julian_ms - JULIAN_1970_MS))
}

/// `[-]YYYY-MM-DD[THH:MM[:SS[.SSS]]]`.
fn date_and_time(text: &[u8]) -> Option<i64> {
    let (sign, mut text) = match text.strip_prefix(b"-") {
        Some(rest) => (-1, rest),
        None => (1, text),
    };
    let year = number(&mut text, 4, 0..=9999)?;
    literal(&mut text, b'-')?;
    let month = number(&mut text, 2, 1..=12)?;
    literal(&mut text, b'-')?;
    let day = number(&mut text, 2, 1..=31)?;
    let time = text
        .iter()
        .position(|&byte| byte != b'T' && !is_space(byte))
        .map(|at| text.split_at(at).1);
    let time_ms = match time {
        Some(time) => time_ms(time)?,
        None => 0,
    };
    midnight(sign * year, month, day).map(|midnight| midnight + time_ms)
}

/// `HH:MM[:SS[.SSS]]`, on the first day of 2000.
fn time_alone(text: &[u8]) -> Option<i64> {
    Some(midnight(2000, 1, 1)? + time_ms(text)?)
}

/// A Julian day in decimals.
fn julian_day(text: &[u8]) -> Option<i64> {
    let text = core::str::from_utf8(text)
        .ok()?
        .trim_matches(|c: char| c.is_ascii() && is_space(c as u8));
    let plain = text
        .bytes()
        .all(|byte| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E'));
    let day: f64 = text.parse().ok().filter(|_| plain)?;
    #[expect(clippy::cast_possible_truncation, reason = "used when in range")]
    (0.0..5_373_484.5)
        .contains(&day)
        .then_some((day * 86_400_000.0 + 0.5) as i64)
}

/// Milliseconds since midnight UTC of `HH:MM[:SS[.SSS]][zone]`; negative or above a day where the zone says so.
fn time_ms(mut text: &[u8]) -> Option<i64> {
    let hour = number(&mut text, 2, 0..=24)?;
    literal(&mut text, b':')?;
    let minute = number(&mut text, 2, 0..=59)?;
    let mut seconds = 0.0;
    if literal(&mut text, b':').is_some() {
        let whole = number(&mut text, 2, 0..=59)?;
        #[expect(clippy::cast_precision_loss, reason = "below 60")]
        let whole = whole as f64;
        seconds = whole + fraction(&mut text);
    }
    let zone_minutes = zone(text)?;
    #[expect(clippy::cast_possible_truncation, reason = "at most 60 seconds")]
    let seconds_ms = (seconds * 1000.0 + 0.5) as i64;
    Some(hour * 3_600_000 + (minute - zone_minutes) * 60_000 + seconds_ms)
}

/// What follows the whole seconds: a point and at least one digit, or nothing.
fn fraction(text: &mut &[u8]) -> f64 {
    let Some(rest) = text.strip_prefix(b".") else {
        return 0.0;
    };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 {
        return 0.0;
    }
    let (digits, rest) = rest.split_at(length);
    *text = rest;
    let add =
        |(value, scale): (f64, f64), &digit: &u8| (value * 10.0 + f64::from(digit - b'0'), scale * 10.0);
    let (value, scale) = digits.iter().fold((0.0, 1.0), add);
    // As SQLite since 3.46: no fraction rounds up to the next second.
    (value / scale).min(0.999)
}

/// `Z`, `+HH:MM`, `-HH:MM` or nothing: the minutes that the time is ahead of UTC.
fn zone(text: &[u8]) -> Option<i64> {
    let mut text = skip_spaces(text);
    let minutes = match text.split_first() {
        None => 0,
        Some((b'Z' | b'z', rest)) => {
            text = rest;
            0
        }
        Some((sign @ (b'+' | b'-'), rest)) => {
            text = rest;
            let hours = number(&mut text, 2, 0..=14)?;
            literal(&mut text, b':')?;
            let minutes = hours * 60 + number(&mut text, 2, 0..=59)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        Some(_) => return None,
    };
    skip_spaces(text).is_empty().then_some(minutes)
}

/// Milliseconds since the Julian epoch of the start of a day. A day past the end of its month is one of the
/// next.
fn midnight(year: i64, month: i64, day: i64) -> Option<i64> {
    if !(-4713..=9999).contains(&year) {
        return None;
    }
    let (year, month) = if month <= 2 {
        (year - 1, month + 12)
    } else {
        (year, month)
    };
    let century = year / 100;
    let leap = 2 - century + century / 4;
    let days = 36_525 * (year + 4716) / 100 + 306_001 * (month + 1) / 10_000 + day + leap;
    Some(days * DAY_MS - 1524 * DAY_MS - DAY_MS / 2)
}

fn number(text: &mut &[u8], digits: usize, range: core::ops::RangeInclusive<i64>) -> Option<i64> {
    let (head, rest) = text.split_at_checked(digits)?;
    let add = |value: i64, byte: &u8| byte.is_ascii_digit().then(|| value * 10 + i64::from(byte - b'0'));
    let value = head.iter().try_fold(0, add)?;
    *text = rest;
    range.contains(&value).then_some(value)
}

fn literal(text: &mut &[u8], byte: u8) -> Option<()> {
    *text = text.strip_prefix(&[byte])?;
    Some(())
}

fn skip_spaces(text: &[u8]) -> &[u8] {
    let spaces = text.iter().take_while(|&&byte| is_space(byte)).count();
    text.split_at(spaces).1
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}
