"""From an input to a message's key (specification §3): evaluation, proofs (RFC 9497 §2.2), combination, HKDF."""

import hashlib
import hmac

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from .cbor import labelled
from .groups import coefficient, multiply, total

SUITES = {1: "ristretto255-SHA512", 2: "P256-SHA256"}


def encoded_input(account, suite, key, version, purpose, writer, created, r):
    """I."""
    return labelled("input", account, suite, key, version, purpose, writer, created, r)


def point(group, encoded):
    """P."""
    return group.hash_to_group(encoded, b"symbolon/v1/h2g/" + group.name.encode())


def combine(group, evaluations):
    """Z, of the evaluations of exactly a quorum: {index: D as bytes}."""
    quorum = list(evaluations)
    parts = (multiply(group, coefficient(group, quorum, i), group.decode(d)) for i, d in evaluations.items())
    return group.encode(total(group, parts))


def contribution(secret, identifier, encoded):
    """c, of a customer fragment."""
    return hmac.digest(secret, labelled("cf", identifier, encoded), "sha256")


def extracted(z, c):
    """PRK."""
    return hmac.digest(b"symbolon/v1/kdf", labelled("ikm", z, c), "sha256")


def okm(z, c, encoded, customer, header, context):
    """Key and commitment."""
    info = labelled("okm", encoded, customer, header, hashlib.sha256(context).digest())
    expand = HKDFExpand(algorithm=hashes.SHA256(), length=64, info=info)
    return expand.derive(extracted(z, c))


def prove(group, secret, nonce, points, evaluations):
    """A proof for a given nonce: RFC 9497 §2.2.1."""
    public = group.encode(multiply(group, secret, group.generator))
    m, _ = composites(group, public, points, evaluations)
    z = multiply(group, secret, m)
    commitments = multiply(group, nonce, group.generator), multiply(group, nonce, m)
    c = challenge(group, public, m, z, *commitments)
    return group.encode_scalar(c) + group.encode_scalar((nonce - c * secret) % group.order)


def verify(group, public, points, evaluations, proof):
    """Whether all evaluations are by the secret of this public share: RFC 9497 §2.2.2."""
    c, s = (group.scalar(part) for part in (proof[:32], proof[32:]))
    if len(proof) != 64 or c >= group.order or s >= group.order:
        return False
    m, z = composites(group, public, points, evaluations)
    y = group.decode(public)
    t2 = group.add(multiply(group, s, group.generator), multiply(group, c, y))
    t3 = group.add(multiply(group, s, m), multiply(group, c, z))
    return challenge(group, public, m, z, t2, t3) == c


def composites(group, public, points, evaluations):
    seed = hashlib.new(group.hash, prefixed(public) + prefixed(b"Seed-" + mode(group))).digest()
    weights = []
    for i, (p, d) in enumerate(zip(points, evaluations, strict=True)):
        transcript = prefixed(seed) + i.to_bytes(2, "big") + prefixed(group.encode(p)) + prefixed(d)
        weights.append(to_scalar(group, transcript + b"Composite"))
    m = total(group, (multiply(group, w, p) for w, p in zip(weights, points)))
    z = total(group, (multiply(group, w, group.decode(d)) for w, d in zip(weights, evaluations)))
    return m, z


def challenge(group, public, *elements):
    transcript = prefixed(public) + b"".join(prefixed(group.encode(element)) for element in elements)
    return to_scalar(group, transcript + b"Challenge")


def to_scalar(group, data):
    return group.hash_to_scalar(data, b"HashToScalar-" + mode(group))


def mode(group):
    return b"OPRFV1-\x01-" + group.name.encode()


def prefixed(part):
    return len(part).to_bytes(2, "big") + part
