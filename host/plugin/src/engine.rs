//! wasmtime's engine, as all plugins share it.

use std::num::NonZeroUsize;

use symbolon_pkcs11::Program;
use wasmtime::{Config, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use crate::structure::{MAX_INSTANCES, MAX_MEMORIES, MAX_TABLES};

/// How much room the host sets aside for instances.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Instances of all plugins at the same time, idle ones included.
    pub instances: u32,
    /// The most linear memory that any instance may be allowed, MiB. Reserved as addresses, not as memory.
    pub memory_mib: u32,
    /// The program that runs `symbolon_pkcs11::broker::main`, a process for each token. None: this program, with the one
    /// argument `pkcs11-broker`.
    pub broker: Option<Program>,
}

impl Default for Settings {
    fn default() -> Self {
        Self { instances: 64, memory_mib: 64, broker: None }
    }
}

/// The host can't start.
#[derive(Debug, thiserror::Error)]
#[error("the plugin host can't start: {0}")]
pub struct StartError(String);

impl StartError {
    pub(crate) fn new(error: impl std::fmt::Display) -> Self {
        Self(error.to_string())
    }
}

/// Of a guest's own calls; deep recursion traps when it is used up.
const GUEST_STACK: usize = 512 << 10;
/// Of guest and host functions together, which run on the same stack.
const STACK: usize = 2 << 20;
/// What a slot keeps when its instance ends: cleared by writing, which is faster than giving pages back and taking new
/// ones (measured, and with two threads by a factor of nine).
const KEEP_MEMORY: usize = 1 << 20;
const KEEP_STACK: usize = 64 << 10;
const KEEP_TABLE: usize = 16 << 10;
/// Elements of one table. A plugin's own limit is lower or refused.
pub const TABLE_ELEMENTS: usize = 20_000;
/// For the operator's log.
const BACKTRACE: NonZeroUsize = NonZeroUsize::new(16).unwrap();

/// An engine with a pool; without one where the system gives too few addresses, and it says so.
pub fn engine(settings: &Settings) -> Result<Engine, StartError> {
    let mut config = config();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(settings)));
    Engine::new(&config).or_else(|error| {
        tracing::warn!(%error, "no pool of instances (ulimit -v?): each fresh one takes longer");
        config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
        Engine::new(&config).map_err(StartError::new)
    })
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        // Contracts are synchronous; without this a call takes a third of the time.
        .concurrency_support(false)
        .epoch_interruption(true)
        .wasm_tail_call(false)
        .wasm_memory64(false)
        .wasm_multi_memory(false)
        .wasm_relaxed_simd(false)
        .max_wasm_stack(GUEST_STACK)
        .async_stack_size(STACK)
        .wasm_backtrace_max_frames(Some(BACKTRACE));
    config
}

fn pool(settings: &Settings) -> PoolingAllocationConfig {
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(settings.instances)
        .total_core_instances(settings.instances.saturating_mul(MAX_INSTANCES))
        .total_memories(settings.instances.saturating_mul(MAX_MEMORIES))
        .total_tables(settings.instances.saturating_mul(MAX_TABLES))
        .total_stacks(settings.instances)
        // Of any one component, however often it instantiates what it has: its share of the above and no more.
        .max_core_instances_per_component(MAX_INSTANCES)
        .max_memories_per_component(MAX_MEMORIES)
        .max_tables_per_component(MAX_TABLES)
        .max_memory_size((settings.memory_mib as usize) << 20)
        .table_elements(TABLE_ELEMENTS)
        .linear_memory_keep_resident(KEEP_MEMORY)
        .async_stack_keep_resident(KEEP_STACK)
        .table_keep_resident(KEEP_TABLE);
    pool
}
