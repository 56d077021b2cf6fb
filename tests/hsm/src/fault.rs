//! A module that fails as it is told, in front of a real token.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use symbolon_pkcs11::TokenSettings;

use crate::TestToken;

const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/faulty.c");

/// A key of 32 bytes that a test can look for.
pub const PLANTED: &str = "a key's own bytes: 5c3e91aa08d27";

/// A PKCS#11 library, made of `faulty.c`, in front of the module of a token.
pub struct FaultyModule {
    token: TestToken,
    library: PathBuf,
}

impl FaultyModule {
    /// Compiles the library into the token's folder. It does nothing wrong yet.
    ///
    /// # Panics
    /// There is no C compiler, or it fails.
    pub fn before(token: TestToken) -> Self {
        let library = token.folder().join("libfaulty.so");
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).args([SOURCE, "-ldl"]);
        let result = compiler.output().expect("a C compiler");
        assert!(result.status.success(), "cc: {}", String::from_utf8_lossy(&result.stderr));
        Self { token, library }
    }

    /// From now on this goes wrong; nothing with an empty word. The words are in `faulty.c`.
    ///
    /// # Panics
    /// The file can't be written.
    pub fn fail(&self, fault: &str) {
        // Put in place whole: the library reads it at any time.
        let new = self.token.folder().join("fault.new");
        fs::write(&new, fault).expect("the fault");
        fs::rename(new, self.fault()).expect("the fault in place");
    }

    /// From now on new secret keys are [`PLANTED`].
    ///
    /// # Panics
    /// As [`FaultyModule::fail`].
    pub fn plant(&self) {
        self.fail("planted");
    }

    fn fault(&self) -> PathBuf {
        self.token.folder().join("fault")
    }

    /// The token behind it.
    pub fn token(&self) -> &TestToken {
        &self.token
    }

    /// The token's settings, with this library for a module.
    pub fn settings(&self) -> TokenSettings {
        let mut settings = self.token.settings();
        let real = settings.module.display().to_string();
        settings.environment.insert("SYMBOLON_REAL_MODULE".to_owned(), real);
        settings.environment.insert("SYMBOLON_FAULT".to_owned(), self.fault().display().to_string());
        settings.environment.insert("SYMBOLON_PLANTED".to_owned(), PLANTED.to_owned());
        settings.module.clone_from(&self.library);
        settings
    }
}
