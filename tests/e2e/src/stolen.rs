//! What a thief of disks and sealing keys has: the keys and fragments in a deployment's files.

use std::fs;
use std::path::{Path, PathBuf};

use symbolon_client::owner::{Office, Signer};
use symbolon_client::{NoUnlock, Profile, Unlock};
use symbolon_envelope::sealed::SealingKey;
use symbolon_fragment_manager::Vault;
use symbolon_server::identity;
use symbolon_server::passphrase::Passphrases;
use symbolon_server::sealing::{Sealing, unlock};
use symbolon_trust::{EpochCertificate, KeyPair};
use zeroize::Zeroizing;

use crate::datastore::{blob, bytes, datastore, query};
use crate::{Deployment, MANAGERS, Party, Person};

impl Deployment {
    /// A manager's identity.
    pub fn identity_of_manager(&self, position: usize) -> KeyPair {
        let home = self.site().home(MANAGERS[position]);
        let sealing = sealing_key(&home);
        identity::load(&home.join("identity.key"), Some(&sealing)).expect("the stolen identity opens")
    }

    /// The access manager's permit key.
    pub fn permit_key(&self) -> KeyPair {
        let home = self.site().home("access-manager");
        identity::load(&home.join("permit.key"), None).expect("the stolen permit key opens")
    }

    /// The access manager's TLS identity.
    pub fn identity_of_access_manager(&self) -> KeyPair {
        let home = self.site().home("access-manager");
        identity::load(&home.join("identity.key"), None).expect("the stolen identity opens")
    }

    /// The holder's key of the account's first person.
    pub fn identity_of_person(&self) -> KeyPair {
        holder(&self.site().directory().join("profile.toml"))
    }

    /// The holder's key of another person.
    pub fn identity_of(&self, person: &Person) -> KeyPair {
        holder(person.cli.profile())
    }

    /// One of the owner's keys, with the passphrase.
    pub fn owner_key(&self, office: Office) -> KeyPair {
        let home = self.site().home("owner");
        let mut passphrase = Passphrase(home.join("passphrase"));
        let mut signer = Signer::new(&home, &mut passphrase);
        KeyPair::from_seed(&signer.key(office).expect("the passphrase opens the owner's key").seed())
    }

    /// A manager's fragment of the settled instance of a key's set, unsealed.
    pub fn fragment_of_manager(&self, position: usize, key: &str) -> Vec<u8> {
        let account = self.account();
        let set = account.set_of(&Party::new(&self.identity_of_person()), key);
        let home = self.site().home(MANAGERS[position]);
        let store = datastore(&home);
        let settled = "SELECT instance, fragment FROM instance WHERE set_id = ? AND status = 3";
        let row = query(&store, settled, &[blob(set.as_bytes())]).remove(0);
        // The thief works on a copy, as of a disk.
        let copy = self.site().directory().join(format!("stolen-{position}.wrapping"));
        fs::copy(store.with_added_extension("wrapping"), &copy).expect("the wrapping keys can be read");
        let thumbprint = self.identity_of_manager(position).public().thumbprint();
        let vault = Vault::open(copy, thumbprint, sealing_key(&home)).expect("the stolen wrapping keys open");
        let instance =
            bytes(&row[0]).try_into().map(symbolon_fragments::names::InstanceId::new).expect("32 bytes");
        let fragment =
            vault.unseal(&account.id(), &instance, &bytes(&row[1])).expect("the stolen fragment opens");
        fragment.to_vec()
    }

    /// The newest certificate that a manager serves of a key's set.
    pub fn certificate_of(&self, position: usize, key: &str) -> EpochCertificate {
        let (account, person) = (self.account(), Party::new(&self.identity_of_person()));
        let manager = person
            .direct(self.manager_address(position), &account.manager(position))
            .expect("a manager that is up");
        account.newest_instance(&manager, account.set_of(&person, key)).into_body()
    }

    /// Counts the fragments that a manager holds, of all sets and instances.
    pub fn fragments_held(&self, position: usize) -> u64 {
        let store = datastore(&self.site().home(MANAGERS[position]));
        query(&store, "SELECT count(*) FROM instance", &[])[0][0].as_u64().expect("a number")
    }
}

/// A passphrase in a file.
struct Passphrase(PathBuf);

impl Unlock for Passphrase {
    fn passphrase(&mut self, _: &Path) -> Option<Zeroizing<String>> {
        let text = fs::read_to_string(&self.0).expect("the passphrase's file can be read");
        Some(Zeroizing::new(text.trim_end().to_owned()))
    }

    fn key_file(&mut self, _: &Path) -> Option<PathBuf> {
        None
    }
}

fn sealing_key(home: &Path) -> SealingKey {
    let file = home.join("sealing.key");
    unlock(&Sealing::File(file), &Passphrases::default()).expect("the stolen sealing key opens")
}

fn holder(profile: &Path) -> KeyPair {
    let profile = Profile::load(profile).expect("the profile can be read");
    symbolon_client::identity::load(&profile.identity, &mut NoUnlock).expect("the holder's key is not sealed")
}
