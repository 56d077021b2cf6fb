//! The key chain from a root key down to a real LUKS volume, and what switching a key of it off does.
//!
//! The volume is `qemu-img`'s: formatted, written and read without a kernel, its passphrase in a file. Which store the root
//! key is kept in is the only thing that differs between the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::json;
use symbolon_e2e::{Cli, Deployment, Finished, Gateway, disk_contains, eventually, exit, hsm, run};
use symbolon_hsm::Module;

const SYSTEM: &str = "acme/ceph-eu";
/// What is written to the volume, 64 KiB of it.
const PATTERN: &str = "0x5a";

#[test]
fn from_a_root_key_in_fragments_to_a_volume() {
    from_root_key_to_volume(&Deployment::start(), "fragments");
}

#[test]
fn from_a_root_key_in_softhsm2_to_a_volume() {
    from_root_key_in_hsm_to_volume(Module::SoftHsm2);
}

#[test]
fn from_a_root_key_in_kryoptic_to_a_volume() {
    from_root_key_in_hsm_to_volume(Module::Kryoptic);
}

fn from_root_key_in_hsm_to_volume(module: Module) {
    let (deployment, token) = (Deployment::start(), hsm::token(module));
    let _driver = deployment.driver("hsm-1", &token.settings());
    from_root_key_to_volume(&deployment, hsm::STORE);
}

/// The whole way down, and the switch-off, with a root key in this store.
fn from_root_key_to_volume(deployment: &Deployment, store: &str) {
    let chain = Chain::make(deployment, store);
    let volume = chain.format("vol-1");
    let key = chain.open("vol-1", "again").succeeds();
    assert!(!key.is_empty());
    volume.holds(&chain.file("again"));

    let gateway = Gateway::start(deployment);
    let opened = open_at(&gateway, &volume);
    assert_eq!(opened, (200, fs::read_to_string(chain.file("again")).unwrap()));

    // Off: the next data key is refused, and so is the gateway, whose lease ends at once; nothing opens the volume.
    deployment.owner().run(&["key", "disable", "acme-root"]).succeeds();
    chain.refuses("acme-root");
    eventually("the gateway's lease ends", || open_at(&gateway, &volume).0 == 409);
    for name in ["again", "vol-1"] {
        fs::remove_file(chain.file(name)).unwrap();
    }
    assert!(
        !chain.file("off").exists() && !volume.reads(&chain.file("off")),
        "there is no key to open it with"
    );

    // On again: it opens.
    deployment.owner().run(&["key", "enable", "acme-root"]).succeeds();
    chain.open("vol-1", "on").succeeds();
    volume.holds(&chain.file("on"));
    eventually("the gateway opens again", || open_at(&gateway, &volume).0 == 200);
}

#[test]
fn a_disabled_tenant_or_system_stops_what_is_below_it_and_nothing_else() {
    let deployment = Deployment::start();
    let chain = Chain::make(&deployment, "fragments");
    let (cli, owner) = (deployment.cli(), deployment.owner());
    cli.run(&["tenant", "create", "umbrella", "--root", "acme-root"]).succeeds();
    cli.run(&["system", "create", "umbrella/db"]).succeeds();
    cli.run(&["system", "create", "acme/db"]).succeeds();
    let made = |system: &str, name: &str| {
        cli.run(&["data-key", "create", "--system", system, "--volume", "v", "--out", name])
    };
    for (noun, link, still) in [("system", SYSTEM, "acme/db"), ("tenant", "acme", "umbrella/db")] {
        owner.run(&[noun, "disable", link]).succeeds();
        chain.refuses(link);
        made(still, &format!("{noun}-still")).succeeds();
        let shown = cli.json(&[noun, "show", link]);
        assert_eq!(shown["state"], json!("disabled"), "{shown}");
        owner.run(&[noun, "enable", link]).succeeds();
        chain.create("vol-1", &format!("{noun}-again")).succeeds();
    }
    owner.run(&["tenant", "destroy", "acme"]).succeeds();
    let said = chain.create("vol-1", "destroyed").fails(exit::CONFLICT);
    assert!(said.contains("acme is destroyed or about to be"), "{said}");
    owner.run(&["tenant", "cancel-destruction", "acme"]).succeeds();
    chain.create("vol-1", "kept").succeeds();
}

#[test]
fn a_gateway_that_is_cut_off_opens_nothing_once_its_lease_has_ended() {
    let mut deployment = Deployment::start();
    let chain = Chain::make(&deployment, "fragments");
    let volume = chain.format("vol-1");
    deployment.site().reconfigure("gateway", "[tls]", "[limits]\nlease-secs = 3\n\n[tls]");
    let gateway = Gateway::start(&deployment);
    assert_eq!(open_at(&gateway, &volume).0, 200);
    // Nobody can tell the gateway that the root key is off, or give it another permit.
    deployment.access_manager.kill();
    eventually("the lease ends", || open_at(&gateway, &volume).0 != 200);
    deployment.access_manager = deployment.access_manager.start().ready(deployment.site().guardian());
    eventually("there is a lease again", || open_at(&gateway, &volume).0 == 200);
}

#[test]
fn a_wrapped_key_opens_at_its_own_place_only() {
    let deployment = Deployment::start();
    let chain = Chain::make(&deployment, "fragments");
    let cli = deployment.cli();
    cli.run(&["system", "create", "acme/other"]).succeeds();
    chain.create("vol-1", "one").succeeds();
    chain.create("vol-2", "two").succeeds();
    let open = |wrapped: &str, system: &str, volume: &str, purpose: &str| {
        let place = ["--system", system, "--volume", volume, "--purpose", purpose, "--out", "out"];
        cli.run(&[&["data-key", "open", wrapped], place.as_slice()].concat())
    };
    for (system, volume, purpose, differs) in [
        (SYSTEM, "vol-2", "luks", "volume"),
        (SYSTEM, "vol-1", "backup", "purpose"),
        ("acme/other", "vol-1", "luks", "system"),
        ("umbrella/ceph-eu", "vol-1", "luks", "tenant"),
    ] {
        let said = open("one.wrapped", system, volume, purpose).fails(exit::INTEGRITY);
        assert!(said.contains(&format!("its {differs} is another one")), "{said}");
    }
    // A place that is written over: the bytes that follow it belong to another volume.
    let (mut forged, other) =
        (fs::read(chain.file("one.wrapped")).unwrap(), fs::read(chain.file("two.wrapped")).unwrap());
    let tail = 120;
    let (at, from) = (forged.len() - tail, other.len() - tail);
    forged[at..].copy_from_slice(&other[from..]);
    fs::write(chain.file("forged"), &forged).unwrap();
    let said = open("forged", SYSTEM, "vol-1", "luks").fails(exit::INTEGRITY);
    assert!(said.contains("does not open"), "{said}");
    // Neither is a wrapped key: a file of something else, and one that was cut.
    fs::write(chain.file("cut"), &forged[..forged.len() / 2]).unwrap();
    for file in ["cut", "one"] {
        open(file, SYSTEM, "vol-1", "luks").fails(exit::INTEGRITY);
    }
    open("nowhere", SYSTEM, "vol-1", "luks").fails(exit::NOT_FOUND);
    assert!(!chain.file("out").exists());
}

#[test]
fn old_data_keys_open_after_system_tenant_and_root_key_were_rotated() {
    let deployment = Deployment::start();
    let chain = Chain::make(&deployment, "fragments");
    let cli = deployment.cli();
    chain.create("vol-1", "old").succeeds();
    let old = fs::read(chain.file("old")).unwrap();
    for rotate in [
        ["system", "rotate", SYSTEM],
        ["tenant", "rotate", "acme"],
        ["key", "rotate", "acme-root"],
        ["system", "rotate", SYSTEM],
    ] {
        cli.run(&rotate).succeeds();
    }
    let system = cli.json(&["system", "show", SYSTEM]);
    assert_eq!((&system["version"], &system["above"]["version"]), (&json!(3), &json!(2)), "{system}");
    let place = ["--system", SYSTEM, "--volume", "vol-1", "--out", "reopened"];
    cli.run(&[&["data-key", "open", "old.wrapped"], place.as_slice()].concat()).succeeds();
    assert_eq!(fs::read(chain.file("reopened")).unwrap(), old);
    let new = chain.create("vol-2", "new").text();
    assert!(new.contains("acme/ceph-eu v3"), "{new}");
}

#[test]
fn names_are_used_once_and_root_keys_wrap() {
    let deployment = Deployment::start();
    let chain = Chain::make(&deployment, "fragments");
    let cli = deployment.cli();
    cli.run(&["key", "create", "notes"]).succeeds();
    let tenant = |name: &str, root: &str| cli.run(&["tenant", "create", name, "--root", root]);
    tenant("acme", "acme-root").fails(exit::CONFLICT);
    tenant("acme-root", "acme-root").fails(exit::CONFLICT);
    cli.run(&["key", "create", "acme"]).fails(exit::CONFLICT);
    cli.run(&["system", "create", SYSTEM]).fails(exit::CONFLICT);
    tenant("other", "notes").fails(exit::INVALID);
    tenant("other", "nothing").fails(exit::NOT_FOUND);
    cli.run(&["system", "create", "nobody/ceph"]).fails(exit::NOT_FOUND);
    cli.run(&["tenant", "create", "a/b", "--root", "acme-root"]).fails(exit::USAGE);
    cli.run(&["system", "create", "acme"]).fails(exit::USAGE);
    // A key is never put in another's place, and never shown.
    chain.create("vol-1", "key").succeeds();
    let before = fs::read(chain.file("key")).unwrap();
    chain.create("vol-1", "key").fails(exit::CONFLICT);
    assert_eq!(fs::read(chain.file("key")).unwrap(), before);
}

#[test]
fn a_stranger_sees_no_tenant_and_a_grant_on_a_tenant_is_not_one_on_another() {
    let deployment = Deployment::start();
    let chain = Chain::make(&deployment, "fragments");
    let cli = deployment.cli();
    cli.run(&["tenant", "create", "umbrella", "--root", "acme-root"]).succeeds();
    cli.run(&["system", "create", "umbrella/db"]).succeeds();
    let person = deployment.person("operator");
    let create = |system: &str, name: &str| {
        person.cli.run(&["data-key", "create", "--system", system, "--volume", "v", "--out", name])
    };
    create(SYSTEM, "none").fails(exit::NOT_FOUND);
    // The right to the root key, and to one tenant's systems.
    for key in ["acme-root", "acme/*"] {
        deployment.grant(&person.fingerprint, &["--key", key, "--allow", "encrypt,decrypt"]);
    }
    create(SYSTEM, "own").succeeds();
    create("umbrella/db", "theirs").fails(exit::NOT_FOUND);
    person.cli.run(&["system", "create", "acme/more"]).fails(exit::NOT_FOUND);
    let listed = person.cli.json(&["system", "list"]);
    assert_eq!(listed.as_array().map(Vec::len), Some(1), "{listed}");
    drop(chain);
}

#[test]
fn no_key_of_the_chain_is_on_any_servers_disk() {
    let deployment = Deployment::start();
    let chain = Chain::make(&deployment, "fragments");
    let gateway = Gateway::start(&deployment);
    let volume = chain.format("vol-1");
    assert_eq!(open_at(&gateway, &volume).0, 200);
    let text = fs::read_to_string(chain.file("vol-1")).unwrap();
    let key = hex::decode(&text).unwrap();
    for home in ["access-manager", "gateway", "kfm-1", "kfm-2", "kfm-3"] {
        let home = deployment.site().home(home);
        assert!(!disk_contains(&home, &key) && !disk_contains(&home, text.as_bytes()), "{}", home.display());
    }
}

/// A chain down to one system, and the folder in which its first person works.
struct Chain {
    cli: Cli,
    folder: PathBuf,
}

impl Chain {
    /// Root key, tenant, system.
    fn make(deployment: &Deployment, store: &str) -> Self {
        let cli = deployment.cli();
        cli.run(&["key", "create", "acme-root", "--purpose", "wrap", "--store", store]).succeeds();
        let tenant = cli.json(&["tenant", "create", "acme", "--root", "acme-root"]);
        assert_eq!((&tenant["root"], &tenant["state"]), (&json!("acme-root"), &json!("active")), "{tenant}");
        let system = cli.json(&["system", "create", SYSTEM]);
        assert_eq!((&system["system"], &system["version"]), (&json!(SYSTEM), &json!(1)), "{system}");
        Self { cli, folder: deployment.site().directory().to_owned() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Makes a data key for a volume in a file of this name.
    fn create(&self, volume: &str, name: &str) -> Finished {
        self.cli.run(&["data-key", "create", "--system", SYSTEM, "--volume", volume, "--out", name])
    }

    /// Opens the wrapped key beside the volume into a file of this name.
    fn open(&self, volume: &str, name: &str) -> Finished {
        let wrapped = format!("{volume}.wrapped");
        self.cli.run(&["data-key", "open", &wrapped, "--system", SYSTEM, "--volume", volume, "--out", name])
    }

    /// Makes a data key and formats a volume with it.
    fn format(&self, name: &str) -> LuksVolume {
        self.create(name, name).succeeds();
        let key = self.file(name);
        assert_eq!(fs::metadata(&key).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(fs::read(&key).unwrap().len(), 64, "hexadecimal, without a newline");
        let volume = LuksVolume {
            image: self.file(&format!("{name}.luks")),
            wrapped: self.file(&format!("{name}.wrapped")),
        };
        volume.format(&key);
        volume
    }

    /// No data key is made or opened, because of this key.
    fn refuses(&self, because_of: &str) {
        for refused in [self.create("vol-2", "off"), self.open("vol-1", "off")] {
            // Where no volume was made yet there is no wrapped key to be opened.
            if refused.code == Some(exit::NOT_FOUND) {
                continue;
            }
            let said = refused.fails(exit::DENIED);
            assert!(said.contains(&format!("{because_of} is disabled")), "{said}");
        }
    }
}

/// A LUKS volume in a file, and the wrapped key beside it.
struct LuksVolume {
    image: PathBuf,
    wrapped: PathBuf,
}

impl LuksVolume {
    /// Formats it with a key and writes the pattern.
    fn format(&self, key: &Path) {
        let create = |_| {
            let mut create = Command::new("qemu-img");
            create.args(["create", "-q", "-f", "luks", "--object"]).arg(secret(key));
            create.args(["-o", "key-secret=key,iter-time=10"]).arg(&self.image).arg("4M");
            run(&mut create, b"")
        };
        // It measures its own hashing by a clock of some milliseconds, and gives up where none passed.
        let unmeasured = |ended: &Finished| ended.to_string().contains("Unable to get accurate CPU usage");
        let created = (0..50).map(create).find(|ended| !unmeasured(ended));
        created.expect("one of many is measured").succeeds();
        let written = self.io(key, &format!("write -P {PATTERN} 0 64k"));
        assert!(written.code == Some(0), "{written}");
        let sector = [0x5a; 512];
        let image = fs::read(&self.image).unwrap();
        assert!(!image.chunks_exact(512).any(|found| found == sector), "what is on the disk is encrypted");
    }

    /// Refuses a volume that doesn't give the pattern back.
    #[track_caller]
    fn holds(&self, key: &Path) {
        assert!(self.reads(key), "{} opens with {}", self.image.display(), key.display());
    }

    fn reads(&self, key: &Path) -> bool {
        let read = self.io(key, &format!("read -P {PATTERN} 0 64k"));
        read.code == Some(0) && !String::from_utf8_lossy(&read.stdout).contains("verification failed")
    }

    fn io(&self, key: &Path, what: &str) -> Finished {
        let mut io = Command::new("qemu-io");
        io.arg("--object").arg(secret(key));
        io.args(["--image-opts", "-c", what]);
        run(io.arg(format!("driver=luks,key-secret=key,file.filename={}", self.image.display())), b"")
    }
}

/// The passphrase by file: nothing of it is in an argument.
fn secret(key: &Path) -> String {
    format!("secret,id=key,format=raw,file={}", key.display())
}

/// Asks a gateway for the key of a volume. Gives the status, and the key as the command line writes it.
fn open_at(gateway: &Gateway, volume: &LuksVolume) -> (u64, String) {
    use base64::Engine as _;
    let base64 = base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let wrapped = base64.encode(fs::read(&volume.wrapped).unwrap());
    let body = json!({ "volume": "vol-1", "wrapped": wrapped });
    let (status, answer) = gateway.post("/v1/systems/acme%2Fceph-eu/data-keys/open", &body);
    let key = answer["plaintext"].as_str().and_then(|text| base64.decode(text).ok()).unwrap_or_default();
    (status, hex::encode(key))
}
