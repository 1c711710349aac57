//! Numbers of base 64, most significant digit first.
//!
//! Source: Fossil `www/delta_format.wiki` section 1.0.

const DIGITS: [u8; 64] = *b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz~";

/// The value of each byte as a digit; 64 for what is none.
const VALUES: [u8; 256] = {
    let mut values = [64; 256];
    let mut digit = 0_u8;
    while digit < 64 {
        values[DIGITS[digit as usize] as usize] = digit;
        digit += 1;
    }
    values
};

/// The value of `byte` as a digit.
pub(super) fn value_of(byte: u8) -> Option<u32> {
    match VALUES[usize::from(byte)] {
        64 => None,
        value => Some(u32::from(value)),
    }
}

/// How many digits `value` has.
pub(super) fn digits(value: u32) -> u32 {
    (32 - value.leading_zeros()).div_ceil(6).max(1)
}

/// Appends the digits of `value`.
pub(super) fn put(value: u32, out: &mut Vec<u8>) {
    for digit in (0..digits(value)).rev() {
        out.push(DIGITS[(value >> (6 * digit)) as usize & 63]);
    }
}
