//! Verification in parts, with breath between them: a page can give up, and others can read.

use crate::engine::{Leaf, Task};
use crate::failure::Failed;
use crate::host::{breathe, monotonic_ms};
use crate::protocol::{Progress, VerifyResult};
use leaf_core::repo::{Checked, VerifyReport};
use std::rc::Rc;

/// Parts of a check. Each is some tenths of a second of a large repository.
const PARTS: usize = 32;
/// How long it computes before messages are let in. Units: milliseconds.
const BREATH_MS: f64 = 50.0;

/// Expands and hashes every artifact.
pub(super) async fn check_parts(
    leaf: &Rc<Leaf>,
    stage: &'static str,
    task: &Rc<Task>,
) -> Result<Vec<Checked>, Failed> {
    let (parts, total) = leaf.with_any(|repo| Ok((repo.check_plan(PARTS)?, repo.artifact_count()?)))?;
    let mut all = Vec::with_capacity(parts.len());
    let mut done = 0;
    let mut breath = monotonic_ms();
    for part in parts {
        task.go_on()?;
        let checked = leaf.with_any(|repo| {
            Ok(repo.check(&part, &mut |artifacts, _| {
                done += artifacts;
                task.progress(|| Progress {
                    stage,
                    done,
                    total: Some(total),
                    ..Progress::default()
                });
            })?)
        })?;
        all.push(checked);
        if monotonic_ms() - breath > BREATH_MS {
            breathe().await;
            breath = monotonic_ms();
        }
    }
    Ok(all)
}

/// Checks every artifact and the database itself.
pub(super) async fn verify(leaf: &Rc<Leaf>, task: &Rc<Task>) -> Result<VerifyResult, Failed> {
    let mut report: VerifyReport = leaf.read(|repo| Ok(repo.check_file()?))?;
    for checked in check_parts(leaf, "verifying", task).await? {
        report.add(&checked);
    }
    let bad = report
        .bad
        .iter()
        .map(|row| format!("{}: {:?}", row.hash, row.why));
    Ok(VerifyResult {
        is_sound: report.is_sound(),
        artifacts: report.artifacts,
        bytes: report.bytes,
        missing: report.phantoms,
        faults: report.sqlite.iter().cloned().chain(bad).collect(),
    })
}
