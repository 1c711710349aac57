//! The other leaves of the project.

use crate::engine::Leaf;
use crate::failure::Failed;
use crate::protocol::Peer;
use leaf_core::mesh::Card;
use std::rc::Rc;

/// Those that are there, by name.
pub(super) async fn list(leaf: &Rc<Leaf>) -> Result<Vec<Peer>, Failed> {
    let (project, own) = leaf.read(|repo| Ok((repo.project_code()?, repo.server_code()?)))?;
    let link = leaf.links.borrow().iter().find(|link| link.takes_part()).cloned();
    let cards = match link {
        Some(link) if link.is_ready() => link.who().await?,
        _ => Vec::new(),
    };
    let is_other = |card: &&Card| card.project_code == project.as_str() && card.peer_id != own.as_str();
    let mut peers: Vec<Peer> = Vec::new();
    for card in cards.iter().filter(is_other) {
        // Several connections of one leaf answer for it, each.
        if peers.iter().all(|known| known.id != card.peer_id) {
            peers.push(present(card));
        }
    }
    peers.sort_by(|one, other| (&one.name, &one.id).cmp(&(&other.name, &other.id)));
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
