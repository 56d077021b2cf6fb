//! What a message's rightful holder can compute, and no server ever should: used to look for it in servers.

use symbolon_envelope::{Aes256GcmCore, Context, Preamble};
use symbolon_fragments::names::Index;
use symbolon_fragments::{Binding, CombineError, Derived, Evaluation, Input, Instance, Output, load};
use symbolon_protocol::api::Operation;
use symbolon_trust::EpochCertificate;

use crate::{Deployment, Party};

/// All that a ciphertext's key is made of.
pub struct Ingredients {
    /// The certificate of the instance that evaluated.
    pub certificate: EpochCertificate,
    /// `D_i` of each fragment manager, in roster order.
    pub evaluations: Vec<Vec<u8>>,
    /// The key that opens this one message.
    pub key: [u8; 32],
}

/// Computes them as the party that is granted the key, over direct channels. For messages without context and customer fragment.
pub fn ingredients(deployment: &Deployment, party: &Party, sealed: &[u8]) -> Ingredients {
    let account = deployment.account();
    let preamble = Preamble::parse(sealed).expect("a ciphertext");
    let header = preamble.header();
    let credential = account.credential(party, header.key.as_str(), &[Operation::Decrypt]).expect("a permit");
    let set = account.set_of(party, header.key.as_str());
    let managers = [0, 1, 2].map(|position| {
        party
            .direct(deployment.manager_address(position), &account.manager(position))
            .expect("a manager that is up")
    });
    let certificate = account.newest_instance(&managers[0], set).body().clone();
    let evaluations = managers.each_ref().map(|manager| {
        let handle = manager.authorise(&credential).expect("a verdict");
        manager.evaluate(handle, certificate.instance(), header.fields(), false).expect("an evaluation")
    });
    let quorum: Vec<_> = [0, 1].map(|at| (account.index(at), &evaluations[at][..])).into();
    let output = combine(&certificate, &preamble, &quorum).expect("a quorum");
    let key = derive(&output, &preamble);
    Ingredients { certificate, evaluations: evaluations.into(), key }
}

/// Combines evaluations of a ciphertext's input.
pub fn combine(
    certificate: &EpochCertificate,
    preamble: &Preamble,
    evaluations: &[(Index, &[u8])],
) -> Result<Output, CombineError> {
    let header = preamble.header();
    let commitment: Vec<&[u8]> = certificate.commitment.iter().map(|element| &element[..]).collect();
    let instance =
        Instance::new(header.suite, &commitment, &certificate.members).expect("a certified instance");
    let input = Input::new(&header.scope(), &header.fields());
    let mut combination = instance.combination(vec![input])?;
    for (index, evaluation) in evaluations {
        let evaluation = Evaluation::from_bytes(evaluation).expect("an evaluation's length");
        combination.accept(*index, &[evaluation]).expect("a member's evaluation");
    }
    Ok(combination.finish()?.remove(0))
}

/// What stolen fragments make of a ciphertext's input without asking anybody, put together as if they were of this instance.
pub fn combine_fragments(
    certificate: &EpochCertificate,
    preamble: &Preamble,
    fragments: &[(Index, Vec<u8>)],
) -> Result<Output, CombineError> {
    let evaluate = |(index, fragment): &(Index, Vec<u8>)| {
        let fragment = load(preamble.header().suite, fragment).expect("a fragment of this suite");
        let evaluations = fragment.evaluate(&[preamble.header().input()]).expect("one input is allowed");
        (*index, evaluations[0].as_bytes().to_vec())
    };
    let evaluations: Vec<_> = fragments.iter().map(evaluate).collect();
    let evaluations: Vec<_> = evaluations.iter().map(|(index, bytes)| (*index, &bytes[..])).collect();
    combine(certificate, preamble, &evaluations)
}

/// The message's key, checked by what it opens.
fn derive(output: &Output, preamble: &Preamble) -> [u8; 32] {
    preamble.unlock::<Aes256GcmCore>(derived(output, preamble)).expect("the key is the message's");
    let (key, _) = derived(output, preamble).into_parts();
    *key.as_bytes()
}

/// What comes of a combined output without a customer fragment, for messages without context. It is the message's key only where the
/// message's own commitment says so.
pub fn derived(output: &Output, preamble: &Preamble) -> Derived {
    let context = Context::new().canonical();
    output.derive(None, Binding { header: &preamble.header().encode(), context: &context })
}
