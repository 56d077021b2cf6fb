//! How much memory processes take together: their proportional set sizes, in which shared pages count once.

use std::fs;

/// The sum in bytes; nothing where the system doesn't say it for all of them.
pub fn proportional(pids: impl IntoIterator<Item = u32>) -> Option<u64> {
    pids.into_iter().map(of_process).sum()
}

fn of_process(pid: u32) -> Option<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_takes_some_memory_and_a_missing_one_has_none() {
        assert!(proportional([std::process::id()]).is_some_and(|bytes| bytes > 100 * 1024));
        assert_eq!(proportional([std::process::id(), u32::MAX]), None);
    }
}
