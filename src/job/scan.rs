//! Walks JSON bytes without building anything: where strings and values begin and end.
//!
//! `STRICT` refuses everything on which versions of Ruby's json gem (2.6 to 3.1) or serde_json
//! disagree; the relaxed form accepts what any of those json gems reads, since its payloads have
//! already been through one of them.

use std::ops::Range;

/// `JSON.parse` refuses what nests deeper (`max_nesting`).
const MAX_DEPTH: u32 = 100;

/// A string as it lies in the payload.
pub(super) struct Text {
    /// Between the quotes.
    pub(super) inside: Range<usize>,
    /// Whether a backslash occurs in it.
    pub(super) escaped: bool,
}

/// A position in JSON text. Every step returns `None` if the text is not what it should be.
pub(super) struct Scanner<'a, const STRICT: bool> {
    bytes: &'a [u8],
    pos: usize,
}

impl<'a, const STRICT: bool> Scanner<'a, STRICT> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, pos: 0 }
    }

    /// The next byte, without taking it.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.pos).copied()
    }

    /// Takes the next byte.
    #[inline]
    pub(super) fn next(&mut self) -> Option<u8> {
        let byte = self.peek()?;
        self.pos += 1;
        Some(byte)
    }

    /// Takes `byte` or fails.
    #[inline]
    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then_some(())
    }

    /// Where the next byte lies.
    #[inline]
    pub(super) fn position(&self) -> usize {
        self.pos
    }

    /// Skips white space; in the relaxed form comments too, which json < 3 reads.
    #[inline]
    pub(super) fn space(&mut self) -> Option<()> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.pos += 1,
                Some(b'/') if !STRICT => self.comment()?,
                _ => return Some(()),
            }
        }
    }

    fn comment(&mut self) -> Option<()> {
        let rest = self.bytes.get(self.pos..)?;
        self.pos += match rest.get(1)? {
            b'*' => 4 + rest[2..].windows(2).position(|pair| pair == b"*/")?,
            b'/' => rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len()),
            _ => return None,
        };
        Some(())
    }

    /// Succeeds if nothing but white space follows.
    pub(super) fn end(&mut self) -> Option<()> {
        self.space()?;
        (self.pos == self.bytes.len()).then_some(())
    }

    /// Takes a string, quotes included.
    #[inline]
    pub(super) fn text(&mut self) -> Option<Text> {
        self.expect(b'"')?;
        let start = self.pos;
        let mut escaped = false;
        loop {
            self.pos = plain_until(self.bytes, self.pos);
            match self.next()? {
                b'"' => {
                    return Some(Text {
                        inside: start..self.pos - 1,
                        escaped,
                    });
                }
                b'\\' => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return None,
            }
        }
    }

    /// The rest of an escape, after its backslash.
    fn escape(&mut self) -> Option<()> {
        match self.next()? {
            b'u' => self.unicode(),
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(()),
            // Old json gems read `\q` as `q`.
            other => (!STRICT && other >= b' ').then_some(()),
        }
    }

    fn unicode(&mut self) -> Option<()> {
        let unit = self.hex4()?;
        if STRICT && (0xd800..0xe000).contains(&unit) {
            // What a lone surrogate becomes depends on the json gem.
            self.expect(b'\\')?;
            self.expect(b'u')?;
            let low = self.hex4()?;
            if unit >= 0xdc00 || !(0xdc00..0xe000).contains(&low) {
                return None;
            }
        }
        Some(())
    }

    fn hex4(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.pos..self.pos + 4)?;
        self.pos += 4;
        digits.iter().try_fold(0, |unit, &digit| {
            Some(unit << 4 | char::from(digit).to_digit(16)?)
        })
    }

    /// Takes any value. `depth` is that of the container around it: 0 outside, 1 in the payload's
    /// own object.
    #[inline]
    pub(super) fn value(&mut self, depth: u32) -> Option<Range<usize>> {
        let start = self.pos;
        match self.peek()? {
            b'"' => {
                self.text()?;
            }
            b'[' => self.array(depth + 1)?,
            b'{' => self.object(depth + 1)?,
            b't' => self.word(b"true")?,
            b'f' => self.word(b"false")?,
            b'n' => self.word(b"null")?,
            _ => self.number()?,
        }
        Some(start..self.pos)
    }

    // Recursion is bounded by MAX_DEPTH and a frame is a few words.
    fn array(&mut self, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.pos += 1;
        self.space()?;
        if self.peek()? == b']' {
            self.pos += 1;
            return Some(());
        }
        loop {
            self.value(depth)?;
            self.space()?;
            match self.next()? {
                b',' => self.space()?,
                b']' => return Some(()),
                _ => return None,
            }
        }
    }

    fn object(&mut self, depth: u32) -> Option<()> {
        if depth > MAX_DEPTH {
            return None;
        }
        self.pos += 1;
        self.space()?;
        if self.peek()? == b'}' {
            self.pos += 1;
            return Some(());
        }
        loop {
            self.text()?;
            self.space()?;
            self.expect(b':')?;
            self.space()?;
            self.value(depth)?;
            self.space()?;
            match self.next()? {
                b',' => self.space()?,
                b'}' => return Some(()),
                _ => return None,
            }
        }
    }

    fn word(&mut self, word: &[u8]) -> Option<()> {
        let taken = self.bytes.get(self.pos..self.pos + word.len())?;
        self.pos += word.len();
        (taken == word).then_some(())
    }

    fn digits(&mut self) -> usize {
        let start = self.pos;
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.pos += 1;
        }
        self.pos - start
    }

    fn number(&mut self) -> Option<()> {
        if self.peek() == Some(b'-') {
            self.pos += 1;
        }
        let zero = self.peek()? == b'0';
        let whole = self.digits();
        if whole == 0 || (zero && whole > 1) {
            return None;
        }
        if self.peek() == Some(b'.') {
            self.pos += 1;
            if self.digits() == 0 {
                return None;
            }
        }
        let mut exponent = 0;
        if let Some(b'e' | b'E') = self.peek() {
            self.pos += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.pos += 1;
            }
            exponent = self.digits();
            if exponent == 0 {
                return None;
            }
        }
        // Ruby reads a number beyond a double as Infinity, serde_json refuses it.
        (!STRICT || (whole <= 200 && exponent <= 2)).then_some(())
    }
}

/// The first position from `pos` on that holds a quote, a backslash or a control character, or the
/// end. Eight bytes at a time: the lowest flagged byte is right, those above it may be due to borrows.
#[inline]
pub(crate) fn plain_until(bytes: &[u8], mut pos: usize) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGHS: u64 = ONES << 7;
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGHS;
    while let Some(chunk) = bytes.get(pos..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let hit = zero_bytes(word ^ (ONES * u64::from(b'"')))
            | zero_bytes(word ^ (ONES * u64::from(b'\\')))
            | (word.wrapping_sub(ONES * 0x20) & !word & HIGHS);
        if hit != 0 {
            return pos + hit.trailing_zeros() as usize / 8;
        }
        pos += 8;
    }
    while bytes
        .get(pos)
        .is_some_and(|&b| b >= 0x20 && b != b'"' && b != b'\\')
    {
        pos += 1;
    }
    pos
}

/// Walks the members of the object that `payload` is, in order: the key as written between its
/// quotes, whether it contains escapes, and where the value lies. Returns where a further member would
/// be inserted and whether a comma must precede it, or `None` if this is not an object.
pub(super) fn members<const STRICT: bool>(
    payload: &[u8],
    mut each: impl FnMut(&Text, Range<usize>) -> Option<()>,
) -> Option<(usize, bool)> {
    let mut scan = Scanner::<STRICT>::new(payload);
    scan.space()?;
    scan.expect(b'{')?;
    let mut insert = scan.position();
    scan.space()?;
    if scan.peek()? == b'}' {
        scan.next()?;
        scan.end()?;
        return Some((insert, false));
    }
    loop {
        let key = scan.text()?;
        scan.space()?;
        scan.expect(b':')?;
        scan.space()?;
        let value = scan.value(1)?;
        insert = value.end;
        each(&key, value)?;
        scan.space()?;
        match scan.next()? {
            b',' => scan.space()?,
            b'}' => break,
            _ => return None,
        }
    }
    scan.end()?;
    Some((insert, true))
}
