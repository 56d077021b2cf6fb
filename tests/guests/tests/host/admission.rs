//! Plugins that are not loaded, and what is said to be done about it. Nothing of them is compiled.

use symbolon_guests::crowd::crowded;
use symbolon_guests::{Guest, MANIFEST, bundle, contract, policy};
use symbolon_plugin::{Bundle, BundleError, Capability, Policy, Refusal, SignatureRule, Unsigned};
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};

use crate::beside::Beside;
use crate::support::{host, refused, refused_with};

#[tokio::test]
async fn an_import_that_is_not_granted() {
    let manifest = MANIFEST.replace("entropy = true", "");
    let refusal = refused_with(&manifest, Guest::good().component(), &policy()).await;
    assert!(matches!(refusal, Refusal::NotGranted { capability: Capability::Entropy }), "{refusal}");
    assert!(refusal.remedy().contains("entropy = true"));
}

#[tokio::test]
async fn a_grant_that_is_wider_than_the_operators() {
    let mut narrow = policy();
    narrow.grants.entropy = false;
    let refusal = refused_with(MANIFEST, Guest::good().component(), &narrow).await;
    assert!(matches!(&refusal, Refusal::Wider(wider) if wider.wish == "symbolon:host/entropy"), "{refusal}");
    assert!(refusal.remedy().contains("[grants] entropy = true"));
}

#[tokio::test]
async fn interfaces_that_no_host_of_ours_has() {
    for import in ["wasi:random/random@0.2.0", "symbolon:host/http@0.1.0", "symbolon:host/log@0.2.0"] {
        let text = format!("(component (import \"{import}\" (instance)))");
        let refusal = refused_with(MANIFEST, wat::parse_str(text).unwrap(), &policy()).await;
        let other_version = import.ends_with("@0.2.0") && import.starts_with("symbolon");
        assert_eq!(matches!(refusal, Refusal::WrongVersion { .. }), other_version, "{refusal}");
        assert_eq!(matches!(refusal, Refusal::UnknownImport { .. }), !other_version, "{refusal}");
        assert_eq!(refusal.remedy().contains("without WASI"), import.starts_with("wasi"));
    }
    let bare = wat::parse_str("(component (import \"run\" (func)))").unwrap();
    assert!(matches!(refused_with(MANIFEST, bare, &policy()).await, Refusal::UnknownImport { .. }));
}

#[tokio::test]
async fn another_version_of_the_contract() {
    let next = contract::current().renumbered("0.2.0");
    let component = Guest::good().component_for(&next);
    let refusal = refused_with(MANIFEST, component, &policy()).await;
    assert!(matches!(refusal, Refusal::WrongVersion { .. }), "{refusal}");
    assert!(refusal.remedy().contains("upgrade symbolon"));
    let manifest = MANIFEST.replace("@0.1.0", "@0.2.0");
    let refusal = refused_with(&manifest, Guest::good().component(), &policy()).await;
    assert!(matches!(refusal, Refusal::WrongVersion { .. }), "{refusal}");
}

/// An addition doesn't make a plugin of the other version useless.
#[tokio::test]
async fn a_newer_patch_of_the_contract_is_fine() {
    let next = contract::current().renumbered("0.1.9");
    let component = Guest::good().component_for(&next);
    let plugin = host().load(&bundle(MANIFEST, component), &policy()).await.unwrap();
    crate::support::keystore(&plugin).describe().await.unwrap();
}

/// A valid component of the right version, whose functions have other types.
#[tokio::test]
async fn the_right_names_with_other_types() {
    let other = contract::current().changed("size: func() -> u32;", "size: func() -> u64;");
    let import = r#"(import "symbolon:types/secrets@0.1.0" "[method]secret.size" (func $size (param i32) (result i64)))"#;
    let guest = Guest::good().import(import).hostile("(drop (call $size (i32.const 0)))");
    let refusal = refused_with(MANIFEST, guest.component_for(&other), &policy()).await;
    assert!(matches!(refusal, Refusal::Unfit(_)), "{refusal}");
}

#[tokio::test]
async fn a_component_for_another_world() {
    let mut resolve = wit_parser::Resolve::default();
    let package = resolve.push_str("other.wit", "package a:b; world other { export run: func(); }").unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    let mut module = wat::parse_str("(module (func (export \"run\")))").unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    let component = ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let refusal = refused_with(MANIFEST, component, &policy()).await;
    assert!(matches!(refusal, Refusal::WrongWorld { .. }), "{refusal}");
    let manifest = MANIFEST.replace("keystore-provider", "storage-front");
    let refusal = refused_with(&manifest, Guest::good().component(), &policy()).await;
    assert!(matches!(refusal, Refusal::UnknownWorld { .. }), "{refusal}");
}

#[tokio::test]
async fn nobody_strangers_and_changed_bytes() {
    let load = async |bundle: &Bundle, policy: &Policy| match host().load(bundle, policy).await {
        Ok(_) => panic!("the plugin was loaded"),
        Err(Refusal::Unsigned(unsigned)) => unsigned,
        Err(other) => panic!("{other}"),
    };
    let unsigned = Bundle::new(MANIFEST.into(), Guest::good().component());
    assert_eq!(load(&unsigned, &policy()).await, Unsigned::Nobody);
    let strangers = Policy { signers: Vec::new(), ..policy() };
    assert!(matches!(load(&Guest::good().bundle(), &strangers).await, Unsigned::Stranger { .. }));
    let mut bytes = Guest::good().bundle().encode();
    let at = bytes.windows(4).position(|window| window == b"good").unwrap();
    bytes[at] ^= 1;
    let changed = Bundle::decode(&bytes).unwrap();
    assert_eq!(load(&changed, &policy()).await, Unsigned::Altered { part: "component" });
    let unchecked = Policy { signature: SignatureRule::IAcceptUnsignedPlugins, ..policy() };
    host().load(&unsigned, &unchecked).await.unwrap();
}

#[tokio::test]
async fn what_is_no_component() {
    let load = |bytes: Vec<u8>| async move { refused_with(MANIFEST, bytes, &policy()).await };
    assert!(matches!(
        load(b"\x7fELF\x02\x01\x01 and what wasmtime compile makes".to_vec()).await,
        Refusal::MachineCode
    ));
    assert!(matches!(load(wat::parse_str("(module)").unwrap()).await, Refusal::CoreModule));
    assert!(matches!(load(b"#!/bin/sh".to_vec()).await, Refusal::Malformed(_)));
    assert!(matches!(load(Vec::new()).await, Refusal::Malformed(_)));
}

#[tokio::test]
async fn a_truncated_component() {
    let whole = Guest::good().component();
    for end in (9..whole.len()).step_by(97) {
        let refusal = refused_with(MANIFEST, whole[..end].to_vec(), &policy()).await;
        assert!(matches!(refusal, Refusal::Malformed(_) | Refusal::WrongWorld { .. }), "{end}: {refusal}");
    }
}

#[tokio::test]
async fn bombs_that_show_before_they_are_compiled() {
    let structure = |refusal: Refusal, part: &str| match refusal {
        Refusal::Structure(structure) => assert!(structure.what.contains(part), "{structure}"),
        other => panic!("{other}"),
    };
    structure(refused(&Guest::good().memory("60000")).await, "memory");
    structure(refused(&Guest::good().item("(table 1000000 funcref)")).await, "tables");
    let long = "(drop (i32.const 123456))".repeat(200_000);
    structure(refused(&Guest::good().item(&format!("(func {long})"))).await, "function that is too long");
    let many = "(func)".repeat(60_000);
    structure(refused(&Guest::good().item(&many)).await, "functions");
    let nested = "(component (component (component)))";
    structure(refused_with(MANIFEST, wat::parse_str(nested).unwrap(), &policy()).await, "nested");
    let hidden = "(component (component (core module)))";
    structure(refused_with(MANIFEST, wat::parse_str(hidden).unwrap(), &policy()).await, "core modules");
    let copies = "(core instance (instantiate $m))".repeat(200);
    let crowd = format!("(component (core module $m) {copies})");
    structure(refused_with(MANIFEST, wat::parse_str(crowd).unwrap(), &policy()).await, "instances");
}

/// Small as it is, each instance of it would take a hundred times its share of the host's pool from others.
#[tokio::test]
async fn one_module_instantiated_many_times() {
    let good = Guest::good().component();
    for (module, part) in
        [("(module (memory 0))", "linear memories"), ("(module (table 0 funcref))", "tables")]
    {
        let refusal = refused_with(MANIFEST, crowded(&good, module, 100), &policy()).await;
        // Few enough to look harmless; the compiler counts what each of them brings along.
        assert!(matches!(&refusal, Refusal::Unfit(why) if why.contains(part)), "{module}: {refusal}");
    }
    let few = crowded(&good, "(module (memory 0))", 2);
    let plugin = host().load(&bundle(MANIFEST, few), &policy()).await.unwrap();
    crate::support::keystore(&plugin).describe().await.unwrap();
}

/// What isn't even a plugin's file, or holds machine code, while a good plugin is called.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_that_cost_nobody_else_anything() {
    let host = host();
    let beside = Beside::start(&crate::support::load(&host, &Guest::good()).await);
    let huge = tempfile::NamedTempFile::new().unwrap();
    huge.as_file().set_len(100 << 20).unwrap();
    assert!(matches!(Bundle::read(huge.path()), Err(BundleError::TooLarge)));
    let whole = Guest::good().bundle().encode();
    for end in (0..whole.len()).step_by(31) {
        assert!(Bundle::decode(&whole[..end]).is_err(), "{end} bytes");
    }
    // As `wasmtime compile` writes it: ELF.
    let machine_code = bundle(MANIFEST, b"\x7fELF\x02\x01\x01 and the rest of it".to_vec());
    assert!(matches!(host.load(&machine_code, &policy()).await.err(), Some(Refusal::MachineCode)));
    let bomb = Guest::good().memory("60000").bundle();
    assert!(matches!(host.load(&bomb, &policy()).await.err(), Some(Refusal::Structure(_))));
    beside.end().await;
}

#[tokio::test]
async fn features_that_plugins_do_not_have() {
    for item in ["(memory $second 1)", "(memory i64 1)", "(tag)", "(memory 1 1 shared)"] {
        let text = format!("(component (core module {item}))");
        let refusal = refused_with(MANIFEST, wat::parse_str(&text).unwrap(), &policy()).await;
        // One memory is fine; it is the component that is for no world of ours.
        let expected = item == "(memory $second 1)";
        assert_eq!(matches!(refusal, Refusal::WrongWorld { .. }), expected, "{item}: {refusal}");
    }
}

#[tokio::test]
async fn no_more_instances_than_the_host_has_room_for() {
    let host = host();
    let mut wide = policy();
    wide.limits.instances = Some(8);
    let bundle = Guest::good().bundle();
    let first = host.load(&bundle, &wide).await.unwrap();
    let refusal = host.load(&bundle, &wide).await.err().unwrap();
    assert!(matches!(refusal, Refusal::NoRoom { instances: 16, left: 8 }), "{refusal}");
    drop(first);
    host.load(&bundle, &wide).await.unwrap();
}
