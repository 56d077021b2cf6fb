"""Bytes and files, by the client that waits."""

from __future__ import annotations

import threading
from array import array
from collections import ChainMap
from types import MappingProxyType
from typing import TYPE_CHECKING

import pytest

from symbolon import Client, Conflict, Integrity, Message, NotFound, Profile, inspect

if TYPE_CHECKING:
    from pathlib import Path

    from deployment import Deployment

PLAINTEXT = bytes(range(256)) * 1200


@pytest.mark.parametrize(
    "given",
    [
        b"some bytes",
        bytearray(b"some bytes"),
        memoryview(b"some bytes"),
        memoryview(b"s.o.m.e. .b.y.t.e.s.")[::2],
        array("B", b"some bytes"),
    ],
)
def test_bytes_in_every_form(client: Client, given: bytes) -> None:
    sealed = client.encrypt(given, key="notes")
    assert client.decrypt(sealed) == b"some bytes"
    assert client.decrypt(bytearray(sealed)) == b"some bytes"
    assert client.decrypt(memoryview(sealed)) == b"some bytes"


@pytest.mark.parametrize("context", [None, {}, {"a": "1", "b": ""}])
def test_a_context_is_a_mapping(client: Client, context: dict[str, str] | None) -> None:
    sealed = client.encrypt(b"x", key="notes", context=context)
    assert client.decrypt(sealed, context=context) == b"x"
    assert client.decrypt(sealed, context=MappingProxyType(context or {})) == b"x"
    assert client.decrypt(sealed, context=ChainMap(context or {}, {})) == b"x"


def test_many_in_one_call_keep_their_order(client: Client) -> None:
    texts = [f"message {number}".encode() for number in range(200)]
    sealed = client.encrypt_many(texts, key="notes", context={"n": "v"})
    assert client.decrypt_many(sealed, context={"n": "v"}) == texts
    own = [Message(one, {"n": "v"}) for one in reversed(sealed)]
    assert client.decrypt_many(own) == texts[::-1]


def test_many_may_be_none(client: Client) -> None:
    assert client.encrypt_many([], key="notes") == []
    assert client.decrypt_many(iter(())) == []


def test_files_and_their_progress(client: Client, tmp_path: Path) -> None:
    plain, sealed, opened = tmp_path / "plain", tmp_path / "sealed", tmp_path / "opened"
    plain.write_bytes(PLAINTEXT * 10)
    told: list[int] = []
    length = client.encrypt_file(plain, sealed, key="notes", progress=told.append)
    assert length == sealed.stat().st_size
    assert told == sorted(told)
    assert len(told) > 1
    assert client.decrypt_file(str(sealed), str(opened)) == len(PLAINTEXT) * 10
    assert opened.read_bytes() == PLAINTEXT * 10


def test_what_progress_raises_ends_the_work(client: Client, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.write_bytes(PLAINTEXT * 10)

    def raise_it(written: int) -> None:
        raise LookupError(written)

    with pytest.raises(LookupError):
        client.encrypt_file(plain, tmp_path / "sealed", key="notes", progress=raise_it)
    with pytest.raises(Conflict) as ended:
        client.encrypt_file(plain, tmp_path / "sealed", key="notes", progress=lambda _: False)
    assert ended.value.code == "cancelled"
    assert [file.name for file in tmp_path.iterdir()] == ["plain"]


def test_a_file_is_not_replaced_unasked(client: Client, tmp_path: Path) -> None:
    plain, sealed = tmp_path / "plain", tmp_path / "sealed"
    plain.write_bytes(b"text")
    sealed.write_bytes(b"something else")
    with pytest.raises(Conflict):
        client.encrypt_file(plain, sealed, key="notes")
    assert sealed.read_bytes() == b"something else"
    client.encrypt_file(plain, sealed, key="notes", overwrite=True)
    assert client.decrypt(sealed.read_bytes()) == b"text"
    with pytest.raises(NotFound):
        client.decrypt_file(tmp_path / "nothing", tmp_path / "opened")


def test_the_command_line_opens_it(client: Client, keys: Deployment) -> None:
    sealed = client.encrypt(PLAINTEXT, key="notes", context={"from": "python"})
    assert keys.cli("decrypt", "--context", "from=python", stdin=sealed) == PLAINTEXT
    sealed = keys.cli("encrypt", "--key", "notes", stdin=PLAINTEXT)
    assert client.decrypt(sealed) == PLAINTEXT


def test_a_data_key_works_without_servers(client: Client) -> None:
    key = client.data_key("volumes", context={"volume": "7"})
    client.close()
    sealed = key.seal(b"a record", context={"row": "1"})
    assert key.open(bytearray(sealed), context={"row": "1"}) == b"a record"
    with pytest.raises(Integrity):
        key.open(sealed, context={"row": "2"})
    large = PLAINTEXT * 4
    assert key.open(key.seal(large)) == large
    assert repr(key) == "<symbolon.DataKey>"


def test_a_data_key_comes_back(client: Client) -> None:
    key = client.data_key("volumes")
    again = client.open_data_key(key.wrapped)
    assert again.expose() == key.expose()
    assert len(key.expose()) == 32
    assert again.open(key.seal(b"a record")) == b"a record"


def test_keys_are_managed(client: Client) -> None:
    made = client.keys.create("managed/one", suite="p256", labels={"team": "storage"})
    assert (made.state, made.newest.version, dict(made.labels)) == ("active", 1, {"team": "storage"})
    certificate = made.newest.certificate
    assert certificate is not None
    assert (certificate.threshold, len(certificate.managers), certificate.ever_whole) == (2, 3, False)
    assert client.keys.rotate("managed/one").newest.version == 2
    assert [version.version for version in client.keys.show("managed/one").versions] == [2, 1]
    client.keys.create("managed/two", managers=["kfm-1", "kfm-3"], of=2)
    assert [key.id for key in client.keys.list(below="managed")] == ["managed/one", "managed/two"]
    assert [key.id for key in client.keys.list(label="team=storage", state="active")] == ["managed/one"]
    assert client.keys.label("managed/one", {"team": None, "cost": "7"}) == {"cost": "7"}
    with pytest.raises(Conflict):
        client.keys.create("managed/one")


def test_who_it_is_and_how_the_servers_are(client: Client, keys: Deployment) -> None:
    assert client.holder.account.startswith("symacct1")
    assert client.holder.holder.startswith("sym1")
    status = client.status()
    assert [manager.name for manager in status.managers] == ["kfm-1", "kfm-2", "kfm-3"]
    assert all(server.problem is None for server in (status.access_manager, *status.managers))
    assert "gateway" not in keys.running


def test_a_ciphertext_says_what_it_is(client: Client) -> None:
    header = inspect(client.encrypt(b"x", key="notes", context={"a": "b"}))
    assert (header.key, header.version, header.purpose, header.context_pairs) == ("notes", 1, "data", 1)
    assert header.writer == client.holder.holder
    assert header.created.tzinfo is not None


def test_a_profile_can_be_made(keys: Deployment) -> None:
    with Client.from_file(keys.profile) as client:
        account = client.holder.account
    profile = Profile(account, keys.directory / "account.root", keys.directory / "holder.key")
    with Client.from_profile(profile) as client:
        assert client.decrypt(client.encrypt(b"x", key="notes")) == b"x"


def test_the_environment_names_the_profile(keys: Deployment, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYMBOLON_PROFILE", str(keys.profile))
    with Client.from_environment() as client:
        assert client.decrypt(client.encrypt(b"x", key="notes")) == b"x"


def test_others_run_while_one_waits(client: Client) -> None:
    text, done, counted = bytes(64 << 20), threading.Event(), 0

    def work() -> None:
        client.encrypt(text, key="notes")
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        counted += 1
    thread.join()
    # Had the thread kept the interpreter, this one would have counted for one slice of time at most.
    assert counted > 10_000


def test_many_threads_use_one_client(client: Client) -> None:
    sealed: dict[int, bytes] = {}

    def work(number: int) -> None:
        sealed[number] = client.encrypt(str(number).encode(), key="notes")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {number: client.decrypt(one) for number, one in sealed.items()} == {
        number: str(number).encode() for number in range(32)
    }
