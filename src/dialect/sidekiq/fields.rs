//! Values of payload fields, as Ruby understands them.

use crate::job::{ruby_float, unescape};

/// A JSON number; Ruby tells milliseconds (integer) from seconds (float) by its class.
#[derive(Clone, Copy, Debug)]
pub(super) enum Number {
    /// Without a point or an exponent. Ruby's integers are unlimited; these hold more than any job counts to.
    Integer(i128),
    /// Any other.
    Float(f64),
}

impl Number {
    /// Reads a number. An infinite one (`1e999`) could not be written back, and counts as none.
    pub(super) fn from_json(json: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(json).ok()?;
        if !text.starts_with(|it: char| it == '-' || it.is_ascii_digit()) {
            return None;
        }
        if text.contains(['.', 'e', 'E']) {
            let number: f64 = text.parse().ok()?;
            return number.is_finite().then_some(Self::Float(number));
        }
        let limit = if text.starts_with('-') {
            i128::MIN
        } else {
            i128::MAX
        };
        Some(Self::Integer(text.parse().unwrap_or(limit)))
    }

    /// One more.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Integer(number) => Self::Integer(number.saturating_add(1)),
            Self::Float(number) => Self::Float(number + 1.0),
        }
    }

    /// Whether it is `limit` or more.
    pub(super) fn reaches(self, limit: i64) -> bool {
        match self {
            Self::Integer(number) => number >= i128::from(limit),
            Self::Float(number) => number >= limit as f64,
        }
    }

    pub(super) fn to_f64(self) -> f64 {
        match self {
            Self::Integer(number) => number as f64,
            Self::Float(number) => number,
        }
    }

    pub(super) fn to_json(self) -> String {
        match self {
            Self::Integer(number) => number.to_string(),
            Self::Float(number) => ruby_float(number),
        }
    }
}

/// Whether Ruby takes it for true.
pub(super) fn truthy(json: &[u8]) -> bool {
    !matches!(json, b"null" | b"false")
}

/// The text of a JSON string; `None` for anything else.
pub(super) fn text(json: &[u8]) -> Option<String> {
    let inside = json.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    Some(String::from_utf8_lossy(&unescape(inside)).into_owned())
}

/// Ruby's `to_i` for what a `backtrace` field may hold.
pub(super) fn to_i(json: &[u8]) -> Option<i128> {
    match Number::from_json(json) {
        Some(Number::Integer(number)) => Some(number),
        Some(Number::Float(number)) => Some(number as i128),
        None => {
            let text = text(json)?;
            let text = text.trim_start();
            let digits = text.strip_prefix('-').unwrap_or(text);
            let end = digits
                .find(|c: char| !c.is_ascii_digit())
                .unwrap_or(digits.len());
            let number: i128 = digits[..end].parse().unwrap_or(0);
            Some(if text.starts_with('-') {
                -number
            } else {
                number
            })
        }
    }
}
