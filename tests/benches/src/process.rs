//! What the kernel knows of a process: the processor time it used, the memory it has.

use std::fs;
use std::time::Duration;

/// The processor time that a process has used so far, its own and the kernel's for it, in steps of 10 ms.
///
/// # Panics
/// If there is no such process.
pub fn cpu_time(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).expect("the process runs");
    // The name, in parentheses, may contain spaces; state is field 3, utime and stime are 14 and 15.
    let fields: Vec<&str> = stat[stat.rfind(')').expect("proc(5)") + 1..].split_whitespace().collect();
    let ticks = |field: usize| -> u64 { fields[field - 3].parse().expect("proc(5)") };
    Duration::from_millis(10 * (ticks(14) + ticks(15)))
}

/// The memory that a process would give back by ending (proportional set size), in bytes.
///
/// # Panics
/// If there is no such process, or it is not ours.
pub fn proportional_memory(pid: u32) -> u64 {
    let rollup =
        fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).expect("the process runs and is ours");
    kibibytes(&rollup, "Pss:").expect("proc(5)")
}

/// The most memory that a process ever had resident, in bytes; `None` once it has ended.
pub fn peak_memory(pid: u32) -> Option<u64> {
    kibibytes(&fs::read_to_string(format!("/proc/{pid}/status")).ok()?, "VmHWM:")
}

/// The processes that a process started.
///
/// # Panics
/// If there is no such process.
pub fn children(pid: u32) -> Vec<u32> {
    let children = fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).expect("the process runs");
    children.split_whitespace().map(|pid| pid.parse().expect("proc(5)")).collect()
}

fn kibibytes(lines: &str, label: &str) -> Option<u64> {
    let value = lines.lines().find_map(|line| line.strip_prefix(label))?;
    value.trim().strip_suffix(" kB")?.parse::<u64>().ok().map(|kib| kib * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_own_process_is_there() {
        let us = std::process::id();
        let before = cpu_time(us);
        assert!(proportional_memory(us) > 100 * 1024);
        assert!(peak_memory(us).unwrap() >= proportional_memory(us) / 2);
        while cpu_time(us) < before + Duration::from_millis(20) {}
        assert_eq!(peak_memory(u32::MAX), None);
        assert!(children(us).is_empty());
    }
}
