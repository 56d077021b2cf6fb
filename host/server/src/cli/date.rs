//! Times as people read them: UTC, to the day, the minute or the second.

use jiff::Timestamp;
use symbolon_trust::Seconds;

/// What this machine's clock reads.
pub fn now() -> Seconds {
    Seconds(Timestamp::now().as_second().cast_unsigned())
}

/// `2026-11-24 10:33 UTC`
pub fn minute(unix: u64) -> String {
    formatted(unix, "%Y-%m-%d %H:%M UTC")
}

/// `2026-11-24 10:33:11 UTC`
pub fn second(unix: u64) -> String {
    formatted(unix, "%Y-%m-%d %H:%M:%S UTC")
}

/// `2026-11-24`
pub fn day(unix: u64) -> String {
    formatted(unix, "%Y-%m-%d")
}

/// Times that no calendar has are shown as the number that they are.
fn formatted(unix: u64, format: &str) -> String {
    let time = i64::try_from(unix).ok().and_then(|unix| Timestamp::from_second(unix).ok());
    time.map_or_else(|| unix.to_string(), |time| time.strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        assert_eq!(minute(1_795_516_380), "2026-11-24 10:33 UTC");
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(u64::MAX), u64::MAX.to_string());
    }
}
