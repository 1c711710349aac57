//! What holds for every artifact: it comes back as it was written, and damage is an error.

use leaf_core::format::artifact::{
    Artifact, Attachment, Cherrypick, Cluster, ControlArtifact, FileCard, FilePerm, ForumPost, Manifest, Tag,
    TagKind, TagTarget, TechNote, Text, TicketChange, TicketField, WikiPage,
};
use leaf_core::id::ArtifactHash;
use leaf_core::time::Timestamp;
use proptest::collection::{btree_map, btree_set, vec};
use proptest::option;
use proptest::prelude::*;

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

fn hash() -> impl Strategy<Value = ArtifactHash> {
    prop_oneof![
        any::<[u8; 20]>().prop_map(ArtifactHash::Sha1),
        any::<[u8; 32]>().prop_map(ArtifactHash::Sha3)
    ]
}

/// Any bytes but NUL, at which an argument ends.
fn text() -> impl Strategy<Value = Text> {
    vec(1..=u8::MAX, 0..40).prop_map(Text::new)
}

fn full_text() -> impl Strategy<Value = Text> {
    vec(1..=u8::MAX, 1..40).prop_map(Text::new)
}

fn date() -> impl Strategy<Value = Timestamp> {
    // Years 0 to 9999: what four digits can say.
    (-62_167_219_200_000_i64..=253_402_300_799_999).prop_map(Timestamp)
}

fn path() -> impl Strategy<Value = Text> {
    "[-a-z ._é\\\\]{1,8}(/[a-z A-Z]{1,6}){0,3}".prop_filter_map("a simple path", |path| {
        let simple = |segment: &str| !matches!(segment, "." | "..");
        path.split('/').all(simple).then(|| Text::from(path))
    })
}

fn title() -> impl Strategy<Value = Text> {
    "[A-Za-z\\\\é]{1,9}( [a-z0-9]{1,9}){0,4}".prop_map(Text::from)
}

fn tag(target: impl Strategy<Value = TagTarget>) -> impl Strategy<Value = Tag> {
    let kind = prop_oneof![
        Just(TagKind::Add),
        Just(TagKind::Propagate),
        Just(TagKind::Cancel)
    ];
    let name = "[g-z][a-z -]{0,12}".prop_map(Text::from);
    (kind, name, target, option::of(text())).prop_map(|(kind, name, target, value)| Tag {
        kind,
        name,
        target,
        value,
    })
}

fn sorted(mut tags: Vec<Tag>) -> Vec<Tag> {
    tags.sort_by(|a, b| a.sort_key().cmp(&b.sort_key()));
    tags.dedup_by(|a, b| a.sort_key() == b.sort_key());
    tags
}

fn tags_on_others() -> impl Strategy<Value = Vec<Tag>> {
    vec(tag(hash().prop_map(TagTarget::Hash)), 1..5).prop_map(sorted)
}

fn files() -> impl Strategy<Value = Vec<FileCard>> {
    let perm = prop_oneof![
        Just(FilePerm::Placeholder),
        Just(FilePerm::Regular),
        Just(FilePerm::Executable),
        Just(FilePerm::Symlink)
    ];
    let card = (hash(), perm, option::of(path()));
    btree_map(path(), card, 0..6).prop_map(|files| {
        let card = |(name, (hash, perm, old_name))| FileCard {
            name,
            hash: Some(hash),
            perm,
            old_name,
        };
        files.into_iter().map(card).collect()
    })
}

fn manifest() -> impl Strategy<Value = Artifact> {
    let target = prop_oneof![Just(TagTarget::SelfArtifact), hash().prop_map(TagTarget::Hash)];
    let pick = (any::<bool>(), hash(), option::of(hash()));
    let picks = vec(
        pick.prop_map(|(backout, hash, base)| Cherrypick { backout, hash, base }),
        0..3,
    );
    let md5 = option::of("[0-9a-f]{32}".prop_map(Text::from));
    let lists = (
        files(),
        vec(hash(), 0..3),
        picks,
        vec(tag(target), 0..4).prop_map(sorted),
    );
    (
        option::of(hash()),
        text(),
        date(),
        option::of(text()),
        md5,
        option::of(full_text()),
        lists,
    )
        .prop_map(
            |(baseline, comment, date, mimetype, files_md5, user, (files, parents, cherrypicks, tags))| {
                let comment = Some(comment);
                Artifact::Manifest(Manifest {
                    baseline,
                    comment,
                    date,
                    files,
                    mimetype,
                    parents,
                    cherrypicks,
                    files_md5,
                    tags,
                    user,
                })
            },
        )
}

fn wiki() -> impl Strategy<Value = Artifact> {
    let card = (
        option::of(text()),
        date(),
        title(),
        option::of(text()),
        vec(hash(), 0..3),
    );
    (card, full_text(), vec(any::<u8>(), 0..60)).prop_map(
        |((comment, date, title, mimetype, parents), user, text)| {
            let text = Text::new(text);
            Artifact::Wiki(WikiPage {
                comment,
                date,
                title,
                mimetype,
                parents,
                user,
                text,
            })
        },
    )
}

fn technote() -> impl Strategy<Value = Artifact> {
    let tags = vec(tag(Just(TagTarget::SelfArtifact)), 0..4).prop_map(|mut tags| {
        for tag in &mut tags {
            tag.kind = TagKind::Add;
        }
        sorted(tags)
    });
    let card = (
        option::of(text()),
        date(),
        date(),
        hash(),
        option::of(text()),
        vec(hash(), 0..3),
    );
    let rest = (tags, option::of(full_text()), vec(any::<u8>(), 0..60));
    (card, rest).prop_map(
        |((comment, date, event_date, id, mimetype, parents), (tags, user, text))| {
            let text = Text::new(text);
            Artifact::TechNote(TechNote {
                comment,
                date,
                event_date,
                id,
                mimetype,
                parents,
                tags,
                user,
                text,
            })
        },
    )
}

fn forum() -> impl Strategy<Value = Artifact> {
    let opening = (text(), option::of(hash())).prop_map(|(title, root)| (root, Some(title), None));
    let reply = (hash(), hash()).prop_map(|(root, answered)| (Some(root), None, Some(answered)));
    let card = (
        date(),
        prop_oneof![opening, reply],
        option::of(text()),
        option::of(hash()),
    );
    (card, full_text(), vec(any::<u8>(), 0..60)).prop_map(|((date, place, mimetype, parent), user, text)| {
        let (thread_root, title, in_reply_to) = place;
        let text = Text::new(text);
        Artifact::Forum(ForumPost {
            date,
            thread_root,
            title,
            in_reply_to,
            mimetype,
            parent,
            user,
            text,
        })
    })
}

fn ticket() -> impl Strategy<Value = Artifact> {
    let fields = btree_map("[+]?[a-z_]{1,12}", text(), 1..6).prop_map(|fields| {
        let field = |(name, value): (String, Text)| match name.strip_prefix('+') {
            Some(name) => TicketField {
                append: true,
                name: Text::from(name),
                value,
            },
            None => TicketField {
                append: false,
                name: Text::from(name),
                value,
            },
        };
        fields.into_iter().map(field).collect()
    });
    (date(), fields, "[0-9a-f]{40}", full_text()).prop_map(|(date, fields, ticket, user)| {
        Artifact::Ticket(TicketChange {
            date,
            fields,
            ticket: Text::from(ticket),
            user,
        })
    })
}

fn attachment() -> impl Strategy<Value = Artifact> {
    let target = prop_oneof![title(), hash().prop_map(|hash| Text::from(hash.to_string()))];
    let card = (
        "[a-z .é]{1,9}[a-z]",
        target,
        option::of(hash()),
        option::of(text()),
    );
    (card, date(), option::of(text()), option::of(full_text())).prop_map(|(card, date, mimetype, user)| {
        let (filename, target, source, comment) = card;
        let filename = Text::from(filename);
        Artifact::Attachment(Attachment {
            filename,
            target,
            source,
            comment,
            date,
            mimetype,
            user,
        })
    })
}

fn artifact() -> impl Strategy<Value = Artifact> {
    let cluster = btree_set(hash(), 1..9);
    let cluster = cluster.prop_map(|set| {
        Artifact::Cluster(Cluster {
            members: set.into_iter().collect(),
        })
    });
    let control = (date(), tags_on_others(), full_text()).prop_map(|(date, tags, user)| {
        Artifact::Control(ControlArtifact {
            date,
            tags,
            user: Some(user),
        })
    });
    prop_oneof![
        manifest(),
        cluster,
        control,
        wiki(),
        ticket(),
        attachment(),
        technote(),
        forum()
    ]
}

fn runner(cases: u32) -> proptest::test_runner::TestRunner {
    let config = ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let rng = proptest::test_runner::TestRng::deterministic_rng(proptest::test_runner::RngAlgorithm::ChaCha);
    proptest::test_runner::TestRunner::new_with_rng(config, rng)
}

#[test]
fn what_is_written_reads_back_as_it_was() {
    let held = runner(2_000).run(&artifact(), |artifact| {
        let bytes = artifact.write();
        prop_assert_eq!(
            Artifact::parse(&bytes),
            Ok(artifact),
            "{}",
            String::from_utf8_lossy(&bytes)
        );
        Ok(())
    });
    held.expect("every artifact comes back");
}

#[test]
fn an_artifact_cut_short_is_an_error() {
    let held = runner(300).run(&(artifact(), any::<prop::sample::Index>()), |(artifact, at)| {
        let bytes = artifact.write();
        let (cut, _) = bytes.split_at(at.index(bytes.len()));
        prop_assert!(Artifact::parse(cut).is_err());
        Ok(())
    });
    held.expect("every cut is an error");
}

#[test]
fn a_flipped_bit_is_an_error() {
    let held = runner(2_000).run(
        &(artifact(), any::<prop::sample::Index>(), 0..8),
        |(artifact, at, bit)| {
            let mut bytes = artifact.write();
            let at = at.index(bytes.len());
            if let Some(byte) = bytes.get_mut(at) {
                *byte ^= 1_u8 << bit;
            }
            prop_assert!(Artifact::parse(&bytes).is_err());
            Ok(())
        },
    );
    held.expect("every flip is an error");
}

#[test]
fn noise_behind_a_right_checksum_never_panics() {
    let card = (
        "[A-Z]",
        vec(
            prop_oneof!["[0-9a-f]{40}", "[ -~]{0,12}", "[*+-][a-z]{1,4}", "[0-9]{1,4}"],
            0..4,
        ),
    );
    let held = runner(3_000).run(&vec(card, 1..8), |cards| {
        let lines = cards
            .iter()
            .map(|(letter, arguments)| format!("{letter} {}\n", arguments.join(" ")));
        let body: String = lines.collect();
        let content = format!("{body}Z {}\n", leaf_core::format::hash::md5_hex(body.as_bytes()));
        if let Ok(artifact) = Artifact::parse(content.as_bytes()) {
            prop_assert_eq!(Artifact::parse(&artifact.write()), Ok(artifact));
        }
        Ok(())
    });
    held.expect("no panic");
}
