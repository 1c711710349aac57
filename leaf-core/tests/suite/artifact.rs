//! Artifacts as stock Fossil wrote them, and the grammar's every complaint.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use leaf_core::format::artifact::{
    Artifact, ArtifactView, BadArtifact, FilePerm, FilesMd5, ManifestView, TagKind, TagTarget, find_file,
    is_wiki_title, merge_baseline,
};
use leaf_core::format::hash::md5_hex;
use leaf_core::id::ArtifactHash;
use leaf_core::limits::Limits;
use leaf_core::time::Timestamp;

macro_rules! fixture {
    ($name:literal) => {
        (
            $name,
            include_bytes!(concat!("../../../tests/fixtures/artifact/", $name)).as_slice(),
        )
    };
}

/// Written by stock Fossil 2.21, byte for byte. Forum posts have no command: those were written by hand, and
/// `fossil test-parse-manifest` took them.
const STOCK: [(&str, &[u8]); 18] = [
    fixture!("attachment"),
    fixture!("cluster"),
    fixture!("control_cancel"),
    fixture!("control_property"),
    fixture!("forum_reply"),
    fixture!("forum_start"),
    fixture!("manifest_branch"),
    fixture!("manifest_cherrypick"),
    fixture!("manifest_delta"),
    fixture!("manifest_files"),
    fixture!("manifest_initial"),
    fixture!("manifest_merge"),
    fixture!("manifest_tagged"),
    fixture!("technote"),
    fixture!("ticket_change"),
    fixture!("ticket_new"),
    fixture!("wiki_edit"),
    fixture!("wiki_new"),
];

const HASH: &str = "3761dad138a7cf20b1e29044662bfe1ed814c7e0a77ce808b6ceec454753c773";
const SHA1: &str = "57d253ccc53a9ae1a5470180471dbdbf0cb56f79";
const MD5: &str = "d41d8cd98f00b204e9800998ecf8427e";

fn fixture(name: &str) -> &'static [u8] {
    let (_, content) = STOCK
        .iter()
        .find(|(known, _)| *known == name)
        .expect("a fixture of this name");
    content
}

/// `cards` with `$H` and `$S` put in for a SHA3 and a SHA1 name, and a right `Z` card at the end.
fn signed(cards: &str) -> Vec<u8> {
    let cards = cards.replace("$H", HASH).replace("$S", SHA1).replace("$M", MD5);
    format!("{cards}Z {}\n", md5_hex(cards.as_bytes())).into_bytes()
}

fn parse(cards: &str) -> Result<Artifact, BadArtifact> {
    Artifact::parse(&signed(cards))
}

fn manifest(name: &str) -> ManifestView<'static> {
    ManifestView::parse(fixture(name)).expect("a check-in of stock")
}

#[test]
fn what_stock_wrote_is_read_and_written_back_byte_for_byte() {
    for (name, content) in STOCK {
        let artifact = Artifact::parse(content).unwrap_or_else(|error| panic!("{name}: {error}"));
        let written = artifact.write();
        assert_eq!(
            String::from_utf8_lossy(&written),
            String::from_utf8_lossy(content),
            "{name}"
        );
    }
}

#[test]
fn each_kind_is_told_by_its_cards() {
    for (name, content) in STOCK {
        let kind = match Artifact::parse(content).expect("good") {
            Artifact::Manifest(_) => "manifest",
            Artifact::Cluster(_) => "cluster",
            Artifact::Control(_) => "control",
            Artifact::Wiki(_) => "wiki",
            Artifact::Ticket(_) => "ticket",
            Artifact::Attachment(_) => "attachment",
            Artifact::TechNote(_) => "technote",
            Artifact::Forum(_) => "forum",
        };
        assert!(name.starts_with(kind), "{name} was read as {kind}");
    }
}

#[test]
fn the_parts_of_a_delta_manifest_are_found() {
    let view = manifest("manifest_delta");
    assert_eq!(view.baseline.map(|hash| hash.to_string()).as_deref(), Some(HASH));
    assert_eq!(view.comment.as_deref(), Some(b"Delta manifest".as_slice()));
    assert_eq!(view.date.iso_ms(), "2026-11-21T06:34:43.757");
    assert_eq!(view.user.as_deref(), Some(b"alice".as_slice()));
    assert_eq!(view.files.len(), 4);
    let gone = find_file(&view.files, b"f2.txt").expect("listed");
    assert_eq!(gone.hash(), None);
    let renamed = find_file(&view.files, b"renamed.txt").expect("listed");
    assert_eq!(renamed.old_name().as_deref(), Some(b"f2.txt".as_slice()));
    assert_eq!(renamed.perm(), FilePerm::Placeholder);
    assert_eq!(find_file(&view.files, b"f4.txt"), None);
}

#[test]
fn permissions_and_escaped_names_of_a_manifest_are_found() {
    let view = manifest("manifest_files");
    let perm = |name: &[u8]| find_file(&view.files, name).expect("listed").perm();
    assert_eq!(perm(b"run.sh"), FilePerm::Executable);
    assert_eq!(perm(b"link"), FilePerm::Symlink);
    assert_eq!(perm(b"a dir/spaced name.txt"), FilePerm::Regular);
    assert_eq!(
        view.comment.as_deref(),
        Some(b"Add files\nwith a second line".as_slice())
    );
}

#[test]
fn the_tags_of_a_new_branch_are_found() {
    let view = manifest("manifest_branch");
    let tags: Vec<_> = view
        .tags
        .iter()
        .map(|tag| (tag.kind, tag.name.to_string(), tag.target))
        .collect();
    let on_self = TagTarget::SelfArtifact;
    let expected = [
        (TagKind::Propagate, "branch".to_owned(), on_self),
        (TagKind::Propagate, "sym-side".to_owned(), on_self),
        (TagKind::Cancel, "sym-trunk".to_owned(), on_self),
    ];
    assert_eq!(tags, expected);
    assert_eq!(
        view.tags
            .first()
            .and_then(|tag| tag.value.clone())
            .expect("a value"),
        "side"
    );
}

#[test]
fn a_delta_manifest_over_its_baseline_gives_the_whole_list() {
    let baseline = manifest("manifest_files");
    let delta = manifest("manifest_delta");
    let merged = merge_baseline(&baseline.files, &delta.files);
    assert_eq!(
        merged.len(),
        baseline.files.len() - 1,
        "two removed, one of them under a new name"
    );
    assert!(merged.is_sorted_by(|a, b| a.name() < b.name()));
    assert_eq!(find_file(&merged, b"f2.txt"), None);
    assert_eq!(find_file(&merged, b"f1.txt"), find_file(&delta.files, b"f1.txt"));
    assert_eq!(
        find_file(&merged, b"f4.txt"),
        find_file(&baseline.files, b"f4.txt")
    );
}

#[test]
fn names_are_sorted_and_found_by_their_unescaped_bytes() {
    // Unescaped "a b" < "a!b"; as written "a\\sb" > "a!b".
    let manifest = signed("C x\nD 2026-01-01T00:00:00\nF a\\sb $S\nF a!b $S\n");
    let view = ManifestView::parse(&manifest).expect("sorted by unescaped bytes");
    assert_eq!(find_file(&view.files, b"a b"), view.files.first().copied());
    assert_eq!(find_file(&view.files, b"a!b"), view.files.get(1).copied());
    assert_eq!(merge_baseline(&view.files, &view.files), view.files);
}

#[test]
fn a_clear_signed_manifest_is_read_without_its_wrapper() {
    let (_, content) = fixture!("manifest_signed");
    assert_eq!(
        Artifact::parse(content),
        Artifact::parse(fixture("manifest_branch"))
    );
    let windows = String::from_utf8_lossy(content).replace("SHA256\n\n", "SHA256\r\n\r\n");
    assert_eq!(
        Artifact::parse(windows.as_bytes()),
        Artifact::parse(fixture("manifest_branch"))
    );
    let ssh = String::from_utf8_lossy(content).replace(" PGP ", " SSH ");
    assert_eq!(
        Artifact::parse(ssh.as_bytes()),
        Artifact::parse(fixture("manifest_branch"))
    );
    let headless = String::from_utf8_lossy(content).replace("SHA256\n\n", "SHA256\n");
    assert_eq!(
        Artifact::parse(headless.as_bytes()),
        Err(BadArtifact::NotStructural)
    );
}

#[test]
fn the_checksum_over_no_files_is_that_of_the_initial_checkin() {
    let view = manifest("manifest_initial");
    assert_eq!(
        view.files_md5.expect("an R card"),
        FilesMd5::new().hex().as_bytes()
    );
}

#[test]
fn the_checksum_over_files_is_that_of_the_names_sizes_and_contents() {
    let mut sum = FilesMd5::new();
    sum.add(b"a dir/b", b"hello");
    sum.add(b"empty", b"");
    assert_eq!(sum.hex(), md5_hex(b"a dir/b 5\nhelloempty 0\n"));
}

#[test]
fn an_ordinary_file_is_not_structural() {
    let files: [&[u8]; 6] = [
        b"",
        b"\n",
        b"fn main() {}\n",
        b"D 2026-01-01T00:00:00",
        b"A\nB\nC\nD\nE\nF\n",
        b"-----BEGIN PGP SIGNED MESSAGE-----\n",
    ];
    for file in files {
        assert_eq!(Artifact::parse(file), Err(BadArtifact::NotStructural), "{file:?}");
    }
}

#[test]
fn text_that_begins_like_a_card_lacks_a_checksum() {
    let text = b"A file about something.\nB follows.\n";
    assert_eq!(Artifact::parse(text), Err(BadArtifact::Missing { card: 'Z' }));
}

#[test]
fn a_wrong_checksum_is_found() {
    let mut content = fixture("wiki_new").to_vec();
    let byte = content.get_mut(30).expect("long enough");
    *byte ^= 1;
    let offset = content.len() - 35;
    assert_eq!(
        Artifact::parse(&content),
        Err(BadArtifact::WrongChecksum { offset })
    );
}

#[test]
fn cards_that_are_out_of_order_are_turned_away() {
    let error = parse("D 2026-01-01T00:00:00\nC x\nU a\n");
    assert_eq!(
        error,
        Err(BadArtifact::CardOrder {
            card: 'C',
            offset: 22
        })
    );
    let note = "C x\nD 2026-01-01T00:00:00\nE 2026-01-01T00:00:00 $S\nP $H\nN text/plain\nU a\nW 0\n\n";
    assert!(parse(note).is_ok(), "old technotes have N after P");
    let page = "D 2026-01-01T00:00:00\nL Page\nP $H\nN text/plain\nU a\nW 0\n\n";
    assert_eq!(
        parse(page),
        Err(BadArtifact::CardOrder {
            card: 'N',
            offset: 96
        })
    );
}

#[test]
fn an_argument_too_many_is_turned_away() {
    let error = parse("D 2026-01-01T00:00:00 x\nU a\n");
    assert_eq!(error, Err(BadArtifact::ExtraArgument { offset: 22 }));
}

#[test]
fn a_line_that_is_no_card_is_turned_away() {
    assert_eq!(
        parse("D 2026-01-01T00:00:00\nxyz\n"),
        Err(BadArtifact::NotACard { offset: 22 })
    );
    assert_eq!(
        parse("D 2026-01-01T00:00:00\nX y\n"),
        Err(BadArtifact::NotACard { offset: 22 })
    );
    assert_eq!(
        parse("D 2026-01-01T00:00:00\n\nU a\n"),
        Err(BadArtifact::NotACard { offset: 22 })
    );
}

#[test]
fn a_second_card_is_turned_away_where_one_is_allowed() {
    let date = "D 2026-01-01T00:00:00\n";
    for (cards, card) in [
        (format!("C x\nC y\n{date}U a\n"), 'C'),
        (format!("C x\n{date}{date}U a\n"), 'D'),
        (format!("C x\n{date}U a\nU b\n"), 'U'),
        (format!("B $H\nB $H\n{date}"), 'B'),
        (format!("{date}L Page\nL Page\nU a\nW 0\n\n"), 'L'),
        (format!("{date}L Page\nU a\nW 0\n\nW 0\n\n"), 'W'),
        (format!("C x\n{date}R $M\nR $M\nU a\n"), 'R'),
    ] {
        let error = parse(&cards);
        assert!(
            matches!(error, Err(BadArtifact::Repeated { card: c, .. }) if c == card),
            "{cards}: {error:?}"
        );
    }
}

#[test]
fn malformed_arguments_are_turned_away() {
    let date = "D 2026-01-01T00:00:00\n";
    for (cards, card) in [
        (format!("A ../x Page $H\n{date}"), 'A'),
        (format!("A x  $H\n{date}"), 'A'),
        (format!("B abc\n{date}"), 'B'),
        ("C x\nD yesterday\nU a\n".to_owned(), 'D'),
        ("C x\nD now\nU a\n".to_owned(), 'D'),
        (format!("C x\n{date}F a/../b $H\n"), 'F'),
        (format!("C x\n{date}F /a $H\n"), 'F'),
        (format!("C x\n{date}F a\n"), 'F'),
        (format!("C x\n{date}F a $H w ./b\n"), 'F'),
        (format!("{date}J\nK $S\nU a\n"), 'J'),
        (format!("{date}J a b\nK $H\nU a\n"), 'K'),
        (format!("{date}L two\\s\\sspaces\nU a\nW 0\n\n"), 'L'),
        ("M abc\n".to_owned(), 'M'),
        (format!("C x\n{date}P abc\nU a\n"), 'P'),
        (format!("C x\n{date}Q $H\nU a\n"), 'Q'),
        (format!("C x\n{date}R abc\nU a\n"), 'R'),
        (format!("{date}T +abc $H\nU a\n"), 'T'),
        (format!("{date}T plain $H\nU a\n"), 'T'),
        (format!("{date}T + $H\nU a\n"), 'T'),
        (format!("{date}L Page\nU a\nW 99\nshort\n"), 'W'),
        (
            format!("{date}L Page\nU a\nW 99999999999999999999999\nshort\n"),
            'W',
        ),
    ] {
        let error = parse(&cards);
        assert!(
            matches!(error, Err(BadArtifact::Malformed { card: c, .. }) if c == card),
            "{cards}: {error:?}"
        );
    }
}

#[test]
fn cards_of_one_letter_must_be_sorted() {
    let date = "D 2026-01-01T00:00:00\n";
    for (cards, card) in [
        (format!("C x\n{date}F b $H\nF a $H\n"), 'F'),
        (format!("C x\n{date}F a $H\nF a $H\n"), 'F'),
        (format!("{date}J b x\nJ a x\nK $S\nU a\n"), 'J'),
        ("M $S\nM $S\n".to_owned(), 'M'),
        ("M $S\nM $H\n".to_owned(), 'M'),
        (format!("{date}T +x $H\nT *x $H\nU a\n"), 'T'),
        (format!("{date}T +x $S\nT +x $H\nU a\n"), 'T'),
    ] {
        let error = parse(&cards);
        assert!(
            matches!(error, Err(BadArtifact::Unsorted { card: c, .. }) if c == card),
            "{cards}: {error:?}"
        );
    }
}

#[test]
fn cards_of_another_kind_are_turned_away() {
    let date = "D 2026-01-01T00:00:00\n";
    let error = parse(&format!("C x\n{date}L Page\nT +x $H\nU a\nW 0\n\n"));
    assert_eq!(error, Err(BadArtifact::NotAllowed { card: 'T' }));
    let error = parse(&format!("{date}H Title\nI $H\nU a\nW 0\n\n"));
    assert_eq!(error, Err(BadArtifact::NotAllowed { card: 'I' }));
    assert_eq!(
        parse(&format!("{date}U a\n")),
        Err(BadArtifact::Missing { card: 'T' })
    );
    assert_eq!(parse("C comment\nU a\n"), Err(BadArtifact::Missing { card: 'D' }));
}

#[test]
fn tags_have_to_fit_their_artifact() {
    let date = "D 2026-01-01T00:00:00\n";
    assert_eq!(
        parse(&format!("{date}T +x *\nU a\n")),
        Err(BadArtifact::TagMisplaced)
    );
    let note = |tag: &str| parse(&format!("{date}E 2026-01-01T00:00:00 $S\n{tag}\nU a\nW 0\n\n"));
    assert!(note("T +x *").is_ok());
    assert_eq!(note("T *x *"), Err(BadArtifact::TagMisplaced));
    assert_eq!(note("T +x $H"), Err(BadArtifact::TagMisplaced));
}

#[test]
fn a_forum_post_has_one_parent_at_most() {
    let error = parse("D 2026-01-01T00:00:00\nG $H\nI $H\nP $H $H\nU a\nW 0\n\n");
    assert_eq!(error, Err(BadArtifact::TooManyParents));
}

#[test]
fn a_wiki_page_is_no_checkin() {
    let view = ManifestView::parse(fixture("wiki_new"));
    assert_eq!(view.expect_err("a wiki page"), BadArtifact::NotManifest);
}

#[test]
fn too_many_files_and_long_names_are_turned_away() {
    let cards = signed("C x\nD 2026-01-01T00:00:00\nF aaaa $H\nF bbbb $H\n");
    let within = |limits: Limits| ArtifactView::parse_within(&cards, &limits).map(drop);
    assert_eq!(within(Limits::default()), Ok(()));
    let files = Limits {
        manifest_files_max: 1,
        ..Limits::default()
    };
    assert_eq!(within(files), Err(BadArtifact::TooManyFiles { max: 1 }));
    let names = Limits {
        name_bytes_max: 3,
        ..Limits::default()
    };
    assert_eq!(within(names), Err(BadArtifact::NameTooLong { offset: 26 }));
}

#[test]
fn fossils_own_files_are_left_out_of_the_list() {
    let cards = signed("C x\nD 2026-01-01T00:00:00\nF .fslckout $H\nF a/_FOSSIL_-journal $H\nF b $H\n");
    let view = ManifestView::parse(&cards).expect("the cards are skipped");
    assert_eq!(view.files.len(), 1);
}

#[test]
fn an_empty_user_is_anonymous() {
    let Ok(Artifact::Control(control)) = parse("D 2026-01-01T00:00:00\nT +x $H\nU\n") else {
        panic!("a control artifact");
    };
    assert_eq!(control.user.expect("a user"), "anonymous");
}

#[test]
fn an_argument_ends_at_its_nul() {
    let Ok(Artifact::Control(control)) = parse("D 2026-01-01T00:00:00\nT +x $H seen\\0unseen\nU a\n") else {
        panic!("a control artifact");
    };
    assert_eq!(
        control
            .tags
            .first()
            .and_then(|tag| tag.value.clone())
            .expect("a value"),
        "seen"
    );
}

#[test]
fn bytes_that_are_not_utf8_survive() {
    let mut cards = b"C caf\xe9\nD 2026-01-01T00:00:00.000\nU a\n".to_vec();
    let checksum = format!("Z {}\n", md5_hex(&cards));
    cards.extend_from_slice(checksum.as_bytes());
    let artifact = Artifact::parse(&cards).expect("stock accepts it");
    assert_eq!(artifact.write(), cards);
}

#[test]
fn dates_mean_what_they_mean_to_sqlite() {
    let db = rusqlite::Connection::open_in_memory().expect("memory");
    for text in [
        "2026-11-21T06:34:43.757",
        "2026-11-21T06:34:43",
        "2026-11-21T06:34",
        "2026-11-21",
        "2026-11-21T",
        "2026-11-21T06:34:43Z",
        "2026-11-21T06:34:43+02:30",
        "2026-11-21T06:34:43.7-14:00",
        "2026-11-21T06:34:43.0005",
        "2026-11-21T06:34:59.9999",
        "2026-11-21T06:34:43.123456789012",
        "2026-02-31T24:00:00",
        "0000-01-01",
        "-4713-11-25",
        "-4713-01-01",
        "9999-12-31T23:59:59.999",
        "9999-12-31T24:00:00",
        "12:34:56",
        "2451545",
        "2451545.25",
        "2451545.123456",
        "24e5",
        "5373485",
        "0",
        "-1",
        "1e-12",
        "inf",
        "nan",
        "",
        "x",
        "2026-13-01",
        "2026-00-01",
        "2026-01-32",
        "2026-11-21T25:00:00",
        "2026-11-21T06:60",
        "2026-11-21T06:34:60",
        "2026-11-21T06:34:43.",
        "2026-11-21T06:34:43x",
        "2026-11-21T06:34:43+15:00",
        "2026-11-21T06:34:43+1:00",
        "26-11-21",
        "2026-11-21TT06:34",
        "2026-1-1",
        "12:34:56.5Z",
    ] {
        let days: Option<f64> = db
            .query_row("SELECT julianday(?1)", [text], |row| row.get(0))
            .expect("query");
        let days = days.filter(|days| *days > 0.0);
        let read = match parse(&format!("D {text}\nT +x $H\nU a\n")) {
            Ok(Artifact::Control(control)) => Some(control.date),
            _ => None,
        };
        assert_eq!(read.map(Timestamp::julian), days, "{text:?}");
    }
}

#[test]
fn wiki_titles_are_those_of_fossil() {
    let long = [b'x'; 101];
    let (bad, good): ([&[u8]; 6], [&[u8]; 3]) = (
        [b"", b" x", b"x ", b"a  b", b"a\tb", &long],
        [b"x", b"a b", "caf\u{e9}".as_bytes()],
    );
    assert!(good.iter().all(|title| is_wiki_title(title)));
    assert!(!bad.iter().any(|title| is_wiki_title(title)));
}

#[test]
fn a_cluster_names_its_members_in_order() {
    let Ok(Artifact::Cluster(cluster)) = Artifact::parse(fixture("cluster")) else {
        panic!("a cluster")
    };
    assert!(cluster.members.is_sorted() && cluster.members.len() > 100);
    let hash = ArtifactHash::parse(HASH.as_bytes()).expect("a hash");
    assert!(cluster.members.contains(&hash));
}
