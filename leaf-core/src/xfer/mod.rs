//! Messages of the sync protocol: cards, login, and the envelope they travel in.
//!
//! Pure bytes: nothing here knows a repository. A message is a run of [`Card`]s; [`Cards`] reads them off
//! without copying, [`MessageWriter`] appends them, [`login`] signs and checks, [`envelope`] compresses.
//!
//! Source: Fossil `www/sync.wiki` sections 2 and 3; `src/xfer.c`; `src/http.c`.

mod card;
pub mod envelope;
pub mod login;
mod pragma;
mod read;
mod write;

pub use card::{Card, UvBody};
pub use envelope::{BadEnvelope, ContentType};
pub use pragma::{Pragma, Version};
pub use read::{BadCard, Cards};
pub use write::MessageWriter;
