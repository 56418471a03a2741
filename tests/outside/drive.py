"""Runs the project's commands as an operator would, each in a process of its own, and holds them to docs/guide/commands.md."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
FULL_NUMBER = re.compile(r"99010[12]\d{11}[\dXx]")
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "SYSTEMROOT", "BUREAU_SUITE")


@dataclass
class Result:
    command: tuple[str, ...]
    status: int
    out: dict
    stderr: str
    seconds: float

    def __getitem__(self, key: str):
        return self.out[key]

    @property
    def refusal(self) -> str | None:
        """The code of the file error or of the refusal, when there is one."""
        found = self.out.get("file_error") or self.out.get("error")
        return found["code"] if found else None


class Bureau:
    """One installation: a private BUREAU_HOME and, on PostgreSQL, a private database."""

    def __init__(self, home: Path, *, database_url: str | None = None):
        self.home = Path(home)
        self.home.mkdir(parents=True, exist_ok=True)
        self.database_url = database_url

    def copy(self, home: Path) -> "Bureau":
        """The same installation again (SQLite only: the database is a file in the home)."""
        shutil.copytree(self.home, home)
        return Bureau(home)

    def environment(self) -> dict[str, str]:
        kept = {key: os.environ[key] for key in PASSED_ON if key in os.environ}
        kept |= {"BUREAU_HOME": str(self.home), "BUREAU_NO_VENV": "1", "PYTHONIOENCODING": "utf-8"}
        if self.database_url:
            kept["DATABASE_URL"] = self.database_url
        return kept

    def plain(self, *args: object, stdin: str | None = None) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, str(ROOT / "manage.py"), *map(str, args)],
            cwd=ROOT, env=self.environment(), input=stdin, capture_output=True, text=True, timeout=300, check=False,
        )  # fmt: skip

    def migrate(self) -> None:
        done = self.plain("migrate", "--verbosity", "0")
        assert done.returncode == 0, done.stderr[-3000:]

    def run(self, *args: object, expect: int | None = 0, stdin: str | None = None) -> Result:
        """`manage.py … --json`; `expect` is the exit status, None when any will do."""
        started = time.monotonic()
        done = self.plain(*args, "--json", stdin=stdin)
        seconds = time.monotonic() - started
        shown = f"manage.py {' '.join(map(str, args))}\nexit {done.returncode}\nstdout {done.stdout[:3000]}\nstderr {done.stderr[-3000:]}"
        try:
            out, end = json.JSONDecoder().raw_decode(done.stdout.lstrip())
        except ValueError:
            raise AssertionError(f"stdout is not JSON: {shown}") from None
        assert isinstance(out, dict), f"stdout is not one object: {shown}"
        assert not done.stdout.lstrip()[end:].strip(), f"more than one object on stdout: {shown}"
        result = Result(tuple(map(str, args)), done.returncode, out, done.stderr, seconds)
        _hold_to_the_exit_rules(result, shown)
        leak = FULL_NUMBER.search(done.stdout) or FULL_NUMBER.search(done.stderr)
        assert not leak, f"a full citizen ID in the output of {args[0]}"
        if expect is not None:
            assert done.returncode == expect, f"exit status is not {expect}: {shown}"
        return result


def _hold_to_the_exit_rules(result: Result, shown: str) -> None:
    out, status = result.out, result.status
    assert status in (0, 1, 2), f"exit status 3 or a crash: {shown}"
    problem = out.get("file_error") or out.get("error")
    assert bool(problem) == (status == 2), f"exit 2 if and only if there is a file_error or an error: {shown}"
    if problem:
        assert set(problem) >= {"code", "message"}, f"code and message expected: {shown}"
        assert re.search(r"[\u4e00-\u9fff]", problem["message"]), f"a Chinese message expected: {shown}"
    if "rejected" in out and status != 2:
        held_back = out.get("applied") is False and "--apply" in result.command
        assert (status == 1) == (out["rejected"] > 0 or held_back), (
            f"exit 1 means rejected rows or not applied: {shown}"
        )
