//! The text of Keccak-f[1600], once, over whatever holds a word: a `u64`, or a register of four.
//!
//! Source: FIPS 202 sections 3.2 and 3.3; the Keccak team's "implementation overview", section 2.2.

/// Round constants of the iota step.
pub(crate) const ROUND_CONSTANTS: [u64; 24] = [
    0x0000_0000_0000_0001,
    0x0000_0000_0000_8082,
    0x8000_0000_0000_808A,
    0x8000_0000_8000_8000,
    0x0000_0000_0000_808B,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8009,
    0x0000_0000_0000_008A,
    0x0000_0000_0000_0088,
    0x0000_0000_8000_8009,
    0x0000_0000_8000_000A,
    0x0000_0000_8000_808B,
    0x8000_0000_0000_008B,
    0x8000_0000_0000_8089,
    0x8000_0000_0000_8003,
    0x8000_0000_0000_8002,
    0x8000_0000_0000_0080,
    0x0000_0000_0000_800A,
    0x8000_0000_8000_000A,
    0x8000_0000_8000_8081,
    0x8000_0000_0000_8080,
    0x0000_0000_8000_0001,
    0x8000_0000_8000_8008,
];

/// One round: the words of `$a` (an array of 25) become those of `$e`.
///
/// `$xor(a, b)`, `$rol!(a, by)`, `$chi(a, b, c)` = `a ^ (!b & c)`. Straight-line code with constant indices, so that
/// the compiler keeps words in registers as far as there are any.
macro_rules! round {
    ($a:ident, $e:ident, $constant:expr, $xor:ident, $rol:ident, $chi:ident) => {
        let c0 = $xor($xor($xor($a[0], $a[5]), $xor($a[10], $a[15])), $a[20]);
        let c1 = $xor($xor($xor($a[1], $a[6]), $xor($a[11], $a[16])), $a[21]);
        let c2 = $xor($xor($xor($a[2], $a[7]), $xor($a[12], $a[17])), $a[22]);
        let c3 = $xor($xor($xor($a[3], $a[8]), $xor($a[13], $a[18])), $a[23]);
        let c4 = $xor($xor($xor($a[4], $a[9]), $xor($a[14], $a[19])), $a[24]);
        let d0 = $xor(c4, $rol!(c1, 1));
        let d1 = $xor(c0, $rol!(c2, 1));
        let d2 = $xor(c1, $rol!(c3, 1));
        let d3 = $xor(c2, $rol!(c4, 1));
        let d4 = $xor(c3, $rol!(c0, 1));

        let b0 = $xor($a[0], d0);
        let b1 = $rol!($xor($a[6], d1), 44);
        let b2 = $rol!($xor($a[12], d2), 43);
        let b3 = $rol!($xor($a[18], d3), 21);
        let b4 = $rol!($xor($a[24], d4), 14);
        $e[0] = $xor($chi(b0, b1, b2), $constant);
        $e[1] = $chi(b1, b2, b3);
        $e[2] = $chi(b2, b3, b4);
        $e[3] = $chi(b3, b4, b0);
        $e[4] = $chi(b4, b0, b1);

        let b0 = $rol!($xor($a[3], d3), 28);
        let b1 = $rol!($xor($a[9], d4), 20);
        let b2 = $rol!($xor($a[10], d0), 3);
        let b3 = $rol!($xor($a[16], d1), 45);
        let b4 = $rol!($xor($a[22], d2), 61);
        $e[5] = $chi(b0, b1, b2);
        $e[6] = $chi(b1, b2, b3);
        $e[7] = $chi(b2, b3, b4);
        $e[8] = $chi(b3, b4, b0);
        $e[9] = $chi(b4, b0, b1);

        let b0 = $rol!($xor($a[1], d1), 1);
        let b1 = $rol!($xor($a[7], d2), 6);
        let b2 = $rol!($xor($a[13], d3), 25);
        let b3 = $rol!($xor($a[19], d4), 8);
        let b4 = $rol!($xor($a[20], d0), 18);
        $e[10] = $chi(b0, b1, b2);
        $e[11] = $chi(b1, b2, b3);
        $e[12] = $chi(b2, b3, b4);
        $e[13] = $chi(b3, b4, b0);
        $e[14] = $chi(b4, b0, b1);

        let b0 = $rol!($xor($a[4], d4), 27);
        let b1 = $rol!($xor($a[5], d0), 36);
        let b2 = $rol!($xor($a[11], d1), 10);
        let b3 = $rol!($xor($a[17], d2), 15);
        let b4 = $rol!($xor($a[23], d3), 56);
        $e[15] = $chi(b0, b1, b2);
        $e[16] = $chi(b1, b2, b3);
        $e[17] = $chi(b2, b3, b4);
        $e[18] = $chi(b3, b4, b0);
        $e[19] = $chi(b4, b0, b1);

        let b0 = $rol!($xor($a[2], d2), 62);
        let b1 = $rol!($xor($a[8], d3), 55);
        let b2 = $rol!($xor($a[14], d4), 39);
        let b3 = $rol!($xor($a[15], d0), 41);
        let b4 = $rol!($xor($a[21], d1), 2);
        $e[20] = $chi(b0, b1, b2);
        $e[21] = $chi(b1, b2, b3);
        $e[22] = $chi(b2, b3, b4);
        $e[23] = $chi(b3, b4, b0);
        $e[24] = $chi(b4, b0, b1);
    };
}
pub(crate) use round;
