//! JSON to Ruby values, for `args` that [`crate::job::Envelope`] has found to be well-formed.
//!
//! Builds what `JSON.parse` builds. Every intermediate value lives in a fixed buffer on the machine
//! stack, where the conservative collector sees it, and no frame here owns anything that would leak when
//! a Ruby exception (out of memory) unwinds past it.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use magnus::rb_sys::{AsRawValue, FromRawValue, protect};
use magnus::{Error, Ruby, Value};
use rb_sys::VALUE;

use crate::job::plain_until;

/// How many values a frame collects before it hands them to Ruby's array or hash.
const CHUNK: usize = 32;
/// The most positional arguments the native path passes.
pub(super) const MOST_ARGS: usize = 16;

/// The longest text of a float that is read here.
const MOST_DIGITS: usize = 40;

/// The positional arguments of a job.
pub(super) struct Args {
    values: [VALUE; MOST_ARGS],
    count: usize,
}

impl Args {
    pub(super) const EMPTY: Self = Self {
        values: [rb_sys::Qnil as VALUE; MOST_ARGS],
        count: 0,
    };

    pub(super) fn as_slice(&self) -> &[VALUE] {
        &self.values[..self.count]
    }

    /// Reads the elements of `array`. `false` when there are more than [`MOST_ARGS`], or anything
    /// that needs Ruby's parser.
    ///
    /// # Safety
    ///
    /// With the GVL, under `rb_protect`, with `array` a well-formed JSON array nested less than
    /// 100 deep, and `self` on the stack.
    pub(super) unsafe fn read(&mut self, array: &[u8]) -> bool {
        let mut reader = Reader {
            bytes: array,
            at: 1,
        };
        let mut index = 0;
        let done = reader.elements(b']', |reader| {
            // SAFETY: the caller's promise, passed on.
            let value = unsafe { reader.value() };
            let (Some(slot), Some(value)) = (self.values.get_mut(index), value) else {
                return ControlFlow::Break(());
            };
            *slot = value;
            index += 1;
            ControlFlow::Continue(())
        });
        self.count = index.min(MOST_ARGS);
        done
    }
}

/// The Ruby value of `json`, which [`crate::job::Envelope`] has found to be well-formed. `None` if it needs
/// Ruby's parser.
pub(super) fn parse(json: &[u8]) -> Result<Option<Value>, Error> {
    let mut known = false;
    let value = protect(|| {
        // SAFETY: under protect and with the GVL; nothing in here needs dropping.
        match unsafe { read(json) } {
            Some(value) => {
                known = true;
                value
            }
            None => rb_sys::Qnil as VALUE,
        }
    })?;
    // SAFETY: it was just made and is on this thread's stack.
    Ok(known.then(|| unsafe { Value::from_raw(value) }))
}

/// Reads one well-formed value. `None` if it needs Ruby's parser.
///
/// # Safety
///
/// As for [`Args::read`].
pub(super) unsafe fn read(json: &[u8]) -> Option<VALUE> {
    let mut reader = Reader { bytes: json, at: 0 };
    // SAFETY: the caller's promise, passed on.
    unsafe { reader.value() }
}

/// The names of a job's fields, looked up in Ruby's table of strings once, not for each job.
const FIELDS: [&str; 10] = [
    "retry",
    "queue",
    "class",
    "args",
    "jid",
    "created_at",
    "enqueued_at",
    "wrapped",
    "tags",
    "cattr",
];
/// Interned, in the order of [`FIELDS`]; never collected nor moved.
static NAMES: OnceLock<[VALUE; FIELDS.len()]> = OnceLock::new();

/// Looks up [`FIELDS`], while there is one thread.
pub(super) fn define(ruby: &Ruby) {
    NAMES.get_or_init(|| {
        FIELDS.map(|it| {
            let name = ruby.str_new(it).to_interned_str();
            ruby.gc_register_mark_object(name);
            name.as_raw()
        })
    });
}

fn field(name: &[u8]) -> Option<VALUE> {
    let place = FIELDS.iter().position(|it| it.as_bytes() == name)?;
    NAMES.get().map(|it| it[place])
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    fn skip_space(&mut self) {
        while matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
            self.at += 1;
        }
    }

    /// Calls `each` at the start of every element up to `end`. Returns whether it got there.
    fn elements(&mut self, end: u8, mut each: impl FnMut(&mut Self) -> ControlFlow<()>) -> bool {
        loop {
            self.skip_space();
            match self.peek() {
                byte if byte == end => {
                    self.at += 1;
                    return true;
                }
                b',' => self.at += 1,
                0 => return false,
                _ => {
                    if each(self).is_break() {
                        return false;
                    }
                }
            }
        }
    }

    unsafe fn value(&mut self) -> Option<VALUE> {
        self.skip_space();
        // SAFETY: the GVL is held and exceptions are caught by the caller's protect.
        unsafe {
            match self.peek() {
                b'"' => self.string(false),
                b'[' => self.array(),
                b'{' => self.hash(),
                b't' => self.word(4, rb_sys::Qtrue as VALUE),
                b'f' => self.word(5, rb_sys::Qfalse as VALUE),
                b'n' => self.word(4, rb_sys::Qnil as VALUE),
                b'-' | b'0'..=b'9' => self.number(),
                _ => None,
            }
        }
    }

    fn word(&mut self, length: usize, value: VALUE) -> Option<VALUE> {
        self.at += length;
        Some(value)
    }

    unsafe fn array(&mut self) -> Option<VALUE> {
        self.at += 1;
        let mut chunk = [rb_sys::Qnil as VALUE; CHUNK];
        let mut count = 0;
        // SAFETY: see `value`.
        let array = unsafe { rb_sys::rb_ary_new() };
        let done = self.elements(b']', |reader| {
            // SAFETY: see `value`.
            let Some(value) = (unsafe { reader.value() }) else {
                return ControlFlow::Break(());
            };
            chunk[count] = value;
            count += 1;
            if count == CHUNK {
                // SAFETY: `chunk` holds `count` values.
                unsafe { rb_sys::rb_ary_cat(array, chunk.as_ptr(), count as _) };
                count = 0;
            }
            ControlFlow::Continue(())
        });
        // SAFETY: as above.
        unsafe { rb_sys::rb_ary_cat(array, chunk.as_ptr(), count as _) };
        done.then_some(array)
    }

    unsafe fn hash(&mut self) -> Option<VALUE> {
        self.at += 1;
        let mut chunk = [rb_sys::Qnil as VALUE; CHUNK];
        let mut count = 0;
        let mut pairs = 0;
        // SAFETY: see `value`.
        let hash = unsafe { rb_sys::rb_hash_new() };
        let done = self.elements(b'}', |reader| {
            // SAFETY: see `value`.
            let Some(key) = (unsafe { reader.string(true) }) else {
                return ControlFlow::Break(());
            };
            chunk[count] = key;
            reader.skip_space();
            if reader.peek() != b':' {
                return ControlFlow::Break(());
            }
            reader.at += 1;
            // SAFETY: see `value`.
            let Some(value) = (unsafe { reader.value() }) else {
                return ControlFlow::Break(());
            };
            chunk[count + 1] = value;
            count += 2;
            pairs += 1;
            if count == CHUNK {
                // SAFETY: `chunk` holds `count` values, keys and values in turn.
                unsafe { rb_sys::rb_hash_bulk_insert(count as _, chunk.as_ptr(), hash) };
                count = 0;
            }
            ControlFlow::Continue(())
        });
        // SAFETY: as above.
        unsafe { rb_sys::rb_hash_bulk_insert(count as _, chunk.as_ptr(), hash) };
        // Fewer than were read: a name occurs twice. json 3 raises, earlier versions take the last.
        // SAFETY: `hash` is a Hash.
        let distinct = unsafe { rb_sys::rb_hash_size_num(hash) } as usize == pairs;
        (done && distinct).then_some(hash)
    }

    /// A string. A hash key is interned, which makes it cheap.
    unsafe fn string(&mut self, key: bool) -> Option<VALUE> {
        self.at += 1;
        let start = self.at;
        self.at = plain_until(self.bytes, start);
        let text = &self.bytes[start..self.at];
        if self.peek() == b'"' {
            self.at += 1;
            if let Some(name) = key.then(|| field(text)).flatten() {
                return Some(name);
            }
            // SAFETY: `text` is valid UTF-8 and outlives the call, which copies it.
            return Some(unsafe {
                if key {
                    rb_sys::rb_enc_interned_str(
                        text.as_ptr().cast(),
                        text.len() as _,
                        rb_sys::rb_utf8_encoding(),
                    )
                } else {
                    rb_sys::rb_utf8_str_new(text.as_ptr().cast(), text.len() as _)
                }
            });
        }
        // SAFETY: as above.
        let string = unsafe { rb_sys::rb_utf8_str_new(text.as_ptr().cast(), text.len() as _) };
        // SAFETY: see `value`.
        unsafe { self.unescape_into(string) }?;
        if !key {
            return Some(string);
        }
        // SAFETY: `string` is a String.
        Some(unsafe { rb_sys::rb_str_to_interned_str(string) })
    }

    /// Continues after the first backslash, up to the closing quote.
    unsafe fn unescape_into(&mut self, string: VALUE) -> Option<()> {
        loop {
            let start = self.at;
            self.at = plain_until(self.bytes, start);
            let text = &self.bytes[start..self.at];
            // SAFETY: the bytes are copied; `string` is a String that nobody else has.
            unsafe { rb_sys::rb_str_cat(string, text.as_ptr().cast(), text.len() as _) };
            if self.peek() == b'"' {
                self.at += 1;
                return Some(());
            }
            let character = self.escape()?;
            let mut utf8 = [0; 4];
            let text = character.encode_utf8(&mut utf8);
            // SAFETY: as above.
            unsafe { rb_sys::rb_str_cat(string, text.as_ptr().cast(), text.len() as _) };
        }
    }

    /// One escape. `None` for a lone surrogate, on which parsers differ.
    fn escape(&mut self) -> Option<char> {
        let kind = *self.bytes.get(self.at + 1)?;
        self.at += 2;
        Some(match kind {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'"' | b'\\' | b'/' => char::from(kind),
            b'u' => {
                let high = self.hex()?;
                if !(0xD800..0xE000).contains(&high) {
                    return char::from_u32(high);
                }
                if self.bytes.get(self.at..self.at + 2)? != b"\\u" {
                    return None;
                }
                self.at += 2;
                let low = self.hex()?;
                if !(0xD800..0xDC00).contains(&high) || !(0xDC00..0xE000).contains(&low) {
                    return None;
                }
                char::from_u32(0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + 4)?;
        self.at += 4;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    }

    unsafe fn number(&mut self) -> Option<VALUE> {
        let rest = &self.bytes[self.at..];
        let length = rest
            .iter()
            .position(|it| !matches!(it, b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9'))
            .unwrap_or(rest.len());
        let text = std::str::from_utf8(&rest[..length]).ok()?;
        self.at += length;
        if text.bytes().any(|it| matches!(it, b'.' | b'e' | b'E')) {
            // Ruby ignores digits beyond some sixty, and warns of what is out of range.
            let number: f64 = text.parse().ok().filter(|it: &f64| it.is_finite())?;
            if length > MOST_DIGITS {
                return None;
            }
            // SAFETY: see `value`.
            return Some(unsafe { rb_sys::rb_float_new(number) });
        }
        if let Ok(number) = text.parse::<i64>() {
            // SAFETY: see `value`.
            return Some(unsafe { rb_sys::rb_ll2inum(number) });
        }
        // SAFETY: `text` is copied into a String, which is all that rb_str_to_inum reads.
        unsafe {
            let digits = rb_sys::rb_utf8_str_new(text.as_ptr().cast(), text.len() as _);
            let number = rb_sys::rb_str_to_inum(digits, 10, 0);
            // It reads the bytes of `digits` while it allocates, so they must not be collected.
            std::hint::black_box(&raw const digits);
            Some(number)
        }
    }
}
