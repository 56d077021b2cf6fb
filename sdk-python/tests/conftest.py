"""What tests share: one deployment, one client, two keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from deployment import Deployment
from symbolon import Client

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def deployment() -> Iterator[Deployment]:
    made = Deployment()
    try:
        yield made
    finally:
        made.close()


@pytest.fixture(scope="session")
def keys(deployment: Deployment) -> Deployment:
    with Client.from_file(deployment.profile) as client:
        client.keys.create("notes")
        client.keys.create("volumes", purpose="data-key")
    return deployment


@pytest.fixture
def client(keys: Deployment) -> Iterator[Client]:
    with Client.from_file(keys.profile) as made:
        yield made
