//! The door for tickets: a stranger proves that it was invited, and is on the list from then on.
//!
//! Source: `leaf_core::peer` for what is said and signed, `leaf_core::repo` for who is let in.

use super::door::Doors;
use super::xfer::{ended, reply};
use crate::output::tame;
use crate::world;
use iroh::endpoint::{RecvStream, SendStream};
use iroh::{EndpointId, PublicKey, Signature};
use leaf_core::id::{ProjectCode, to_hex};
use leaf_core::peer::{JoinAnswer, JoinAsk, join_text, short_code};
use leaf_core::repo::{Admission, RepoError};
use leaf_iroh::Source;

/// Answers one who comes with a ticket.
pub(super) async fn answer(doors: &Doors, id: EndpointId, send: SendStream, receive: RecvStream) {
    let mut source = Source::new(receive, doors.silence_max());
    let answer = match source.line(doors.limits.line_bytes_max).await {
        Ok(line) => admit(doors, id, &line).await,
        Err(error) => return ended(id, send, &error),
    };
    if let JoinAnswer::Refused(why) = &answer {
        tracing::info!(peer = %id, error = why, "a ticket was refused");
    }
    reply(doors, id, send, &[&answer.write()]).await;
}

async fn admit(doors: &Doors, id: EndpointId, line: &[u8]) -> JoinAnswer {
    let refused = |why: &str| JoinAnswer::Refused(why.to_owned());
    let Ok(ask) = JoinAsk::parse(line) else {
        return refused("the request does not begin as one");
    };
    if !is_proved(doors, id, &ask) {
        return refused("this ticket was not made here, or not for you to use");
    }
    let mut answer = refused("this ticket is unknown here: it was withdrawn, or is long past");
    for (name, pool) in doors.guests.pools().await {
        let (key, guest, called) = (to_hex(&ask.invite), id.to_string(), ask.name.clone());
        let admitted = pool
            .run(move |repo, _| {
                let project = repo.project_code()?;
                let admission = repo.write(|tx| tx.admit(&key, &guest, &called, world::now()))?;
                Ok::<_, RepoError>((project, admission))
            })
            .await;
        match admitted {
            Ok(Ok((_, Admission::Unknown))) => {}
            Ok(Ok((_, Admission::Used))) => {
                answer = refused("this ticket was used before: each is good for one");
            }
            Ok(Ok((_, Admission::Expired))) => answer = refused("this ticket has expired"),
            Ok(Ok((project, Admission::Admitted(guest)))) => {
                let code = short_code(doors.own.as_bytes(), id.as_bytes(), &ask.invite);
                tracing::info!(
                    peer = guest.id,
                    name = tame(&guest.name),
                    repository = name,
                    capabilities = guest.capabilities,
                    code,
                    "joined; the code is the one that the other side shows"
                );
                return joined(project, guest.capabilities);
            }
            Ok(Err(error)) => {
                tracing::error!(name, %error, "an invitation cannot be looked up");
                return refused("the repository cannot be read or written");
            }
            Err(_) => return refused("internal error"),
        }
    }
    answer
}

fn joined(project: ProjectCode, capabilities: String) -> JoinAnswer {
    JoinAnswer::Joined {
        project,
        capabilities,
    }
}

/// Whether who asks holds the ticket, and asks for itself, and asks us.
fn is_proved(doors: &Doors, id: EndpointId, ask: &JoinAsk) -> bool {
    let text = join_text(doors.own.as_bytes(), id.as_bytes());
    PublicKey::from_bytes(&ask.invite)
        .is_ok_and(|key| key.verify(&text, &Signature::from_bytes(&ask.signature)).is_ok())
}
