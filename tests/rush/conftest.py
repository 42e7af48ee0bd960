"""Crowds at real servers."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from crowd import Server


@pytest.fixture(scope="session")
def house(tmp_path_factory):
    """One database for all: each test has a pool and a server of its own."""
    return Server(tmp_path_factory.mktemp("rush"))


@pytest.fixture
def server(house):
    yield house
    house.close()
