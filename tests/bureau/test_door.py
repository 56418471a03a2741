"""The one door: the demo's home, its children, its broker, and the tiers of the suite."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from http.client import HTTPConnection
from pathlib import Path

import pytest
from django.conf import settings
from kombu import Connection

from bureau.celery import app
from bureau.command import Refused
from bureau.door import demo, suite
from bureau.door.demo import Home, Running
from bureau.door.embedded import PortTaken, reserve
from bureau.organisation.models import County

SUMMARY = {
    "students": 20,
    "schools": 2,
    "accounts": [{"username": "aid", "password": "secret", "role": "aid_officer", "place": "云岭县"}],
}
SILENT = lambda *words: None  # noqa: E731


def pins(lock: str) -> set[str]:
    return set(re.findall(r"^\S+==\S+", (settings.ROOT / lock).read_text(), re.MULTILINE))


def test_development_lock_contains_the_product_s_and_neither_names_a_host():
    assert pins("requirements.lock") < pins("requirements-dev.lock")
    for lock in ("requirements.lock", "requirements-dev.lock"):
        assert "://" not in (settings.ROOT / lock).read_text()


# The demo's home


@pytest.fixture
def seeder(monkeypatch):
    """Stands in for the seeding of 20,000 students; counts how often it was asked."""
    asked = []

    def seed(*, students, progress):
        asked.append(students)
        County.objects.create(code="990101", name="云岭县")
        return SUMMARY

    monkeypatch.setattr(demo, "import_string", {demo.SEED: seed}.get)
    return asked


@pytest.mark.django_db
def test_second_start_keeps_what_the_first_one_seeded(home, seeder):
    assert Home(home).fill(20, tell=SILENT) == SUMMARY
    assert Home(home).fill(20, tell=SILENT) == SUMMARY
    assert seeder == [20]
    assert Home(home).mark.stat().st_mode & 0o077 == 0


@pytest.mark.django_db
def test_data_of_a_real_county_is_neither_seeded_over_nor_reset(home, seeder):
    County.objects.create(code="990101", name="云岭县")

    with pytest.raises(Refused, match="已有正式数据"):
        Home(home).fill(20, tell=SILENT)
    with pytest.raises(Refused, match="不予清除"):
        Home(home).reset()
    assert seeder == []


def test_second_demo_in_the_same_home_hears_where_the_first_one_is(tmp_path):
    with Home(tmp_path).alone() as leave_notice:
        with pytest.raises(Running, match="正在准备数据"), Home(tmp_path).alone():
            pass
        leave_notice({"url": "http://127.0.0.1:8000/", "pid": 4711})
        with pytest.raises(Running, match=r"http://127\.0\.0\.1:8000/（进程 4711）"), Home(tmp_path).alone():
            pass
    with Home(tmp_path).alone():
        pass


def test_port_in_use_is_reported():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        with pytest.raises(PortTaken):
            reserve(other.getsockname()[1], patience=0)


# The broker


@pytest.fixture
def broker(tmp_path):
    folder = {
        "data_folder_in": str(tmp_path),
        "data_folder_out": str(tmp_path),
        "control_folder": str(tmp_path / "t"),
    }

    def connect():
        return Connection("filesystem://localhost/", transport_options=folder | {"polling_interval": 0.1})

    return connect


def test_polling_interval_of_the_settings_takes_effect():
    with app.connection_for_read() as connection:
        assert connection.transport.polling_interval == 0.1


def test_every_message_is_taken_once_and_whole_by_two_quick_workers(broker, tmp_path):
    taken: list[str] = []
    sent = [str(number) for number in range(300)]
    all_bound = threading.Barrier(3)

    def take() -> None:
        with broker() as connection, connection.SimpleQueue("bell") as queue:
            all_bound.wait(timeout=30)
            while len(taken) < len(sent):
                try:
                    message = queue.get(timeout=0.5)
                except queue.Empty:
                    continue
                taken.append(message.payload)
                message.ack()

    workers = [threading.Thread(target=take) for _ in range(2)]
    for worker in workers:
        worker.start()
    with broker() as connection, connection.SimpleQueue("bell") as queue:
        all_bound.wait(timeout=30)
        for text in sent:
            queue.put(text)
    for worker in workers:
        worker.join(timeout=30)

    assert sorted(taken, key=int) == sent
    assert not list(tmp_path.glob("*.msg*")) and not list(tmp_path.glob("*.draft"))


# The suite's tiers


def markers(run: suite.Run) -> str:
    return run.arguments()[3]


def test_fast_tier_is_one_run_on_sqlite_without_what_is_slow():
    (run,) = suite.runs(everything=False, long=False, environment={"TEST_DATABASE_URL": "postgres://x/y"})
    assert run.environment["DATABASE_URL"] == ""
    assert markers(run) == "not slow and not browser and not redis and not postgres and not long"


def test_all_runs_both_databases_and_the_national_algorithms():
    url = "postgres://root@127.0.0.1/x"
    runs = suite.runs(everything=True, long=False, environment={"TEST_DATABASE_URL": url})
    assert [run.environment["DATABASE_URL"] for run in runs] == ["", "", url]
    assert runs[1].environment["BUREAU_SUITE"] == "gm"
    assert "not browser" not in markers(runs[0])


def test_long_adds_the_drills_to_either_tier():
    for everything in (False, True):
        for run in suite.runs(everything=everything, long=True, environment={}):
            assert "long" not in markers(run)


def test_all_refuses_to_pass_without_the_postgresql_it_was_told_to_require():
    with pytest.raises(suite.PostgresMissing):
        suite.runs(everything=True, long=False, environment={"REQUIRE": "postgres,redis"})


# The running demo, as a process


def manage(*arguments: str) -> list[str]:
    return [sys.executable, str(settings.ROOT / "manage.py"), *arguments]


def test_wrong_arguments_are_one_object_and_status_2(outside_environment):
    done = subprocess.run(
        manage("demo", "--port", "http", "--json"), env=outside_environment, capture_output=True
    )
    assert done.returncode == 2
    assert json.loads(done.stdout)["error"]["code"] == "bad_arguments"


def descendants(pid: int) -> set[int]:
    lines = subprocess.run(["ps", "-axo", "pid=,ppid="], capture_output=True, check=True).stdout.split(b"\n")
    parents = {int(line.split()[0]): int(line.split()[1]) for line in lines if line}
    found, before = {pid}, set()
    while found != before:
        before = set(found)
        found |= {child for child, parent in parents.items() if parent in found}
    return found - {pid}


def alive(pids: set[int]) -> set[int]:
    lines = subprocess.run(["ps", "-axo", "pid=,stat="], capture_output=True, check=True).stdout.split(b"\n")
    running = {int(line.split()[0]) for line in lines if line and not line.split()[1].startswith(b"Z")}
    return pids & running


@pytest.fixture
def running_demo(outside_environment, tmp_path):
    """A demo that is up, on a home that counts as seeded: (process, url)."""
    subprocess.run(manage("migrate", "-v0"), env=outside_environment, check=True)
    (tmp_path / "demo.json").write_text(json.dumps(SUMMARY))
    with reserve(0) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        manage("demo", "--port", str(port), "--json"), env=outside_environment, stdout=subprocess.PIPE
    )
    result = json.loads(process.stdout.readline())
    yield process, result
    process.kill()
    process.wait()
    process.stdout.close()


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_demo_serves_pages_and_leaves_no_process_behind(running_demo, outside_environment, how):
    process, result = running_demo
    assert {key: result[key] for key in SUMMARY} == SUMMARY
    connection = HTTPConnection(*result["url"].removeprefix("http://").rstrip("/").split(":"))
    connection.request("GET", "/healthz")
    assert connection.getresponse().status == 200
    again = subprocess.run(manage("demo"), env=outside_environment, capture_output=True, text=True)
    assert again.returncode == 2 and result["url"] in again.stderr
    children = descendants(process.pid)
    assert len(children) >= 3

    process.send_signal(how)
    process.wait(timeout=10)

    deadline = time.monotonic() + 3
    while (left := alive(children)) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left


@pytest.mark.slow
def test_fallen_worker_is_started_again(running_demo):
    process, _ = running_demo
    worker = next(pid for pid in descendants(process.pid) if "door.child worker" in arguments_of(pid))
    os.kill(worker, signal.SIGKILL)

    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        others = descendants(process.pid) - {worker}
        if any("door.child worker" in arguments_of(pid) for pid in others):
            return
        time.sleep(0.1)
    pytest.fail("no new worker")


def arguments_of(pid: int) -> str:
    return subprocess.run(["ps", "-o", "args=", "-p", str(pid)], capture_output=True, text=True).stdout


def test_no_path_of_this_machine_is_needed_to_find_the_project(outside_environment, tmp_path):
    """manage.py works from any folder, with nothing in the environment but where its home is."""
    bare = {name: outside_environment[name] for name in ("BUREAU_HOME", "BUREAU_NO_VENV")}
    done = subprocess.run(
        manage("check"), env=bare, cwd=Path(tmp_path.anchor), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
