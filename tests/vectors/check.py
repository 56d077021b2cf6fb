#!/usr/bin/env python3
"""Has the independent implementation compute all published vectors again, and read all golden and malformed files."""

import json
import pathlib
import sys

from independent import cbor, derivation, envelope, keychain
from independent.groups import GROUPS, coefficient, multiply, total

HERE = pathlib.Path(__file__).parent
raw = bytes.fromhex
compared = 0


def equal(what, computed, published):
    global compared
    compared += 1
    computed = computed.hex() if isinstance(computed, bytes) else computed
    if computed != published:
        sys.exit(f"{what}: computed {computed}, published {published}")


def check_message(group, case, index, message):
    encoded = derivation.encoded_input(
        raw(case["account"]), case["suite"]["number"], case["key id"], case["key version"],
        message["purpose"], raw(message["writer"]), message["created"], raw(message["r"]),
    )
    equal("I", encoded, message["I"])
    point = derivation.point(group, encoded)
    equal("P", group.encode(point), message["P"])
    members = {member["index"]: member for member in case["members"]}
    for member in members.values():
        secret = group.scalar(raw(member["fragment"]))
        equal("D", group.encode(multiply(group, secret, point)), member["D"][index])
    quorum = [pair["index"] for pair in case["quorum"]]
    for pair in case["quorum"]:
        weight = coefficient(group, quorum, pair["index"])
        equal("λ", group.encode_scalar(weight), pair["lambda"])
    z = derivation.combine(group, {i: raw(members[i]["D"][index]) for i in quorum})
    equal("Z", z, message["Z"])
    check_key(message, encoded, z)
    return point


def check_key(message, encoded, z):
    customer, c, customer_id = message["customer fragment"], b"", b""
    if customer:
        customer_id = raw(customer["id"])
        c = derivation.contribution(raw(customer["secret"]), customer_id, encoded)
        equal("c", c, customer["c"])
    equal("PRK", derivation.extracted(z, c), message["PRK"])
    header, context = raw(message["header without commitment"]), raw(message["context"])
    equal("OKM", derivation.okm(z, c, encoded, customer_id, header, context), message["OKM"])


def check_case(group, case):
    polynomial = [group.scalar(raw(c)) for c in case["polynomial"]]
    for c, commitment in zip(polynomial, case["commitment"], strict=True):
        equal("commitment", group.encode(multiply(group, c, group.generator)), commitment)
    points = [check_message(group, case, i, message) for i, message in enumerate(case["messages"])]
    for member in case["members"]:
        check_member(group, case, polynomial, points, member)


def check_member(group, case, polynomial, points, member):
    secret = sum(c * member["index"] ** k for k, c in enumerate(polynomial)) % group.order
    equal("fragment", group.encode_scalar(secret), member["fragment"])
    powers = (multiply(group, member["index"] ** k, group.decode(raw(c))) for k, c in enumerate(case["commitment"]))
    equal("Y", group.encode(total(group, powers)), member["Y"])
    evaluations, proof = [raw(d) for d in member["D"]], raw(member["proof"])
    nonce = group.scalar(raw(member["proof nonce"]))
    equal("proof", derivation.prove(group, secret, nonce, points, evaluations), member["proof"])
    public = raw(member["Y"])
    equal("verdict", derivation.verify(group, public, points, evaluations, proof), True)
    wrong = bytes([proof[0] ^ 1]) + proof[1:]
    equal("verdict on another proof", derivation.verify(group, public, points, evaluations, wrong), False)
    others = evaluations[1:] + evaluations[:1]
    equal("verdict on other evaluations", derivation.verify(group, public, points, others, proof), False)


def check_derivation():
    cases = json.loads((HERE / "symbolon-v1-derivation.json").read_text())["cases"]
    for case in cases:
        check_case(GROUPS[case["suite"]["name"]], case)


def check_rfc():
    """Proofs and encodings that others published, so that both of us aren't wrong alike."""
    for encoding in json.loads((HERE / "rfc/rfc9496-ristretto255.json").read_text())["invalid encodings"]:
        try:
            GROUPS["ristretto255-SHA512"].decode(raw(encoding))
        except ValueError:
            equal("refusal", True, True)
        else:
            sys.exit(f"{encoding} was taken for an element")
    for suite in json.loads((HERE / "rfc/rfc9497-voprf.json").read_text())["suites"]:
        group = GROUPS[suite["suite"]]
        for vector in suite["vectors"]:
            points = [group.decode(raw(element)) for element in vector["BlindedElement"]]
            evaluations = [raw(element) for element in vector["EvaluationElement"]]
            verdict = derivation.verify(group, raw(suite["pkSm"]), points, evaluations, raw(vector["Proof"]))
            equal("verdict on the RFC's proof", verdict, True)


def check_golden():
    about = json.loads((HERE / "envelope/golden.json").read_text())
    secret = raw(about["customer_fragment"]["secret"])
    files = {file["name"]: file for file in about["files"]}
    for file in files.values():
        ciphertext = (HERE / f"envelope/{file['name']}.symbolon").read_bytes()
        derived, plain = envelope.open_with(scalar(about), ciphertext, file["context"], secret)
        equal(f"key of {file['name']}", derived, file["derived"])
        equal(file["name"], plain, bytes(i % 251 for i in range(file["message_length"])).hex())
    for file in json.loads((HERE / "envelope/malformed.json").read_text())["files"]:
        ciphertext = (HERE / f"envelope/malformed/{file['name']}.symbolon").read_bytes()
        context = files[file["from"]]["context"]
        equal(file["name"], refusal(about, ciphertext, context, secret), file["error"])


def check_keychain():
    """One chain: each wrapped key says its place, and opens under the key above."""
    chain = json.loads((HERE / "symbolon-v1-keychain.json").read_text())
    account, tenant, system, data = raw(chain["account"]), chain["tenant"], chain["system"], chain["data"]
    places = [
        (tenant, 2, [account, chain["root"], tenant["name"], tenant["version"]]),
        (system, 3, [account, system["name"], tenant["version"], system["version"]]),
        (data, 4, [account, data["name"], data["version"], data["volume"], data["purpose"]]),
    ]
    for key, level, fields in places:
        equal(f"place of L{level}", list(keychain.place_of(raw(key["wrapped"]))[:2]), [level, fields])
    for above, below in ((tenant, system), (system, data)):
        equal(f"key of {below['name']}", keychain.unwrap(raw(above["key"]), raw(below["wrapped"])), below["key"])
    label, pairs = cbor.decode(raw(tenant["context"]))
    named = dict(pairs)
    equal("the root key's context", [label, *named], ["symbolon/v1/context", "account", "level", "root", "tenant", "version"])
    equal("the tenant's key in it", [named["root"], named["tenant"], named["version"]], [chain["root"], "acme", "1"])
    equal("what the root key sealed", keychain.place_of(raw(tenant["wrapped"]))[2], b"seld".hex())


def scalar(about):
    # The same number in either byte order, so that it serves both suites.
    return int.from_bytes(raw(about["key"]), "big")


def refusal(about, ciphertext, context, secret):
    try:
        envelope.open_with(scalar(about), ciphertext, context, secret)
    except envelope.Refused as refused:
        return str(refused)
    return "opened"


check_derivation()
check_rfc()
check_golden()
check_keychain()
print(f"{compared} values and verdicts: all as published")
