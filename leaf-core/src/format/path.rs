//! Names of files in a repository, and which of them may become files on a disk.
//!
//! Three questions, from lax to strict. [`is_simple`]: may a manifest say it? History is full of odd names,
//! so nearly anything that stays below its folder. [`RepoPath::parse_new`]: may a new check-in say it? Fossil
//! wants text there. [`RepoPath::hazard`]: what happens when some system makes a file of it? A name that is
//! harmless here opens a device, a stream or a checkout's database there; repositories travel.
//!
//! Not here: names that only collide with each other on some systems (case, normal forms); that is a question
//! about a whole folder.
//!
//! Source: Fossil `src/file.c`, `file_is_simple_pathname`, `file_is_reserved_name`; Microsoft, "Naming Files,
//! Paths, and Namespaces"; Git `path.c`, `is_ntfs_dotgit` and `is_hfs_dotgit`.

/// The name of a file in a check-in.
///
/// Shape: segments joined by `/`, none of them empty, `.` or `..`; no NUL. Not always text.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct RepoPath(Vec<u8>);

impl RepoPath {
    /// Takes `name` as manifests may say it, old ones too.
    ///
    /// # Errors
    ///
    /// [`BadPath`] says what was wrong.
    pub fn parse(name: &[u8]) -> Result<Self, BadPath> {
        if is_simple(name) {
            Ok(Self(name.to_vec()))
        } else {
            Err(BadPath::NotSimple)
        }
    }

    /// Takes `name` as new check-ins and unversioned files may say it.
    ///
    /// # Errors
    ///
    /// [`BadPath`] says what was wrong.
    pub fn parse_new(name: &[u8]) -> Result<Self, BadPath> {
        let path = Self::parse(name)?;
        let text = str::from_utf8(name).map_err(|bad| BadPath::NotText {
            offset: bad.valid_up_to(),
        })?;
        match text.char_indices().find(|(_, char)| is_refused(*char)) {
            Some((offset, _)) => Err(BadPath::Character { offset }),
            None if is_reserved(name) => Err(BadPath::Reserved),
            None => Ok(path),
        }
    }

    /// The bytes of the name.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What could go wrong if the name became that of a file on a disk; the worst first.
    pub fn hazard(&self) -> Option<Hazard> {
        let segments = || self.0.split(|&byte| byte == b'/');
        if is_reserved(&self.0) || segments().any(is_git) {
            return Some(Hazard::Metadata);
        }
        let escapes = |&byte: &u8| matches!(byte, b'\\' | b':');
        let odd = |&byte: &u8| byte < 0x20 || byte == 0x7f || b"<>\"|?*".contains(&byte);
        if self.0.iter().any(escapes) {
            Some(Hazard::Escape)
        } else if segments().any(is_device) {
            Some(Hazard::Device)
        } else if str::from_utf8(&self.0).is_err() || self.0.iter().any(odd) {
            Some(Hazard::Character)
        } else if segments().any(|segment| segment.ends_with(b".") || segment.ends_with(b" ")) {
            Some(Hazard::Trimmed)
        } else if segments().any(|segment| segment.len() > SEGMENT_BYTES_MAX) {
            Some(Hazard::TooLong)
        } else {
            None
        }
    }

    /// Whether the name is a harmless one on every system.
    pub fn is_safe_to_extract(&self) -> bool {
        self.hazard().is_none()
    }
}

/// Why some bytes are not the name of a file.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum BadPath {
    /// Empty, absolute, with an empty, `.` or `..` segment, or with a NUL.
    #[error("not a path below its folder")]
    NotSimple,
    /// Not UTF-8.
    #[error("not text at byte {offset}")]
    NotText {
        /// Zero-based position in the name.
        offset: usize,
    },
    /// A backslash, or a character that is none or that is not in Unicode's first plane.
    #[error("a character at byte {offset} that names may not have")]
    Character {
        /// Zero-based position in the name.
        offset: usize,
    },
    /// Belongs to a checkout's own database.
    #[error("the name of a checkout's own database")]
    Reserved,
}

/// What a name can do on a disk.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Hazard {
    /// It is, or is in, what a version control system believes: a checkout's database, `.git`.
    Metadata,
    /// It leaves its folder, or reaches a drive or a stream, on Windows (`\`, `:`).
    Escape,
    /// It opens a device on Windows (`NUL`, `com1.txt`).
    Device,
    /// It has a control character, a wildcard, or is not text: some systems cannot say it.
    Character,
    /// Windows drops the dot or space at its end, and so writes another file.
    Trimmed,
    /// A segment is longer than file systems take.
    TooLong,
}

/// What ext4, APFS and NTFS take for one segment.
const SEGMENT_BYTES_MAX: usize = 255;

/// Whether Fossil takes `name` as that of a file in a manifest.
#[expect(
    clippy::needless_bitwise_bool,
    reason = "without branches the loop runs on many bytes at a time"
)]
pub fn is_simple(name: &[u8]) -> bool {
    // Nearly every name has no dot or slash after a slash, which is seen without finding its segments.
    let pairs = name.iter().zip(name.iter().skip(1));
    let odd = pairs.fold(false, |odd, (a, b)| {
        odd | ((*a == b'/') & ((*b == b'/') | (*b == b'.')))
    });
    let plain_ends = !matches!(name.first(), None | Some(b'/' | b'.')) && name.last() != Some(&b'/');
    let simple = |segment: &[u8]| !matches!(segment, b"" | b"." | b"..");
    !name.contains(&0) && ((plain_ends && !odd) || name.split(|&byte| byte == b'/').all(simple))
}

/// Whether `name` belongs to a checkout's own database, in any folder and in either case of letters.
///
/// With the suffix of a database's side file any name that *ends* so is reserved, without it the last segment
/// must be that name alone; upstream draws the line there.
pub fn is_reserved(name: &[u8]) -> bool {
    // All reserved names end in one of these; nearly all others do not.
    if !matches!(name.last(), Some(b'_' | b'T' | b't' | b'L' | b'l' | b'M' | b'm')) {
        return false;
    }
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

/// Characters that Fossil refuses in new names, though they are text.
fn is_refused(char: char) -> bool {
    matches!(char, '\\' | '\u{e000}'..='\u{f8ff}' | '\u{fdd0}'..='\u{fdef}' | '\u{fffe}'..)
}

/// Whether `segment` is `.git` to some file system: any case, trailing dots and spaces that Windows drops,
/// the short name `git~1`, a stream of it, or characters that HFS+ does not see.
fn is_git(segment: &[u8]) -> bool {
    let seen: Vec<u8> = match str::from_utf8(segment) {
        Ok(text) => text
            .chars()
            .filter(|char| !is_ignored_by_hfs(*char))
            .collect::<String>()
            .into_bytes(),
        Err(_) => segment.to_vec(),
    };
    let stem = seen.split(|&byte| byte == b':').next().unwrap_or_default();
    let kept = stem
        .iter()
        .rposition(|byte| !matches!(byte, b'.' | b' '))
        .map_or(0, |last| last + 1);
    let stem = &stem[..kept];
    stem.eq_ignore_ascii_case(b".git") || stem.eq_ignore_ascii_case(b"git~1")
}

/// Zero-width characters and marks of direction.
fn is_ignored_by_hfs(char: char) -> bool {
    matches!(char, '\u{200c}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{206a}'..='\u{206f}' | '\u{feff}')
}

/// Whether Windows takes `segment` for a device, which it does with any extension.
fn is_device(segment: &[u8]) -> bool {
    let stem = segment.split(|&byte| byte == b'.').next().unwrap_or_default();
    let stem = stem.trim_ascii_end().to_ascii_lowercase();
    match stem.as_slice() {
        b"con" | b"prn" | b"aux" | b"nul" | b"conin$" | b"conout$" => true,
        // COM and LPT with a digit, or with one of the superscripts that Windows takes for digits.
        [b'c', b'o', b'm', number @ ..] | [b'l', b'p', b't', number @ ..] => {
            matches!(number, [b'0'..=b'9'] | [0xc2, 0xb9 | 0xb2 | 0xb3])
        }
        _ => false,
    }
}
