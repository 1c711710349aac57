//! The door for tickets: a stranger proves that it was invited, and is on the list from then on.
//!
//! Source: `leaf_core::peer` for what is said and signed, `leaf_core::repo` for who is let in.

use super::door::Doors;
use super::xfer::{ended, reply};
use crate::output::tame;
use crate::world;
use iroh::EndpointId;
use iroh::endpoint::{RecvStream, SendStream};
use leaf_core::id::{ProjectCode, to_hex};
use leaf_core::peer::{JoinAnswer, short_code};
use leaf_core::repo::{NotAdmitted, RepoError};
use leaf_iroh::{Source, shown};

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
    reply(doors, id, send, &mut [answer.write().into()]).await;
}

async fn admit(doors: &Doors, id: EndpointId, line: &[u8]) -> JoinAnswer {
    let refused = |why: &str| JoinAnswer::Refused(why.to_owned());
    let ask = match shown(line, doors.own, id) {
        Ok(ask) => ask,
        Err(why) => return JoinAnswer::Refused(why),
    };
    let mut answer = refused(&NotAdmitted::Unknown.to_string());
    for (name, pool) in doors.guests.pools().await {
        let (key, guest, called) = (to_hex(&ask.invite), id.to_string(), ask.name.clone());
        let admitted = pool
            .run(move |repo, _| {
                let project = repo.project_code()?;
                let admitted = repo.write(|tx| tx.admit(&key, &guest, &called, world::now()))?;
                Ok::<_, RepoError>((project, admitted))
            })
            .await;
        match admitted {
            Ok(Ok((_, Err(NotAdmitted::Unknown)))) => {}
            Ok(Ok((_, Err(why)))) => answer = refused(&why.to_string()),
            Ok(Ok((project, Ok(guest)))) => {
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
