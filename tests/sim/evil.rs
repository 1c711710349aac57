//! A peer that lies: as a server that a leaf asks, and as a client with a stolen account or with none.
//!
//! Whatever it says, a leaf either refuses all of it or takes what is true in it. It never learns a private artifact.

use crate::link::options;
use crate::world::{PASSWORD, World, chain, project};
use leaf_core::format::artifact::{Artifact, Cluster, FileCard, FilePerm, Manifest};
use leaf_core::format::{delta, hash, zblob};
use leaf_core::id::ArtifactHash;
use leaf_core::limits::Limits;
use leaf_core::sync::{Goal, SyncSession, Transmit};
use leaf_core::xfer::{Card, Cards, ContentType, MessageWriter, Pragma, UvBody, Version, envelope, login};

impl World {
    pub(crate) fn lie(&mut self) -> Result<(), String> {
        if self.rng.in_100(50) {
            self.lie_to_client()
        } else {
            self.lie_to_server()
        }
    }

    fn lie_to_client(&mut self) -> Result<(), String> {
        let at = self.any_whole();
        let mut options = options(Goal::Sync, 99, false, self.limits);
        options.unversioned = self.rng.in_100(50);
        let mut session = SyncSession::new(options);
        for _ in 0..3 {
            let (now, entropy) = (self.clock(at), self.rng.array());
            let polled = session.poll_transmit(self.leaf(at).repo(), entropy);
            let Some(request) = polled.map_err(|error| chain(&error))? else {
                break;
            };
            self.no_secrets(&request.body, request.content_type)?;
            let mut out = MessageWriter::new(0);
            self.lies(&mut out, true);
            let reply = envelope::pack(out.finish(), ContentType::Compressed);
            let before = self.leaf(at).fingerprint();
            if let Err(error) =
                session.handle_reply(self.leaf(at).repo(), &reply, ContentType::Compressed, now)
            {
                return self.survive(at, &before, true, &error);
            }
        }
        Ok(())
    }

    fn lie_to_server(&mut self) -> Result<(), String> {
        let at = self.any_whole();
        let has_account = self.rng.in_100(70);
        let code = project();
        let (server, project) = (b"0".as_slice(), code.as_str().as_bytes());
        let mut out = MessageWriter::new(0);
        out.push(&Card::Pragma(Pragma::ClientVersion(Version::OURS)));
        match self.rng.below(4) {
            0 => out.push(&Card::Clone { version: 3, seqno: 1 }),
            1 => out.push(&Card::Push { server, project }),
            _ => {
                out.push(&Card::Pull { server, project });
                if has_account {
                    out.push(&Card::Push { server, project });
                }
            }
        }
        self.lies(&mut out, false);
        let mut body = out.finish();
        if has_account {
            let mut line = login::card("sim", &login::secret(&code, "sim", PASSWORD), &body);
            line.push(b'\n');
            line.extend_from_slice(&body);
            body = line;
        }
        let content_type = ContentType::Compressed;
        let request = Transmit {
            body: envelope::pack(body, content_type),
            content_type,
            cookie: None,
            round: 1,
        };
        let before = self.leaf(at).fingerprint();
        let reply = self
            .serve(at, &request)
            .map_err(|error| format!("a lie is no failure: {}", chain(&error)))?;
        if reply.served.error.is_some() && before != self.leaf(at).fingerprint() {
            return Err(format!("leaf {at} refused a lie and changed"));
        }
        self.no_secrets(&reply.body, reply.content_type)
    }

    /// Nothing private is in a message to somebody who is not trusted.
    fn no_secrets(&self, body: &[u8], content_type: ContentType) -> Result<(), String> {
        let limits = Limits::default();
        let message =
            envelope::unpack(body, content_type, limits.message_bytes_max).map_err(|error| chain(&error))?;
        for card in Cards::new(&message, &limits) {
            // That a name is one of a private artifact is said to whoever asks for it by that name.
            let (Card::File { hash, .. } | Card::Cfile { hash, .. } | Card::Igot { hash, private: false }) =
                card.map_err(|error| chain(&error))?
            else {
                continue;
            };
            if self.ledger.private.contains(&hash) {
                return Err(format!("private {hash} is told to a stranger"));
            }
        }
        Ok(())
    }

    fn any_hash(&mut self) -> ArtifactHash {
        if self.rng.in_100(50) {
            ArtifactHash::Sha1(self.rng.array())
        } else {
            ArtifactHash::Sha3(self.rng.array())
        }
    }

    /// The name of something that is true.
    fn true_hash(&mut self) -> ArtifactHash {
        let at = self.rng.below(self.ledger.public.len());
        *self.ledger.public.iter().nth(at).expect("in the set")
    }

    fn secret_hash(&mut self) -> Option<ArtifactHash> {
        let secrets: Vec<ArtifactHash> = self.ledger.private.iter().copied().collect();
        self.rng.pick(&secrets).copied()
    }

    fn lies(&mut self, out: &mut MessageWriter, is_reply: bool) {
        for _ in 0..=self.rng.below(4) {
            match self.rng.below(8) {
                0 => {
                    // At times more than a session may bring.
                    for _ in 0..*self.rng.pick(&[3, 30, 600]).expect("three") {
                        out.push(&Card::Igot {
                            hash: self.any_hash(),
                            private: false,
                        });
                    }
                }
                1 => out.push(&Card::Igot {
                    hash: self.true_hash(),
                    private: self.rng.in_100(50),
                }),
                2 => {
                    let hash = self.secret_hash().unwrap_or_else(|| self.any_hash());
                    let is_asked = self.rng.in_100(60);
                    out.push(&if is_asked {
                        Card::Gimme(hash)
                    } else {
                        Card::Igot { hash, private: false }
                    });
                }
                3 => self.wrong_file(out),
                4 | 5 => self.true_file(out),
                6 => self.poison(out),
                _ if is_reply => self.uv_lie(out),
                _ => out.push(&Card::Private),
            }
        }
    }

    /// Content under a name that is not its own, in each form there is.
    fn wrong_file(&mut self, out: &mut MessageWriter) {
        let (hash, source) = (self.any_hash(), Some(self.true_hash()));
        let content = self.rng.text(3);
        let mut zblob = zblob::compress(&content);
        match self.rng.below(5) {
            0 => out.push(&Card::File {
                hash,
                source: None,
                content: &content,
            }),
            1 => out.push(&Card::File {
                hash,
                source,
                content: &content,
            }),
            2 => out.push(&Card::Cfile {
                hash,
                source: None,
                size: content.len() as u64,
                zblob: &zblob,
            }),
            3 => {
                // Announces far more than it holds.
                zblob.splice(..4, [0x7f, 0xff, 0xff, 0xff]);
                out.push(&Card::Cfile {
                    hash,
                    source: None,
                    size: 0x7fff_ffff,
                    zblob: &zblob,
                });
            }
            _ => {
                let hash = hash::name(hash::HashKind::Sha3, &content);
                out.push(&Card::Cfile {
                    hash,
                    source: None,
                    size: 1,
                    zblob: &zblob,
                });
            }
        }
    }

    /// Artifacts that are what they are called, and name what nobody has.
    fn true_file(&mut self, out: &mut MessageWriter) {
        let mut members: Vec<ArtifactHash> = (0..5).map(|_| self.any_hash()).collect();
        members.push(self.true_hash());
        members.sort();
        let content = match self.rng.below(3) {
            0 => self.rng.text(5),
            1 => Artifact::Cluster(Cluster { members }).write(),
            _ => {
                let file = FileCard {
                    name: b"src/evil".as_slice().into(),
                    hash: Some(self.any_hash()),
                    perm: FilePerm::Regular,
                    old_name: None,
                };
                let baseline = self.rng.in_100(30).then(|| self.any_hash());
                let parents = if self.rng.in_100(50) {
                    vec![self.any_hash()]
                } else {
                    vec![self.true_hash()]
                };
                Artifact::Manifest(Manifest {
                    baseline,
                    comment: Some("from nowhere".into()),
                    date: self.now,
                    files: vec![file],
                    mimetype: None,
                    parents,
                    cherrypicks: Vec::new(),
                    files_md5: None,
                    tags: Vec::new(),
                    user: Some("mallory".into()),
                })
                .write()
            }
        };
        let hash = hash::name(hash::HashKind::Sha3, &content);
        out.push(&Card::File {
            hash,
            source: None,
            content: &content,
        });
    }

    /// A delta that nobody can check yet, under the name of something that others have.
    fn poison(&mut self, out: &mut MessageWriter) {
        let source = self.rng.text(20);
        let body = delta::create(&source, &self.rng.text(20));
        let hash = if self.rng.in_100(70) {
            self.true_hash()
        } else {
            self.any_hash()
        };
        let source = if self.rng.in_100(50) {
            self.any_hash()
        } else {
            self.true_hash()
        };
        out.push(&Card::File {
            hash,
            source: Some(source),
            content: &body,
        });
    }

    fn uv_lie(&mut self, out: &mut MessageWriter) {
        let content = self.rng.text(2);
        let is_right = self.rng.in_100(50);
        let hash = if is_right {
            hash::name(hash::HashKind::Sha3, &content)
        } else {
            self.any_hash()
        };
        let name = *self.rng.pick(&["evil", "../evil", "a.zip"]).expect("three");
        let mtime = self.now.unix() + self.rng.between(-100_000, 100_000_000);
        let body = UvBody::Plain(&content);
        out.push(&Card::Uvfile {
            name,
            mtime,
            hash: Some(hash),
            size: content.len() as u64,
            body,
        });
    }
}
