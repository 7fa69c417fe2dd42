//! Text as Ruby writes it, so that what we add to a payload is what a Ruby server would add.

use std::fmt::Write as _;

/// Appends `text` as `JSON.generate` does: only quotes, backslashes and control characters are
/// escaped; `/`, DEL, U+2028 and everything else stay as they are (json 2.6 to 3.1).
pub fn json_string(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut copied = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        if byte >= b' ' && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[copied..at]);
        copied = at + 1;
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x0c => out.extend_from_slice(b"\\f"),
            0x08 => out.extend_from_slice(b"\\b"),
            _ => out.extend_from_slice(&[
                b'\\',
                b'u',
                b'0',
                b'0',
                HEX[usize::from(byte >> 4)],
                HEX[usize::from(byte & 15)],
            ]),
        }
    }
    out.extend_from_slice(&bytes[copied..]);
    out.push(b'"');
}

/// A number as Ruby's `Float#to_s` writes it: the shortest digits that read back as the same
/// double, always with a point; an exponent below 1e-4 and from 1e15 on. Not a number and the
/// infinities give `NaN`, `Infinity` and `-Infinity`, which are not JSON.
pub fn ruby_float(number: f64) -> String {
    if number.is_nan() {
        return "NaN".to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 {
            "Infinity"
        } else {
            "-Infinity"
        }
        .to_owned();
    }
    let size = number.abs();
    if size == 0.0 || (1e-4..1e15).contains(&size) {
        // Debug, unlike Display, keeps the ".0"; both write the shortest digits that read back the same.
        let mut text = format!("{number}");
        if !text.contains('.') {
            text.push_str(".0");
        }
        return text;
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent < 0 { '-' } else { '+' };
    let mut text = String::with_capacity(24);
    let _ = write!(text, "{digits}{point}e{sign}{:02}", exponent.abs());
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use proptest::prelude::*;

    use super::*;

    fn quoted(text: &str) -> String {
        let mut out = Vec::new();
        json_string(&mut out, text);
        String::from_utf8(out).unwrap()
    }

    /// The expectation is the output of json 2.6.1, 2.7.2 and 3.1.0.
    #[test]
    fn escapes_what_json_generate_escapes() {
        assert_eq!(
            quoted("a/\u{7f}\u{2028}\u{1}\u{8}\u{c}\n\r\t\"\\é\u{1f}"),
            "\"a/\u{7f}\u{2028}\\u0001\\b\\f\\n\\r\\t\\\"\\\\é\\u001f\""
        );
        assert_eq!(quoted(""), "\"\"");
    }

    /// The expectations are Ruby 3.1 to 3.3's.
    #[test]
    fn writes_floats_as_ruby_does() {
        for (number, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.5, "1.5"),
            (1735689600.0, "1735689600.0"),
            (1735689600.1234567, "1735689600.1234567"),
            (123456789e3, "123456789000.0"),
            (1e14, "100000000000000.0"),
            (999999999999999.9, "999999999999999.9"),
            (1e15, "1.0e+15"),
            (-1e15, "-1.0e+15"),
            (1234567890123456.0, "1.234567890123456e+15"),
            (1e16, "1.0e+16"),
            (123456789012345680.0, "1.2345678901234568e+17"),
            (0.0001, "0.0001"),
            (0.00012345, "0.00012345"),
            (0.00009999, "9.999e-05"),
            (-1.5e-7, "-1.5e-07"),
            (1e100, "1.0e+100"),
            (5e-324, "5.0e-324"),
            (f64::MAX, "1.7976931348623157e+308"),
            (f64::NAN, "NaN"),
            (f64::NEG_INFINITY, "-Infinity"),
        ] {
            assert_eq!(ruby_float(number), text);
        }
    }

    proptest! {
        #[test]
        fn strings_read_back(text in any::<String>()) {
            prop_assert_eq!(serde_json::from_str::<String>(&quoted(&text)).unwrap(), text);
        }

        #[test]
        fn floats_read_back(bits in any::<u64>()) {
            let number = f64::from_bits(bits);
            prop_assume!(number.is_finite());
            prop_assert_eq!(ruby_float(number).parse::<f64>().unwrap().to_bits(), bits);
        }
    }
}
