"""Running a command of the contract in this process and reading what a program would read."""

import io
import json
import sys
from typing import Any, NamedTuple

from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import BaseCommand, OutputWrapper


class Outcome(NamedTuple):
    status: int
    result: dict[str, Any]
    stderr: str


def run(name: str | BaseCommand, *arguments: str, stdin: str | None = None) -> Outcome:
    """`run("reconcile", "--term", "2026-autumn")`: exit status, the one JSON object, and what went to stderr."""
    command = load_command_class(get_commands()[name], name) if isinstance(name, str) else name
    out, err = io.StringIO(), io.StringIO()
    command.stdout, command.stderr = OutputWrapper(out), OutputWrapper(err)
    before, status = (sys.stdin, sys.stderr), 0
    sys.stdin, sys.stderr = io.StringIO(stdin or ""), err
    try:
        call_command(command, *map(str, arguments), "--json")
    except SystemExit as stop:
        status = stop.code
    finally:
        sys.stdin, sys.stderr = before
    lines = out.getvalue().splitlines()
    assert len(lines) == 1, f"not exactly one line on stdout: {lines!r}\n{err.getvalue()}"
    return Outcome(status, json.loads(lines[0]), err.getvalue())
