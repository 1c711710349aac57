//! The answering side: whole requests and parts of them in, replies and parts of them out.
//!
//! What is kept between messages (a request that is here in part, a reply that is taken in parts) is bounded in
//! bytes, number and time, for whoever may publish may begin any number of them.

use super::HEAD_BYTES;
use super::head::{self, Head, Part};
use crate::limits::MeshLimits;
use crate::nats::dice::Dice;
use crate::sync::Reply;
use crate::time::Timestamp;
use crate::xfer::{ContentType, envelope};
use std::collections::BTreeMap;

/// A message that answers another one.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The header block.
    pub header: Vec<u8>,
    /// What.
    pub body: Vec<u8>,
}

/// A whole request.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Errand {
    /// A sync message.
    pub body: Vec<u8>,
    /// How it is packed.
    pub content_type: ContentType,
    /// Which leaf asks; `None` is an EdgeSync node, which takes no parts.
    pub from: Option<String>,
}

/// What a message at the desk means.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Asked {
    /// The repository has to answer; its reply goes to [`Desk::answer`].
    Errand(Errand),
    /// This answers it.
    Answer(Answer),
}

/// The answering side of one repository.
#[derive(Debug)]
pub struct Desk {
    own: String,
    limits: MeshLimits,
    /// Requests that are here in part, by who sends them and their token.
    requests: BTreeMap<(String, u64), Kept>,
    /// Replies that are taken in parts, by who takes them and their token.
    replies: BTreeMap<(String, u64), Kept>,
    /// Where the tokens of replies come from.
    dice: Dice,
}

#[derive(Debug)]
struct Kept {
    bytes: Vec<u8>,
    /// Of a request: what it will be. Of a reply: what it is.
    total: usize,
    content_type: ContentType,
    used: Timestamp,
}

impl Desk {
    /// A desk of the leaf `own`; `seed` is random.
    pub fn new(own: String, limits: MeshLimits, seed: u64) -> Self {
        Self {
            own,
            limits,
            requests: BTreeMap::new(),
            replies: BTreeMap::new(),
            dice: Dice::new(seed),
        }
    }

    /// Takes what came on a subject of this desk. `payload_max` is what the NATS server takes.
    pub fn handle(&mut self, header: &[u8], body: Vec<u8>, payload_max: usize, now: Timestamp) -> Asked {
        self.forget_old(now);
        let from = head::peer(header).map(str::to_owned);
        let content_type = head::value(header, head::TYPE)
            .and_then(ContentType::parse)
            .unwrap_or(ContentType::Compressed);
        let Some(from) = from else {
            return Asked::Errand(Errand {
                body,
                content_type,
                from: None,
            });
        };
        if head::value(header, head::HELLO).is_some() {
            return Asked::Answer(Answer {
                header: self.head().bytes(),
                body: Vec::new(),
            });
        }
        if let Some((token, offset)) = head::more(header) {
            return Asked::Answer(self.next_part(from, token, offset, payload_max, now));
        }
        let Some(part) = head::part(header) else {
            return Asked::Errand(Errand {
                body,
                content_type,
                from: Some(from),
            });
        };
        self.take_part(from, part, &body, content_type, now)
    }

    /// Bytes that are kept now.
    pub fn kept_bytes(&self) -> usize {
        let kept = self.requests.values().chain(self.replies.values());
        kept.map(|kept| kept.total).sum()
    }

    fn forget_old(&mut self, now: Timestamp) {
        let kept_ms = self.limits.kept_ms_max;
        let is_young = |kept: &Kept| now.0.saturating_sub(kept.used.0) <= kept_ms;
        self.requests.retain(|_, kept| is_young(kept));
        self.replies.retain(|_, kept| is_young(kept));
    }

    /// Whether `bytes` more may be kept.
    fn has_room(&self, bytes: usize) -> bool {
        let count = self.requests.len().saturating_add(self.replies.len());
        count < self.limits.kept_max && self.kept_bytes().saturating_add(bytes) <= self.limits.kept_bytes_max
    }

    fn head(&self) -> Head {
        Head::from(&self.own)
    }

    fn refuse(&self, why: &str) -> Answer {
        Answer {
            header: self.head().error(why).bytes(),
            body: Vec::new(),
        }
    }

    fn take_part(
        &mut self,
        from: String,
        part: Part,
        body: &[u8],
        content_type: ContentType,
        now: Timestamp,
    ) -> Asked {
        let key = (from, part.token);
        if part.offset == 0 {
            self.requests.remove(&key);
            if !self.has_room(part.total) {
                return Asked::Answer(self.refuse("the leaf is busy, or the request is too large for it"));
            }
            let kept = Kept {
                // What a header announces is not believed.
                bytes: Vec::new(),
                total: part.total,
                content_type,
                used: now,
            };
            self.requests.insert(key.clone(), kept);
        }
        let Some(kept) = self.requests.get_mut(&key) else {
            return Asked::Answer(self.refuse("the beginning of that request is not here any more"));
        };
        let end = part.offset.saturating_add(body.len());
        let fits = part.offset == kept.bytes.len() && part.total == kept.total && end <= kept.total;
        if !fits || body.is_empty() {
            self.requests.remove(&key);
            return Asked::Answer(self.refuse("the parts of that request do not fit together"));
        }
        kept.bytes.extend_from_slice(body);
        kept.used = now;
        if end < kept.total {
            let head = self.head().part(part.token, end, part.total);
            return Asked::Answer(Answer {
                header: head.bytes(),
                body: Vec::new(),
            });
        }
        let body = self
            .requests
            .remove(&key)
            .map(|kept| kept.bytes)
            .unwrap_or_default();
        Asked::Errand(Errand {
            body,
            content_type,
            from: Some(key.0),
        })
    }

    fn next_part(
        &mut self,
        from: String,
        token: u64,
        offset: usize,
        payload_max: usize,
        now: Timestamp,
    ) -> Answer {
        let key = (from, token);
        let Some(kept) = self.replies.get_mut(&key) else {
            return self.refuse("that reply is not here any more");
        };
        kept.used = now;
        let end = offset.saturating_add(room(payload_max)).min(kept.total);
        let Some(body) = kept
            .bytes
            .get(offset..end)
            .filter(|body| !body.is_empty())
            .map(<[u8]>::to_vec)
        else {
            self.replies.remove(&key);
            return self.refuse("there is no such part");
        };
        let (total, content_type) = (kept.total, kept.content_type);
        if end == total {
            self.replies.remove(&key);
        }
        Answer {
            header: self.typed(content_type).part(token, offset, total).bytes(),
            body,
        }
    }

    fn typed(&self, content_type: ContentType) -> Head {
        match content_type {
            ContentType::Compressed => self.head(),
            other => self.head().with(head::TYPE, other.as_str()),
        }
    }

    /// What goes back to whoever sent an errand, once the repository has answered, or failed and says why.
    pub fn answer(
        &mut self,
        from: Option<String>,
        reply: Result<Reply, String>,
        payload_max: usize,
        now: Timestamp,
    ) -> Answer {
        let reply = match (reply, &from) {
            (Ok(reply), _) => reply,
            (Err(why), Some(_)) => return self.refuse(&why),
            (Err(_), None) => return nothing(),
        };
        let Some(from) = from else {
            let body = match reply.content_type {
                ContentType::Compressed => reply.body,
                _ => envelope::pack(reply.body, ContentType::Compressed),
            };
            return match body.len() <= payload_max {
                true => Answer {
                    header: Vec::new(),
                    body,
                },
                false => nothing(),
            };
        };
        let head = self.typed(reply.content_type);
        let room = room(payload_max);
        if reply.body.len() <= room {
            return Answer {
                header: head.bytes(),
                body: reply.body,
            };
        }
        let total = reply.body.len();
        if !self.has_room(total) {
            return self.refuse("the leaf is busy: try again later");
        }
        let (token, first) = (
            self.dice.draw(),
            reply.body.get(..room).unwrap_or_default().to_vec(),
        );
        let kept = Kept {
            bytes: reply.body,
            total,
            content_type: reply.content_type,
            used: now,
        };
        self.replies.insert((from, token), kept);
        Answer {
            header: head.part(token, 0, total).bytes(),
            body: first,
        }
    }
}

/// How an EdgeSync node is told that there is no reply.
fn nothing() -> Answer {
    Answer {
        header: Vec::new(),
        body: Vec::new(),
    }
}

/// What fits into one message besides its headers.
fn room(payload_max: usize) -> usize {
    payload_max.saturating_sub(HEAD_BYTES).max(1)
}
