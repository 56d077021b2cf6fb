//! A component that instantiates one small module of its own many times over, which its length doesn't show.

use wasmparser::{Parser, Payload};

const CORE_MODULE: u8 = 1;
const CORE_INSTANCE: u8 = 2;

/// The component, with `module` (WebAssembly's text form) instantiated `times` times in it besides.
///
/// # Panics
/// The component or the module is none.
pub fn crowded(component: &[u8], module: &str, times: u32) -> Vec<u8> {
    let module = wat::parse_str(module).unwrap_or_else(|error| panic!("{error}"));
    let instantiate = [&[0][..], &leb(own_modules(component)), &[0]].concat();
    let instances = [leb(times), instantiate.repeat(times as usize)].concat();
    [component, &section(CORE_MODULE, &module), &section(CORE_INSTANCE, &instances)].concat()
}

/// As many are numbered before ours.
fn own_modules(component: &[u8]) -> u32 {
    let payloads = Parser::new(0).parse_all(component).map(|payload| payload.expect("a component"));
    let modules = payloads.filter(|payload| matches!(payload, Payload::ModuleSection { .. })).count();
    u32::try_from(modules).expect("a few")
}

fn section(id: u8, body: &[u8]) -> Vec<u8> {
    [&[id][..], &leb(u32::try_from(body.len()).expect("a small section")), body].concat()
}

/// LEB128, as WebAssembly writes numbers.
fn leb(mut number: u32) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            out.push(low & 0x7f);
            return out;
        }
        out.push(low | 0x80);
    }
}
