//! Names of files in a repository.
//!
//! Source: Fossil `src/file.c`, `file_is_simple_pathname`, `file_is_reserved_name`.

/// The name of a file in a check-in.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes `name` if it is a simple path: relative, no empty, `.` or `..` segment, no NUL.
    pub fn parse(name: &[u8]) -> Option<Self> {
        is_simple(name).then(|| Self(name.to_vec()))
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

/// Whether Fossil takes `name` as that of a file in a manifest.
pub fn is_simple(name: &[u8]) -> bool {
    let simple = |segment: &[u8]| !matches!(segment, b"" | b"." | b"..");
    !name.contains(&0) && name.split(|&byte| byte == b'/').all(simple)
}

/// Whether `name` belongs to a checkout's own database, in any folder and in either case of letters.
///
/// With the suffix of a database's side file any name that *ends* so is reserved, without it the last segment
/// must be that name alone; upstream draws the line there.
pub fn is_reserved(name: &[u8]) -> bool {
    let side_files: [&[u8]; 3] = [b"-wal", b"-shm", b"-journal"];
    let stem = side_files
        .iter()
        .find_map(|suffix| strip_suffix_any_case(name, suffix));
    let databases: [&[u8]; 2] = [b"_fossil_", b".fslckout"];
    let folder = databases
        .iter()
        .find_map(|database| strip_suffix_any_case(stem.unwrap_or(name), database));
    folder.is_some_and(|folder| stem.is_some() || folder.is_empty() || folder.ends_with(b"/"))
}

fn strip_suffix_any_case<'a>(name: &'a [u8], suffix: &[u8]) -> Option<&'a [u8]> {
    let (stem, end) = name.split_at_checked(name.len().checked_sub(suffix.len())?)?;
    end.eq_ignore_ascii_case(suffix).then_some(stem)
}
