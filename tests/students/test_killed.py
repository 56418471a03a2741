"""A command killed with SIGKILL and run again ends like an undisturbed one: the rows, and nothing left half done."""

import json
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import pytest

ROOT = Path(__file__).resolve().parents[2]
BEFORE = {
    "roster": ["first roster", "first register", "poverty", "reconcile"],
    "register": ["first roster", "first register", "poverty", "reconcile"],
    "reconcile": ["first roster", "first register", "poverty", "reconcile", "roster", "register"],
}


class House:
    """An installation that can be put back to the moment before the command under test."""

    def __init__(self, home: Path, environment: dict[str, str], server: str | None) -> None:
        self.home, self.environment, self.server = home, environment, server
        self.database = f"doomed_{uuid4().hex[:8]}" if server else None

    def do(self, *arguments: str, die_at: int = 0) -> subprocess.CompletedProcess:
        given = self.environment | {"BUREAU_HOME": str(self.home), "DIE_AT": str(die_at)}
        if self.server:
            given["DATABASE_URL"] = urlunsplit(urlsplit(self.server)._replace(path=f"/{self.database}"))
        return subprocess.run(
            [sys.executable, "-m", "tests.students.doomed", *arguments],
            cwd=ROOT, env=given, capture_output=True, text=True, timeout=100, check=False,
        )  # fmt: skip

    def done(self, verb: str, *arguments: str):
        process = self.do(verb, str(self.home), *arguments)
        assert process.returncode == 0, process.stderr[-2000:]
        return json.loads(process.stdout.splitlines()[-1]) if process.stdout else None

    def keep(self) -> None:
        shutil.copytree(self.home, self.home.with_suffix(".kept"))
        if self.server:
            _statement(self.server, f"CREATE DATABASE {self.database}_kept TEMPLATE {self.database}")

    def put_back(self) -> None:
        shutil.rmtree(self.home)
        shutil.copytree(self.home.with_suffix(".kept"), self.home)
        if self.server:
            _statement(self.server, f"DROP DATABASE {self.database} WITH (FORCE)")
            _statement(self.server, f"CREATE DATABASE {self.database} TEMPLATE {self.database}_kept")


def _statement(server: str, text: str) -> None:
    connection = psycopg2.connect(server)
    connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(text)
    finally:
        connection.close()


@contextmanager
def _house(folder: Path, environment: dict[str, str], server: str | None):
    home = folder / "home"
    home.mkdir()
    house = House(home, environment | {"DJANGO_SETTINGS_MODULE": "bureau.settings", "LOG_LEVEL": "CRITICAL"}, server)
    if server:
        _statement(server, f"CREATE DATABASE {house.database}")
    try:
        yield house
    finally:
        for name in ("", "_kept") if server else ():
            _statement(server, f"DROP DATABASE IF EXISTS {house.database}{name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.slow])])
def house(request, tmp_path, outside_environment):
    server = request.getfixturevalue("require")("postgres") if request.param == "postgres" else None
    with _house(tmp_path, outside_environment, server) as made:
        yield made


def killed_and_recovered(house: House, job: str, points: int) -> None:
    """Kill at points spread over the whole command; each time recover and compare with the undisturbed run."""
    house.done("prepare", *BEFORE[job])
    house.keep()
    statements = house.done("run", job)
    undisturbed = house.done("recover", job)
    for n in range(points):
        house.put_back()
        at = max(1, round(statements * (n + 1) / (points + 1)))
        process = house.do("run", str(house.home), job, die_at=at)
        assert process.returncode == -9, f"it lived through statement {at} of {statements}"
        found = house.done("recover", job)
        assert {k: v for k, v in found.items() if v != undisturbed[k]} == {}, f"killed before statement {at} of {statements}"


@pytest.mark.slow
@pytest.mark.parametrize("job", ["register"])
def test_a_command_killed_half_way_and_run_again_is_an_undisturbed_one(house, job):
    killed_and_recovered(house, job, points=1)


@pytest.mark.slow
@pytest.mark.timeout(400)
@pytest.mark.parametrize("job", sorted(BEFORE))
def test_a_command_killed_anywhere_and_run_again_is_an_undisturbed_one(house, job):
    killed_and_recovered(house, job, points=9)
