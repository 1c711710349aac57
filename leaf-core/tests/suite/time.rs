//! Time: the three forms of a timestamp, held against what SQLite makes of the same text.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::time::Timestamp;
use proptest::prelude::*;
use rusqlite::Connection;

/// 0000-01-01 and 9999-12-31, between which SQLite knows dates.
const FIRST_MS: i64 = -62_167_219_200_000;
const LAST_MS: i64 = 253_402_300_799_999;

fn sqlite() -> Connection {
    Connection::open_in_memory().expect("memory")
}

fn julianday(db: &Connection, text: &str) -> Option<f64> {
    db.prepare_cached("SELECT julianday(?1)")
        .expect("SQL")
        .query_row([text], |row| row.get(0))
        .expect("a row")
}

#[test]
fn julian_days_are_those_of_sqlite_to_the_last_bit() {
    let db = sqlite();
    proptest!(crate::properties::config(3000), |(ms in FIRST_MS..=LAST_MS)| {
        let time = Timestamp(ms);
        let text = time.iso_ms();
        let theirs = julianday(&db, &text).expect("a date");
        prop_assert_eq!(time.julian().to_bits(), theirs.to_bits(), "{}", text);
        prop_assert_eq!(Timestamp::from_julian(theirs), time);
        prop_assert_eq!(Timestamp::parse_iso(text.as_bytes()), Some(time));
    });
}

#[test]
fn text_is_that_of_sqlite() {
    let db = sqlite();
    proptest!(crate::properties::config(1000), |(ms in FIRST_MS..=LAST_MS)| {
        let theirs: String = db
            .prepare_cached("SELECT strftime('%Y-%m-%dT%H:%M:%f', ?1)").expect("SQL")
            .query_row([Timestamp(ms).julian()], |row| row.get(0)).expect("a row");
        prop_assert_eq!(Timestamp(ms).iso_ms(), theirs);
    });
}

#[test]
fn text_is_read_as_sqlite_reads_it() {
    let db = sqlite();
    for text in [
        "1970-01-01T00:00:00",
        "2000-02-29 23:59:59",
        "1900-02-29T00:00:00",
        "2026-11-21T07:05:19.5",
        "2026-11-21T07:05:19.1234",
        "2026-11-21T07:05:19.1235",
        "2026-11-21T07:05:19.9994",
        "2026-11-21T07:05:19.000000001",
        "2026-02-31T12:00:00",
        "2026-11-31T00:00:00.999",
        "9999-12-31T23:59:59.999",
        "0000-01-01T00:00:00.001",
        "2026-11-21T24:00:00",
    ] {
        let ours = Timestamp::parse_iso(text.as_bytes()).map(|time| time.julian().to_bits());
        assert_eq!(ours, julianday(&db, text).map(f64::to_bits), "{text}");
    }
}

#[test]
fn what_is_no_date_is_not_read() {
    for text in [
        "",
        "2026-11-21",
        "2026-11-21T07:05",
        "2026-11-21T07:05:19.",
        "2026-11-21T07:05:19Z",
        "2026-13-01T00:00:00",
        "2026-00-01T00:00:00",
        "2026-01-00T00:00:00",
        "2026-01-32T00:00:00",
        "2026-01-01T00:60:00",
        "2026-01-01T00:00:60",
        "2026-01-01T25:00:00",
        "2026-01-01x00:00:00",
        "-026-01-01T00:00:00",
        "2026-01-01T00:00:0\u{661}",
        "2026-01-01T00:00:00.1234567890",
    ] {
        assert_eq!(Timestamp::parse_iso(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn seconds_are_rounded_down_also_before_1970() {
    assert_eq!(Timestamp(1999).unix(), 1);
    assert_eq!(Timestamp(-1).unix(), -1);
    assert_eq!(Timestamp::from_unix(-7), Timestamp(-7000));
}

#[test]
fn sums_beyond_all_time_stop_at_its_end() {
    assert_eq!(Timestamp(i64::MAX).plus_ms(1), Timestamp(i64::MAX));
    assert_eq!(Timestamp(i64::MIN).plus_ms(-1), Timestamp(i64::MIN));
    assert_eq!(Timestamp::from_unix(i64::MAX), Timestamp(i64::MAX));
    assert_eq!(
        Timestamp::from_julian(f64::NAN).julian().to_bits(),
        0_f64.to_bits()
    );
}
