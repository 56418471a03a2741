"""The tiers of the test suite, as runs of pytest.

Without options the fast tier, on SQLite. `--all`: everything but the long drills, on SQLite and, where
TEST_DATABASE_URL says so, on PostgreSQL, and the parts that encrypt once more with the national algorithms.
`--long` adds the drills and the large property runs. REQUIRE=postgres,redis,chromium makes absence a failure.
"""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

NOTHING_COLLECTED = 5
NEEDS_MORE = ("slow", "browser", "redis")  # markers that the fast tier leaves out
ENCRYPTS = "secrecy or test_rosters or test_registers or test_commands"


@dataclass(frozen=True)
class Run:
    title: str
    without: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    choose: str = ""

    def arguments(self) -> list[str]:
        markers = " and ".join(f"not {marker}" for marker in self.without)
        return ["-n", "2", "-m", markers, *(["-k", self.choose] if self.choose else [])]


class PostgresMissing(Exception):
    """REQUIRE names postgres and TEST_DATABASE_URL is not set."""


def runs(*, everything: bool, long: bool, environment: Mapping[str, str]) -> list[Run]:
    """What has to be run, in order; raises PostgresMissing."""
    profile = {"HYPOTHESIS_PROFILE": "long"} if long else {}
    always = () if long else ("long",)
    if not everything:
        return [
            Run("快速测试（SQLite）", (*NEEDS_MORE, "postgres", *always), {"DATABASE_URL": "", **profile})
        ]
    chosen = [
        Run("SQLite", ("postgres", *always), {"DATABASE_URL": "", **profile}),
        Run(
            "国密算法", ("postgres", "browser", "pure", *always), {"DATABASE_URL": "", "BUREAU_SUITE": "gm"}, ENCRYPTS
        ),
    ]
    if url := environment.get("TEST_DATABASE_URL"):
        chosen.append(Run("PostgreSQL", ("sqlite", "browser", "pure", *always), {"DATABASE_URL": url, **profile}))
    elif "postgres" in environment.get("REQUIRE", "").split(","):
        raise PostgresMissing
    return chosen


def run(chosen: list[Run], arguments: list[str], *, tell: Callable[[str], object]) -> int:
    """Run one after the other, all of them; the exit status is 0 only if every run passed.

    A run that collects nothing counts as passed when the person chose the tests, and as a fault otherwise.
    """
    worst = 0
    for one in chosen:
        if len(chosen) > 1:
            tell(f"—— {one.title} ——")
        command = [sys.executable, "-m", "pytest", *one.arguments(), *arguments]
        status = subprocess.run(command, env=os.environ | one.environment).returncode
        if status == NOTHING_COLLECTED and arguments and len(chosen) > 1:
            continue
        worst = worst or status
    return worst
