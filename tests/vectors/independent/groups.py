"""The two groups, on Python's integers: RFC 9380, RFC 9496, SEC 1. Slow and not constant in time."""

import hashlib


def expand_message_xmd(name, message, dst, length):
    """RFC 9380 §5.3.1."""
    block = hashlib.new(name).block_size
    digest = hashlib.new(name).digest_size
    tag = dst + bytes([len(dst)])
    hashed = lambda data: hashlib.new(name, data).digest()
    b0 = hashed(bytes(block) + message + length.to_bytes(2, "big") + b"\0" + tag)
    previous, out = bytes(digest), b""
    for i in range(1, -(-length // digest) + 1):
        previous = hashed(bytes(x ^ y for x, y in zip(b0, previous)) + bytes([i]) + tag)
        out += previous
    return out[:length]


class P256:
    name, hash = "P256-SHA256", "sha256"
    p = 2**256 - 2**224 + 2**192 + 2**96 - 1
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    a = p - 3
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    identity = None
    generator = (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    )

    def add(self, left, right):
        p = self.p
        if left is None or right is None:
            return left or right
        if left[0] == right[0] and (left[1] + right[1]) % p == 0:
            return None
        if left == right:
            slope = (3 * left[0] ** 2 + self.a) * pow(2 * left[1], -1, p)
        else:
            slope = (right[1] - left[1]) * pow(right[0] - left[0], -1, p)
        x = (slope**2 - left[0] - right[0]) % p
        return x, (slope * (left[0] - x) - left[1]) % p

    def encode(self, point):
        return bytes([2 + point[1] % 2]) + point[0].to_bytes(32, "big")

    def decode(self, data):
        """SEC 1 §2.3.4, the compressed form alone."""
        x, odd = int.from_bytes(data[1:], "big"), data[0] == 3
        if len(data) != 33 or data[0] not in (2, 3) or x >= self.p:
            raise ValueError("not an element")
        square = (x**3 + self.a * x + self.b) % self.p
        y = pow(square, (self.p + 1) // 4, self.p)
        if y * y % self.p != square:
            raise ValueError("not an element")
        return x, y if y % 2 == odd else self.p - y

    def scalar(self, data):
        return int.from_bytes(data, "big")

    def encode_scalar(self, scalar):
        return scalar.to_bytes(32, "big")

    def hash_to_scalar(self, message, dst):
        return int.from_bytes(expand_message_xmd("sha256", message, dst, 48), "big") % self.order

    def hash_to_group(self, message, dst):
        uniform = expand_message_xmd("sha256", message, dst, 96)
        u = [int.from_bytes(uniform[i : i + 48], "big") % self.p for i in (0, 48)]
        return self.add(self.map(u[0]), self.map(u[1]))

    def map(self, u):
        """RFC 9380 §6.6.2, simplified SWU, Z = -10."""
        p, a, b, z = self.p, self.a, self.b, -10
        square = lambda v: pow(v, (p - 1) // 2, p) in (0, 1)
        g = lambda x: (x**3 + a * x + b) % p
        t = (z**2 * u**4 + z * u**2) % p
        x = b * pow(z * a, -1, p) % p if t == 0 else -b * pow(a, -1, p) * (1 + pow(t, -1, p)) % p
        if not square(g(x)):
            x = z * u**2 * x % p
        y = pow(g(x), (p + 1) // 4, p)
        return x, y if y % 2 == u % 2 else p - y


class Ristretto255:
    name, hash = "ristretto255-SHA512", "sha512"
    p = 2**255 - 19
    order = 2**252 + 27742317777372353535851937790883648493
    d = -121665 * pow(121666, -1, p) % p
    root = pow(2, (p - 1) // 4, p)
    identity = (0, 1, 1, 0)

    def __init__(self):
        p = self.p
        y = 4 * pow(5, -1, p) % p
        square, x = self.sqrt_ratio((y * y - 1) % p, (self.d * y * y + 1) % p)
        assert square
        self.generator = (x, y, 1, x * y % p)

    def sqrt_ratio(self, u, v):
        """RFC 9496 §4.2, SQRT_RATIO_M1."""
        p = self.p
        r = u * v**3 * pow(u * v**7, (p - 5) // 8, p) % p
        check = v * r * r % p
        if check in (-u % p, -u * self.root % p):
            r = r * self.root % p
        return check in (u % p, -u % p), min(r, p - r, key=lambda x: x % 2)

    def add(self, left, right):
        p = self.p
        (x1, y1, z1, t1), (x2, y2, z2, t2) = left, right
        a, b = (y1 - x1) * (y2 - x2), (y1 + x1) * (y2 + x2)
        c, d = 2 * self.d * t1 * t2, 2 * z1 * z2
        e, f, g, h = b - a, d - c, d + c, b + a
        return e * f % p, g * h % p, f * g % p, e * h % p

    def encode(self, point):
        """RFC 9496 §4.3.2."""
        p = self.p
        even = lambda x: x % p if x % p % 2 == 0 else -x % p
        x0, y0, z0, t0 = point
        u1, u2 = (z0 + y0) * (z0 - y0), x0 * y0
        _, inverse = self.sqrt_ratio(1, u1 * u2**2 % p)
        d1, d2 = inverse * u1, inverse * u2
        z = d1 * d2 * t0 % p
        _, magic = self.sqrt_ratio(1, (-1 - self.d) % p)
        if t0 * z % p % 2:
            x, y, d = y0 * self.root, x0 * self.root, d1 * magic
        else:
            x, y, d = x0, y0, d2
        if x * z % p % 2:
            y = -y
        return even(d * (z0 - y)).to_bytes(32, "little")

    def decode(self, data):
        """RFC 9496 §4.3.1; the identity is refused as well."""
        p, s = self.p, int.from_bytes(data, "little")
        if len(data) != 32 or s >= p or s % 2 or s == 0:
            raise ValueError("not an element")
        u1, u2 = (1 - s * s) % p, (1 + s * s) % p
        v = (-self.d * u1 * u1 - u2 * u2) % p
        square, inverse = self.sqrt_ratio(1, v * u2 * u2 % p)
        dx = inverse * u2 % p
        dy = inverse * dx * v % p
        x = 2 * s * dx % p
        x = x if x % 2 == 0 else p - x
        y = u1 * dy % p
        if not square or x * y % p % 2 or y == 0:
            raise ValueError("not an element")
        return x, y, 1, x * y % p

    def scalar(self, data):
        return int.from_bytes(data, "little")

    def encode_scalar(self, scalar):
        return scalar.to_bytes(32, "little")

    def hash_to_scalar(self, message, dst):
        return int.from_bytes(expand_message_xmd("sha512", message, dst, 64), "little") % self.order

    def hash_to_group(self, message, dst):
        uniform = expand_message_xmd("sha512", message, dst, 64)
        halves = [int.from_bytes(uniform[i : i + 32], "little") % 2**255 for i in (0, 32)]
        return self.add(self.map(halves[0]), self.map(halves[1]))

    def map(self, t):
        """RFC 9496 §4.3.4, MAP."""
        p, d = self.p, self.d
        r = self.root * t * t % p
        u = (r + 1) * (1 - d * d) % p
        v = (-1 - r * d) * (r + d) % p
        square, s = self.sqrt_ratio(u, v)
        c = -1
        if not square:
            odd = s * t % p
            s = odd if odd % 2 else -odd % p
            c = r
        n = (c * (r - 1) * (d - 1) ** 2 - v) % p
        _, ad = self.sqrt_ratio((-d - 1) % p, 1)
        # The RFC fixes the other root of a·d − 1.
        ad = p - ad
        w0, w1, w2, w3 = 2 * s * v, n * ad, 1 - s * s, 1 + s * s
        return w0 * w3 % p, w2 * w1 % p, w1 * w3 % p, w0 * w2 % p


def multiply(group, scalar, point):
    total = group.identity
    for bit in bin(scalar)[2:]:
        total = group.add(total, total)
        if bit == "1":
            total = group.add(total, point)
    return total


def total(group, points):
    result = group.identity
    for point in points:
        result = group.add(result, point)
    return result


def coefficient(group, quorum, i):
    numerator, denominator = 1, 1
    for j in quorum:
        if j != i:
            numerator, denominator = numerator * j, denominator * (j - i)
    return numerator * pow(denominator, -1, group.order) % group.order


GROUPS = {group.name: group for group in (Ristretto255(), P256())}
