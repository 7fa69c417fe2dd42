//! Whole numbers as Ruby's `Integer()` reads them, with which `sidekiq` reads its flags: `010` is eight, and
//! `1_000` a thousand.

/// `None` for anything that is not a whole number, or is larger than any that a flag may have.
pub(super) fn read(typed: &str) -> Option<i64> {
    let text = typed.trim_matches([' ', '\t', '\n', '\r', '\x0b', '\x0c']);
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let (radix, digits) = radix(text)?;
    let single = !digits.starts_with('_') && !digits.ends_with('_') && !digits.contains("__");
    let digits = digits.replace('_', "");
    if !single || !digits.bytes().all(|it| it.is_ascii_alphanumeric()) {
        return None;
    }
    Some(sign * i64::from_str_radix(&digits, radix).ok()?)
}

fn radix(text: &str) -> Option<(u32, &str)> {
    let Some(rest) = text.strip_prefix('0').filter(|it| !it.is_empty()) else {
        return Some((10, text));
    };
    let mut letters = rest.chars();
    let radix = match letters.next()?.to_ascii_lowercase() {
        'x' => 16,
        'o' => 8,
        'b' => 2,
        'd' => 10,
        // The zero may be followed by an underscore.
        _ => return Some((8, rest.strip_prefix('_').unwrap_or(rest))),
    };
    Some((radix, letters.as_str()))
}

#[cfg(test)]
mod tests {
    use super::read;

    #[test]
    fn as_ruby_reads_them() {
        for (typed, number) in [
            ("5", Some(5)),
            (" 5 ", Some(5)),
            ("+5", Some(5)),
            ("-3", Some(-3)),
            ("0", Some(0)),
            ("010", Some(8)),
            ("0_7", Some(7)),
            ("0x1F", Some(31)),
            ("0b11", Some(3)),
            ("0o17", Some(15)),
            ("0d9", Some(9)),
            ("1_000", Some(1000)),
            ("1__0", None),
            ("_1", None),
            ("1_", None),
            ("09", None),
            ("", None),
            ("-", None),
            ("+-1", None),
            ("0x", None),
            ("0x_1", None),
            ("0__1", None),
            ("5.0", None),
            ("1e3", None),
            ("five", None),
            ("５", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(read(typed), number, "{typed:?}");
        }
    }
}
