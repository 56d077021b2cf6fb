//! The certificate that callers see: read from the operator's files, or made for a first try.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use symbolon_channel::rustls::pki_types::pem::PemObject;
use symbolon_channel::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use symbolon_channel::rustls::{Error, ServerConfig};
use zeroize::Zeroizing;

use crate::config::Tls;

/// Why the gateway's certificate can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file of [`Tls`] can't be read.
    #[error("{} cannot be read: `tls` names a PEM certificate and its key", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file of [`Tls`] isn't PEM of the expected kind.
    #[error("{} holds no PEM of the expected kind", path.display())]
    Pem {
        /// The file.
        path: PathBuf,
    },
    /// Certificate and key don't belong together, or are of a kind that TLS 1.3 doesn't know.
    #[error("certificate and key of `tls` do not fit together")]
    Mismatch(#[source] Error),
}

/// A certificate that signs itself, and its key, both PEM: for a first try and for programs that pin it.
pub struct SelfSigned {
    /// The certificate.
    pub certificate: String,
    /// Its private key (PKCS#8).
    pub key: Zeroizing<String>,
}

/// Makes a self-signed ECDSA P-256 certificate for these DNS names and IP addresses.
///
/// # Panics
/// If a name is no DNS name and no IP address.
pub fn self_signed(names: &[&str]) -> SelfSigned {
    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
    let made = rcgen::generate_simple_self_signed(names).expect("names are DNS names or IP addresses");
    SelfSigned { certificate: made.cert.pem(), key: Zeroizing::new(made.signing_key.serialize_pem()) }
}

/// TLS for ports that programs of others call, with the certificate and key that the operator named.
pub(crate) fn server_config(files: &Tls) -> Result<ServerConfig, TlsError> {
    let chain = read_chain(&files.certificate)?;
    let key = read_key(&files.key)?;
    symbolon_channel::tls::public_server(chain, key).map_err(TlsError::Mismatch)
}

fn read_chain(path: &Path) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let pem = read(path)?;
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    chain.ok().filter(|chain| !chain.is_empty()).ok_or_else(|| TlsError::Pem { path: path.to_owned() })
}

fn read_key(path: &Path) -> Result<PrivateKeyDer<'static>, TlsError> {
    PrivateKeyDer::from_pem_slice(&read(path)?).map_err(|_| TlsError::Pem { path: path.to_owned() })
}

fn read(path: &Path) -> Result<Zeroizing<Vec<u8>>, TlsError> {
    fs::read(path).map(Zeroizing::new).map_err(|source| TlsError::File { path: path.to_owned(), source })
}
