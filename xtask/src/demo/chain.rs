//! The demo's last part: a key chain from a root key inside an HSM (`SoftHSM2`, behind a plugin and a driver) down to a LUKS
//! volume, and what switching the root key off does to the volume.

use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::stage::{Role, Stage, text};
use super::{act, expect};
use crate::failure::{During, Failure};

/// The plugin, as a compiler leaves it, and its manifest.
const MODULE: &str = "symbolon_hsm_pkcs11.wasm";
const MANIFEST: &str = "plugins/hsm-pkcs11/plugin.toml";
/// The vendor's library of this HSM.
const LIBRARY: &str = "/usr/lib/softhsm/libsofthsm2.so";
/// The token's label, and the key store's.
const STORE: &str = "prod";
/// The PIN of a token that lives as long as the demo.
const PIN: &str = "2317";
const SYSTEM: &str = "acme/ceph-eu";

/// Shows it; `plugins` is where the built plugins are.
pub fn show(stage: &mut Stage, plugins: &Path) -> Result<(), Failure> {
    act("an HSM joins: its plugin is signed, its driver enrolled and signed in", || join(stage, plugins))?;
    act("a root key is made inside the HSM", || {
        stage.symbolon(&["key", "create", "acme-root", "--purpose", "wrap", "--store", STORE])
    })?;
    act("below it a tenant, a system, and a data key for a volume", || {
        stage.symbolon(&["tenant", "create", "acme", "--root", "acme-root"])?;
        stage.symbolon(&["system", "create", SYSTEM])?;
        stage.symbolon(&["data-key", "create", "--system", SYSTEM, "--volume", "vol-1", "--out", "vol-1"])
    })?;
    act("a LUKS volume is formatted with the key and written; the key is deleted", || {
        format(stage)?;
        std::fs::remove_file(stage.path("vol-1")).during("deleting the key")
    })?;
    act("the wrapped key is opened again, and the volume with it", || {
        open(stage, "again")?;
        expect(reads(stage, "again")?, "the volume doesn't read what was written")
    })?;
    act("the root key is switched off: no data key is made or opened, the volume stays shut", || {
        switched_off(stage)
    })?;
    act("switched on again, it opens", || {
        stage.owner(&["key", "enable", "acme-root"])?;
        open(stage, "on")?;
        expect(reads(stage, "on")?, "the volume doesn't read what was written")
    })
}

fn switched_off(stage: &Stage) -> Result<(), Failure> {
    stage.owner(&["key", "disable", "acme-root"])?;
    let place = ["--system", SYSTEM, "--volume", "vol-1", "--out", "off"];
    for verb in [&["create"][..], &["open", "vol-1.wrapped"]] {
        let refused = stage.output(&[&["data-key"], verb, &place].concat(), b"")?;
        expect(!refused.succeeded && refused.says("acme-root is disabled"), "a data key was handed out")?;
    }
    expect(!reads(stage, "off")?, "the volume opens without a key")
}

fn open(stage: &Stage, name: &str) -> Result<(), Failure> {
    let place = ["--system", SYSTEM, "--volume", "vol-1", "--out", name];
    stage.symbolon(&[&["data-key", "open", "vol-1.wrapped"], place.as_slice()].concat()).map(drop)
}

/// Token, plugin, driver: what an HSM's owner does once.
fn join(stage: &mut Stage, plugins: &Path) -> Result<(), Failure> {
    let home = stage.home(Role::Driver);
    std::fs::create_dir(&home).during("making the driver's folder")?;
    let softhsm = token(&home)?;
    let (plugin, author) = (home.join("hsm.plugin"), home.join("author.key"));
    let (plugin, author) = (plugin.display().to_string(), author.display().to_string());
    let manifest = crate::step::root().join(MANIFEST).display().to_string();
    let module = plugins.join(MODULE).display().to_string();
    stage.symbolon(&["plugin", "pack", &module, "--manifest", &manifest, "--output", &plugin])?;
    let signer = stage.symbolon(&["plugin", "key", &author])?;
    stage.symbolon(&["plugin", "sign", &plugin, "--key", &author])?;
    let config = home.join("config.toml");
    let account = stage.path("account.root");
    let written = configuration(&home, &account, signer.trim(), &softhsm);
    std::fs::write(&config, written).during("writing the driver's configuration")?;
    let config = config.display().to_string();
    let enrolled =
        stage.symbolon(&["--json", "driver", "enrol", "--config", &config, "--create-master-key"])?;
    let (file, fingerprint) = (text(&enrolled, "enrolment")?, text(&enrolled, "fingerprint")?);
    stage.owner(&["root", "add-driver", "hsm-1", &file, "--fingerprint", &fingerprint])?;
    stage.drive()
}

/// A new token, and the configuration of its library.
fn token(home: &Path) -> Result<PathBuf, Failure> {
    let (tokens, config) = (home.join("tokens"), home.join("softhsm2.conf"));
    std::fs::create_dir(&tokens).during("making the token's folder")?;
    std::fs::write(&config, format!("directories.tokendir = {}\n", tokens.display()))
        .during("writing softhsm2.conf")?;
    let mut pin = std::fs::OpenOptions::new();
    let mut pin =
        pin.write(true).create_new(true).mode(0o600).open(home.join("pin")).during("writing the PIN")?;
    std::io::Write::write_all(&mut pin, PIN.as_bytes()).during("writing the PIN")?;
    let mut init = Command::new("softhsm2-util");
    init.args(["--init-token", "--free", "--label", STORE, "--pin", PIN, "--so-pin", PIN]);
    quietly(init.env("SOFTHSM2_CONF", &config), "softhsm2-util")?;
    Ok(config)
}

fn configuration(home: &Path, account: &Path, signer: &str, softhsm: &Path) -> String {
    let pin = home.join("pin");
    let (pin, account, softhsm) = (pin.display(), account.display(), softhsm.display());
    format!(
        "\
account = \"{account}\"
store = \"{STORE}\"
identity = \"identity.key\"
job-key = \"job.key\"
sealing = {{ file = \"sealing.key\" }}
datastore = \"driver.db\"

[plugin]
file = \"hsm.plugin\"

[plugin.policy]
signers = [\"{signer}\"]

[plugin.policy.grants]
log = true
entropy = true
config = {{ label = \"{STORE}\" }}

[plugin.policy.limits]
deadline-ms = 60000

[plugin.policy.grants.pkcs11.main]
module = \"{LIBRARY}\"
token = \"{STORE}\"
pin-file = \"{pin}\"

[plugin.policy.grants.pkcs11.main.environment]
SOFTHSM2_CONF = \"{softhsm}\"
"
    )
}

/// Formats the volume and writes to it. Its passphrase is in a file, so that no argument holds it.
fn format(stage: &Stage) -> Result<(), Failure> {
    let mut create = Command::new("qemu-img");
    create.args(["create", "-q", "-f", "luks", "--object", &secret(stage, "vol-1")]);
    create.args(["-o", "key-secret=key,iter-time=10"]).arg(stage.path("vol-1.luks")).arg("16M");
    // It measures its own hashing by a clock of some milliseconds, and gives up where none passed: then once more.
    let unmeasured = |failure: &Failure| failure.to_string().contains("Unable to get accurate CPU usage");
    let mut tries = (0..50).map(|_| quietly(&mut create, "qemu-img create"));
    tries
        .find(|tried| !tried.as_ref().is_err_and(unmeasured))
        .unwrap_or_else(|| Err(Failure::new("qemu-img never gets the time that its hashing takes")))?;
    let written = io(stage, "vol-1", "write -P 0x5a 0 64k")?;
    expect(written, "the volume can't be written")
}

fn reads(stage: &Stage, key: &str) -> Result<bool, Failure> {
    io(stage, key, "read -P 0x5a 0 64k")
}

/// Whether `qemu-io` did it, and what it read was as it should be.
fn io(stage: &Stage, key: &str, what: &str) -> Result<bool, Failure> {
    let volume = format!("driver=luks,key-secret=key,file.filename={}", stage.path("vol-1.luks").display());
    let mut io = Command::new("qemu-io");
    io.args(["--object", &secret(stage, key), "--image-opts", "-c", what, &volume]);
    let ended = io.stdin(Stdio::null()).output().during("running qemu-io")?;
    let said = String::from_utf8_lossy(&ended.stdout);
    Ok(ended.status.success() && !said.contains("verification failed"))
}

fn secret(stage: &Stage, key: &str) -> String {
    format!("secret,id=key,format=raw,file={}", stage.path(key).display())
}

fn quietly(command: &mut Command, name: &str) -> Result<(), Failure> {
    let ended = command.stdin(Stdio::null()).output().during(&format!("running {name}"))?;
    if ended.status.success() {
        return Ok(());
    }
    Err(Failure::new(format!("{name} failed:\n{}", String::from_utf8_lossy(&ended.stderr))))
}
