//! Artifacts: any bytes parsed, and what parses written and parsed again.
//!
//! Input: the cards before the `Z` card. Bytes by chance never have a right checksum, so the target puts one
//! behind them, in place of one that may be there.
#![no_main]

use leaf_core::format::artifact::{Artifact, ArtifactView, ManifestView, ZCard, find_file, merge_baseline};
use leaf_core::format::{fossilize, hash};
use leaf_core::limits::Limits;
use leaf_fuzz::within;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let artifact = with_right_checksum(input);
    for content in [input, &artifact] {
        let parsed = within(64 * content.len() + 4096, || Artifact::parse(content));
        match parsed {
            Ok(artifact) => what_is_written_reads_back_as_it_was(&artifact),
            Err(bad) => assert_eq!(ArtifactView::parse(content).err(), Some(bad)),
        }
        if let Ok(view) = ManifestView::parse(content) {
            every_file_is_found_by_its_name(&view);
        }
    }
    small_limits_hold(&artifact);
    assert_eq!(fossilize::decode(&fossilize::encode(input)), input);
});

fn with_right_checksum(input: &[u8]) -> Vec<u8> {
    let cards = ZCard::find(input).map_or(input, |card| card.covers());
    let checksum = hash::md5_hex(cards);
    [cards, b"Z ", checksum.as_bytes(), b"\n"].concat()
}

fn what_is_written_reads_back_as_it_was(artifact: &Artifact) {
    let written = artifact.write();
    assert_eq!(
        Artifact::parse(&written).as_ref(),
        Ok(artifact),
        "{}",
        String::from_utf8_lossy(&written)
    );
}

fn every_file_is_found_by_its_name(view: &ManifestView<'_>) {
    for line in &view.files {
        assert_eq!(find_file(&view.files, &line.name()), Some(*line));
    }
    // Put over themselves the files are the same, but for those that are taken away.
    let mut kept = view.files.clone();
    kept.retain(|line| line.hash().is_some());
    assert_eq!(merge_baseline(&view.files, &view.files), kept);
}

fn small_limits_hold(content: &[u8]) {
    let limits = Limits {
        manifest_files_max: 2,
        name_bytes_max: 8,
        ..Limits::default()
    };
    if let Ok(ArtifactView::Manifest(view)) = ArtifactView::parse_within(content, &limits) {
        assert!(view.files.len() <= limits.manifest_files_max);
        let fits = |name: &[u8]| name.len() <= limits.name_bytes_max;
        assert!(view.files.iter().all(|line| fits(&line.name())));
        assert!(
            view.files
                .iter()
                .all(|line| line.old_name().is_none_or(|name| fits(&name)))
        );
    }
}
