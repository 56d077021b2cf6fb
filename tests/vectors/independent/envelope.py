"""Ciphertexts (specification §4): header, commitment, chunks."""

import hmac
import re

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from . import cbor, derivation
from .groups import GROUPS, multiply

MAGIC, TAG = b"SYMBOLON", 16
PURPOSES = {"data", "data-key", "wrap"}
SEGMENT = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")


class Refused(Exception):
    """Why a ciphertext doesn't open, in the specification's words."""


def header_of(ciphertext):
    """The header's fields, and where the commitment starts."""
    prefix = ciphertext[:9]
    if prefix[:8] != MAGIC[: len(prefix)]:
        raise Refused("malformed")
    if len(ciphertext) < 9:
        raise Refused("truncated")
    if prefix[8] != 1:
        raise Refused(f"unsupported version {prefix[8]}")
    if len(ciphertext) < 11:
        raise Refused("truncated")
    length = int.from_bytes(ciphertext[9:11], "big")
    if not 1 <= length <= 1024:
        raise Refused("malformed")
    if len(ciphertext) < 11 + length + 32:
        raise Refused("truncated")
    try:
        fields = checked(cbor.decode(ciphertext[11 : 11 + length]))
    except (ValueError, TypeError, UnicodeDecodeError):
        raise Refused("malformed") from None
    return fields, 11 + length


def checked(fields):
    suite, account, key, version, purpose, writer, created, r, customer, chunk, pairs = fields
    segments = key.split("/")
    right = (
        suite in derivation.SUITES
        and all(isinstance(f, bytes) and len(f) == 32 for f in (account, writer, r))
        and isinstance(customer, bytes)
        and len(customer) in (0, 16)
        and len(key) <= 255
        and len(segments) <= 8
        and all(SEGMENT.fullmatch(segment) for segment in segments)
        and purpose in PURPOSES | {1, 2, 3}
        and version >= 1
        and created >= 0
        and 12 <= chunk <= 22
        and 0 <= pairs <= 64
    )
    if not right:
        raise ValueError("no writer makes this")
    return fields


def canonical_context(pairs):
    ordered = sorted(([name, value] for name, value in pairs), key=lambda pair: pair[0].encode())
    return cbor.labelled("context", ordered)


def open_with(scalar, ciphertext, context, secret):
    """Key, commitment and plaintext, by the whole key's scalar and the customer fragment's secret."""
    fields, at = header_of(ciphertext)
    suite, account, key, version, purpose, writer, created, r, customer, chunk, _ = fields
    group = GROUPS[derivation.SUITES[suite]]
    encoded = derivation.encoded_input(account, suite, key, version, purpose, writer, created, r)
    evaluation = group.encode(multiply(group, scalar, derivation.point(group, encoded)))
    z = derivation.combine(group, {1: evaluation})
    c = derivation.contribution(secret, customer, encoded) if customer else b""
    derived = derivation.okm(z, c, encoded, customer, ciphertext[:at], canonical_context(context))
    if not hmac.compare_digest(derived[32:], ciphertext[at : at + 32]):
        raise Refused("commitment mismatch")
    return derived, chunks(AESGCM(derived[:32]), ciphertext[at + 32 :], 1 << chunk)


def chunks(aead, body, size):
    """STREAM: opens all chunks in order."""
    pieces = [body[i : i + size + TAG] for i in range(0, len(body), size + TAG)] or [b""]
    plain = []
    for index, piece in enumerate(pieces):
        last = index == len(pieces) - 1
        if len(piece) < TAG:
            # What is behind the last chunk is told apart by the chunk before.
            raise Refused("truncated")
        plain.append(chunk(aead, piece, index, last, len(plain) > 0))
    return b"".join(plain)


def chunk(aead, piece, index, last, behind_another):
    try:
        plain = aead.decrypt(nonce(index, last), piece, None)
    except InvalidTag:
        # Authentic with the other flag: the end is not where it was written.
        if authentic(aead, piece, nonce(index, not last)):
            raise Refused("truncated" if last else "extended") from None
        raise Refused(f"chunk {index} not authentic") from None
    if last and behind_another and not plain:
        raise Refused("truncated")
    return plain


def authentic(aead, piece, with_nonce):
    try:
        aead.decrypt(with_nonce, piece, None)
    except InvalidTag:
        return False
    return True


def nonce(index, last):
    return bytes(3) + index.to_bytes(8, "big") + bytes([last])
