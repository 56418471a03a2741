"""What every test may ask for: outside services that are there or demanded, and a home of its own."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection
from hypothesis import settings as hypothesis_settings

pytest_plugins = ["tests.cast", "tests.browser"]

CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")

hypothesis_settings.register_profile("fast", max_examples=60, deadline=None, derandomize=True, database=None)
hypothesis_settings.register_profile("long", max_examples=5000, deadline=None, database=None)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))


def _answers(url: str, default_port: int) -> bool:
    parts = urlsplit(url)
    try:
        socket.create_connection(
            (parts.hostname or "127.0.0.1", parts.port or default_port), timeout=2
        ).close()
    except OSError:
        return False
    return True


def _postgres() -> str | None:
    url = os.environ.get("TEST_DATABASE_URL", "")
    return url if url and _answers(url, 5432) else None


def _redis() -> str | None:
    url = os.environ.get("TEST_REDIS_URL", "redis://127.0.0.1:6379/15")
    return url if _answers(url, 6379) else None


def _chromium() -> str | None:
    return os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, CHROMIUM_NAMES)), None)


SERVICES: dict[str, Callable[[], str | None]] = {
    "postgres": _postgres,
    "redis": _redis,
    "chromium": _chromium,
}


@pytest.fixture(scope="session")
def require() -> Callable[[str], str]:
    """`require("redis")` gives the service's address or path; absent, the test skips, or fails where REQUIRE names it."""

    def address(service: str) -> str:
        if found := SERVICES[service]():
            return found
        if service in os.environ.get("REQUIRE", "").split(","):
            pytest.fail(f"{service} is required (REQUIRE) and does not answer", pytrace=False)
        pytest.skip(f"{service} does not answer here")

    return address


@pytest.fixture(scope="session")
def django_db_use_migrations() -> bool:
    """On SQLite the suite's tables are made as the models say: ten seconds sooner in every worker.

    That the migrations say the same, tests/bureau/test_migrations.py holds; tests/outside works on a migrated database.
    """
    return connection.vendor == "postgresql"


@pytest.fixture
def home(tmp_path: Path, settings) -> Path:
    """An empty BUREAU_HOME for this test alone, for what reads it from the settings when called."""
    settings.BUREAU_HOME = tmp_path
    settings.BUREAU_KEYS = tmp_path / "keys"
    settings.MEDIA_ROOT = tmp_path / "media"
    return tmp_path


@pytest.fixture
def outside_environment(tmp_path: Path) -> dict[str, str]:
    """The environment for a `manage.py` run as its own process: product settings, empty home, nothing of the suite."""
    kept = {
        k: v for k, v in os.environ.items() if not k.startswith(("BUREAU_", "DJANGO_", "PYTEST_", "CELERY_"))
    }
    kept.pop("DATABASE_URL", None)
    return kept | {"BUREAU_HOME": str(tmp_path), "BUREAU_NO_VENV": "1", "PYTHONUTF8": "1"}


PURE = ("tests/bureau/sheets/", "tests/bureau/test_identity", "tests/bureau/test_names", "tests/bureau/test_door")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs no database is marked so; a browser that was too slow once is tried once more, and the last line says so."""
    for item in items:
        if item.nodeid.startswith(PURE) and not item.get_closest_marker("django_db"):
            item.add_marker("pure")
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=1, reruns_delay=1))
