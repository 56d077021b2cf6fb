"""What happens to a client at the edges of a process: forks, exits, Ctrl-C, worker processes."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from symbolon import Client, Denied, SymbolonError, Unavailable

if TYPE_CHECKING:
    from deployment import Deployment

MANAGERS = ("kfm-1", "kfm-2", "kfm-3")


def python(deployment: Deployment, program: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-X",
            "faulthandler",
            "-W",
            "ignore::DeprecationWarning",
            "-c",
            textwrap.dedent(program),
        ],
        env={**os.environ, "SYMBOLON_PROFILE": str(deployment.profile)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ended(process: subprocess.Popen[str], code: int = 0, say: str = "") -> str:
    out, err = process.communicate(say, timeout=60)
    assert process.returncode == code, err
    assert "Fatal" not in err
    assert "panicked" not in err
    return out


def test_a_forked_child_has_a_client_of_its_own(keys: Deployment) -> None:
    out = ended(
        python(
            keys,
            """
            import os, sys, symbolon
            client = symbolon.Client.from_environment()
            sealed = client.encrypt(b"of the parent", key="notes")
            for turn in range(2):
                child = os.fork()
                if child == 0:
                    assert client.decrypt(sealed) == b"of the parent"
                    grandchild = os.fork()
                    if grandchild == 0:
                        assert client.decrypt(client.encrypt(b"x", key="notes")) == b"x"
                        client.close()
                        sys.exit(5)
                    assert os.waitstatus_to_exitcode(os.waitpid(grandchild, 0)[1]) == 5
                    assert client.decrypt(sealed) == b"of the parent"
                    sys.exit(7)
                assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
                assert client.decrypt(sealed) == b"of the parent"
            client.close()
            child = os.fork()
            if child == 0:
                try:
                    client.decrypt(sealed)
                except symbolon.Closed:
                    sys.exit(9)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9
            print("all went well")
            """,
        )
    )
    assert out == "all went well\n"


def test_a_fork_amid_calls_of_other_threads(keys: Deployment) -> None:
    out = ended(
        python(
            keys,
            """
            import os, threading, symbolon
            client = symbolon.Client.from_environment()
            sealed, go_on = client.encrypt(b"x", key="notes"), True
            def work():
                while go_on:
                    client.decrypt(sealed)
            threads = [threading.Thread(target=work) for _ in range(4)]
            for thread in threads:
                thread.start()
            for _ in range(10):
                child = os.fork()
                if child == 0:
                    os._exit(0 if client.decrypt(sealed) == b"x" else 1)
                assert os.waitpid(child, 0)[1] == 0
            go_on = False
            for thread in threads:
                thread.join()
            print("all went well")
            """,
        )
    )
    assert out == "all went well\n"


def test_workers_of_a_pool(keys: Deployment) -> None:
    for method in ("fork", "spawn"):
        with multiprocessing.get_context(method).Pool(2) as pool:
            sealed = pool.map(_encrypt, [(str(keys.profile), number) for number in range(8)])
        with Client.from_file(keys.profile) as client:
            assert client.decrypt_many(sealed) == [str(number).encode() for number in range(8)]


def _encrypt(work: tuple[str, int]) -> bytes:
    profile, number = work
    with Client.from_file(profile) as client:
        return client.encrypt(str(number).encode(), key="notes")


@pytest.mark.parametrize("waits", ["thread", "loop"])
def test_the_interpreter_exits_in_mid_call(keys: Deployment, waits: str) -> None:
    program = """
        import asyncio, sys, threading, symbolon
        client = symbolon.Client.from_environment()
        sealed = client.encrypt(b"x", key="notes")
        print("ready", flush=True)
        sys.stdin.readline()
        def thread():
            try:
                client.decrypt(sealed)
            except symbolon.Closed as error:
                sys.stdout.write(error.code + "\\n")
                sys.stdout.flush()
        def loop():
            async def work():
                opened = symbolon.AsyncClient.from_environment()
                await opened.decrypt(sealed)
            asyncio.run(work())
        threads = [threading.Thread(target=WAITS, daemon=True) for _ in range(8)]
        for thread in threads:
            thread.start()
        threads[0].join(0.3)
        """
    process = subprocess.Popen(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(program.replace("WAITS", waits))],
        env={**os.environ, "SYMBOLON_PROFILE": str(keys.profile)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    keys.pause(*MANAGERS)
    try:
        out, err = process.communicate("go\n", timeout=30)
    finally:
        keys.resume(*MANAGERS)
    assert process.returncode == 0, err
    assert "Fatal" not in err
    # Whether a daemon thread still gets to say what it was told is the interpreter's business.
    assert set(out.split()) <= {"exiting"}


def test_whoever_waits_is_told_that_the_interpreter_exits(keys: Deployment) -> None:
    process = python(
        keys,
        """
        import sys, threading, symbolon
        from symbolon import _native
        client = symbolon.Client.from_environment()
        sealed = client.encrypt(b"x", key="notes")
        told, begun = [], threading.Barrier(9)
        def work():
            begun.wait()
            try:
                client.decrypt(sealed)
            except symbolon.Closed as error:
                told.append(error.code)
        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        print("ready", flush=True)
        sys.stdin.readline()
        begun.wait()
        threads[0].join(0.2)
        _native.shut_down()
        for thread in threads:
            thread.join()
        print(told)
        """,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    keys.pause(*MANAGERS)
    try:
        assert ended(process, say="go\n") == f"{['exiting'] * 8}\n"
    finally:
        keys.resume(*MANAGERS)


def test_the_interpreter_exits_while_it_is_called(keys: Deployment) -> None:
    out = ended(
        python(
            keys,
            """
            import pathlib, sys, tempfile, threading, time, symbolon
            client = symbolon.Client.from_environment()
            folder = pathlib.Path(tempfile.mkdtemp())
            (folder / "plain").write_bytes(bytes(50 << 20))
            told = threading.Event()
            def progress(written):
                told.set()
                time.sleep(0.01)
            def work():
                client.encrypt_file(folder / "plain", folder / "sealed", key="notes", progress=progress)
            threading.Thread(target=work, daemon=True).start()
            told.wait()
            (folder / "plain").unlink()
            print(folder, flush=True)
            """,
        )
    )
    folder = Path(out.strip())
    assert list(folder.iterdir()) == []
    folder.rmdir()


def test_nothing_can_be_called_after_the_end(keys: Deployment) -> None:
    out = ended(
        python(
            keys,
            """
            import atexit, symbolon
            def late():
                try:
                    client.encrypt(b"x", key="notes")
                except symbolon.Closed as error:
                    print(error.code)
            # Called last: handlers run in the reverse order.
            from symbolon import _native
            atexit.unregister(_native.shut_down)
            atexit.register(late)
            atexit.register(_native.shut_down)
            client = symbolon.Client.from_environment()
            client.encrypt(b"x", key="notes")
            """,
        )
    )
    assert out == "exiting\n"


def test_ctrl_c_ends_a_call(keys: Deployment) -> None:
    process = python(
        keys,
        """
        import signal, symbolon
        # Whoever started the tests in the background may have had it ignored.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        client = symbolon.Client.from_environment()
        sealed = client.encrypt(b"x", key="notes")
        try:
            print("ready", flush=True)
            while True:
                client.decrypt(sealed)
        except KeyboardInterrupt:
            print("interrupted")
        """,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    keys.pause(*MANAGERS)
    try:
        process.send_signal(signal.SIGINT)
        assert ended(process) == "interrupted\n"
    finally:
        keys.resume(*MANAGERS)


def test_errors_come_out_of_other_processes() -> None:
    error = Denied("not you", code="not-granted", advice="ask the owner")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301
    assert (type(again), str(again), again.code) == (Denied, "not you\nask the owner", "not-granted")
    late = pickle.loads(pickle.dumps(Unavailable("later", code="rate-limited", retry_after=1.5)))  # noqa: S301
    assert late.retry_after == 1.5
    assert isinstance(late, SymbolonError)
