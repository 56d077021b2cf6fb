//! Frozen bytes of messages, and bytes that are none.

use super::*;
use alloc::{vec, vec::Vec};
use symbolon_encoding::to_canonical;
use symbolon_fragments::{
    Evaluation, Fields, Proof,
    names::{AccountId, Index, InstanceId, Purpose, Thumbprint},
};
use symbolon_trust::{Operation, Seconds};

fn fields(r: u8) -> Fields {
    Fields { purpose: Purpose::Data, writer: Thumbprint::new([2; 32]), created: 1000, r: [r; 32] }
}

fn evaluate(inputs: usize) -> Request {
    let inputs = Inputs::new(vec![fields(3); inputs]).unwrap();
    Request::Evaluate { handle: 9, instance: InstanceId::new([1; 32]), prove: true, inputs }
}

#[test]
fn requests_have_these_bytes() {
    let status =
        to_canonical(&Numbered { id: 1, message: Request::Status { account: AccountId::new([7; 32]) } });
    assert_eq!(status, [&[0x82, 1, 0x82, 0, 0x58, 32][..], &[7; 32]].concat());
    let evaluate = to_canonical(&Numbered { id: 24, message: evaluate(1) });
    let expected = [
        &[0x82, 0x18, 24, 0x85, 2, 9, 0x58, 32][..],
        &[1; 32],
        &[0xf5, 0x81, 0x84, 1, 0x58, 32],
        &[2; 32],
        &[0x19, 0x03, 0xe8, 0x58, 32],
        &[3; 32],
    ];
    assert_eq!(evaluate, expected.concat());
}

#[test]
fn responses_have_these_bytes() {
    let evaluations = vec![Evaluation::from_bytes(&[5; 32]).unwrap()];
    let instance = InstanceId::new([1; 32]);
    let bare = Response::Evaluated { instance, proof: None, evaluations: evaluations.clone() };
    let expected = [&[0x84, 2, 0x58, 32][..], &[1; 32], &[0xf6, 0x81, 0x58, 32], &[5; 32]];
    assert_eq!(to_canonical(&bare), expected.concat());
    let proof = Some(Proof::from_bytes([6; 64]));
    let proven = to_canonical(&Response::Evaluated { instance, proof, evaluations });
    assert_eq!(proven[36..38], [0x58, 64]);
    let busy = to_canonical(&Response::Error(Error::Busy));
    assert_eq!(busy, [0x82, 0x18, 255, 0x81, 0]);
}

#[test]
fn every_error_is_read_back() {
    let now = Seconds(5);
    let errors = [
        Error::Busy,
        Error::Malformed,
        Error::TooLarge,
        Error::UnknownAccount,
        Error::ClockBehind { clock: now, mark: Seconds(9) },
        Error::RateExceeded { retry_after_ms: 1 },
        Error::Refused {
            document: Document::Permit,
            reason: Refusal::TooFewSignatures { got: 1, needed: 2 },
        },
        Error::Refused { document: Document::Deny, reason: Refusal::Older { offered: 1, held: 2 } },
        Error::Denied(Denial::Key),
        Error::HandleUnknown,
        Error::VerdictExpired { not_after: now, now },
        Error::NotAllowed { operation: Operation::Encrypt },
        Error::WrongWriter,
        Error::NotFresh { created: now, now },
        Error::WrongPurpose { purpose: Purpose::Wrap },
        Error::UnknownKey,
        Error::NotHeld { served: Vec::new() },
        Error::Destroyed,
        Error::Unsuitable(Unsuitable::Version { newest: 3 }),
        Error::Full,
        Error::Failed,
    ];
    for error in errors {
        let message = Numbered { id: 3, message: Response::Error(error) };
        assert_eq!(Numbered::read(&to_canonical(&message)), Ok(message));
    }
}

#[test]
fn the_number_of_inputs_is_limited() {
    for allowed in [1, MAX_INPUTS] {
        let request = Numbered { id: 1, message: evaluate(allowed) };
        let bytes = to_canonical(&request);
        assert!(bytes.len() <= MAX_FRAME);
        assert_eq!(Numbered::read(&bytes), Ok(request));
    }
    assert!(Inputs::new(Vec::new()).is_err());
    assert!(Inputs::new(vec![fields(1); MAX_INPUTS + 1]).is_err());
    let mut empty = to_canonical(&Numbered { id: 1, message: evaluate(1) });
    empty.truncate(empty.len() - 73 - 3);
    let at = empty.len() - 1;
    empty[at] = 0x80;
    assert_eq!(Numbered::<Request>::read(&empty), Err(MalformedMessage::Body { id: 1 }));
}

#[test]
fn other_encodings_are_malformed() {
    let good =
        to_canonical(&Numbered { id: 7, message: Request::Status { account: AccountId::new([7; 32]) } });
    let read = |bytes: &[u8]| Numbered::<Request>::read(bytes);
    read(&good).unwrap();
    let trailing = [&good[..], &[0]].concat();
    let long_number = [&[0x82, 0x18, 7], &good[2..]].concat();
    let unknown = [0x82, 7, 0x81, 0x18, 99];
    for bytes in [&trailing[..], &long_number, &unknown, &good[..good.len() - 1]] {
        assert_eq!(read(bytes), Err(MalformedMessage::Body { id: 7 }), "{bytes:x?}");
    }
    for bytes in [&b""[..], b"GET / HTTP/1.1", &[0x82], &[0x83, 7, 0, 0], &[0x9f, 7, 0x80, 0xff]] {
        assert_eq!(read(bytes), Err(MalformedMessage::Frame), "{bytes:x?}");
    }
}

#[test]
fn an_index_of_zero_is_no_status() {
    let status = Status {
        index: Index::new(1).unwrap(),
        time: Seconds(1),
        root_version: 1,
        deny_version: 0,
        order_serial: 0,
        mark: Seconds(1),
        sets: 0,
    };
    let mut bytes = to_canonical(&Numbered { id: 1, message: Response::Status(status) });
    assert_eq!(bytes[..6], [0x82, 1, 0x82, 0, 0x87, 1]);
    bytes[5] = 0;
    assert_eq!(Numbered::<Response>::read(&bytes), Err(MalformedMessage::Body { id: 1 }));
}
