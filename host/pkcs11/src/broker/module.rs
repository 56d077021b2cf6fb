//! The functions of a PKCS#11 library: the only code here that calls into it.
//!
//! The raw bindings of the cryptoki project are used, since its safe layer has no `CKM_AES_KEY_WRAP_KWP` and no attribute
//! that it doesn't know. Buffers are generous, so that one call does: one module miscounts when it is asked for a length,
//! and on others that costs as much as the work.
#![expect(unsafe_code, reason = "a vendor's library is C; this process exists to contain it")]

use std::path::Path;

use cryptoki_sys::{
    CK_ATTRIBUTE, CK_C_INITIALIZE_ARGS, CK_FALSE, CK_FUNCTION_LIST, CK_OBJECT_HANDLE, CK_RV,
    CK_SESSION_HANDLE, CK_SESSION_INFO, CK_SLOT_ID, CK_TOKEN_INFO, CK_TRUE, CK_ULONG, CKA_TOKEN,
    CKF_OS_LOCKING_OK, CKF_RW_SESSION, CKF_SERIAL_SESSION, CKR_ATTRIBUTE_SENSITIVE,
    CKR_ATTRIBUTE_TYPE_INVALID, CKR_BUFFER_TOO_SMALL, CKR_CRYPTOKI_NOT_INITIALIZED, CKR_DEVICE_ERROR,
    CKR_DEVICE_REMOVED, CKR_FUNCTION_FAILED, CKR_FUNCTION_NOT_SUPPORTED, CKR_GENERAL_ERROR,
    CKR_OBJECT_HANDLE_INVALID, CKR_OK, CKR_SESSION_CLOSED, CKR_SESSION_HANDLE_INVALID, CKR_SIGNATURE_INVALID,
    CKR_SIGNATURE_LEN_RANGE, CKR_SLOT_ID_INVALID, CKR_TOKEN_NOT_PRESENT, CKR_TOKEN_NOT_RECOGNIZED,
    CKR_USER_NOT_LOGGED_IN, CKS_RW_USER_FUNCTIONS, CKU_USER,
};

use super::memory::{RawMechanism, RawTemplate};
use crate::number::{AttributeId, MechanismId};
use crate::wire::{Attribute, Fault, Mechanism, Template};

/// More than a wrapped RSA key of 4,096 bits, a signature, or any attribute that is read here, bytes.
const GENEROUS: usize = 4096;
/// One attribute's share, bytes: an RSA modulus of 8,192 bits.
const ATTRIBUTE: usize = 1024;

/// A loaded library.
pub struct Module {
    functions: CK_FUNCTION_LIST,
    /// What the functions are in.
    _library: libloading::Library,
}

/// Calls a function that the library may lack.
macro_rules! call {
    ($functions:expr, $name:ident($($argument:expr),* $(,)?)) => {{
        let name = stringify!($name);
        let function = $functions.$name.ok_or_else(|| Fault::Returned(name.to_owned(), CKR_FUNCTION_NOT_SUPPORTED))?;
        // SAFETY: the signature is the standard's, every pointer is valid for the length that goes with it, and no
        // reference to what it points to is used during the call.
        let rv = unsafe { function($($argument),*) };
        if rv == CKR_OK { Ok(()) } else { Err(Fault::Returned(name.to_owned(), rv)) }
    }};
}

impl Module {
    /// Loads a library and asks for its functions.
    pub fn load(path: &Path) -> Result<Self, Fault> {
        let unusable = |error: libloading::Error| Fault::Unusable(error.to_string());
        // SAFETY: loading runs the library's initialisers. They are the vendor's, in a process that holds nothing yet.
        let library = unsafe { libloading::Library::new(path) }.map_err(unusable)?;
        // SAFETY: the type is the standard's for this name.
        let get_function_list: libloading::Symbol<
            '_,
            unsafe extern "C" fn(*mut *mut CK_FUNCTION_LIST) -> CK_RV,
        > = unsafe { library.get(b"C_GetFunctionList\0") }.map_err(unusable)?;
        let mut list = std::ptr::null_mut();
        // SAFETY: it gets a place for one pointer.
        let rv = unsafe { get_function_list(&raw mut list) };
        if rv != CKR_OK || list.is_null() {
            return Err(Fault::Unusable(format!("C_GetFunctionList returned {rv:#x}")));
        }
        // SAFETY: the standard says that it points to a list that lives as long as the library.
        let functions = unsafe { *list };
        if functions.version.major != 2 {
            return Err(Fault::Unusable(format!("its functions are of version {}", functions.version.major)));
        }
        Ok(Self { functions, _library: library })
    }

    pub fn initialize(&self) -> Result<(), Fault> {
        let mut arguments =
            CK_C_INITIALIZE_ARGS { flags: CKF_OS_LOCKING_OK, ..CK_C_INITIALIZE_ARGS::default() };
        call!(self.functions, C_Initialize((&raw mut arguments).cast()))
    }

    /// The slots that hold a token.
    pub fn slots(&self) -> Result<Vec<CK_SLOT_ID>, Fault> {
        let mut count = 0;
        call!(self.functions, C_GetSlotList(CK_TRUE, std::ptr::null_mut(), &raw mut count))?;
        let mut slots = vec![0; length(count)];
        call!(self.functions, C_GetSlotList(CK_TRUE, slots.as_mut_ptr(), &raw mut count))?;
        slots.truncate(length(count));
        Ok(slots)
    }

    pub fn token_info(&self, slot: CK_SLOT_ID) -> Result<CK_TOKEN_INFO, Fault> {
        let mut info = CK_TOKEN_INFO::default();
        call!(self.functions, C_GetTokenInfo(slot, &raw mut info))?;
        Ok(info)
    }

    pub fn mechanisms(&self, slot: CK_SLOT_ID) -> Result<Vec<MechanismId>, Fault> {
        let mut count = 0;
        call!(self.functions, C_GetMechanismList(slot, std::ptr::null_mut(), &raw mut count))?;
        let mut mechanisms = vec![0; length(count)];
        call!(self.functions, C_GetMechanismList(slot, mechanisms.as_mut_ptr(), &raw mut count))?;
        mechanisms.truncate(length(count));
        Ok(mechanisms)
    }

    pub fn open_session(self, slot: CK_SLOT_ID) -> Result<Session, Fault> {
        let mut handle = 0;
        let flags = CKF_SERIAL_SESSION | CKF_RW_SESSION;
        call!(self.functions, C_OpenSession(slot, flags, std::ptr::null_mut(), None, &raw mut handle))?;
        Ok(Session { module: self, handle })
    }
}

/// An open session.
pub struct Session {
    module: Module,
    handle: CK_SESSION_HANDLE,
}

/// A function of a session: what it failed with is told apart from a session that is gone.
macro_rules! within {
    ($session:expr, $name:ident($($argument:expr),* $(,)?)) => {
        call!($session.module.functions, $name($session.handle, $($argument),*)).map_err(|fault| $session.judge(fault))
    };
}

impl Session {
    pub fn login(&self, pin: &[u8]) -> Result<(), Fault> {
        within!(self, C_Login(CKU_USER, pin.as_ptr().cast_mut(), pin.len() as CK_ULONG))
    }

    pub fn find(&self, template: &[Attribute], max: u32) -> Result<Vec<CK_OBJECT_HANDLE>, Fault> {
        let mut template = RawTemplate::new(template);
        within!(self, C_FindObjectsInit(template.pointer(), template.length()))?;
        let mut objects = vec![0; max.min(1024) as usize];
        let mut count = 0;
        let found =
            within!(self, C_FindObjects(objects.as_mut_ptr(), objects.len() as CK_ULONG, &raw mut count));
        within!(self, C_FindObjectsFinal())?;
        found?;
        objects.truncate(length(count));
        Ok(objects)
    }

    pub fn generate_key(
        &self,
        mechanism: &Mechanism,
        template: &[Attribute],
    ) -> Result<CK_OBJECT_HANDLE, Fault> {
        let (mut mechanism, mut template) = (RawMechanism::new(mechanism), RawTemplate::new(template));
        let mut key = 0;
        within!(
            self,
            C_GenerateKey(mechanism.pointer(), template.pointer(), template.length(), &raw mut key)
        )?;
        Ok(key)
    }

    pub fn generate_key_pair(
        &self,
        mechanism: &Mechanism,
        public: &[Attribute],
        private: &[Attribute],
    ) -> Result<(CK_OBJECT_HANDLE, CK_OBJECT_HANDLE), Fault> {
        let mut mechanism = RawMechanism::new(mechanism);
        let (mut public, mut private) = (RawTemplate::new(public), RawTemplate::new(private));
        let mut pair = (0, 0);
        within!(
            self,
            C_GenerateKeyPair(
                mechanism.pointer(),
                public.pointer(),
                public.length(),
                private.pointer(),
                private.length(),
                &raw mut pair.0,
                &raw mut pair.1,
            )
        )?;
        Ok(pair)
    }

    /// Those of the attributes that the object has and shows.
    pub fn attributes(&self, object: CK_OBJECT_HANDLE, ids: &[AttributeId]) -> Result<Template, Fault> {
        let mut values: Vec<Vec<u8>> = ids.iter().map(|_| vec![0; ATTRIBUTE]).collect();
        let mut raw: Vec<CK_ATTRIBUTE> = ids
            .iter()
            .zip(&mut values)
            .map(|(id, value)| CK_ATTRIBUTE {
                type_: *id,
                pValue: value.as_mut_ptr().cast(),
                ulValueLen: ATTRIBUTE as CK_ULONG,
            })
            .collect();
        match within!(self, C_GetAttributeValue(object, raw.as_mut_ptr(), raw.len() as CK_ULONG)) {
            // Those that it lacks have no length; the others are there.
            Err(Fault::Returned(_, CKR_ATTRIBUTE_TYPE_INVALID | CKR_ATTRIBUTE_SENSITIVE)) => {}
            read => read?,
        }
        let there = raw.iter().zip(values).filter(|(raw, _)| length(raw.ulValueLen) <= ATTRIBUTE);
        Ok(there
            .map(|(raw, mut value)| {
                value.truncate(length(raw.ulValueLen));
                Attribute { id: raw.type_, value }
            })
            .collect())
    }

    pub fn sign(&self, mechanism: &Mechanism, key: CK_OBJECT_HANDLE, data: &[u8]) -> Result<Vec<u8>, Fault> {
        within!(self, C_SignInit(RawMechanism::new(mechanism).pointer(), key))?;
        output(GENEROUS, |buffer, length| {
            within!(self, C_Sign(input(data), data.len() as CK_ULONG, buffer, length))
        })
    }

    pub fn verify(
        &self,
        mechanism: &Mechanism,
        key: CK_OBJECT_HANDLE,
        data: &[u8],
        signature: &[u8],
    ) -> Result<(), Fault> {
        within!(self, C_VerifyInit(RawMechanism::new(mechanism).pointer(), key))?;
        let (length, signed) = (data.len() as CK_ULONG, signature.len() as CK_ULONG);
        match within!(self, C_Verify(input(data), length, input(signature), signed)) {
            Err(Fault::Returned(_, CKR_SIGNATURE_INVALID | CKR_SIGNATURE_LEN_RANGE)) => Err(Fault::Mismatch),
            verified => verified,
        }
    }

    pub fn encrypt(
        &self,
        mechanism: &Mechanism,
        key: CK_OBJECT_HANDLE,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        within!(self, C_EncryptInit(RawMechanism::new(mechanism).pointer(), key))?;
        let given = plaintext.len() as CK_ULONG;
        output(plaintext.len() + 64, |buffer, length| {
            within!(self, C_Encrypt(input(plaintext), given, buffer, length))
        })
    }

    pub fn decrypt(
        &self,
        mechanism: &Mechanism,
        key: CK_OBJECT_HANDLE,
        ciphertext: &[u8],
    ) -> Result<Vec<u8>, Fault> {
        within!(self, C_DecryptInit(RawMechanism::new(mechanism).pointer(), key))?;
        let given = ciphertext.len() as CK_ULONG;
        output(ciphertext.len(), |buffer, length| {
            within!(self, C_Decrypt(input(ciphertext), given, buffer, length))
        })
    }

    pub fn wrap(
        &self,
        mechanism: &Mechanism,
        wrapping: CK_OBJECT_HANDLE,
        key: CK_OBJECT_HANDLE,
    ) -> Result<Vec<u8>, Fault> {
        let mut mechanism = RawMechanism::new(mechanism);
        output(GENEROUS, |buffer, length| {
            within!(self, C_WrapKey(mechanism.pointer(), wrapping, key, buffer, length))
        })
    }

    pub fn unwrap(
        &self,
        mechanism: &Mechanism,
        wrapping: CK_OBJECT_HANDLE,
        wrapped: &[u8],
        template: &[Attribute],
    ) -> Result<CK_OBJECT_HANDLE, Fault> {
        let (mut mechanism, mut template) = (RawMechanism::new(mechanism), RawTemplate::new(template));
        let mut key = 0;
        within!(
            self,
            C_UnwrapKey(
                mechanism.pointer(),
                wrapping,
                input(wrapped),
                wrapped.len() as CK_ULONG,
                template.pointer(),
                template.length(),
                &raw mut key,
            )
        )?;
        Ok(key)
    }

    /// A session object that is the same key; all but where it lives stays as it is.
    pub fn copy(&self, object: CK_OBJECT_HANDLE) -> Result<CK_OBJECT_HANDLE, Fault> {
        let of_the_session = [Attribute { id: CKA_TOKEN, value: vec![CK_FALSE] }];
        let mut template = RawTemplate::new(&of_the_session);
        let mut copy = 0;
        within!(self, C_CopyObject(object, template.pointer(), template.length(), &raw mut copy))?;
        Ok(copy)
    }

    pub fn destroy(&self, object: CK_OBJECT_HANDLE) -> Result<(), Fault> {
        within!(self, C_DestroyObject(object))
    }

    /// What a fault means for the session. Modules report a token that is gone in many ways, and also what is no more than
    /// a tampered key as a device's error; so in doubt the session itself is asked.
    fn judge(&self, fault: Fault) -> Fault {
        match fault {
            Fault::Returned(_, rv) if LOST.contains(&rv) => Fault::Lost,
            Fault::Returned(_, rv) if DOUBTFUL.contains(&rv) && !self.is_alive() => Fault::Lost,
            fault => fault,
        }
    }

    fn is_alive(&self) -> bool {
        let mut info = CK_SESSION_INFO::default();
        let asked: Result<(), Fault> =
            (|| call!(self.module.functions, C_GetSessionInfo(self.handle, &raw mut info)))();
        asked.is_ok() && info.state == CKS_RW_USER_FUNCTIONS
    }
}

/// The session is gone.
const LOST: [CK_RV; 8] = [
    CKR_SESSION_HANDLE_INVALID,
    CKR_SESSION_CLOSED,
    CKR_DEVICE_REMOVED,
    CKR_TOKEN_NOT_PRESENT,
    CKR_TOKEN_NOT_RECOGNIZED,
    CKR_USER_NOT_LOGGED_IN,
    CKR_CRYPTOKI_NOT_INITIALIZED,
    CKR_SLOT_ID_INVALID,
];
/// Anything may have happened.
const DOUBTFUL: [CK_RV; 4] =
    [CKR_GENERAL_ERROR, CKR_FUNCTION_FAILED, CKR_DEVICE_ERROR, CKR_OBJECT_HANDLE_INVALID];

/// Runs a function that writes bytes; once more where it says that it has more of them.
fn output(
    room: usize,
    mut function: impl FnMut(*mut u8, *mut CK_ULONG) -> Result<(), Fault>,
) -> Result<Vec<u8>, Fault> {
    let mut buffer = vec![0; room];
    let mut written = room as CK_ULONG;
    match function(buffer.as_mut_ptr(), &raw mut written) {
        Err(Fault::Returned(_, CKR_BUFFER_TOO_SMALL)) => {
            buffer = vec![0; length(written)];
            function(buffer.as_mut_ptr(), &raw mut written)?;
        }
        done => done?,
    }
    buffer.truncate(length(written));
    Ok(buffer)
}

/// The standard's functions take inputs as mutable and only read them.
fn input(bytes: &[u8]) -> *mut u8 {
    bytes.as_ptr().cast_mut()
}

/// A count of the library's. `CK_UNAVAILABLE_INFORMATION` becomes more than anything has.
fn length(count: CK_ULONG) -> usize {
    usize::try_from(count).unwrap_or(usize::MAX)
}
