//! `log`: a stranger's lines in the operator's log, made harmless.

use std::fmt::Write;

use crate::bindings::host::log::{Host, Level};
use crate::guest::Guest;

/// The longest message, bytes after escaping.
const MAX_MESSAGE: usize = 1024;
/// The longest name or value of a field, bytes after escaping.
const MAX_FIELD: usize = 256;
/// Fields of one line.
const MAX_FIELDS: usize = 16;
/// Stands where something was cut off.
const CUT: char = '…';

impl Host for Guest {
    fn emit(&mut self, level: Level, message: String, fields: Vec<(String, String)>) -> wasmtime::Result<()> {
        let Some(left) = self.call.log_lines.checked_sub(1) else {
            self.call.log_dropped = self.call.log_dropped.saturating_add(1);
            return Ok(());
        };
        self.call.log_lines = left;
        write(self, level, &line(&message, MAX_MESSAGE), &pairs(&fields));
        Ok(())
    }
}

/// tracing's levels are part of a call site, hence one each.
fn write(guest: &Guest, level: Level, message: &str, fields: &str) {
    let (plugin, version) = (&guest.identity.id, &guest.identity.version);
    let request = &guest.call.request;
    macro_rules! at {
        ($level:ident) => {
            tracing::$level!(target: "symbolon::plugin", %plugin, %version, %request, %fields, "{message}")
        };
    }
    match level {
        Level::Trace => at!(trace),
        Level::Debug => at!(debug),
        Level::Info => at!(info),
        Level::Warn => at!(warn),
        Level::Error => at!(error),
    }
}

fn pairs(fields: &[(String, String)]) -> String {
    let mut text = String::new();
    for (name, value) in fields.iter().take(MAX_FIELDS) {
        let gap = if text.is_empty() { "" } else { " " };
        let _ = write!(text, "{gap}{}={}", line(name, MAX_FIELD), line(value, MAX_FIELD));
    }
    if fields.len() > MAX_FIELDS {
        text.push(CUT);
    }
    text
}

/// A text of a stranger on one line of at most `max` bytes: nothing in it moves a cursor, starts a line, or hides.
pub fn line(text: &str, max: usize) -> String {
    let mut out = String::new();
    // How much of it stays when the mark of a cut has to fit behind it.
    let mut keep = 0;
    for char in text.chars() {
        if harmless(char) {
            out.push(char);
        } else {
            let _ = write!(out, "{}", char.escape_unicode());
        }
        if out.len() > max {
            out.truncate(keep);
            out.push(CUT);
            break;
        }
        if out.len() + CUT.len_utf8() <= max {
            keep = out.len();
        }
    }
    out
}

/// Neither a control character (terminals obey those) nor one that changes how its neighbours are read or seen.
fn harmless(char: char) -> bool {
    let invisible = matches!(char,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e0fff}');
    !char.is_control() && !invisible
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_and_invisible_ones_are_spelled_out() {
        assert_eq!(line("a\nb\x1b[2Jc\u{202e}d", 100), r"a\u{a}b\u{1b}[2Jc\u{202e}d");
        assert_eq!(line("Schlüssel 鍵", 100), "Schlüssel 鍵");
    }

    #[test]
    fn a_long_line_is_cut_at_a_character() {
        for max in 3..20 {
            let cut = line("äöüäöüäöüäöü", max);
            assert!(cut.len() <= max && cut.ends_with(CUT), "{max}: {cut}");
        }
        assert_eq!(line("abcd", 4), "abcd");
        assert_eq!(line(&"\0".repeat(100), 16), r"\u{0}\u{0}…");
    }

    #[test]
    fn fields_are_few_and_short() {
        let many: Vec<_> = (0..100).map(|n| (format!("f{n}"), "x".repeat(1000))).collect();
        let text = pairs(&many);
        assert!(text.len() < MAX_FIELDS * (MAX_FIELD + 10) && text.starts_with("f0=xxx"));
        assert_eq!(pairs(&[("a".into(), "1\n2".into()), ("b".into(), String::new())]), r"a=1\u{a}2 b=");
    }
}
