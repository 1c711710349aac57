//! Clusters: one artifact that stands for many when two repositories compare what they hold.
//!
//! Source: Fossil `www/fileformat.wiki` section 2.2.

use crate::id::ArtifactHash;

/// A list of artifacts.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Cluster {
    /// `M`. Shape: strictly ascending by hex text, at least one.
    pub members: Vec<ArtifactHash>,
}
