//! What a leaf that is called needs, natively and in a browser.
//!
//! Source: `leaf_core::peer`.

use crate::wire::WireError;
use iroh::{EndpointId, PublicKey, Signature};
use leaf_core::peer::{JoinAsk, join_text};

/// Why there is no answer.
#[derive(Debug)]
pub enum Stop {
    /// The other side is told.
    Refused(String),
    /// There is nobody to tell.
    Gone(WireError),
}

impl From<WireError> for Stop {
    fn from(error: WireError) -> Self {
        match error {
            WireError::TooLarge { .. } => {
                Self::Refused("the request is too large, or the leaf is busy".to_owned())
            }
            WireError::NoLine => Self::Refused("the request does not begin as one".to_owned()),
            error => Self::Gone(error),
        }
    }
}

/// Whether `caller` holds the ticket that it shows, asks for itself, and asks `own`.
pub fn holds_ticket(ask: &JoinAsk, own: EndpointId, caller: EndpointId) -> bool {
    let text = join_text(own.as_bytes(), caller.as_bytes());
    let signature = Signature::from_bytes(&ask.signature);
    PublicKey::from_bytes(&ask.invite).is_ok_and(|key| key.verify(&text, &signature).is_ok())
}
