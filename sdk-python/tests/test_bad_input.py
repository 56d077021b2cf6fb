"""Wrong types, wrong sizes, wrong times: each a typed error, never a panic, and the client goes on working."""

from __future__ import annotations

import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from symbolon import (
    AsyncClient,
    Client,
    Closed,
    Denied,
    Invalid,
    InvalidType,
    NotFound,
    Profile,
    SymbolonError,
    Unavailable,
    inspect,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from deployment import Deployment

# As users without a type checker have it.
Untyped = Any

WRONG_BYTES = [None, 1, 1.5, "text", [1, 2], {}, object()]
WRONG_TEXTS = [None, 1, b"notes", ["notes"], object()]
WRONG_CONTEXTS = [1, "a=b", [("a", "b")], {"a": 1}, {1: "a"}, {"a": None}, {b"a": "b"}, {"a": "\ud800"}]


@pytest.mark.parametrize("wrong", WRONG_BYTES, ids=repr)
def test_wrong_bytes(client: Untyped, wrong: object) -> None:
    key = client.data_key("volumes")
    for call in (
        lambda: client.encrypt(wrong, key="notes"),
        lambda: client.decrypt(wrong),
        lambda: client.open_data_key(wrong),
        lambda: key.seal(wrong),
        lambda: key.open(wrong),
        lambda: inspect(wrong),  # type: ignore[arg-type]
        lambda: client.encrypt_many([b"x", wrong], key="notes"),
        lambda: client.decrypt_many([wrong]),
    ):
        refused(call)
    works(client)


@pytest.mark.parametrize("wrong", WRONG_TEXTS, ids=repr)
def test_wrong_keys(client: Untyped, wrong: object) -> None:
    for call in (
        lambda: client.encrypt(b"x", key=wrong),
        lambda: client.encrypt_many([b"x"], key=wrong),
        lambda: client.data_key(wrong),
        lambda: client.keys.create(wrong),
        lambda: client.keys.show(wrong),
        lambda: client.keys.rotate(wrong),
        lambda: client.keys.label(wrong, {}),
        lambda: client.on_behalf_of(wrong),
    ):
        refused(call)
    works(client)


@pytest.mark.parametrize("wrong", WRONG_CONTEXTS, ids=repr)
def test_wrong_contexts(client: Untyped, wrong: object) -> None:
    for call in (
        lambda: client.encrypt(b"x", key="notes", context=wrong),
        lambda: client.decrypt(b"x", context=wrong),
        lambda: client.data_key("volumes", context=wrong),
        lambda: client.open("somewhere", context=wrong),
    ):
        refused(call)
    works(client)


def test_wrong_words_of_keys(client: Untyped) -> None:
    with pytest.raises(InvalidType):
        client.keys.create("k", threshold="2")
    with pytest.raises(InvalidType):
        client.keys.create("k", threshold=-1)
    with pytest.raises(InvalidType):
        client.keys.create("k", of=70_000)
    with pytest.raises(InvalidType):
        client.keys.create("k", labels={"a": 1})
    with pytest.raises(InvalidType):
        client.keys.label("notes", {"a": 1})
    for wrong in ({"suite": "rot13"}, {"purpose": "fun"}, {"threshold": 0}, {"of": 1}, {"of": 4}):
        with pytest.raises(Invalid):
            client.keys.create("k", **wrong)
    with pytest.raises(Invalid):
        client.keys.create("k", managers=["nobody"])
    with pytest.raises(InvalidType):
        client.keys.list(state="odd")


def test_wrong_paths(client: Untyped, tmp_path: Path) -> None:
    from_file: Untyped = Client.from_file
    for wrong in (None, 1, object()):
        refused(partial(client.encrypt_file, wrong, tmp_path / "x", key="notes"))
        refused(partial(client.encrypt_file, tmp_path / "x", wrong, key="notes"))
        refused(partial(client.decrypt_file, wrong, tmp_path / "x"))
        refused(partial(from_file, wrong))
    with pytest.raises(Invalid):
        client.decrypt_file(tmp_path, tmp_path / "x")


def test_many_are_not_one(client: Untyped) -> None:
    for one in (b"bytes", bytearray(b"bytes"), "text"):
        refused(partial(client.encrypt_many, one, key="notes"))


def test_wrong_ways_to_open_a_client(keys: Deployment, tmp_path: Path) -> None:
    opens: Untyped = Client.from_file
    with pytest.raises(NotFound):
        opens(tmp_path / "nothing")
    (tmp_path / "profile").write_text("nonsense")
    with pytest.raises(Invalid):
        opens(tmp_path / "profile")
    for deadline in (0, -1, float("nan"), float("inf"), "soon"):
        refused(partial(opens, keys.profile, deadline=deadline))
    refused(lambda: opens(keys.profile, passphrase=1))
    from_profile: Untyped = Client.from_profile
    refused(lambda: from_profile("profile.toml"))
    refused(lambda: from_profile(Profile("x", 1, 2)))  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        from_profile(Profile("no account", keys.directory / "account.root", keys.directory / "holder.key"))
    with pytest.raises(Invalid):
        from_profile(Profile("x", "a", "b", route="sideways"))


def test_an_environment_without_profile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SYMBOLON_PROFILE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)
    with pytest.raises(NotFound):
        Client.from_environment()


def test_passphrases(keys: Deployment, tmp_path: Path) -> None:
    (tmp_path / "secret").touch(mode=0o600)
    (tmp_path / "secret").write_text("correct horse\n")
    root, profile = keys.directory / "owner" / "account.root", tmp_path / "profile.toml"
    keys.cli("profile", "create", str(profile), "--account", str(root), passphrase_file=tmp_path / "secret")
    asked: list[str] = []

    def knows(file: str) -> str:
        asked.append(file)
        return "correct horse"

    def raises(_: str) -> str:
        raise LookupError("no terminal")

    Client.from_file(profile, passphrase=knows).close()
    assert asked == [str(tmp_path / "holder.key")]
    Client.from_file(profile, passphrase="correct horse").close()
    with pytest.raises(Invalid) as without:
        Client.from_file(profile)
    with pytest.raises(Invalid) as wrong:
        Client.from_file(profile, passphrase="wrong")
    assert without.value.code != wrong.value.code
    assert "wrong" not in str(wrong.value.__context__)
    with pytest.raises(LookupError):
        Client.from_file(profile, passphrase=raises)
    refused(lambda: Client.from_file(profile, passphrase=lambda _: 1))  # type: ignore[arg-type,return-value]


def test_a_closed_client(keys: Deployment) -> None:
    client = Client.from_file(keys.profile)
    sealed = client.encrypt(b"x", key="notes")
    client.close()
    client.close()
    assert client.closed
    assert repr(client) == "<symbolon.Client closed>"
    for call in (
        lambda: client.encrypt(b"x", key="notes"),
        lambda: client.decrypt(sealed),
        lambda: client.keys.show("notes"),
        lambda: client.keys.list(),
        lambda: client.data_key("volumes"),
        lambda: client.open("file", "wb", key="notes"),
    ):
        with pytest.raises(Closed) as refusal:
            call()
        assert refusal.value.code == "closed"


@pytest.mark.parametrize("kind", [Client, AsyncClient])
def test_a_client_that_nobody_holds_is_gone(keys: Deployment, kind: type[Client | AsyncClient]) -> None:
    client = kind.from_file(keys.profile)
    assert client.keys
    there = weakref.ref(client)
    del client
    # At once, and its secrets with it: no collector has to come by.
    assert there() is None


def test_closing_ends_the_calls_of_other_threads(keys: Deployment) -> None:
    client = Client.from_file(keys.profile)
    sealed = client.encrypt(b"x", key="notes")
    keys.pause("kfm-1", "kfm-2", "kfm-3")
    try:
        with ThreadPoolExecutor(4) as pool:
            begun = threading.Barrier(5)

            def work() -> bytes:
                begun.wait()
                return client.decrypt(sealed)

            calls = [pool.submit(work) for _ in range(4)]
            begun.wait()
            client.close()
            for call in calls:
                assert isinstance(call.exception(), Closed)
    finally:
        keys.resume("kfm-1", "kfm-2", "kfm-3")


def test_a_deadline(keys: Deployment) -> None:
    with Client.from_file(keys.profile, deadline=3) as client:
        sealed = client.encrypt(b"x", key="notes")
        keys.pause("kfm-1", "kfm-2", "kfm-3")
        try:
            with pytest.raises(Unavailable):
                client.decrypt(sealed)
        finally:
            keys.resume("kfm-1", "kfm-2", "kfm-3")
        assert client.decrypt(sealed) == b"x"


def test_a_caller_without_a_grant_is_told_which(keys: Deployment, tmp_path: Path) -> None:
    root, profile = keys.directory / "owner" / "account.root", tmp_path / "profile.toml"
    keys.cli("profile", "create", str(profile), "--account", str(root), "--no-passphrase")
    with Client.from_file(profile) as client:
        with pytest.raises((Denied, NotFound)) as refusal:
            client.encrypt(b"x", key="notes")
        if isinstance(refusal.value, Denied):
            assert f"symbolon grant create --to {client.holder.holder}" in str(refusal.value)


def test_the_classes_of_an_async_client(keys: Deployment) -> None:
    refused(lambda: AsyncClient.from_file(None))  # type: ignore[arg-type]
    AsyncClient.from_file(keys.profile).close()


def refused(call: Callable[[], object]) -> None:
    with pytest.raises(InvalidType) as refusal:
        call()
    assert isinstance(refusal.value, (SymbolonError, TypeError, ValueError))
    assert refusal.value.kind == "invalid"
    assert refusal.value.code == "wrong-type"


def works(client: Client) -> None:
    assert client.decrypt(client.encrypt(b"x", key="notes")) == b"x"
