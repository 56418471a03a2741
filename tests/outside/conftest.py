"""An installed, empty bureau of 990101 for each test, on SQLite or PostgreSQL; prepared once, then copied."""

import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg2
import pytest

from .drive import Bureau
from .story import installed


def _statement(url: str, text: str) -> None:
    connection = psycopg2.connect(url)
    connection.autocommit = True  # CREATE DATABASE does not run inside a transaction
    try:
        with connection.cursor() as cursor:
            cursor.execute(text)
    finally:
        connection.close()


def _database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Bureau:
    """Installed once for all workers of a run: migrating takes ten seconds."""
    base = tmp_path_factory.getbasetemp()
    folder = (base if worker_id == "master" else base.parent) / "outside-template"
    with open(folder.with_suffix(".lock"), "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (ready := folder / "ready").exists():
            shutil.rmtree(folder, ignore_errors=True)
            installed(Bureau(folder / "home"), folder / "files")
            ready.touch()
    return Bureau(folder / "home")


@pytest.fixture(scope="session")
def postgres_template(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[str], str]
) -> Iterator[tuple[Bureau, str, str]]:
    server, name = require("postgres"), f"outside_{os.getpid()}"
    folder = tmp_path_factory.mktemp("template")
    _statement(server, f'CREATE DATABASE "{name}"')
    try:
        yield (
            installed(Bureau(folder / "home", database_url=_database(server, name)), folder / "files"),
            server,
            name,
        )
    finally:
        _statement(server, f'DROP DATABASE "{name}"')


@pytest.fixture(
    params=[pytest.param("sqlite"), pytest.param("postgres", marks=(pytest.mark.postgres, pytest.mark.slow))]
)
def bureau(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Bureau]:
    """Migrated, organised, nobody in it yet."""
    if request.param == "sqlite":
        yield request.getfixturevalue("sqlite_template").copy(tmp_path / "home")
        return
    template, server, name = request.getfixturevalue("postgres_template")
    mine = f"{name}_{abs(hash(request.node.name)) % 10**8}"
    _statement(server, f'CREATE DATABASE "{mine}" TEMPLATE "{name}"')
    try:
        shutil.copytree(template.home, tmp_path / "home")
        yield Bureau(tmp_path / "home", database_url=_database(server, mine))
    finally:
        _statement(server, f'DROP DATABASE "{mine}" WITH (FORCE)')


@pytest.fixture
def lone(sqlite_template: Bureau, tmp_path: Path) -> Bureau:
    """The same on SQLite only, for what does not depend on the database."""
    return sqlite_template.copy(tmp_path / "home")
