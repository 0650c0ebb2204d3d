//! Our certificate, shown to one buyer.

use std::fmt;

use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use crate::secrets::SecretText;

/// Most certificates of one chain.
const CHAIN_MAX: usize = 8;

/// A certificate chain and its key. It prints as `[certificate]`.
pub(crate) struct Identity {
    chain: Vec<CertificateDer<'static>>,
    key: PrivateKeyDer<'static>,
}

impl Identity {
    /// Reads both from PEM. The reason says what is wrong, not what was read.
    pub(crate) fn from_pem(certificate: &str, key: &SecretText) -> Result<Self, &'static str> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(certificate.as_bytes())
            .take(CHAIN_MAX)
            .map(|one| one.map(CertificateDer::into_owned))
            .collect();
        let chain = chain.map_err(|_unreadable| "the certificate is no readable PEM")?;
        if chain.is_empty() {
            return Err("there is no certificate in it");
        }
        let key = PrivateKeyDer::from_pem_slice(key.reveal().as_bytes())
            .map_err(|_unreadable| "its secret is no readable private key in PEM")?;
        let identity = Self { chain, key };
        let provider = rustls::crypto::ring::default_provider();
        let (chain, key) = identity.parts();
        rustls::sign::CertifiedKey::from_der(chain, key, &provider)
            .map_err(|_mismatch| "certificate and key do not belong together")?;
        Ok(identity)
    }

    /// Chain and key, for a TLS configuration.
    pub(crate) fn parts(&self) -> (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>) {
        (self.chain.clone(), self.key.clone_key())
    }
}

/// The same certificates are the same identity.
impl PartialEq for Identity {
    fn eq(&self, other: &Self) -> bool {
        self.chain == other.chain
    }
}

impl Eq for Identity {}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[certificate]")
    }
}
