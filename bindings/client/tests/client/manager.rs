//! A fragment manager's double: it evaluates real fragments, and misbehaves on demand.

use crate::site::{identity, now};
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use symbolon_channel::server::{Limits, Service, Session, serve};
use symbolon_channel::{CancellationToken, tls};
use symbolon_fragments::names::Index;
use symbolon_fragments::{Evaluation, Evaluator, Input, KeyScope, load};
use symbolon_protocol::wire::{Error, Inputs, Request, Response, Status};
use symbolon_trust::{
    CreateRequest, EpochCertificate, KeyCertificate, KeyPair, ProvenHolder, Seconds, Signed, sign,
};
use tokio::net::TcpListener;

/// What is wrong with a manager.
#[derive(Clone, Debug, Default)]
pub enum Fault {
    #[default]
    None,
    /// It evaluates with another fragment than its own.
    Lies,
    /// It takes its time for evaluations.
    Slow(Duration),
    /// It answers evaluations with this.
    Refuses(Error),
    /// Its clock is ahead by so much.
    Ahead(u64),
    /// It forgets every handle at once.
    Forgetful,
    /// It lost what it knew of keys, until it is told again.
    LostKeys,
}

/// An instance with the manager's fragment of it.
pub struct Holding {
    pub certificate: Signed<EpochCertificate>,
    fragment: Arc<dyn Evaluator>,
}

pub struct ManagerDouble {
    pub index: Index,
    pub identity: KeyPair,
    pub address: String,
    held: Mutex<Vec<Holding>>,
    fault: Mutex<Fault>,
    evaluations: AtomicUsize,
    refusals: AtomicUsize,
    authorisations: AtomicUsize,
    channels: Mutex<Vec<CancellationToken>>,
    stop: CancellationToken,
}

impl Holding {
    pub fn new(certificate: Signed<EpochCertificate>, fragment: &[u8; 32]) -> Self {
        let fragment = load(certificate.body().suite, fragment).unwrap();
        Self { certificate, fragment: fragment.into() }
    }
}

impl ManagerDouble {
    pub async fn start(index: Index, pair: KeyPair) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let manager = Arc::new(Self {
            index,
            address: listener.local_addr().unwrap().to_string(),
            held: Mutex::default(),
            fault: Mutex::default(),
            evaluations: AtomicUsize::new(0),
            refusals: AtomicUsize::new(0),
            authorisations: AtomicUsize::new(0),
            channels: Mutex::default(),
            stop: CancellationToken::new(),
            identity: pair,
        });
        let config = tls::between_roles_server(&identity(&manager.identity), tls::ALPN_FRAMES).unwrap();
        let service = Arc::new(Double(manager.clone()));
        tokio::spawn(serve(listener, config, Limits::default(), manager.stop.clone(), service));
        manager
    }

    pub fn hold(&self, holding: Holding) {
        self.held.lock().unwrap().insert(0, holding);
    }

    pub fn forget(&self) {
        self.held.lock().unwrap().clear();
    }

    pub fn set_fault(&self, fault: Fault) {
        *self.fault.lock().unwrap() = fault;
    }

    pub fn evaluations(&self) -> usize {
        self.evaluations.load(Ordering::Relaxed)
    }

    /// Evaluations that it was asked for and refused.
    pub fn refusals(&self) -> usize {
        self.refusals.load(Ordering::Relaxed)
    }

    pub fn authorisations(&self) -> usize {
        self.authorisations.load(Ordering::Relaxed)
    }

    /// Breaks all channels that are open.
    pub fn cut(&self) {
        self.channels.lock().unwrap().drain(..).for_each(|channel| channel.cancel());
    }

    /// Goes away for good.
    pub async fn stop(&self) {
        self.stop.cancel();
        self.cut();
        // Until the listener is gone, the system accepts connections for it.
        while tokio::net::TcpStream::connect(&self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }

    fn fault(&self) -> Fault {
        self.fault.lock().unwrap().clone()
    }

    fn time(&self) -> Seconds {
        match self.fault() {
            Fault::Ahead(by) => now() + by,
            _ => now(),
        }
    }
}

struct Double(Arc<ManagerDouble>);

impl Service for Double {
    type Session = Channel;

    fn open(&self, holder: ProvenHolder, cut: CancellationToken) -> Channel {
        self.0.channels.lock().unwrap().push(cut);
        Channel { manager: self.0.clone(), holder, verdicts: Mutex::default() }
    }
}

struct Channel {
    manager: Arc<ManagerDouble>,
    holder: ProvenHolder,
    verdicts: Mutex<HashMap<u64, KeyScope>>,
}

impl Session for Channel {
    async fn answer(&self, request: Request) -> Response {
        match request {
            Request::Status { .. } => Response::Status(Status {
                index: self.manager.index,
                time: self.manager.time(),
                root_version: 1,
                deny_version: 0,
                order_serial: 0,
                mark: self.manager.time(),
                sets: 1,
            }),
            Request::Authorise { grant: _, permit } => self.authorise(permit.body()),
            Request::Evaluate { handle, instance, prove, inputs } => {
                self.evaluate(handle, instance, prove, &inputs).await.unwrap_or_else(Response::Error)
            }
            Request::Instances { set, .. } => {
                let held = self.manager.held.lock().unwrap();
                let of_set = held.iter().filter(|holding| holding.certificate.body().set == set);
                Response::Instances(of_set.map(|holding| holding.certificate.clone()).collect())
            }
            Request::Certify { create, set, .. } => self.certify(create.body(), set),
            Request::InstallKey { certificate } => {
                assert_eq!(certificate.signatures().len(), certificate.body().members.len());
                self.manager.set_fault(Fault::None);
                Response::KeyInstalled
            }
            _ => Response::Error(Error::Malformed),
        }
    }
}

impl Channel {
    fn authorise(&self, permit: &symbolon_trust::Permit) -> Response {
        self.manager.authorisations.fetch_add(1, Ordering::Relaxed);
        assert_eq!(permit.principal, self.holder.thumbprint());
        let suite = self.manager.held.lock().unwrap().first().map(|held| held.certificate.body().suite);
        let scope = KeyScope {
            account: permit.account,
            suite: suite.unwrap_or(symbolon_fragments::SuiteId::Ristretto255Sha512),
            key: permit.key.clone(),
            version: permit.version,
        };
        let mut verdicts = self.verdicts.lock().unwrap();
        let handle = verdicts.len() as u64 + 1;
        verdicts.insert(handle, scope);
        Response::Authorised { handle, not_after: permit.not_after, time: self.manager.time() }
    }

    async fn evaluate(
        &self,
        handle: u64,
        instance: symbolon_fragments::names::InstanceId,
        prove: bool,
        inputs: &Inputs,
    ) -> Result<Response, Error> {
        let fault = self.manager.fault();
        match &fault {
            Fault::Slow(time) => tokio::time::sleep(*time).await,
            Fault::Refuses(error) => {
                self.manager.refusals.fetch_add(1, Ordering::Relaxed);
                return Err(error.clone());
            }
            Fault::Forgetful => {
                self.manager.set_fault(Fault::None);
                return Err(Error::HandleUnknown);
            }
            Fault::LostKeys => return Err(Error::UnknownKey),
            Fault::None | Fault::Lies | Fault::Ahead(_) => {}
        }
        let mut scope = self.verdicts.lock().unwrap().get(&handle).cloned().ok_or(Error::HandleUnknown)?;
        let (suite, fragment) = self.held(instance)?;
        scope.suite = suite;
        if prove {
            self.check_fresh(inputs)?;
        }
        let inputs: Vec<_> = inputs.iter().map(|fields| Input::new(&scope, fields)).collect();
        let fragment =
            if matches!(fault, Fault::Lies) { load(suite, &[3; 32]).unwrap().into() } else { fragment };
        self.manager.evaluations.fetch_add(1, Ordering::Relaxed);
        let (evaluations, proof) = if prove {
            let (evaluations, proof) = fragment.evaluate_proven(&inputs, &mut Random).unwrap();
            (evaluations, Some(proof))
        } else {
            (fragment.evaluate(&inputs).unwrap(), None::<symbolon_fragments::Proof>)
        };
        Ok(Response::Evaluated { instance, proof, evaluations: evaluations as Vec<Evaluation> })
    }

    fn check_fresh(&self, inputs: &Inputs) -> Result<(), Error> {
        let now = self.manager.time();
        // Judging a ciphertext asks for proofs of old inputs; those have another writer or an early time here.
        match inputs.iter().find(|fields| fields.created.abs_diff(now.0) > 120) {
            Some(stale) => Err(Error::NotFresh { created: Seconds(stale.created), now }),
            None => Ok(()),
        }
    }

    fn held(
        &self,
        instance: symbolon_fragments::names::InstanceId,
    ) -> Result<(symbolon_fragments::SuiteId, Arc<dyn Evaluator>), Error> {
        let held = self.manager.held.lock().unwrap();
        let holding = held.iter().find(|holding| holding.certificate.body().instance() == instance);
        match holding {
            Some(holding) => Ok((holding.certificate.body().suite, holding.fragment.clone())),
            None => {
                Err(Error::NotHeld { served: held.iter().map(|held| held.certificate.clone()).collect() })
            }
        }
    }

    fn certify(&self, create: &CreateRequest, set: symbolon_fragments::names::SetId) -> Response {
        let held = self.manager.held.lock().unwrap();
        let holding = held.iter().find(|holding| holding.certificate.body().set == set).unwrap();
        let instance = holding.certificate.body();
        let certificate = KeyCertificate {
            account: create.account,
            key: create.key.clone(),
            version: create.version,
            set,
            y: instance.y.clone(),
            suite: instance.suite,
            kind: create.kind,
            customer_fragment: create.customer_fragment,
            purpose: create.purpose,
            members: instance.members.clone(),
            t: instance.t,
            instance: instance.instance(),
            created: create.issued,
            imported: false,
        };
        let signature = sign(&self.manager.identity, &certificate);
        Response::Certified { signature, certificate: Box::new(certificate) }
    }
}

/// The system's randomness.
struct Random;

impl rand_core::TryRng for Random {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(getrandom::u32().unwrap())
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(getrandom::u64().unwrap())
    }

    fn try_fill_bytes(&mut self, out: &mut [u8]) -> Result<(), Self::Error> {
        getrandom::fill(out).unwrap();
        Ok(())
    }
}

impl rand_core::TryCryptoRng for Random {}
