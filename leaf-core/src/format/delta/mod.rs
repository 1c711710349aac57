//! Deltas: how to make one content from another.
//!
//! ```text
//! delta     = size "\n" { copy | insert } checksum ";"
//! copy      = count "@" offset ","          bytes of the source
//! insert    = count ":" count bytes         bytes of the delta itself
//! ```
//!
//! `size` is that of the target, `checksum` the sum of its big-endian 32-bit words. Numbers have base 64.
//! [`create`] finds what two contents share; [`apply`] trusts nothing, checks everything, and makes no more
//! than was declared.
//!
//! Source: Fossil `www/delta_format.wiki`, `www/delta_encoder_algorithm.wiki`, `src/delta.c`.

mod apply;
mod checksum;
mod create;
mod matcher;
mod number;

pub use apply::{apply, apply_into, target_size};
pub use create::create;

/// Why some bytes are not a delta for a source.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadDelta {
    /// No number where one must be, or one that does not fit 32 bits.
    #[error("bad number at byte {offset}")]
    Number {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// Something else than the mark that must follow a number.
    #[error("unknown operation at byte {offset}")]
    Operation {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// The target would be larger than is allowed.
    #[error("makes {declared} bytes, the limit is {max}")]
    TooLarge {
        /// The size it claims.
        declared: usize,
        /// The limit.
        max: usize,
    },
    /// A copy reaches past the end of the source.
    #[error("the copy at byte {offset} reaches past the end of the source")]
    Copy {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// An insert reaches past the end of the delta, or the delta just ends.
    #[error("the delta ends at byte {offset}, before it is complete")]
    Truncated {
        /// Zero-based position in the delta.
        offset: usize,
    },
    /// The operations make more or less than the declared size.
    #[error("makes {made} bytes where {declared} were declared")]
    Size {
        /// What the operations make, as far as they were followed.
        made: usize,
        /// The size it claims.
        declared: usize,
    },
    /// The check sum is not that of the target: most likely another source was meant.
    #[error("wrong check sum: not a delta for this source")]
    Checksum,
    /// Bytes follow the check sum.
    #[error("{bytes} bytes follow the delta")]
    Trailing {
        /// How many.
        bytes: usize,
    },
}
