//! Ticket changes. A ticket is the sum of its changes.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.5.

use super::Text;
use super::draft::Draft;
use super::write::CardWriter;
use crate::time::Timestamp;

/// A change of a ticket.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TicketChange {
    /// `D`.
    pub date: Timestamp,
    /// `J`. Shape: strictly ascending by name, the `+` included; at least one.
    pub fields: Vec<TicketField>,
    /// `K`: which ticket. Shape: 40 hex digits, random.
    pub ticket: Text,
    /// `U`.
    pub user: Text,
}

/// A `J` card: sets a field or appends to it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct TicketField {
    /// The value goes after what the field holds.
    pub append: bool,
    /// A column of the ticket table. Shape: no spaces.
    pub name: Text,
    /// May be empty.
    pub value: Text,
}

impl TicketChange {
    pub(super) fn from_draft(draft: Draft<'_>) -> Option<Self> {
        Some(Self {
            date: draft.date?,
            fields: draft.fields,
            ticket: Text::from(draft.ticket?),
            user: Text::new(draft.user?),
        })
    }

    pub(super) fn write_cards(&self, cards: &mut CardWriter) {
        cards.date(self.date);
        for field in &self.fields {
            cards.begin(b'J').plain(&field.sort_key());
            if !field.value.is_empty() {
                cards.text(&field.value);
            }
            cards.end();
        }
        cards.begin(b'K').plain(self.ticket.as_bytes()).end();
        cards.begin(b'U').text(&self.user).end();
    }
}

impl TicketField {
    /// The name as it is written, which `J` cards are sorted by.
    pub fn sort_key(&self) -> Vec<u8> {
        let mark: &[u8] = if self.append { b"+" } else { b"" };
        [mark, self.name.as_bytes()].concat()
    }
}
