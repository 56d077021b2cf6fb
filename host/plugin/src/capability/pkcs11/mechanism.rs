//! Mechanisms and templates of the contract as those of a token.

use symbolon_pkcs11::{Attribute, Parameters};

use super::failure;
use crate::bindings::errors::Error;
use crate::bindings::host::pkcs11::{Mechanism, Template};
use crate::bindings::types::values::Value;

/// Reads parameters by their names. One that nobody knows is refused: it would be left out in silence.
pub fn read(mechanism: Mechanism) -> Result<symbolon_pkcs11::Mechanism, Error> {
    let mut named = Named(mechanism.parameters);
    let parameters = if named.0.is_empty() {
        Parameters::None
    } else if let Some(iv) = named.bytes("iv") {
        let aad = named.bytes("aad").unwrap_or_default();
        Parameters::Gcm { iv, aad, tag_bits: named.number("tag-bits")? }
    } else {
        Parameters::Pss {
            hash: named.number("hash")?,
            mgf: named.number("mgf")?,
            salt_length: named.number("salt-length")?,
        }
    };
    match named.0.first() {
        None => Ok(symbolon_pkcs11::Mechanism { id: mechanism.id, parameters }),
        Some((name, _)) => Err(failure::parameters(&format!("no mechanism here takes {name:?}"))),
    }
}

/// Parameters that were not read yet.
struct Named(Vec<(String, Value)>);

impl Named {
    fn take(&mut self, name: &str) -> Option<Value> {
        let at = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn bytes(&mut self, name: &str) -> Option<Vec<u8>> {
        match self.take(name)? {
            Value::Bytes(bytes) => Some(bytes),
            _ => None,
        }
    }

    fn number(&mut self, name: &str) -> Result<u64, Error> {
        match self.take(name) {
            Some(Value::Integer(number)) => {
                u64::try_from(number).map_err(|_| failure::parameters(&format!("{name:?} can't be negative")))
            }
            _ => Err(failure::parameters(&format!("{name:?} has to be a number"))),
        }
    }
}

pub fn template(template: Template) -> symbolon_pkcs11::Template {
    template.into_iter().map(|(id, value)| Attribute { id, value }).collect()
}

pub fn plain(template: symbolon_pkcs11::Template) -> Template {
    template.into_iter().map(|attribute| (attribute.id, attribute.value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_named(parameters: &[(&str, Value)]) -> Result<Parameters, Error> {
        let parameters = parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        read(Mechanism { id: 0x1087, parameters }).map(|mechanism| mechanism.parameters)
    }

    #[test]
    fn parameters_are_read_by_name() {
        assert_eq!(read_named(&[]).unwrap(), Parameters::None);
        assert_eq!(
            read_named(&[("tag-bits", Value::Integer(128)), ("iv", Value::Bytes(vec![1; 12]))]).unwrap(),
            Parameters::Gcm { iv: vec![1; 12], aad: vec![], tag_bits: 128 }
        );
    }

    #[test]
    fn an_unknown_or_a_missing_parameter_is_refused() {
        let iv = || ("iv", Value::Bytes(vec![1; 12]));
        for wrong in [
            vec![iv()],
            vec![iv(), ("tag-bits", Value::Integer(-1))],
            vec![iv(), ("tag-bits", Value::Integer(128)), ("aed", Value::Bytes(vec![]))],
            vec![("hash", Value::Integer(0x250))],
        ] {
            assert_eq!(read_named(&wrong).unwrap_err().reason, crate::reason::MECHANISM_PARAMETERS);
        }
    }
}
