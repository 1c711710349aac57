//! Who is there: the question, and each one's answer.

use super::line::Line;
use crate::world;
use leaf_core::mesh::{Card, Subjects};
use leaf_core::nats::client::Arrival;
use std::time::Duration;
use tokio::time::timeout;

/// How long answers are waited for, after one of them and for the first: that nobody hears the question, a server says at
/// once, so that who is silent is busy.
const PATIENCE: (Duration, Duration) = (Duration::from_millis(300), Duration::from_secs(10));

/// Answers the question with `card`.
pub(super) fn tell(line: &Line, card: &Card, question: &Arrival) {
    let reply = question
        .reply
        .as_deref()
        .and_then(|reply| std::str::from_utf8(reply).ok());
    if let Some(reply) = reply {
        line.publish(reply, None, Vec::new(), card.write());
    }
}

/// Asks who is there, and waits a moment for those who are slow.
pub async fn cards(line: &Line, prefix: &str) -> Vec<Card> {
    let inbox = format!("_INBOX.{}", leaf_core::id::to_hex(&world::entropy()));
    let mut answers = line.subscribe(&inbox, None);
    line.publish(&Subjects::who(prefix), Some(&inbox), Vec::new(), Vec::new());
    let mut cards: Vec<Card> = Vec::new();
    let mut patience = PATIENCE.1;
    while let Ok(Some(arrival)) = timeout(patience, answers.next()).await {
        // A message without a body is a server's word that nobody hears the question.
        if arrival.header.starts_with(b"NATS/1.0 503") {
            break;
        }
        if let Some(card) = Card::read(&arrival.body)
            && !cards.iter().any(|known| known.peer_id == card.peer_id)
        {
            cards.push(card);
        }
        patience = PATIENCE.0;
    }
    cards.sort_by(|one, other| {
        let key = |card: &Card| {
            (
                card.project_code.clone(),
                card.leaf.clone(),
                card.repository.clone(),
            )
        };
        key(one).cmp(&key(other))
    });
    cards
}
