//! Ticket changes. A ticket is the sum of its changes.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.5.

use super::Text;
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
