//! A case: a broker set up in some way, and a script of what its clients send and hear.
//!
//! Clients are called [`A`], [`B`], [`C`] and [`D`]; what they do reads as a sentence: `A.sends("SUB one 1")`,
//! `A.hears("+OK")`. Deliveries are in order: once B's broker answered B's PING, what B sent lies before whatever A
//! hears next, so `B.is_quiet()` then `A.is_quiet()` proves that A got nothing.

use crate::nkey::Nkey;
use crate::servers::{Broker, Running, Setup};
use crate::wire::Wire;
use serde_json::Value;
use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::thread::sleep;
use std::time::Duration;

/// One test per broker of functions `fn() -> Case`: `ours::NAME`, `nats_2_9::NAME`, `nats_2_15::NAME`.
macro_rules! on_every_broker {
    ($($case:ident),+ $(,)?) => {
        mod ours {
            $(#[test] fn $case() { super::$case().run($crate::servers::Broker::Ours) })+
        }
        mod nats_2_9 {
            $(#[test] fn $case() { super::$case().run($crate::servers::Broker::Nats2_9) })+
        }
        mod nats_2_15 {
            $(#[test] fn $case() { super::$case().run($crate::servers::Broker::Nats2_15) })+
        }
    };
}

/// One of the clients of a case.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Who(&'static str);

pub(crate) const A: Who = Who("A");
pub(crate) const B: Who = Who("B");
pub(crate) const C: Who = Who("C");
pub(crate) const D: Who = Who("D");

/// Where a case plays: the broker and the connections to it.
pub(crate) struct Stage {
    pub(crate) broker: Broker,
    pub(crate) running: Running,
    hears_pings: bool,
    wires: BTreeMap<&'static str, Wire>,
    infos: BTreeMap<&'static str, Value>,
}

impl Stage {
    /// The connection of a client that opened one.
    pub(crate) fn wire(&mut self, who: Who) -> &mut Wire {
        self.wires.get_mut(who.0).expect("the case opens it first")
    }

    /// Connects `who`, who is told INFO.
    pub(crate) fn open(&mut self, who: Who) {
        let wire = Wire::tcp(who.0, &self.running.address);
        self.enter(who, wire);
    }

    fn enter(&mut self, who: Who, mut wire: Wire) {
        let info = wire.info();
        if self.hears_pings {
            wire.hear_pings();
        }
        self.wires.insert(who.0, wire);
        self.infos.insert(who.0, info);
    }

    /// What the client was told first.
    pub(crate) fn told(&self, who: Who) -> &Value {
        self.infos.get(who.0).expect("the case opens it first")
    }
}

/// One sentence of a script.
pub(crate) struct Step {
    says: String,
    act: Box<dyn FnOnce(&mut Stage)>,
}

impl Step {
    fn new(says: String, act: impl FnOnce(&mut Stage) + 'static) -> Self {
        let act = Box::new(act);
        Self { says, act }
    }
}

/// What a script cannot say in the words below.
pub(crate) fn then(says: &str, act: impl FnOnce(&mut Stage) + 'static) -> Step {
    Step::new(says.to_owned(), act)
}

/// Where the real servers differ. Ours does as the newer one.
pub(crate) fn differs(nats_2_9: impl Into<Vec<Step>>, newer_and_ours: impl Into<Vec<Step>>) -> Step {
    let (older, newer) = (nats_2_9.into(), newer_and_ours.into());
    Step::new("what they differ in".to_owned(), move |stage| {
        let steps = match stage.broker {
            Broker::Nats2_9 => older,
            Broker::Nats2_15 | Broker::Ours => newer,
        };
        play(steps, stage);
    })
}

/// Where ours does otherwise than the real servers, and on purpose: the case says why.
pub(crate) fn unlike(nats: impl Into<Vec<Step>>, ours: impl Into<Vec<Step>>) -> Step {
    let (nats, ours) = (nats.into(), ours.into());
    Step::new("what ours does otherwise".to_owned(), move |stage| {
        let steps = match stage.broker {
            Broker::Nats2_9 | Broker::Nats2_15 => nats,
            Broker::Ours => ours,
        };
        play(steps, stage);
    })
}

/// A setup and a script.
pub(crate) struct Case {
    setup: Setup,
    steps: Vec<Step>,
}

impl Case {
    /// With a broker that is open to all.
    pub(crate) fn new(steps: impl Into<Vec<Step>>) -> Self {
        Self::on(Setup::open(), steps)
    }

    /// With a broker set up for it.
    pub(crate) fn on(setup: Setup, steps: impl Into<Vec<Step>>) -> Self {
        let steps = steps.into();
        Self { setup, steps }
    }

    /// Plays it.
    pub(crate) fn run(self, broker: Broker) {
        let mut stage = Stage {
            broker,
            running: broker.start(&self.setup),
            hears_pings: self.setup.is_about_pings(),
            wires: BTreeMap::new(),
            infos: BTreeMap::new(),
        };
        let played = catch_unwind(AssertUnwindSafe(|| play(self.steps, &mut stage)));
        if let Err(failure) = played {
            eprintln!("the log of {broker:?}:\n{}", stage.running.log());
            resume_unwind(failure);
        }
    }
}

fn play(steps: Vec<Step>, stage: &mut Stage) {
    for (number, step) in (1..).zip(steps) {
        let played = catch_unwind(AssertUnwindSafe(|| (step.act)(stage)));
        if let Err(failure) = played {
            eprintln!("{:?}, step {number}: {}", stage.broker, step.says);
            resume_unwind(failure);
        }
    }
}

fn line(text: &str) -> Vec<u8> {
    [text.as_bytes(), b"\r\n"].concat()
}

/// What `CONNECT` says for most: neither `+OK` nor a look at subjects; the rest as it is by default.
const PLAIN: &str = r#"{"verbose":false,"pedantic":false}"#;

impl Who {
    fn does(self, says: &str, act: impl FnOnce(&mut Stage) + 'static) -> Step {
        Step::new(format!("{} {says}", self.0), act)
    }

    /// Connects and is told INFO.
    pub(crate) fn opens(self) -> Step {
        self.does("opens", move |stage| stage.open(self))
    }

    /// Connects by WebSocket and is told INFO.
    pub(crate) fn opens_websocket(self) -> Step {
        self.does("opens a WebSocket", move |stage| {
            let wire = Wire::websocket(self.0, &stage.running.websocket);
            stage.enter(self, wire);
        })
    }

    /// Connects, signs in with the CONNECT of most, and is welcome.
    pub(crate) fn joins(self) -> Step {
        self.joins_with(PLAIN)
    }

    /// Connects, signs in with this CONNECT, which is not to ask for `+OK`, and is welcome.
    pub(crate) fn joins_with(self, connect: &str) -> Step {
        let hello = format!("CONNECT {connect}");
        self.does(&format!("joins with {connect}"), move |stage| {
            play([self.opens(), self.sends(&hello), self.is_quiet()].into(), stage);
        })
    }

    /// Signs in as `name` in the CONNECT of most, and is welcome.
    pub(crate) fn joins_as(self, name: &str, password: &str) -> Step {
        self.joins_with(&format!(
            r#"{{"verbose":false,"pedantic":false,"user":"{name}","pass":"{password}"}}"#
        ))
    }

    /// Sends a CONNECT with the key `nkey` and what `sign` makes of the nonce in INFO.
    pub(crate) fn signs(self, nkey: Nkey, sign: impl FnOnce(&Nkey, &str) -> String + 'static) -> Step {
        self.does("signs the nonce", move |stage| {
            let nonce = stage.told(self)["nonce"].as_str().expect("INFO has a nonce");
            let (signature, public) = (sign(&nkey, nonce), nkey.public());
            let connect = format!(
                r#"CONNECT {{"verbose":false,"pedantic":false,"nkey":"{public}","sig":"{signature}"}}"#
            );
            stage.wire(self).send(&line(&connect));
        })
    }

    /// Sends a line, or several: the end of the last is added.
    pub(crate) fn sends(self, text: &str) -> Step {
        self.sends_bytes(line(text))
    }

    /// Sends bytes and nothing else.
    pub(crate) fn sends_bytes(self, bytes: impl Into<Vec<u8>>) -> Step {
        let bytes = bytes.into();
        self.does(&format!("sends {}", bytes.escape_ascii()), move |stage| {
            stage.wire(self).send(&bytes);
        })
    }

    /// Sends a line, or several, in two parts, cut behind `count` bytes, with a moment between them.
    pub(crate) fn sends_cut(self, text: &str, count: usize) -> Step {
        let bytes = line(text);
        self.does(&format!("sends {text}, cut at {count}"), move |stage| {
            let (first, rest) = bytes.split_at(count);
            stage.wire(self).send(first);
            // So that the broker reads the parts one by one: here time is what is tested.
            sleep(Duration::from_millis(3));
            stage.wire(self).send(rest);
        })
    }

    /// Sends a line, or several, byte after byte with moments between them.
    pub(crate) fn sends_slowly(self, text: &str) -> Step {
        let bytes = line(text);
        self.does(&format!("sends slowly {text}"), move |stage| {
            for byte in bytes {
                stage.wire(self).send(&[byte]);
                sleep(Duration::from_millis(1));
            }
        })
    }

    /// Sends lines in a WebSocket frame of text.
    pub(crate) fn sends_text_frame(self, text: &str) -> Step {
        let text = format!("{text}\r\n");
        self.does(&format!("sends the text {text}"), move |stage| {
            stage.wire(self).send_text_frame(&text);
        })
    }

    /// Sends no more, without hanging up.
    pub(crate) fn ends(self) -> Step {
        self.does("ends", move |stage| stage.wire(self).end_sending())
    }

    /// Hangs up.
    pub(crate) fn leaves(self) -> Step {
        self.does("leaves", move |stage| drop(stage.wires.remove(self.0)))
    }

    /// Next comes this line, or several, and not a byte else in between.
    pub(crate) fn hears(self, text: &str) -> Step {
        self.hears_bytes(line(text))
    }

    /// Next come these bytes.
    pub(crate) fn hears_bytes(self, bytes: impl Into<Vec<u8>>) -> Step {
        let bytes = bytes.into();
        self.does(&format!("hears {}", bytes.escape_ascii()), move |stage| {
            stage.wire(self).expect(&bytes);
        })
    }

    /// Next come these, each a line or several, in whatever order.
    pub(crate) fn hears_in_any_order(self, texts: &[&str]) -> Step {
        let mut wanted: Vec<Vec<u8>> = texts.iter().map(|text| line(text)).collect();
        self.does(&format!("hears in any order {texts:?}"), move |stage| {
            let heard = stage.wire(self).take(wanted.iter().map(Vec::len).sum());
            let mut rest = heard.as_slice();
            while !rest.is_empty() {
                let next = wanted.iter().position(|text| rest.starts_with(text));
                let next = next.unwrap_or_else(|| panic!("among {}", heard.escape_ascii()));
                rest = rest.split_at(wanted.remove(next).len()).1;
            }
        })
    }

    /// Next comes this error; the connection goes on, or not: ask [`Who::is_quiet`] or [`Who::is_cut`].
    pub(crate) fn is_told(self, error: &str) -> Step {
        self.hears(&format!("-ERR '{error}'"))
    }

    /// Nothing more came, and its PING is answered.
    pub(crate) fn is_quiet(self) -> Step {
        self.does("is quiet", move |stage| stage.wire(self).expect_quiet())
    }

    /// Nothing more comes but the end.
    pub(crate) fn is_cut(self) -> Step {
        self.does("is cut off", move |stage| stage.wire(self).expect_closed())
    }

    /// `test` holds of the INFO that it was told first.
    pub(crate) fn was_told(self, what: &str, test: impl FnOnce(&Value) -> bool + 'static) -> Step {
        let what = what.to_owned();
        self.does(&format!("was told {what}"), move |stage| {
            let info = stage.told(self);
            assert!(test(info), "INFO was to say {what}: {info}");
        })
    }
}
