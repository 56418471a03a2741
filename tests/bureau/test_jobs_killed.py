"""Processes that die, hang or lose their broker: the end is that of an undisturbed run."""

import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit
from uuid import uuid4

import psycopg2
import pytest

from tests.bureau.job_kinds import FIRST_DAY

ROOT = Path(__file__).resolve().parents[2]
DAYS = 60
UNDISTURBED = {
    "days": [str(FIRST_DAY + timedelta(days=n)) for n in range(DAYS)],
    "years": [2026],
    "jobs": [["done", DAYS, {"days": DAYS}]],
}


class House:
    """An installation of its own: a home, a database, and processes that work in it."""

    def __init__(self, environment: dict[str, str]):
        self.environment = environment | {
            "DJANGO_SETTINGS_MODULE": "bureau.settings",
            "LOG_LEVEL": "CRITICAL",
        }

    def start(self, *command: str, **more: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=ROOT,
            env=self.environment | more,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def do(self, verb: str, *arguments: str, **more: str):
        process = self.start("tests.bureau.job_process", verb, *arguments, **more)
        out, _ = process.communicate(timeout=60)
        assert process.returncode == 0
        return json.loads(out.splitlines()[-1])

    def watched_run(self, job_id: str) -> subprocess.Popen:
        return self.start("tests.bureau.job_process", "run", job_id, TESTS_WATCHED="1")


def lines_until(process: subprocess.Popen, line: str, times: int = 1) -> None:
    """Read what the process says until it has said `line` so often."""
    while times:
        assert select.select([process.stdout], [], [], 60)[0], "the process says nothing"
        said = process.stdout.readline()
        assert said, "the process has ended"
        times -= said.strip() == line


def kill(process: subprocess.Popen) -> None:
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


@contextmanager
def own_postgres_database(url: str):
    parts = urlsplit(url)
    name = f"bureau_house_{uuid4().hex[:8]}"
    admin = psycopg2.connect(url)
    admin.autocommit = True
    with admin.cursor() as cursor:
        cursor.execute(f"CREATE DATABASE {name}")
        try:
            yield urlunsplit(parts._replace(path=f"/{name}"))
        finally:
            cursor.execute(f"DROP DATABASE {name} WITH (FORCE)")
    admin.close()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def house(request, outside_environment):
    if request.param == "sqlite":
        yield _built(outside_environment)
        return
    with own_postgres_database(request.getfixturevalue("require")("postgres")) as url:
        yield _built(outside_environment | {"DATABASE_URL": url, "TESTS_LEASE_SECONDS": "1"})


def _built(environment: dict[str, str]) -> House:
    house = House(environment)
    migration = house.start("django", "migrate", "--skip-checks", "--verbosity=0")
    assert migration.wait(timeout=100) == 0
    return house


def swept(house: House) -> bool:
    """Sweep until the job is free again; on PostgreSQL its lease must first run out."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if house.do("sweep")["released"]:
            return True
        time.sleep(0.2)
    return False


@pytest.mark.slow
def test_job_killed_again_and_again_ends_like_an_undisturbed_one(house):
    """kill -9 at four random points (S13, S14): inside a chunk's transaction, between chunks, while finishing."""
    (job_id,) = house.do("ask", str(DAYS))
    points = [
        ("chunk written", 2),
        ("chunk committed", 1),
        ("chunk written", random.randint(1, 2)),
        ("finishing", 1),
    ]
    for line, times in points:
        process = house.watched_run(job_id)
        lines_until(process, line, times)
        kill(process)
        assert house.do("facts")["jobs"][0][0] == "running"
        assert swept(house)
    house.do("run", job_id)

    assert house.do("facts") == UNDISTURBED


@pytest.mark.slow
@pytest.mark.parametrize("rings", [4])
def test_many_rings_at_once_are_one_run(house, rings):
    (job_id,) = house.do("ask", str(DAYS))
    processes = [house.watched_run(job_id) for _ in range(rings)]
    answers = [process.communicate(timeout=60)[0].splitlines()[-1] for process in processes]

    assert sorted(answers) == ["false"] * (rings - 1) + ["true"]
    assert house.do("facts") == UNDISTURBED


@pytest.mark.slow
@pytest.mark.parametrize("house", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_process_paused_past_its_lease_cannot_finish(house):
    """SIGSTOP, another run takes over and finishes, SIGCONT (S15): the first one commits nothing more."""
    (job_id,) = house.do("ask", str(DAYS))
    paused = house.watched_run(job_id)
    lines_until(paused, "chunk committed", 2)
    os.killpg(paused.pid, signal.SIGSTOP)
    assert swept(house)
    assert house.do("run", job_id) is True
    after = house.do("facts")
    os.killpg(paused.pid, signal.SIGCONT)
    paused.communicate(timeout=30)

    assert after == house.do("facts") == UNDISTURBED


@pytest.mark.slow
@pytest.mark.parametrize("house", [pytest.param("postgres", marks=pytest.mark.postgres)], indirect=True)
def test_heartbeat_keeps_a_slow_run_alive(house):
    """A run of several leases' length is never taken over (S16)."""
    (job_id,) = house.do("ask", "2000")
    slow = house.watched_run(job_id)
    lines_until(slow, "chunk committed", 1)
    released = 0
    while slow.poll() is None:
        released += house.do("sweep")["released"]
        if select.select([slow.stdout], [], [], 0)[0]:
            os.read(slow.stdout.fileno(), 65536)
    slow.communicate()

    assert released == 0
    assert house.do("facts")["jobs"][0][0] == "done"


@pytest.mark.slow
def test_job_asked_for_while_the_broker_is_down_is_kept_and_found_later(house):
    began = time.monotonic()
    (job_id,) = house.do("ask", "5", CELERY_BROKER_URL="redis://127.0.0.1:1/0")

    assert time.monotonic() - began < 5
    assert house.do("facts")["jobs"][0][0] == "queued"
    assert house.do("run", job_id) is True


@pytest.mark.slow
@pytest.mark.parametrize(
    "broker", ["", pytest.param("redis", marks=pytest.mark.redis)], ids=["filesystem", "redis"]
)
@pytest.mark.parametrize("house", ["sqlite"], indirect=True)
def test_worker_hears_the_bell_and_a_killed_worker_s_job_is_taken_up_by_the_next(house, broker, require):
    if broker:
        house.environment["CELERY_BROKER_URL"] = require("redis")
    house.do("ask", "600")
    worker = "celery -A bureau.celery worker --pool=threads -c 2 -I tests.bureau.job_kinds".split()
    first = house.start(*worker, TESTS_WATCHED="1")
    lines_until(first, "chunk committed", 3)
    kill(first)
    second = house.start(*worker)
    try:
        assert swept(house)
        deadline = time.monotonic() + 40
        while house.do("facts")["jobs"][0][0] != "done" and time.monotonic() < deadline:
            time.sleep(0.2)
    finally:
        kill(second)

    assert house.do("facts")["jobs"] == [["done", 600, {"days": 600}]]
