//! What a leaf that is called needs, natively and in a browser.
//!
//! Source: `leaf_core::peer`.

use crate::wire::WireError;
use iroh::{EndpointId, PublicKey, Signature};
use leaf_core::peer::{JoinAsk, join_text};

/// What is said to whoever speaks in some other way.
const NO_REQUEST: &str = "the request does not begin as one";

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
            WireError::NoLine => Self::Refused(NO_REQUEST.to_owned()),
            error => Self::Gone(error),
        }
    }
}

/// What somebody with a ticket shows, who holds it, asks for itself, and asks `own`.
///
/// # Errors
///
/// What to tell whoever does not.
pub fn shown(line: &[u8], own: EndpointId, caller: EndpointId) -> Result<JoinAsk, String> {
    let ask = JoinAsk::parse(line).map_err(|_| NO_REQUEST.to_owned())?;
    let text = join_text(own.as_bytes(), caller.as_bytes());
    let signature = Signature::from_bytes(&ask.signature);
    let is_proved = PublicKey::from_bytes(&ask.invite).is_ok_and(|key| key.verify(&text, &signature).is_ok());
    match is_proved {
        true => Ok(ask),
        false => Err("this ticket was not made here, or not for you to use".to_owned()),
    }
}
