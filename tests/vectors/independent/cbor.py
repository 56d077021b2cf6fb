"""Deterministic CBOR (RFC 8949 §4.2.1), as much as inputs and headers need."""


def head(major, value):
    for info, size in ((24, 1), (25, 2), (26, 4), (27, 8)):
        if value < 24:
            return bytes([major << 5 | value])
        if value < 1 << 8 * size:
            return bytes([major << 5 | info]) + value.to_bytes(size, "big")
    raise ValueError(value)


def encode(value):
    if value is None:
        return b"\xf6"
    if isinstance(value, int):
        return head(0, value)
    if isinstance(value, bytes):
        return head(2, len(value)) + value
    if isinstance(value, str):
        return head(3, len(value.encode())) + value.encode()
    return head(4, len(value)) + b"".join(map(encode, value))


def labelled(label, *fields):
    """The specification's T(label, …)."""
    return encode(["symbolon/v1/" + label, *fields])


def decode(data):
    """The one value that these bytes are the deterministic encoding of."""
    value, rest = item(data)
    if rest or encode(value) != data:
        raise ValueError("not deterministic")
    return value


def item(data):
    if not data:
        raise ValueError("it ends too early")
    if data[0] == 0xF6:
        return None, data[1:]
    major, info, rest = data[0] >> 5, data[0] & 31, data[1:]
    if info >= 24:
        size = {24: 1, 25: 2, 26: 4, 27: 8}.get(info)
        if size is None or len(rest) < size:
            raise ValueError("no length")
        info, rest = int.from_bytes(rest[:size], "big"), rest[size:]
    if major == 0:
        return info, rest
    if major in (2, 3):
        if len(rest) < info:
            raise ValueError("it ends too early")
        return (rest[:info] if major == 2 else rest[:info].decode()), rest[info:]
    if major != 4:
        raise ValueError("a type that is not used here")
    values = []
    for _ in range(info):
        value, rest = item(rest)
        values.append(value)
    return values, rest
