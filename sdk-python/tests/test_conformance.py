"""Every case of the scenario file that all languages run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from deployment import Deployment
from scenario import FILE, Run, make_token

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENARIO: dict[str, Any] = json.loads(FILE.read_text())
CASES: list[dict[str, Any]] = SCENARIO["cases"]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("SOFTHSM2_CONF", make_token(tmp_path_factory.mktemp("token")))
        deployment = Deployment()
        made = Run(deployment, tmp_path_factory.mktemp("work"))
        try:
            made.steps(SCENARIO["setup"])
            yield made
        finally:
            made.close()
            deployment.close()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_case(run: Run, case: dict[str, Any]) -> None:
    run.case(case)


def test_there_are_many_cases() -> None:
    assert len(CASES) >= 60
    assert len({case["name"] for case in CASES}) == len(CASES)
