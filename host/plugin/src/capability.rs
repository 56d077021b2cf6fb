//! What a plugin can reach, one file an interface of `symbolon:host`. Each is tested without a guest.

mod clock;
mod config;
mod entropy;
mod invocation;
pub mod log;
pub mod pkcs11;
mod secrets;

use wasmtime::Engine;
use wasmtime::component::{HasSelf, Linker};

use crate::bindings::{host, types};
use crate::grants::{Capability, Granted};
use crate::guest::Guest;

type Data = HasSelf<Guest>;

/// What a plugin with these grants can reach, and nothing else: should the check of its imports ever be led astray, what it
/// was not granted is not there to be linked.
pub fn linker(engine: &Engine, granted: &Granted) -> wasmtime::Result<Linker<Guest>> {
    let mut linker = Linker::new(engine);
    types::errors::add_to_linker::<_, Data>(&mut linker, |guest| guest)?;
    types::values::add_to_linker::<_, Data>(&mut linker, |guest| guest)?;
    types::secrets::add_to_linker::<_, Data>(&mut linker, |guest| guest)?;
    for capability in Capability::ALL.into_iter().filter(|capability| granted.has(*capability)) {
        link(&mut linker, capability)?;
    }
    Ok(linker)
}

fn link(linker: &mut Linker<Guest>, capability: Capability) -> wasmtime::Result<()> {
    match capability {
        Capability::Log => host::log::add_to_linker::<_, Data>(linker, |guest| guest),
        Capability::Clock => host::clock::add_to_linker::<_, Data>(linker, |guest| guest),
        Capability::Entropy => host::entropy::add_to_linker::<_, Data>(linker, |guest| guest),
        Capability::Invocation => host::invocation::add_to_linker::<_, Data>(linker, |guest| guest),
        Capability::Config => host::config::add_to_linker::<_, Data>(linker, |guest| guest),
        Capability::Pkcs11 => host::pkcs11::add_to_linker::<_, Data>(linker, |guest| guest),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::bindings::types::secrets::HostSecret;
    use crate::bindings::types::values::Value;
    use crate::grants::Granted;
    use crate::guest::{Call, Identity};
    use crate::limits::Limits;
    use crate::tenant::Tenant;

    fn guest() -> Guest {
        let asked = toml::from_str("config = ['greeting', 'unset']").unwrap();
        let given = toml::from_str("config = { greeting = 'hello' }").unwrap();
        let granted = Granted::between(&asked, &given, &crate::grants::tests::broker()).unwrap();
        let identity = Identity { id: "org.example.guest".into(), version: "1.0.0".into() };
        let (tenant, limits) = (Tenant::new("acme").unwrap(), Arc::new(Limits::default()));
        let call = Call::begin("request-1".into(), Instant::now() + Duration::from_secs(5), &limits);
        Guest::new(Arc::new(identity), tenant, Arc::new(granted), limits, call)
    }

    #[test]
    fn config_gives_what_the_operator_wrote_and_nothing_else() {
        use host::config::Host;
        let mut guest = guest();
        assert!(matches!(guest.get("greeting".into()).unwrap(), Some(Value::Text(text)) if text == "hello"));
        assert!(guest.get("unset".into()).unwrap().is_none());
        assert!(guest.get("PATH".into()).unwrap().is_none());
    }

    #[test]
    fn entropy_differs_each_time_and_is_bounded() {
        use host::entropy::Host;
        let mut guest = guest();
        let (one, two) = (guest.fill(32).unwrap(), guest.fill(32).unwrap());
        assert!(one.len() == 32 && one != two);
        assert!(
            guest.fill(4096).is_ok() && guest.fill(4097).is_err() && guest.fill_secret(u32::MAX).is_err()
        );
    }

    #[test]
    fn a_secret_is_a_handle_that_ends_when_it_is_dropped() {
        use host::entropy::Host;
        let mut guest = guest();
        let secret = guest.fill_secret(32).unwrap();
        let again =
            |secret: &wasmtime::component::Resource<_>| wasmtime::component::Resource::new_own(secret.rep());
        assert_eq!(guest.size(again(&secret)).unwrap(), 32);
        assert_eq!(guest.table.get(&secret).unwrap().bytes().len(), 32);
        HostSecret::drop(&mut guest, again(&secret)).unwrap();
        assert!(guest.size(secret).is_err());
    }

    #[test]
    fn clocks_go_on() {
        use host::clock::Host;
        let mut guest = guest();
        let before = guest.monotonic_now().unwrap();
        assert!(guest.monotonic_now().unwrap() >= before);
        let year_2026 = 1_767_225_600_000;
        assert!(guest.wall_now().unwrap() > year_2026);
    }

    #[test]
    fn invocation_tells_whose_call_it_is_and_what_is_left() {
        use host::invocation::Host;
        let mut guest = guest();
        assert_eq!(
            (guest.request_id().unwrap(), guest.tenant().unwrap()),
            ("request-1".into(), "acme".into())
        );
        let left = Duration::from_nanos(guest.remaining_ns().unwrap());
        assert!(left > Duration::from_secs(1) && left <= Duration::from_secs(5));
        guest.call.deadline = Instant::now();
        assert_eq!(guest.remaining_ns().unwrap(), 0);
    }
}
