"""A place of its own for one measurement: a database made and dropped, a home that is gone afterwards."""

import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

SERVER = os.environ.get("TEST_DATABASE_URL") or "postgres://127.0.0.1:5432/postgres"
SQLITE = "sqlite"


@contextlib.contextmanager
def installed(database: str | None) -> Iterator[Path]:
    """Django set up on an empty, migrated installation; `database` is a PostgreSQL server's URL, or `sqlite`.

    Yields the folder of the installation. One per process: settings are read once.
    """
    home = Path(tempfile.mkdtemp(prefix="bureau-bench-"))
    with contextlib.ExitStack() as undo:
        undo.callback(shutil.rmtree, home, ignore_errors=True)
        if database == SQLITE:
            url = f"sqlite:///{home / 'bench.sqlite3'}"
        else:
            url = undo.enter_context(_database(database or SERVER))
        os.environ |= {"BUREAU_HOME": str(home), "BUREAU_NO_VENV": "1", "DATABASE_URL": url}
        os.environ["DJANGO_SETTINGS_MODULE"] = "bureau.settings"
        os.environ.pop("BUREAU_KEYS", None)
        import django
        from django.core.management import call_command
        from django.db import connections

        django.setup()
        undo.callback(connections.close_all)
        call_command("migrate", verbosity=0)
        yield home


@contextlib.contextmanager
def _database(server: str) -> Iterator[str]:
    import psycopg2

    name = f"bench_{os.getpid()}"

    def run(statement: str) -> None:
        connection = psycopg2.connect(server)
        connection.autocommit = True
        with contextlib.closing(connection), connection.cursor() as cursor:
            cursor.execute(statement)

    run(f'CREATE DATABASE "{name}"')
    try:
        yield urlunsplit(urlsplit(server)._replace(path=f"/{name}"))
    finally:
        run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        print(f"(database {name} dropped)", file=sys.stderr)
