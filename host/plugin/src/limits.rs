//! What a call may use. The manifest may ask for less than the operator allows, and never gets more.

use std::time::Duration;

use serde::Deserialize;

use crate::engine::{Settings, TABLE_ELEMENTS};

/// Limits as a manifest asks for them or an operator's file sets them; what is left out stays as it was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct LimitsAsked {
    /// Linear memory of an instance, MiB.
    pub memory_mib: Option<u32>,
    /// Wall-clock time of a call, of which it waits half at most for a free instance, milliseconds.
    pub deadline_ms: Option<u32>,
    /// Time that the guest itself may compute in a call, milliseconds.
    pub compute_ms: Option<u32>,
    /// All arguments of a call together, KiB.
    pub input_kib: Option<u32>,
    /// What a guest may hand to the host at once, results and arguments alike, KiB.
    pub output_kib: Option<u32>,
    /// Live handles of an instance.
    pub handles: Option<u32>,
    /// Elements of all tables of an instance together.
    pub table_elements: Option<u32>,
    /// Calls at the same time; as many instances are kept warm.
    pub instances: Option<u32>,
    /// Lines that a call may log.
    pub log_lines: Option<u32>,
}

/// The limits that hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Linear memory of an instance, bytes.
    pub memory: usize,
    /// Wall-clock time of a call.
    pub deadline: Duration,
    /// Time that the guest itself may compute in a call.
    pub compute: Duration,
    /// All arguments of a call together, bytes.
    pub input: usize,
    /// What a guest may hand to the host at once, bytes.
    pub output: usize,
    /// Live handles of an instance.
    pub handles: usize,
    /// Elements of all tables of an instance together.
    pub table_elements: usize,
    /// Calls at the same time.
    pub instances: u32,
    /// Lines that a call may log.
    pub log_lines: u32,
}

const MIB: usize = 1 << 20;
const KIB: usize = 1 << 10;

impl Limits {
    /// What the operator sets, where the operator sets nothing the host's defaults, and the manifest's wishes within them.
    pub fn between(asked: &LimitsAsked, given: &LimitsAsked) -> Self {
        let smaller = |of: fn(&LimitsAsked) -> Option<u32>, default: u32| {
            let given = of(given).unwrap_or(default);
            of(asked).map_or(given, |asked| asked.min(given))
        };
        Self {
            memory: smaller(|l| l.memory_mib, 16) as usize * MIB,
            deadline: Duration::from_millis(smaller(|l| l.deadline_ms, 5_000).into()),
            compute: Duration::from_millis(smaller(|l| l.compute_ms, 250).into()),
            input: smaller(|l| l.input_kib, 1_024) as usize * KIB,
            output: smaller(|l| l.output_kib, 1_024) as usize * KIB,
            handles: smaller(|l| l.handles, 256) as usize,
            table_elements: smaller(|l| l.table_elements, 10_000) as usize,
            instances: smaller(|l| l.instances, 4).max(1),
            log_lines: smaller(|l| l.log_lines, 32),
        }
    }
}

impl Limits {
    /// No more than the host has set aside for any instance.
    #[must_use]
    pub fn within(self, settings: &Settings) -> Self {
        Self {
            memory: self.memory.min(settings.memory_mib as usize * MIB),
            table_elements: self.table_elements.min(TABLE_ELEMENTS),
            ..self
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::between(&LimitsAsked::default(), &LimitsAsked::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(mib: Option<u32>) -> LimitsAsked {
        LimitsAsked { memory_mib: mib, ..LimitsAsked::default() }
    }

    #[test]
    fn the_smaller_of_the_two_holds() {
        assert_eq!(Limits::between(&memory(Some(2)), &memory(Some(4))).memory, 2 * MIB);
        assert_eq!(Limits::between(&memory(Some(8)), &memory(Some(4))).memory, 4 * MIB);
        assert_eq!(Limits::between(&memory(None), &memory(Some(4))).memory, 4 * MIB);
        assert_eq!(Limits::between(&memory(Some(64)), &memory(None)).memory, 16 * MIB);
    }
}
