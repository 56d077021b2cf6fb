//! A session on a token and the objects in it: handles that hold what a caller may do.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use zeroize::Zeroizing;

use crate::allowed::{Allowed, NotAllowed, Use};
use crate::error::Error;
use crate::number::AttributeId;
use crate::number::attribute::CKA_TOKEN;
use crate::token::Inner;
use crate::wire::{Answer, Attribute, Mechanism, Request, Secret, Template, TokenInfo};

/// A session that is logged in. It ends with its child process; then every call says [`Error::Lost`].
#[derive(Clone)]
pub struct Session {
    token: Arc<Inner>,
    child: u64,
    info: Arc<TokenInfo>,
    allowed: Arc<Allowed>,
}

/// An object in a session. Dropping the handle of a session object destroys it.
pub struct Object {
    session: Session,
    handle: u64,
    /// Whether the token keeps it.
    kept: bool,
    /// Whether nothing is left to destroy when the handle ends: the token keeps it, or it is destroyed already.
    settled: AtomicBool,
}

impl Drop for Object {
    fn drop(&mut self) {
        if !*self.settled.get_mut() {
            self.session.token.forget(self.session.child, self.handle);
        }
    }
}

impl Session {
    pub(crate) fn new(token: Arc<Inner>, child: u64, info: Arc<TokenInfo>, allowed: Arc<Allowed>) -> Self {
        Self { token, child, info, allowed }
    }

    /// What the token says of itself, with the mechanisms that are allowed.
    pub fn info(&self) -> TokenInfo {
        let mut info = TokenInfo::clone(&self.info);
        info.mechanisms.retain(|id| self.allowed.mechanisms.contains(id));
        info
    }

    /// At most `max` token objects that have all attributes of the template.
    pub async fn find(&self, mut template: Template, max: u32) -> Result<Vec<Object>, Error> {
        self.allowed.template(&template)?;
        // Session objects are found by nobody but whoever made them: an account must not see another's.
        template.retain(|attribute| attribute.id != CKA_TOKEN);
        template.push(Attribute { id: CKA_TOKEN, value: vec![1] });
        match self.ask(Request::Find { template, max }).await? {
            Answer::Objects(handles) => {
                Ok(handles.into_iter().map(|handle| self.object(handle, true)).collect())
            }
            _ => Err(Error::Protocol),
        }
    }

    /// Generates a secret key.
    pub async fn generate_key(&self, mechanism: Mechanism, template: Template) -> Result<Object, Error> {
        self.allowed.mechanism(&mechanism, Use::Generate)?;
        self.allowed.key(&template)?;
        let kept = is_kept(&template);
        match self.with(mechanism, |mechanism| Request::GenerateKey { mechanism, template }).await? {
            Answer::Object(handle) => Ok(self.object(handle, kept)),
            _ => Err(Error::Protocol),
        }
    }

    /// Generates a key pair; the public key first.
    pub async fn generate_key_pair(
        &self,
        mechanism: Mechanism,
        public: Template,
        private: Template,
    ) -> Result<(Object, Object), Error> {
        self.allowed.mechanism(&mechanism, Use::Generate)?;
        self.allowed.template(&public)?;
        self.allowed.key(&private)?;
        let kept = (is_kept(&public), is_kept(&private));
        match self
            .with(mechanism, |mechanism| Request::GenerateKeyPair { mechanism, public, private })
            .await?
        {
            Answer::Pair(public, private) => Ok((self.object(public, kept.0), self.object(private, kept.1))),
            _ => Err(Error::Protocol),
        }
    }

    /// A session object that is the same key.
    pub async fn copy(&self, key: &Object) -> Result<Object, Error> {
        let object = self.own(key)?;
        match self.ask(Request::Copy { object }).await? {
            Answer::Object(handle) => Ok(self.object(handle, false)),
            _ => Err(Error::Protocol),
        }
    }

    /// Signs data, or makes its MAC.
    pub async fn sign(&self, mechanism: Mechanism, key: &Object, data: Vec<u8>) -> Result<Vec<u8>, Error> {
        self.allowed.mechanism(&mechanism, Use::Sign)?;
        let key = self.own(key)?;
        bytes(self.with(mechanism, |mechanism| Request::Sign { mechanism, key, data }).await?)
    }

    /// Checks a signature or MAC; [`Error::Mismatch`] where it is not that of the data.
    pub async fn verify(
        &self,
        mechanism: Mechanism,
        key: &Object,
        data: Vec<u8>,
        signature: Vec<u8>,
    ) -> Result<(), Error> {
        self.allowed.mechanism(&mechanism, Use::Sign)?;
        let key = self.own(key)?;
        done(&self.with(mechanism, |mechanism| Request::Verify { mechanism, key, data, signature }).await?)
    }

    /// Encrypts a secret.
    pub async fn encrypt(
        &self,
        mechanism: Mechanism,
        key: &Object,
        plaintext: &[u8],
    ) -> Result<Vec<u8>, Error> {
        self.allowed.mechanism(&mechanism, Use::Encrypt)?;
        let key = self.own(key)?;
        let plaintext = Secret::new(plaintext.to_vec());
        bytes(self.with(mechanism, |mechanism| Request::Encrypt { mechanism, key, plaintext }).await?)
    }

    /// Decrypts to a secret.
    pub async fn decrypt(
        &self,
        mechanism: Mechanism,
        key: &Object,
        ciphertext: Vec<u8>,
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        self.allowed.mechanism(&mechanism, Use::Encrypt)?;
        let key = self.own(key)?;
        match self.with(mechanism, |mechanism| Request::Decrypt { mechanism, key, ciphertext }).await? {
            Answer::Secret(plaintext) => Ok(plaintext.take()),
            _ => Err(Error::Protocol),
        }
    }

    /// Wraps a key under another.
    pub async fn wrap(
        &self,
        mechanism: Mechanism,
        wrapping: &Object,
        key: &Object,
    ) -> Result<Vec<u8>, Error> {
        self.allowed.mechanism(&mechanism, Use::Wrap)?;
        let (wrapping, key) = (self.own(wrapping)?, self.own(key)?);
        bytes(self.with(mechanism, |mechanism| Request::Wrap { mechanism, wrapping, key }).await?)
    }

    /// Unwraps a key, and reads those of its attributes that `read_back` names.
    pub async fn unwrap(
        &self,
        mechanism: Mechanism,
        wrapping: &Object,
        wrapped: Vec<u8>,
        template: Template,
        read_back: Vec<AttributeId>,
    ) -> Result<(Object, Template), Error> {
        self.allowed.mechanism(&mechanism, Use::Wrap)?;
        self.allowed.key(&template)?;
        self.allowed.attributes(read_back.iter().copied())?;
        let wrapping = self.own(wrapping)?;
        let kept = is_kept(&template);
        let request = |mechanism| Request::Unwrap { mechanism, wrapping, wrapped, template, read_back };
        match self.with(mechanism, request).await? {
            Answer::Unwrapped(handle, attributes) => Ok((self.object(handle, kept), attributes)),
            _ => Err(Error::Protocol),
        }
    }

    async fn with(
        &self,
        mechanism: Mechanism,
        request: impl FnOnce(Mechanism) -> Request,
    ) -> Result<Answer, Error> {
        let id = mechanism.id;
        self.token.ask(self.child, request(mechanism), Some(id)).await
    }

    async fn ask(&self, request: Request) -> Result<Answer, Error> {
        self.token.ask(self.child, request, None).await
    }

    fn object(&self, handle: u64, kept: bool) -> Object {
        Object { session: self.clone(), handle, settled: AtomicBool::new(kept), kept }
    }

    /// The handle of an object, if it is one of this session's child.
    fn own(&self, object: &Object) -> Result<u64, Error> {
        let same = Arc::ptr_eq(&self.token, &object.session.token) && self.child == object.session.child;
        if same { Ok(object.handle) } else { Err(Error::Lost) }
    }
}

impl Object {
    /// Those of the attributes that the object has.
    pub async fn attributes(&self, ids: Vec<AttributeId>) -> Result<Template, Error> {
        self.session.allowed.attributes(ids.iter().copied())?;
        match self.session.ask(Request::Attributes { object: self.handle, ids }).await? {
            Answer::Attributes(attributes) => Ok(attributes),
            _ => Err(Error::Protocol),
        }
    }

    /// Destroys a session object. A token object is its owner's to destroy.
    pub async fn destroy(&self) -> Result<(), Error> {
        if self.kept {
            return Err(NotAllowed::OfTheToken.into());
        }
        self.settled.store(true, Ordering::Relaxed);
        done(&self.session.ask(Request::Destroy { object: self.handle }).await?)
    }
}

/// Whether an object of this template outlives its session.
fn is_kept(template: &[Attribute]) -> bool {
    template.iter().any(|attribute| attribute.id == CKA_TOKEN && attribute.value != [0])
}

fn bytes(answer: Answer) -> Result<Vec<u8>, Error> {
    match answer {
        Answer::Bytes(bytes) => Ok(bytes),
        _ => Err(Error::Protocol),
    }
}

fn done(answer: &Answer) -> Result<(), Error> {
    match answer {
        Answer::Done => Ok(()),
        _ => Err(Error::Protocol),
    }
}
