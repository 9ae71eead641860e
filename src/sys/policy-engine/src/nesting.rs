//! How dear a text is to parse.
//!
//! The engine's parser reads the first element of every `[` and `{` twice, to see whether a comprehension follows. So
//! what lies in the first element of the first element, and so on, is read 2, 4, 8 … times, and a text of forty
//! brackets takes for ever. Texts of people and generators stay far below the limit.

const BASE: u64 = 1_000_000;
const PER_TOKEN: u64 = 32;

/// Whether the parser can read this text in a time that is about in proportion to its length.
pub fn is_bearable(text: &str) -> bool {
    let mut tokens = 0u64;
    let mut cost = 0u64;
    // For each open bracket whether we are in its first element; parentheses are read once.
    let mut open: Vec<bool> = Vec::new();
    let mut doubled = 0u32;
    let mut bytes = text.bytes().peekable();
    while let Some(byte) = bytes.next() {
        match byte {
            b'#' => while bytes.next().is_some_and(|byte| byte != b'\n') {},
            b'`' => while bytes.next().is_some_and(|byte| byte != b'`') {},
            b'"' => {
                while let Some(inner) = bytes.next() {
                    match inner {
                        b'\\' => drop(bytes.next()),
                        b'"' | b'\n' => break,
                        _ => (),
                    }
                }
            }
            b'[' | b'{' => {
                open.push(true);
                doubled += 1;
            }
            b'(' => open.push(false),
            b')' | b']' | b'}' => doubled -= u32::from(open.pop() == Some(true)),
            b',' => {
                if let Some(first) = open.last_mut() {
                    doubled -= u32::from(std::mem::take(first));
                }
            }
            byte if byte.is_ascii_whitespace() => continue,
            byte if byte.is_ascii_alphanumeric() => {
                while bytes.peek().is_some_and(u8::is_ascii_alphanumeric) {
                    bytes.next();
                }
            }
            _ => (),
        }
        tokens += 1;
        cost = cost.saturating_add(1u64.checked_shl(doubled).unwrap_or(u64::MAX));
    }
    cost <= BASE + tokens * PER_TOKEN
}
