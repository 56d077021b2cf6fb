//! A token that an operator configured, and its child process when there is one.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::allowed::Allowed;
use crate::error::Error;
use crate::link::Link;
use crate::number::MechanismId;
use crate::pin::PinFile;
use crate::session::Session;
use crate::settings::{Program, TokenSettings};
use crate::wire::{Answer, Fault, Message, Request, Secret, TokenInfo};

/// A token. Clones are the same token: one child process, one login, one request at a time.
#[derive(Clone)]
pub struct Token(Arc<Inner>);

/// What sessions and objects share of their token.
pub struct Inner {
    settings: TokenSettings,
    program: Program,
    pin: PinFile,
    /// Handles of one child mean nothing to the next.
    children: AtomicU64,
    live: tokio::sync::Mutex<Option<Live>>,
    /// Session objects whose handles were dropped: destroyed before the next request, if not at once.
    dropped: Mutex<Dropped>,
}

/// A child that is logged in.
struct Live {
    link: Link,
    child: u64,
    info: Arc<TokenInfo>,
}

#[derive(Default)]
struct Dropped {
    child: u64,
    objects: Vec<u64>,
}

impl Token {
    /// The token of these settings. Nothing is started yet.
    pub fn new(settings: TokenSettings, program: Program) -> Self {
        let pin = PinFile::new(&settings.pin_file);
        Self(Arc::new(Inner {
            settings,
            program,
            pin,
            children: AtomicU64::new(0),
            live: tokio::sync::Mutex::new(None),
            dropped: Mutex::default(),
        }))
    }

    /// A session that may do what is allowed. Starts the child and logs in where none is running.
    pub async fn session(&self, allowed: Arc<Allowed>) -> Result<Session, Error> {
        let mut place = self.0.live.lock().await;
        let live = match place.take() {
            Some(live) => live,
            None => self.0.start().await?,
        };
        let session = Session::new(self.0.clone(), live.child, live.info.clone(), allowed);
        *place = Some(live);
        Ok(session)
    }

    /// The operator's settings.
    pub fn settings(&self) -> &TokenSettings {
        &self.0.settings
    }
}

impl Inner {
    async fn start(&self) -> Result<Live, Error> {
        let pin = self.pin.read()?;
        let open = Request::Open {
            module: self.settings.module.to_string_lossy().into_owned(),
            label: self.settings.token.clone(),
            pin: Secret::new(pin.bytes.to_vec()),
        };
        let link = Link::start(&self.program, &self.settings)?;
        let (link, answer) =
            self.exchange(link, Message { dropped: Vec::new(), request: Some(open) }).await?;
        match answer {
            Answer::Opened(info) => {
                self.pin.accept();
                let child = self.children.fetch_add(1, Ordering::Relaxed) + 1;
                Ok(Live { link, child, info: Arc::new(info) })
            }
            Answer::Failed(fault) => {
                if fault == Fault::PinRefused {
                    self.pin.refuse(pin);
                }
                Err(Error::from_fault(fault, &self.settings, None))
            }
            _ => Err(Error::Protocol),
        }
    }

    /// One request of a session of `child`. A call that is dropped in the middle ends the child, since nobody can tell
    /// its answer from the next one's.
    pub async fn ask(
        &self,
        child: u64,
        request: Request,
        mechanism: Option<MechanismId>,
    ) -> Result<Answer, Error> {
        let mut place = self.live.lock().await;
        if place.as_ref().is_none_or(|live| live.child != child) {
            return Err(Error::Lost);
        }
        let Live { link, child, info } = place.take().ok_or(Error::Lost)?;
        let message = Message { dropped: self.take_dropped(child), request: Some(request) };
        let (link, answer) = self.exchange(link, message).await?;
        match answer {
            Answer::Failed(Fault::Lost) => Err(Error::Lost),
            answer => {
                *place = Some(Live { link, child, info });
                match answer {
                    Answer::Failed(fault) => Err(Error::from_fault(fault, &self.settings, mechanism)),
                    answer => Ok(answer),
                }
            }
        }
    }

    async fn exchange(&self, mut link: Link, message: Message) -> Result<(Link, Answer), Error> {
        match tokio::time::timeout(self.settings.timeout(), link.ask(&message)).await {
            Ok(Ok(answer)) => Ok((link, answer)),
            Ok(Err(_broken)) => Err(link.end().await),
            Err(_elapsed) => Err(Error::TimedOut),
        }
    }

    /// The handle of a session object of `child` was dropped. Destroys it now, where no call is running.
    pub fn forget(&self, child: u64, object: u64) {
        {
            let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
            if dropped.child != child {
                *dropped = Dropped { child, objects: Vec::new() };
            }
            dropped.objects.push(object);
        }
        let Ok(mut place) = self.live.try_lock() else { return };
        let Some(live) = place.as_mut().filter(|live| live.child == child) else { return };
        let message = Message { dropped: self.take_dropped(child), request: None };
        if live.link.tell(&message).is_err() {
            *place = None;
        }
    }

    /// The objects to destroy in `child`; those of an earlier one died with it.
    fn take_dropped(&self, child: u64) -> Vec<u64> {
        let mut dropped = self.dropped.lock().unwrap_or_else(PoisonError::into_inner);
        let objects = std::mem::take(&mut dropped.objects);
        if dropped.child == child { objects } else { Vec::new() }
    }
}
