//! Small JSON objects: what NATS and synced tables say. A browser's module has no room for more.
//!
//! Members that are lists or objects, and numbers that are not whole, are checked and kept as they are written.
//!
//! Source: RFC 8259.

/// How deep values may be in each other.
const DEPTH_MAX: u32 = 32;

/// A member's value.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Value {
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
    /// A whole number.
    Number(i64),
    /// Something else, as it is written.
    Other(String),
    /// A string.
    Text(String),
}

/// The members of an object in their order; `None` when the text is none.
pub fn read(json: &[u8]) -> Option<Vec<(String, Value)>> {
    let mut reader = Reader(json);
    let members = reader.members()?;
    reader.space();
    reader.0.is_empty().then_some(members)
}

/// The objects of a list that has nothing else in it.
pub fn read_list(json: &[u8]) -> Option<Vec<Vec<(String, Value)>>> {
    let mut reader = Reader(json);
    let mut objects = Vec::new();
    reader.list(b'[', b']', &mut |reader| {
        objects.push(reader.members()?);
        Some(())
    })?;
    reader.space();
    reader.0.is_empty().then_some(objects)
}

struct Reader<'a>(&'a [u8]);

impl Reader<'_> {
    fn peek(&mut self) -> Option<u8> {
        self.space();
        self.0.first().copied()
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    fn space(&mut self) {
        while let Some((b' ' | b'\t' | b'\r' | b'\n', rest)) = self.0.split_first() {
            self.0 = rest;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.next())?.map(|_| ())
    }

    fn word(&mut self, word: &[u8], value: Value) -> Option<Value> {
        self.0 = self.0.strip_prefix(word)?;
        Some(value)
    }

    /// What is in between of commas; `one` takes one of it.
    fn list(&mut self, open: u8, close: u8, one: &mut dyn FnMut(&mut Self) -> Option<()>) -> Option<()> {
        self.take(open)?;
        if self.take(close).is_some() {
            return Some(());
        }
        loop {
            one(self)?;
            if self.take(close).is_some() {
                return Some(());
            }
            self.take(b',')?;
        }
    }

    fn members(&mut self) -> Option<Vec<(String, Value)>> {
        let mut members = Vec::new();
        self.object(DEPTH_MAX, &mut |key, value, written| {
            let value = match value {
                Value::Other(_) => Value::Other(std::str::from_utf8(written).ok()?.to_owned()),
                value => value,
            };
            members.push((key, value));
            Some(())
        })?;
        Some(members)
    }

    fn object(
        &mut self,
        depth: u32,
        found: &mut dyn FnMut(String, Value, &[u8]) -> Option<()>,
    ) -> Option<()> {
        let depth = depth.checked_sub(1)?;
        self.list(b'{', b'}', &mut |reader| {
            let key = reader.text()?;
            reader.take(b':')?;
            reader.space();
            let from = reader.0;
            let value = reader.value(depth)?;
            found(key, value, from.get(..from.len() - reader.0.len())?)
        })
    }

    fn value(&mut self, depth: u32) -> Option<Value> {
        match self.peek()? {
            b'{' => self
                .object(depth, &mut |_, _, _| Some(()))
                .map(|()| Value::Other(String::new())),
            b'[' => {
                let depth = depth.checked_sub(1)?;
                self.list(b'[', b']', &mut |reader| reader.value(depth).map(|_| ()))
                    .map(|()| Value::Other(String::new()))
            }
            b'"' => self.text().map(Value::Text),
            b't' => self.word(b"true", Value::Bool(true)),
            b'f' => self.word(b"false", Value::Bool(false)),
            b'n' => self.word(b"null", Value::Null),
            b'-' | b'0'..=b'9' => {
                let is_part = |byte: &u8| matches!(byte, b'0'..=b'9' | b'+' | b'-' | b'.' | b'e' | b'E');
                let end = self.0.iter().take_while(|byte| is_part(byte)).count();
                let (digits, rest) = self.0.split_at_checked(end)?;
                self.0 = rest;
                let number = std::str::from_utf8(digits)
                    .ok()
                    .and_then(|digits| digits.parse().ok());
                Some(number.map_or_else(|| Value::Other(String::new()), Value::Number))
            }
            _ => None,
        }
    }

    fn text(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut text = Vec::new();
        loop {
            match self.next()? {
                b'"' => return String::from_utf8(text).ok(),
                b'\\' => {
                    let character = match self.next()? {
                        b'b' => '\u{8}',
                        b'f' => '\u{c}',
                        b'n' => '\n',
                        b'r' => '\r',
                        b't' => '\t',
                        b'u' => self.escape()?,
                        plain @ (b'"' | b'\\' | b'/') => char::from(plain),
                        _ => return None,
                    };
                    text.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
                }
                0..0x20 => return None,
                byte => text.push(byte),
            }
        }
    }

    /// A character by its number, or by two.
    fn escape(&mut self) -> Option<char> {
        let high = self.unit()?;
        if !(0xd800..0xdc00).contains(&high) {
            return char::from_u32(high);
        }
        self.0 = self.0.strip_prefix(b"\\u")?;
        let low = self.unit()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        char::from_u32(0x1_0000 + ((high - 0xd800) << 10) + low)
    }

    fn unit(&mut self) -> Option<u32> {
        let mut unit = 0;
        for _ in 0..4 {
            unit = unit << 4 | char::from(self.next()?).to_digit(16)?;
        }
        Some(unit)
    }
}

/// An object in the making.
#[derive(Debug)]
pub struct Writer(String);

impl Default for Writer {
    fn default() -> Self {
        Self("{".to_owned())
    }
}

impl Writer {
    /// `name` is a plain word, `value` is JSON.
    pub fn raw(&mut self, name: &str, value: &str) {
        if self.0.len() > 1 {
            self.0.push(',');
        }
        self.0.extend(["\"", name, "\":", value]);
    }

    /// `name` is a plain word.
    pub fn bool(&mut self, name: &str, value: bool) {
        self.raw(name, if value { "true" } else { "false" });
    }

    /// `name` is a plain word.
    pub fn number(&mut self, name: &str, value: i64) {
        self.raw(name, &value.to_string());
    }

    /// `name` is a plain word.
    pub fn text(&mut self, name: &str, value: &str) {
        self.raw(name, "\"");
        for character in value.chars() {
            match character {
                '"' | '\\' => self.0.extend(['\\', character]),
                '\0'..' ' => {
                    self.0.push_str("\\u00");
                    let code = u32::from(character);
                    self.0.extend(
                        [code >> 4, code & 15]
                            .iter()
                            .filter_map(|digit| char::from_digit(*digit, 16)),
                    );
                }
                _ => self.0.push(character),
            }
        }
        self.0.push('"');
    }

    /// The object.
    pub fn end(mut self) -> Vec<u8> {
        self.0.push('}');
        self.0.into_bytes()
    }
}
