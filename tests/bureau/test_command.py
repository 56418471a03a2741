"""The contract of the command line: one object, four exit statuses, nothing of a row in a traceback."""

import json
import subprocess
import sys

import pytest
from django.conf import settings

from bureau.access.models import Account
from bureau.command import DONE_WITH_FAULTS, ContractCommand
from tests.commands import run

SECRET = "张三990101201501010014"


class Rehearsal(ContractCommand):
    """Does what the test tells it."""

    right = "registers.import"

    def __init__(self, act):
        super().__init__()
        self.act = act

    def arguments(self, parser):
        parser.add_argument("--rows", type=int, default=0)

    def run(self, *, rows):
        self.act(self, rows)


def rehearse(act, *arguments):
    return run(Rehearsal(act), *arguments)


def test_result_is_the_one_object_whatever_is_printed_meanwhile(county):
    def act(command, rows):
        print("noise")
        command.note("注意")
        command.report({"rows": rows})

    status, result, stderr = rehearse(act, "--rows", "3")

    assert (status, result) == (0, {"rows": 3})
    assert "noise" in stderr and "注意" in stderr


def test_done_with_faults_is_status_one(county):
    assert rehearse(lambda command, rows: command.report({"rejected": 2}, DONE_WITH_FAULTS))[:2] == (
        1,
        {"rejected": 2},
    )


def test_refusal_is_status_two_with_code_and_message(county):
    refused = rehearse(lambda command, rows: command.refuse("no_term", "没有这个学期。"))

    assert refused[:2] == (2, {"error": {"code": "no_term", "message": "没有这个学期。"}})


def test_failure_is_status_three_and_its_trace_tells_the_place_but_no_value(county):
    def act(command, rows):
        try:
            {}[SECRET]
        except KeyError as error:
            raise ValueError(SECRET) from error

    status, result, stderr = rehearse(act)

    assert (status, result["error"]["code"]) == (3, "internal")
    assert "test_command.py" in stderr and "KeyError" in stderr and SECRET not in stderr
    assert SECRET not in json.dumps(result, ensure_ascii=False)


def test_whoever_lacks_the_right_is_refused(county, finance_officer, aid_officer):
    def act(command, rows):
        command.report({"by": command.by.username})

    assert rehearse(act, "--by", finance_officer.username)[:2][1]["error"]["code"] == "no_right"
    assert rehearse(act, "--by", aid_officer.username).result == {"by": aid_officer.username}


def test_operator_is_made_on_first_use_cannot_log_in_and_is_the_same_next_time(county):
    def act(command, rows):
        command.report({"by": command.by.pk})

    first, second = rehearse(act).result, rehearse(act).result

    assert first == second
    assert not Account.objects.get(pk=first["by"]).has_usable_password()


def test_without_a_county_and_with_two_the_command_is_refused(db, request):
    def act(command, rows):
        command.report({})

    assert rehearse(act).result["error"]["code"] == "no_county"
    assert request.getfixturevalue("world").far_county
    assert rehearse(act).result["error"]["code"] == "no_county"


@pytest.mark.parametrize("arguments", [["--rows", "x"], ["--unknown"]])
def test_bad_arguments_are_answered_with_one_object_too(county, arguments):
    assert rehearse(lambda command, rows: None, *arguments)[:2][1]["error"]["code"] == "bad_arguments"


def test_real_process_leaves_one_object_on_stdout_and_the_status_to_its_caller(outside_environment):
    command = [sys.executable, "manage.py", "import_organisation", "--json"]
    process = subprocess.run(
        command, cwd=settings.ROOT, env=outside_environment, capture_output=True, text=True
    )

    assert process.returncode == 2
    assert json.loads(process.stdout)["error"]["code"] == "bad_arguments"


def test_database_that_was_never_migrated_is_named(outside_environment):
    command = [sys.executable, "manage.py", "create_account", "x", "--role", "aid_officer", "--json"]
    process = subprocess.run(
        command, cwd=settings.ROOT, env=outside_environment, capture_output=True, text=True
    )

    assert process.returncode == 2
    assert json.loads(process.stdout)["error"]["code"] == "not_migrated"
