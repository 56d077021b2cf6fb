//! The good guest, as text. Memory: results at 16, constants from 1024, what the host hands over from 32768.

use std::collections::BTreeMap;
use std::fmt::Write;

/// An exported function of the core module: its parameters as the canonical ABI flattens them, and its body.
pub struct Function {
    /// Interface and function.
    pub name: &'static str,
    params: &'static str,
    body: &'static str,
}

const fn function(name: &'static str, params: &'static str, body: &'static str) -> Function {
    Function { name, params, body }
}

/// A bump allocator; what a call was handed is forgotten when its result was read.
pub const REALLOC: &str = "
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $heap) (i32.const 7)) (i32.const -8)))
    (global.set $heap (i32.add (local.get $at) (local.get $size)))
    (local.get $at)";

/// Every function that the good guest exports. A result is at 16: its case at 16, its value from 20.
pub const FUNCTIONS: [Function; 9] = [
    // name "good", version "1.0.0", one algorithm
    function(
        "provider#describe",
        "",
        "(call $ok)
         (call $pair (i32.const 20) (i32.const 1024) (i32.const 4))
         (call $pair (i32.const 28) (i32.const 1032) (i32.const 5))
         (call $pair (i32.const 36) (i32.const 1048) (i32.const 1))
         (call $pair (i32.const 44) (i32.const 0) (i32.const 0))
         (i32.const 16)",
    ),
    function("provider#check-config", "", "(call $ok) (i32.const 16)"),
    function(
        "provider#health",
        "",
        "(call $ok) (call $pair (i32.const 20) (i32.const 0) (i32.const 0)) (i32.const 16)",
    ),
    // A key's representation is the address of its id of 16 bytes: 2048 and on, sixteen of them in turn.
    function(
        "provider#generate",
        "(param $algorithm i32) (param i32) (param i32) (param i32) (param i32) (param i32) (param i32) (param i32)",
        "(call $fill (i32.const 16) (i32.const 8))
         (memory.copy (i32.const 2048) (i32.load (i32.const 8)) (i32.const 16))
         (call $ok)
         (i32.store (i32.const 20) (call $new (i32.const 2048)))
         (i32.const 16)",
    ),
    // Any id opens.
    function(
        "provider#open",
        "(param $id i32) (param $len i32) (param i32) (param i32)",
        "(memory.copy (i32.const 2048) (local.get $id) (i32.const 16))
         (call $ok)
         (i32.store (i32.const 20) (call $new (i32.const 2048)))
         (i32.const 16)",
    ),
    function(
        "provider#[method]key.info",
        "(param $rep i32)",
        "(call $ok)
         (call $pair (i32.const 20) (local.get $rep) (i32.const 16))
         (call $pair (i32.const 28) (i32.const 1056) (i32.const 7))
         (call $pair (i32.const 36) (i32.const 0) (i32.const 0))
         (i32.store (i32.const 44) (i32.const 0))
         (call $pair (i32.const 56) (i32.const 0) (i32.const 0))
         (i32.const 16)",
    ),
    function("provider#[method]key.destroy", "(param $rep i32)", "(call $ok) (i32.const 16)"),
    function("signing#sign-digest", SIGN, "(call $echo (local.get $data) (local.get $len))"),
    function("signing#sign-message", SIGN, "(call $echo (local.get $data) (local.get $len))"),
];

const SIGN: &str = "(param $rep i32) (param $algorithm i32) (param i32) (param $data i32) (param $len i32)";

const HEAD: &str = r#"
    (import "[export]symbolon:keystore/provider@0.1.0" "[resource-new]key" (func $new (param i32) (result i32)))
    (import "symbolon:host/entropy@0.1.0" "fill" (func $fill (param i32 i32)))"#;

const BASE: &str = r#"
    (global $heap (mut i32) (i32.const 32768))
    (data (i32.const 1024) "good")
    (data (i32.const 1032) "1.0.0")
    (data (i32.const 1048) "\20\04\00\00\07\00\00\00")
    (data (i32.const 1056) "aes-256")
    (func $ok (i32.store (i32.const 16) (i32.const 0)))
    (func $pair (param $at i32) (param $pointer i32) (param $len i32)
        (i32.store (local.get $at) (local.get $pointer))
        (i32.store offset=4 (local.get $at) (local.get $len)))
    ;; A "signature": the input itself.
    (func $echo (param $data i32) (param $len i32) (result i32)
        (call $ok)
        (call $pair (i32.const 20) (local.get $data) (local.get $len))
        (i32.const 16))
"#;

/// Sealing, as the good guest doesn't have it: nothing is hidden, and what it is lent is given back, unless it is told
/// otherwise.
pub fn sealing(keeps: bool) -> String {
    let give_back = if keeps { "" } else { "(call $give-back (local.get $secret))" };
    format!(
        r#"(func (export "symbolon:keystore/sealing@0.1.0#seal")
               (param $key i32) (param $secret i32) (param $data i32) (param $len i32) (result i32)
               {give_back} (call $echo (local.get $data) (local.get $len)))
           (func (export "symbolon:keystore/sealing@0.1.0#open-sealed")
               (param i32 i32 i32 i32 i32) (result i32) (unreachable))"#
    )
}

/// The whole module. The destructor is called when a key's handle ends.
pub fn module(
    bodies: &BTreeMap<&'static str, String>,
    imports: &str,
    items: &str,
    memory: &str,
    realloc: &str,
    destructor: &str,
) -> String {
    let mut text = format!("(module {HEAD} {imports} (memory (export \"memory\") {memory}) {BASE} {items}");
    let _ = write!(
        text,
        "(func (export \"cabi_realloc\") (param $old i32) (param $was i32) (param $align i32) (param $size i32) \
         (result i32) {realloc})"
    );
    let _ = write!(
        text,
        "(func (export \"symbolon:keystore/provider@0.1.0#[dtor]key\") (param i32) {destructor})"
    );
    for function in &FUNCTIONS {
        let body = bodies.get(function.name).map_or(function.body, String::as_str);
        let name = exported(function.name);
        let _ = write!(text, "(func (export \"{name}\") {} (result i32) {body})", function.params);
        let _ = write!(
            text,
            "(func (export \"cabi_post_{name}\") (param i32) (global.set $heap (i32.const 32768)))"
        );
    }
    text.push(')');
    text
}

fn exported(name: &str) -> String {
    let (interface, function) = name.split_once('#').expect("interface#function");
    format!("symbolon:keystore/{interface}@0.1.0#{function}")
}
