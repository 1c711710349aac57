//! The other leaves of the project: those that answer now, and those that the repository knows of.

use super::read::ms;
use crate::engine::Leaf;
use crate::failure::Failed;
use crate::host::now;
use crate::protocol::Peer;
use leaf_core::mesh::Card;
use std::rc::Rc;

/// Those that are there, then those that were, each by name.
pub(super) async fn list(leaf: &Rc<Leaf>) -> Result<Vec<Peer>, Failed> {
    let link = leaf.links.borrow().iter().find(|link| link.takes_part()).cloned();
    let cards = match link {
        Some(link) if link.is_ready() => link.who().await?,
        _ => Vec::new(),
    };
    let (project, own, known) =
        leaf.read(|repo| Ok((repo.project_code()?, repo.server_code()?, repo.peers(now())?)))?;
    let is_of_project = |card: &&Card| card.project_code == project.as_str();
    let mut peers: Vec<Peer> = cards.iter().filter(is_of_project).map(present).collect();
    peers.extend(known.into_iter().map(absent));
    peers.sort_by(|one, other| {
        (one.last_seen.is_some(), &one.name, &one.id).cmp(&(
            other.last_seen.is_some(),
            &other.name,
            &other.id,
        ))
    });
    // Several connections of one leaf answer for it, each.
    let mut listed = vec![own.to_string()];
    peers.retain(|peer| {
        let is_new = !listed.contains(&peer.id);
        listed.push(peer.id.clone());
        is_new
    });
    Ok(peers)
}

fn present(card: &Card) -> Peer {
    Peer {
        id: card.peer_id.clone(),
        name: card.leaf.clone(),
        repository: card.repository.clone(),
        kind: card.kind.clone(),
        version: card.version.clone(),
        transports: vec!["nats".to_owned()],
        last_seen: None,
    }
}

fn absent(known: leaf_core::repo::Peer) -> Peer {
    let transports = known
        .transports
        .split(',')
        .filter_map(|word| word.strip_prefix("serve-"));
    Peer {
        transports: transports.map(str::to_owned).collect(),
        id: known.peer_id,
        name: known.name,
        repository: known.repository,
        kind: known.kind,
        version: known.version,
        last_seen: Some(ms(known.seen)),
    }
}
