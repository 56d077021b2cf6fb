"""Runs `tests/conformance/scenario.json`, which every language runs. Its README says what the words mean."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import io
import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deployment import ROOT, Deployment
from symbolon import AsyncClient, Client, DataKey, Key, Message, SymbolonError, inspect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Step = dict[str, Any]
FILE = ROOT / "tests" / "conformance" / "scenario.json"
MODULE = Path("/usr/lib/softhsm/libsofthsm2.so")
_WHENCE = {"start": io.SEEK_SET, "current": io.SEEK_CUR, "end": io.SEEK_END}


def pattern(length: int) -> bytes:
    """Give `length` bytes, byte `i` of which is `i mod 251`."""
    return (bytes(range(251)) * (length // 251 + 1))[:length]


def make_token(folder: Path) -> str:
    """Make the token of the scenario, and give the configuration of its module."""
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder}/tokens\nlog.level = ERROR\n")
    subprocess.run(
        [
            *("softhsm2-util", "--module", str(MODULE), "--init-token", "--free", "--label", "symbolon test"),
            *("--pin", "the-pin-of-a-test-token", "--so-pin", "officer-of-a-test-token"),
        ],
        check=True,
        env={**os.environ, "SOFTHSM2_CONF": str(configuration)},
        stdout=subprocess.DEVNULL,
    )
    return str(configuration)


class FragmentOfCallback:
    """A customer fragment that is written in this language: what an HSM or a phone's keystore would be."""

    def __init__(self, file: Path, fault: str | None) -> None:
        content = bytes.fromhex(file.read_text())
        self.id, self._secret, self._fault = content[:16], content[16:], fault

    def evaluate(self, message: bytes) -> bytes:
        if self._fault == "throws":
            raise RuntimeError("the device is away")
        contribution = hmac.new(self._secret, message, hashlib.sha256).digest()
        return contribution[:31] if self._fault == "length" else contribution


class Run:
    """One run: its deployment, its folder, its variables, its clients."""

    def __init__(self, deployment: Deployment, work: Path) -> None:
        self.deployment, self.work = deployment, work
        self.fixed = {"dir": str(deployment.directory), "work": str(work), "module": str(MODULE)}
        self.saved: dict[str, Any] = {}
        self.openers: dict[str, Callable[[type[Client] | type[AsyncClient]], Any]] = {}
        self.clients: dict[str, Client] = {}
        self._opener("first", lambda kind: kind.from_file(deployment.profile))

    def case(self, case: Step) -> None:
        """Run a case. Its clients are closed at its end."""
        try:
            self.steps(case["steps"])
        finally:
            for name in [name for name in self.clients if name != "first"]:
                self.clients.pop(name).close()

    def close(self) -> None:
        for client in self.clients.values():
            client.close()

    def steps(self, steps: list[Step]) -> None:
        for step in steps:
            self.step(step)

    def step(self, step: Step) -> None:
        do = getattr(self, "do_" + step["do"].replace("-", "_"))
        expected = step.get("error")
        if expected is None:
            do(step)
            return
        try:
            do(step)
        except SymbolonError as error:
            assert {"kind": error.kind, "code": error.code} == expected, f"{step}: {error!r}"
        else:
            raise AssertionError(f"it should have failed: {step}")

    # Values

    def text(self, value: Any) -> str:  # noqa: ANN401
        if isinstance(value, dict):
            return self.text(value["repeat"]) * int(value["times"])
        text = str(value)
        for name, saved in {**self.fixed, **self.saved}.items():
            if isinstance(saved, (str, int)):
                text = text.replace("{" + name + "}", str(saved))
        return text

    def path(self, value: Any) -> Path:  # noqa: ANN401
        return self.work / self.text(value)

    def bytes(self, value: Any) -> bytes:  # noqa: ANN401
        if isinstance(value, str):
            saved = self.saved[value.removeprefix("$")]
            assert isinstance(saved, bytes)
            return saved
        match value:
            case {"text": text}:
                return self.text(text).encode()
            case {"hex": text}:
                return bytes.fromhex(self.text(text))
            case {"pattern": length}:
                return pattern(length)
            case {"file": name}:
                return (ROOT / self.text(name)).read_bytes()
            case {"work": name}:
                return self.path(name).read_bytes()
            case {"of": of, "slice": [start, end]}:
                return self.bytes(of)[start:end]
            case {"of": of, "flip": at}:
                changed = bytearray(self.bytes(of))
                changed[at] ^= 1
                return bytes(changed)
            case {"join": parts}:
                return b"".join(self.bytes(part) for part in parts)
        raise AssertionError(f"unknown bytes: {value}")

    def context(self, step: Step) -> dict[str, str] | None:
        context = step.get("context")
        if context is None:
            return None
        if set(context) == {"pairs"} and isinstance(context["pairs"], int):
            return {f"n{number}": "v" for number in range(context["pairs"])}
        return {self.text(name): self.text(value) for name, value in context.items()}

    def client(self, step: Step) -> Client:
        name = step.get("as", "first")
        if name not in self.clients:
            self.clients[name] = self.openers[name](Client)
        return self.clients[name]

    def save(self, step: Step, value: Any) -> None:  # noqa: ANN401
        if "save" in step:
            self.saved[step["save"]] = value
        if "expect" in step:
            assert value == self.bytes(step["expect"]), step

    # Clients

    def _opener(self, name: str, opener: Callable[[type[Client] | type[AsyncClient]], Any]) -> None:
        self.openers[name] = opener
        if name in self.clients:
            self.clients.pop(name).close()

    def do_client(self, step: Step) -> None:
        profile = self.path(step["profile"]) if "profile" in step else self.deployment.profile
        callback = step.get("callback")
        fragments = [] if callback is None else [FragmentOfCallback(self.path(callback["file"]), callback.get("fault"))]

        def opener(kind: type[Client] | type[AsyncClient]) -> Client | AsyncClient:
            opened = kind.from_file(
                profile,
                passphrase=self.text(step["passphrase"]) if "passphrase" in step else None,
                customer_fragments=fragments,
                deadline=step["deadline-ms"] / 1000 if "deadline-ms" in step else None,
            )
            return opened.on_behalf_of(self.text(step["on-behalf-of"])) if "on-behalf-of" in step else opened

        self._opener(step["name"], opener)
        self.client({"as": step["name"]})

    def do_client_from_environment(self, step: Step) -> None:
        environment = {name: self.text(value) for name, value in step["environment"].items()}
        with _environment(environment):
            opened = Client.from_environment()
        self._opener(step["name"], lambda _: opened)

    def do_close(self, step: Step) -> None:
        self.client(step).close()

    def do_notices(self, step: Step) -> None:
        notices = [notice.message for notice in self.client(step).take_notices()]
        for word in step["expect"]:
            assert any(word in notice for notice in notices), f"{word}: {notices}"

    # Messages

    def do_encrypt(self, step: Step) -> None:
        plaintext, key = self.bytes(step["plaintext"]), self.text(step["key"])
        self.save(step, self.client(step).encrypt(plaintext, key=key, context=self.context(step)))

    def do_decrypt(self, step: Step) -> None:
        sealed = self.bytes(step["sealed"])
        self.save(step, self.client(step).decrypt(sealed, context=self.context(step)))

    def do_encrypt_many(self, step: Step) -> None:
        messages = [Message(self.bytes(one["plaintext"]), self.context(one)) for one in step["messages"]]
        sealed = self.client(step).encrypt_many(messages * step.get("times", 1), key=self.text(step["key"]))
        assert len(sealed) == len(messages) * step.get("times", 1)
        self.saved.update(zip(step.get("save", []), sealed, strict=False))

    def do_decrypt_many(self, step: Step) -> None:
        times = step.get("times", 1)
        messages = [Message(self.bytes(one["sealed"]), self.context(one)) for one in step["messages"]]
        opened = self.client(step).decrypt_many(messages * times)
        assert opened == [self.bytes(expected) for expected in step.get("expect", [])] * times

    # Streams

    def do_encrypt_stream(self, step: Step) -> None:
        plaintext, sealed = self.bytes(step["plaintext"]), io.BytesIO()
        through = Through(self, step)
        with self.client(step).open(sealed, "wb", key=self.text(step["key"]), context=self.context(step)) as stream:
            for at in range(0, len(plaintext), step["pieces"]):
                through.at(at)
                stream.write(plaintext[at : at + step["pieces"]])
        through.end()
        self.save(step, sealed.getvalue())

    def do_decrypt_stream(self, step: Step) -> None:
        source, opened = io.BytesIO(self.bytes(step["sealed"])), bytearray()
        through = Through(self, step)
        with self.client(step).open(source, "rb", context=self.context(step)) as stream:
            while piece := stream.read(step["pieces"]):
                opened += piece
                through.at(len(opened))
        through.end()
        self.save(step, bytes(opened))

    def do_seek(self, step: Step) -> None:
        plaintext = self.bytes(step["plaintext"])
        source = io.BytesIO(self.bytes(step["sealed"]))
        with self.client(step).open(source, "rb", context=self.context(step)) as stream:
            for whence, offset, length, position, read in step["reads"]:
                assert stream.seek(offset, _WHENCE[whence]) == position
                assert stream.read(length) == plaintext[position : position + read]

    # Files

    def do_encrypt_file(self, step: Step) -> None:
        self.client(step).encrypt_file(
            self.path(step["from"]),
            self.path(step["to"]),
            key=self.text(step["key"]),
            context=self.context(step),
            overwrite=step.get("overwrite", False),
            progress=_stop_at(step),
        )

    def do_decrypt_file(self, step: Step) -> None:
        self.client(step).decrypt_file(
            self.path(step["from"]),
            self.path(step["to"]),
            context=self.context(step),
            overwrite=step.get("overwrite", False),
            progress=_stop_at(step),
        )

    def do_write(self, step: Step) -> None:
        self.path(step["name"]).touch(mode=0o600)
        self.path(step["name"]).write_bytes(self.bytes(step["content"]))

    def do_append(self, step: Step) -> None:
        with self.path(step["name"]).open("ab") as file:
            file.write(self.bytes(step["content"]))

    def do_absent(self, step: Step) -> None:
        assert not self.path(step["name"]).exists()

    def do_folder(self, step: Step) -> None:
        self.path(step["path"]).mkdir(parents=True)

    # Data keys

    def do_data_key(self, step: Step) -> None:
        made = self.client(step).data_key(self.text(step["key"]), context=self.context(step))
        self.save(step, made.wrapped)
        self._save_key(step, made)

    def do_open_data_key(self, step: Step) -> None:
        opened = self.client(step).open_data_key(self.bytes(step["wrapped"]), context=self.context(step))
        self._save_key(step, opened)
        if "same-as" in step:
            assert self._data_key(step["same-as"]).expose() == opened.expose()

    def do_seal_record(self, step: Step) -> None:
        sealed = self._data_key(step["with"]).seal(self.bytes(step["plaintext"]), context=self.context(step))
        self.save(step, sealed)

    def do_open_record(self, step: Step) -> None:
        opened = self._data_key(step["with"]).open(self.bytes(step["sealed"]), context=self.context(step))
        self.save(step, opened)

    def _save_key(self, step: Step, key: DataKey) -> None:
        if "save-key" in step:
            self.saved[step["save-key"]] = key

    def _data_key(self, name: str) -> DataKey:
        saved = self.saved[name.removeprefix("$")]
        assert isinstance(saved, DataKey)
        return saved

    # Keys

    def do_create_key(self, step: Step) -> None:
        made = self.client(step).keys.create(
            self.text(step["key"]),
            suite=step.get("suite", "ristretto255"),
            threshold=step.get("threshold", 2),
            of=step.get("of", 3),
            purpose=step.get("purpose", "data"),
            customer_fragment=step.get("customer-fragment", False),
            shared=step.get("shared", False),
            on=self.text(step["on"]) if "on" in step else None,
            labels=step.get("labels"),
        )
        _expect_key(step, made)

    def do_rotate_key(self, step: Step) -> None:
        _expect_key(step, self.client(step).keys.rotate(self.text(step["key"])))

    def do_show_key(self, step: Step) -> None:
        _expect_key(step, self.client(step).keys.show(self.text(step["key"])))

    def do_list_keys(self, step: Step) -> None:
        below = self.text(step["below"]) if "below" in step else None
        assert [key.id for key in self.client(step).keys.list(below=below)] == step["expect"]

    def do_label_key(self, step: Step) -> None:
        labels: dict[str, str | None] = dict(step.get("set", {}))
        labels.update(dict.fromkeys(step.get("remove", [])))
        after = self.client(step).keys.label(self.text(step["key"]), labels)
        if "expect" in step:
            assert dict(after) == step["expect"]

    def do_inspect(self, step: Step) -> None:
        header = inspect(self.bytes(step["sealed"]))
        said = {
            "key": header.key,
            "version": header.version,
            "suite": header.suite,
            "purpose": header.purpose,
            "customer-fragment": header.customer_fragment is not None,
            "context-pairs": header.context_pairs,
            "chunk": header.chunk,
        }
        _expect_some(step, said)

    # The world

    def do_differ(self, step: Step) -> None:
        one, other = map(self.bytes, step["values"])
        assert one != other

    def do_same(self, step: Step) -> None:
        one, other = map(self.bytes, step["values"])
        assert one == other

    def do_cancel(self, step: Step) -> None:
        asyncio.run(self._cancel(step["step"]))

    async def _cancel(self, step: Step) -> None:
        client: AsyncClient = self.openers[step.get("as", "first")](AsyncClient)
        context = self.context(step)
        async with client:
            match step["do"]:
                case "encrypt":
                    work = client.encrypt(self.bytes(step["plaintext"]), key=self.text(step["key"]), context=context)
                case "decrypt":
                    work = client.decrypt(self.bytes(step["sealed"]), context=context)
                case other:
                    raise AssertionError(f"cannot cancel {other}")
            task = asyncio.create_task(work)
            done, _ = await asyncio.wait([task], timeout=0.2)
            assert not done, "it does not wait"
            task.cancel()
            try:
                await task
            except asyncio.CancelledError:
                return
        raise AssertionError("it was not cancelled")

    def do_cli(self, step: Step, *, owner: bool = False) -> None:
        words = [self.text(word) for word in step["args"]]
        file = self.deployment.directory / "owner" / "passphrase" if owner else None
        if "passphrase-file" in step:
            file = self.path(step["passphrase-file"])
        out = self.deployment.cli(
            *(["--json"] if "save-json" in step else []),
            *words,
            stdin=self.bytes(step["stdin"]) if "stdin" in step else b"",
            profile=self.path(step["profile"]) if "profile" in step else None,
            passphrase_file=file,
            code=step.get("code", 0),
            cwd=self.work,
        )
        if "save" in step:
            self.saved[step["save"]] = out
        if "save-json" in step:
            said = json.loads(out)
            self.saved.update({name: said[field] for name, field in step["save-json"].items()})

    def do_owner(self, step: Step) -> None:
        self.do_cli(step, owner=True)

    def do_stop(self, step: Step) -> None:
        self.deployment.stop(*step["roles"])

    def do_start(self, step: Step) -> None:
        self.deployment.start(*step["roles"], lying=step.get("lying", False), clock=step.get("clock"))

    def do_pause(self, step: Step) -> None:
        self.deployment.pause(*step["roles"])

    def do_resume(self, step: Step) -> None:
        self.deployment.resume(*step["roles"])


class Through:
    """What happens while a stream is under way."""

    def __init__(self, run: Run, step: Step) -> None:
        self._run, self._meanwhile = run, step.get("meanwhile")

    def at(self, passed: int) -> None:
        if self._meanwhile is not None and passed >= self._meanwhile["after"]:
            steps, self._meanwhile = self._meanwhile["steps"], None
            self._run.steps(steps)

    def end(self) -> None:
        assert self._meanwhile is None, "the stream ended before it should be interrupted"


def _stop_at(step: Step) -> Callable[[int], bool] | None:
    limit = step.get("stop-at")
    return None if limit is None else lambda written: written < limit


def _expect_key(step: Step, key: Key) -> None:
    newest = key.newest
    said: Step = {
        "version": newest.version,
        "state": key.state if newest.state == "active" else newest.state,
        "labels": dict(key.labels),
    }
    if (certificate := newest.certificate) is not None:
        said |= {
            "suite": certificate.suite.split("-")[0].lower(),
            "threshold": certificate.threshold,
            "of": len(certificate.managers),
            "purpose": certificate.purpose,
            "customer-fragment": certificate.customer_fragment,
            "shared": certificate.shared,
        }
    _expect_some(step, said)


def _expect_some(step: Step, said: Step) -> None:
    expected = step.get("expect", {})
    assert {name: said.get(name) for name in expected} == expected, step


@contextmanager
def _environment(changes: dict[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(changes)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)
