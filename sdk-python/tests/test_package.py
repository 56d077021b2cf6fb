"""The package as its users get it: a wheel, in an environment where nothing else is; its types; its reference."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import venv
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import symbolon

if TYPE_CHECKING:
    from deployment import Deployment

HERE = Path(__file__).resolve().parent
README = HERE.parent / "README.md"


@pytest.fixture(scope="module")
def wheel() -> Path:
    """The wheel that is installed here, as `cargo xtask test` names it."""
    return Path(os.environ["SYMBOLON_WHEEL"])


def examples() -> list[str]:
    return re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_wheel_is_for_every_python(wheel: Path) -> None:
    assert re.fullmatch(r"symbolon-[0-9.]+-cp310-abi3-[a-z0-9_.]+\.whl", wheel.name)
    names = zipfile.ZipFile(wheel).namelist()
    assert {"symbolon/py.typed", "symbolon/_native.pyi", "symbolon/_native.abi3.so"} <= set(names)


def test_the_readme_in_a_clean_environment(wheel: Path, keys: Deployment, tmp_path: Path) -> None:
    venv.create(tmp_path / "clean", with_pip=True)
    python = tmp_path / "clean" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "-q", "--no-index", wheel], check=True)
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format=freeze"], check=True, capture_output=True, text=True
    )
    assert {line.split("==")[0] for line in listed.stdout.splitlines()} <= {"pip", "setuptools", "symbolon"}
    (tmp_path / "report.pdf").write_bytes(b"%PDF")
    found = examples()
    assert len(found) >= 3
    for example in found:
        subprocess.run(
            [python, "-I", "-W", "error", "-c", example],
            check=True,
            cwd=tmp_path,
            env={"SYMBOLON_PROFILE": str(keys.profile), "PATH": os.environ["PATH"]},
        )
    assert "gateway" not in keys.running


def test_its_types_are_strict(tmp_path: Path) -> None:
    """`user.py` is right but for the lines that say what mypy has to find there."""
    ran = subprocess.run(
        [
            sys.executable,
            *("-m", "mypy", "--strict", "--no-error-summary", "--cache-dir", str(tmp_path)),
            *("--config-file", os.devnull, str(HERE / "user.py")),
        ],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    found = {int(line): code for line, code in re.findall(r":(\d+): error: .*\[([a-z-]+)\]", ran.stdout)}
    lines = (HERE / "user.py").read_text().splitlines()
    expected = {number: line.rsplit("# finds: ", 1)[1] for number, line in enumerate(lines, 1) if "# finds: " in line}
    assert found == expected, ran.stdout + ran.stderr


def test_the_readmes_examples_are_typed(tmp_path: Path) -> None:
    for number, example in enumerate(examples()):
        (tmp_path / f"example_{number}.py").write_text(example)
    subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), "."],
        check=True,
        cwd=tmp_path,
    )


def test_the_reference_is_complete(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-m", "pdoc", "symbolon", "-o", tmp_path], check=True)
    page = (tmp_path / "symbolon.html").read_text()
    for name in symbolon.__all__:
        assert f'id="{name}"' in page, name


def test_every_public_name_is_documented() -> None:
    for name in symbolon.__all__:
        thing = getattr(symbolon, name)
        if not isinstance(thing, type):
            continue
        assert thing.__doc__, name
        for member, value in vars(thing).items():
            if not member.startswith("_") and callable(value):
                assert value.__doc__, f"{name}.{member}"


def test_its_names_are_its_own() -> None:
    """What users see is `symbolon`, whatever module it is written in."""
    for name in symbolon.__all__:
        thing = getattr(symbolon, name)
        if isinstance(thing, type):
            assert thing.__module__.startswith("symbolon"), name
    assert symbolon.__version__ == "0.1.0"
