//! Our values as the C structures that a library reads. Each owns or borrows what its pointers point to.

use std::ffi::c_void;
use std::marker::PhantomData;

use cryptoki_sys::{CK_ATTRIBUTE, CK_GCM_PARAMS, CK_MECHANISM, CK_RSA_PKCS_PSS_PARAMS, CK_ULONG};

use crate::wire::{Attribute, Mechanism, Parameters};

// `CK_ULONG` goes over the wire as it lies in memory, eight bytes, the least first.
#[cfg(not(all(target_pointer_width = "64", target_endian = "little")))]
compile_error!("attributes are sent as a 64-bit little-endian machine keeps them");

/// A template that a library reads.
pub struct RawTemplate<'a> {
    attributes: Vec<CK_ATTRIBUTE>,
    borrowed: PhantomData<&'a [Attribute]>,
}

impl<'a> RawTemplate<'a> {
    pub fn new(template: &'a [Attribute]) -> Self {
        let attributes = template
            .iter()
            .map(|attribute| CK_ATTRIBUTE {
                type_: attribute.id,
                pValue: attribute.value.as_ptr().cast_mut().cast(),
                ulValueLen: attribute.value.len() as CK_ULONG,
            })
            .collect();
        Self { attributes, borrowed: PhantomData }
    }

    /// The standard's functions take templates as mutable and only read them.
    pub fn pointer(&mut self) -> *mut CK_ATTRIBUTE {
        self.attributes.as_mut_ptr()
    }

    pub fn length(&self) -> CK_ULONG {
        self.attributes.len() as CK_ULONG
    }
}

/// A mechanism that a library reads.
pub struct RawMechanism<'a> {
    mechanism: CK_MECHANISM,
    /// What `mechanism` points to; on the heap, so that it stays where it is when this is moved.
    parameters: RawParameters,
    borrowed: PhantomData<&'a Mechanism>,
}

enum RawParameters {
    None,
    Gcm(Box<CK_GCM_PARAMS>),
    Pss(Box<CK_RSA_PKCS_PSS_PARAMS>),
}

impl<'a> RawMechanism<'a> {
    pub fn new(mechanism: &'a Mechanism) -> Self {
        let mut parameters = RawParameters::new(&mechanism.parameters);
        let (pointer, length) = parameters.place();
        let mechanism = CK_MECHANISM { mechanism: mechanism.id, pParameter: pointer, ulParameterLen: length };
        Self { mechanism, parameters, borrowed: PhantomData }
    }

    pub fn pointer(&mut self) -> *mut CK_MECHANISM {
        // Taken anew, since the box may have been moved along with us in between.
        let (pointer, length) = self.parameters.place();
        self.mechanism.pParameter = pointer;
        self.mechanism.ulParameterLen = length;
        &raw mut self.mechanism
    }
}

impl RawParameters {
    fn new(parameters: &Parameters) -> Self {
        match parameters {
            Parameters::None => Self::None,
            Parameters::Gcm { iv, aad, tag_bits } => Self::Gcm(Box::new(CK_GCM_PARAMS {
                pIv: iv.as_ptr().cast_mut(),
                ulIvLen: iv.len() as CK_ULONG,
                ulIvBits: iv.len() as CK_ULONG * 8,
                pAAD: aad.as_ptr().cast_mut(),
                ulAADLen: aad.len() as CK_ULONG,
                ulTagBits: *tag_bits,
            })),
            Parameters::Pss { hash, mgf, salt_length } => {
                Self::Pss(Box::new(CK_RSA_PKCS_PSS_PARAMS { hashAlg: *hash, mgf: *mgf, sLen: *salt_length }))
            }
        }
    }

    fn place(&mut self) -> (*mut c_void, CK_ULONG) {
        match self {
            Self::None => (std::ptr::null_mut(), 0),
            Self::Gcm(parameters) => place(&mut **parameters),
            Self::Pss(parameters) => place(&mut **parameters),
        }
    }
}

fn place<T>(parameters: &mut T) -> (*mut c_void, CK_ULONG) {
    (std::ptr::from_mut(parameters).cast(), size_of::<T>() as CK_ULONG)
}
