//! Leaves that call by key: who may, and what they are answered.
//!
//! The transport has proved whose key it is before anything comes here: `leaf-wasm/iroh`.

use super::read::ms;
use crate::engine::{Leaf, limits};
use crate::failure::Failed;
use crate::host::now;
use crate::protocol::{
    AddInvite, Admit, Admitted, Answer, Answered, Bytes, Caller, Code, Guest, GuestId, Nothing, Welcomed,
};
use leaf_core::repo::{Invite, Repo};
use leaf_core::sync::{Request, ServeContext, serve};
use leaf_core::time::Timestamp;
use leaf_core::xfer::ContentType;
use serde_bytes::ByteBuf;

/// All of them, by name.
pub(super) fn list(repo: &Repo) -> Result<Vec<Guest>, Failed> {
    let guests = repo.guests()?.into_iter().map(|guest| Guest {
        id: guest.id,
        name: guest.name,
        capabilities: guest.capabilities,
        added: ms(guest.added),
        seen: guest.seen.map(ms),
    });
    Ok(guests.collect())
}

/// Lets one call no more.
pub(super) fn remove(leaf: &Leaf, args: &GuestId) -> Result<Nothing, Failed> {
    match leaf.with(|repo| Ok(repo.write(|tx| tx.remove_guest(&args.id))?))? {
        true => Ok(Nothing {}),
        false => Err(Failed::not_found("guest", &args.id)),
    }
}

/// Keeps an invitation.
pub(super) fn invite(leaf: &Leaf, args: AddInvite) -> Result<Nothing, Failed> {
    #[expect(clippy::cast_possible_truncation, reason = "a time in this millennium")]
    let invite = Invite {
        key: args.key,
        name: args.name,
        capabilities: args.capabilities,
        expires: Timestamp::from_unix(args.expires as i64 / 1000),
        used_by: None,
    };
    leaf.with(|repo| Ok(repo.write(|tx| tx.add_invite(&invite, now()))?))?;
    Ok(Nothing {})
}

/// Whether somebody is let in.
pub(super) fn welcome(leaf: &Leaf, args: &Caller) -> Result<Welcomed, Failed> {
    let is_welcome = leaf.read(|repo| match args.joins {
        true => Ok(repo.has_invited()?),
        false => Ok(repo.guest(&args.peer)?.is_some()),
    })?;
    Ok(Welcomed { is_welcome })
}

/// Lets in somebody with an invitation.
pub(super) fn admit(leaf: &Leaf, args: &Admit) -> Result<Admitted, Failed> {
    let (project, admitted) = leaf.with(|repo| {
        let project = repo.project_code()?.as_str().to_owned();
        let admitted = repo.write(|tx| tx.admit(&args.invite, &args.peer, &args.name, now()))?;
        Ok((project, admitted))
    })?;
    let guest = admitted.map_err(|why| Failed::new(Code::Refused, why.to_string()))?;
    Ok(Admitted {
        project,
        capabilities: guest.capabilities,
    })
}

/// Answers a sync message.
pub(super) fn answer(leaf: &Leaf, args: &Answer) -> Result<Answered, Failed> {
    let refused = |why: &str| Failed::new(Code::Refused, why);
    let content_type =
        ContentType::parse(&args.content_type).ok_or_else(|| refused("this is no sync message"))?;
    let now = now();
    leaf.with(|repo| {
        let guest = repo.guest(&args.peer)?;
        let guest = guest.ok_or_else(|| refused("you are not on the list of peers"))?;
        if let Some(place) = &args.place
            && !(place.len() >= 8 && repo.project_code()?.as_str().starts_with(place.as_str()))
        {
            return Err(refused("there is no such project, or it is not for you"));
        }
        if guest.is_seen_again(now) {
            repo.write(|tx| tx.note_guest_seen(&guest.id, now))?;
        }
        let context = ServeContext {
            now,
            peer_address: ["iroh:", &args.peer].concat(),
            guest: Some(guest),
            base_url: None,
            limits: limits(),
        };
        let request = Request {
            body: &args.body.0,
            content_type,
            cookie: None,
        };
        let reply = serve(repo, &mut leaf.seen.borrow_mut(), &request, &context)?;
        Ok(Answered {
            content_type: reply.content_type.as_str().to_owned(),
            body: Bytes(ByteBuf::from(reply.body)),
            received: (reply.served.received + reply.served.uv_received) as u64,
        })
    })
}
