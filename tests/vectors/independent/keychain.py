"""Wrapped keys of a key chain (specification §9.2), sealed as small secrets are (§4.5)."""

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from . import cbor


def place_of(wrapped):
    """Level and fields of the place, and the sealed bytes behind it."""
    mark, (level, fields), sealed = cbor.decode(wrapped)
    if mark != "symbolon/v1/wrapped-key" or len(fields) != {2: 4, 3: 4, 4: 5}[level]:
        raise ValueError("not a wrapped key")
    return level, fields, sealed


def unwrap(above, wrapped):
    """The key, by the key above."""
    level, fields, sealed = place_of(wrapped)
    mark, cost, salt, commitment, ciphertext = cbor.decode(sealed)
    label = cbor.labelled("sealed/wrapped-key", [level, fields])
    info = cbor.labelled("sealed-keys", label, cost)
    derived = HKDF(SHA256(), 64, salt, info).derive(above)
    if mark != "symbolon/v1/sealed" or cost is not None or derived[32:] != commitment:
        raise ValueError("another key or another place")
    return AESGCM(derived[:32]).decrypt(bytes(12), ciphertext, None)
