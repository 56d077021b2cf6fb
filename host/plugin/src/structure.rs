//! What a component is made of, read without compiling anything: sizes within bounds, and the names of imports and exports.

use wasmparser::{ComponentTypeRef, Instance, Parser, Payload, Validator, WasmFeatures};

use crate::capability::log::line;
use crate::limits::Limits;
use crate::refusal::{Refusal, Structure};

/// WebAssembly 2.0 and the component model without its asynchronous part: what every guest compiler makes by default.
const FEATURES: WasmFeatures =
    WasmFeatures::WASM2.union(WasmFeatures::EXTENDED_CONST).union(WasmFeatures::COMPONENT_MODEL);

const MAX_CORE_MODULES: u64 = 64;
/// Of core modules, and of nested components. The pool has as many for each instance, and memories and tables.
pub const MAX_INSTANCES: u32 = 128;
pub const MAX_MEMORIES: u32 = 4;
pub const MAX_TABLES: u32 = 16;
const MAX_FUNCTIONS: u64 = 50_000;
/// Bytes. Compilers take time and memory of more than the length.
const MAX_FUNCTION_BODY: u64 = 512 << 10;
const MAX_NAMES: u64 = 256;
const PAGE: u64 = 64 << 10;

/// A component's outside, and nothing proven but that it is valid and within bounds.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Outline {
    /// Names of imported interfaces, versions included.
    pub imports: Vec<String>,
    /// Names of what it exports.
    pub exports: Vec<String>,
}

/// Counts while reading.
#[derive(Default)]
struct Survey {
    outline: Outline,
    /// What surrounds the current payload: `true` for a component, `false` for a core module.
    around: Vec<bool>,
    modules: u64,
    instances: u64,
    memories: u64,
    memory_bytes: u64,
    tables: u64,
    elements: u64,
    functions: u64,
}

/// Reads the whole component.
pub fn outline(component: &[u8], limits: &Limits) -> Result<Outline, Refusal> {
    kind(component)?;
    let mut survey = Survey::default();
    for payload in Parser::new(0).parse_all(component) {
        survey.take(payload.map_err(malformed)?, limits)?;
    }
    Validator::new_with_features(FEATURES).validate_all(component).map_err(malformed)?;
    Ok(survey.outline)
}

/// Tells apart what is no component at all.
fn kind(bytes: &[u8]) -> Result<(), Refusal> {
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => Err(Refusal::MachineCode),
        [0, b'a', b's', b'm', 1, 0, 0, 0, ..] => Err(Refusal::CoreModule),
        _ => Ok(()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn malformed(error: wasmparser::BinaryReaderError) -> Refusal {
    Refusal::Malformed(line(&error.to_string(), 256))
}

fn within(count: u64, limit: u64, what: &'static str) -> Result<(), Refusal> {
    if count > limit { Err(Refusal::Structure(Structure { what, limit })) } else { Ok(()) }
}

impl Survey {
    fn take(&mut self, payload: Payload<'_>, limits: &Limits) -> Result<(), Refusal> {
        match payload {
            Payload::ModuleSection { .. } => self.module()?,
            Payload::ComponentSection { .. } => self.component()?,
            Payload::End(_) => drop(self.around.pop()),
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    self.instance(&instance.map_err(malformed)?)?;
                }
            }
            Payload::ComponentInstanceSection(instances) => self.instances(instances.count().into())?,
            Payload::MemorySection(memories) => {
                for memory in memories {
                    self.memory(memory.map_err(malformed)?.initial, limits)?;
                }
            }
            Payload::TableSection(tables) => {
                for table in tables {
                    self.table(table.map_err(malformed)?.ty.initial, limits)?;
                }
            }
            Payload::CodeSectionStart { count, .. } => {
                self.functions += u64::from(count);
                within(self.functions, MAX_FUNCTIONS, "too many functions")?;
            }
            Payload::CodeSectionEntry(body) => {
                within(body.range().len() as u64, MAX_FUNCTION_BODY, "a function that is too long, bytes")?;
            }
            Payload::ComponentImportSection(imports) if self.around.is_empty() => {
                for import in imports {
                    let import = import.map_err(malformed)?;
                    self.import(import.name.name, import.ty)?;
                }
            }
            Payload::ComponentExportSection(exports) if self.around.is_empty() => {
                for export in exports {
                    self.outline.exports.push(line(export.map_err(malformed)?.name.name, 256));
                }
                within(self.outline.exports.len() as u64, MAX_NAMES, "too many exports")?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Only the outermost component has code in it: what is nested can be instantiated many times over.
    fn module(&mut self) -> Result<(), Refusal> {
        within(self.around.len() as u64, 0, "core modules inside a nested component")?;
        self.around.push(false);
        self.modules += 1;
        within(self.modules, MAX_CORE_MODULES, "too many core modules")
    }

    fn component(&mut self) -> Result<(), Refusal> {
        within(self.around.len() as u64, 0, "components nested in nested ones")?;
        self.around.push(true);
        self.instances(0)
    }

    fn instance(&mut self, instance: &Instance<'_>) -> Result<(), Refusal> {
        match instance {
            Instance::Instantiate { .. } => self.instances(1),
            Instance::FromExports(_) => Ok(()),
        }
    }

    fn instances(&mut self, more: u64) -> Result<(), Refusal> {
        self.instances += more;
        within(self.instances, MAX_INSTANCES.into(), "too many instances")
    }

    /// A module can be instantiated more than once; how often, the compiler counts, and the guest's limiter when it happens.
    fn memory(&mut self, pages: u64, limits: &Limits) -> Result<(), Refusal> {
        self.memories += 1;
        self.memory_bytes = self.memory_bytes.saturating_add(pages.saturating_mul(PAGE));
        within(self.memories, MAX_MEMORIES.into(), "too many memories")?;
        within(self.memory_bytes, limits.memory as u64, "more memory than its limit from the start, bytes")
    }

    fn table(&mut self, elements: u64, limits: &Limits) -> Result<(), Refusal> {
        self.tables += 1;
        self.elements = self.elements.saturating_add(elements);
        within(self.tables, MAX_TABLES.into(), "too many tables")?;
        within(
            self.elements,
            limits.table_elements as u64,
            "larger tables than its limit from the start, elements",
        )
    }

    fn import(&mut self, name: &str, ty: ComponentTypeRef) -> Result<(), Refusal> {
        let name = line(name, 256);
        if !matches!(ty, ComponentTypeRef::Instance(_)) {
            return Err(Refusal::UnknownImport { name });
        }
        self.outline.imports.push(name);
        within(self.outline.imports.len() as u64, MAX_NAMES, "too many imports")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::engine;

    /// The smallest component.
    const EMPTY: &[u8] = b"\0asm\x0d\0\x01\0";

    #[test]
    fn the_smallest_component_has_no_outside() {
        assert_eq!(outline(EMPTY, &Limits::default()).unwrap(), Outline::default());
    }

    /// What wasmtime itself compiled, for this very engine.
    #[test]
    fn machine_code_is_refused() {
        let compiled = engine(&crate::Settings::default()).unwrap().precompile_component(EMPTY).unwrap();
        assert!(matches!(outline(&compiled, &Limits::default()), Err(Refusal::MachineCode)));
    }
}
