"""The command line of the first floor where it says no: exit status 2, one JSON object, nothing changed."""

from datetime import date

import pytest

from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.jobs import Job
from bureau.sheets.process import here
from students.models import Discrepancy, Hardship, Roster, Snapshot
from tests.commands import run
from tests.factories import AccountFactory
from tests.students.factories import DiscrepancyFactory, EntryFactory, StudentFactory, citizen_id, write_list

NUMBER = citizen_id(date(2016, 5, 1))
ROLL = [{"姓名": "张三", "身份证号": NUMBER, "年级": "三年级", "班级": "1班"}]
TERM = "2026-autumn"


@pytest.fixture(autouse=True)
def installed(world, home, monkeypatch):
    monkeypatch.setattr("bureau.sheets.reader.listen", here)


@pytest.fixture
def roll(tmp_path):
    return write_list(tmp_path / "花名册.csv", ROLL)


@pytest.fixture
def listing(tmp_path):
    return write_list(tmp_path / "名单.csv", [{"姓名": "张三", "身份证号": NUMBER, "户类型": "脱贫户"}])


def refusal(name: str, *arguments) -> str:
    """The code of the refusal; the exit status must be 2 and the object hold nothing but the error."""
    outcome = run(name, *arguments)
    assert outcome.status == 2
    assert set(outcome.result) == {"error"}
    assert set(outcome.result["error"]) == {"code", "message"}
    return outcome.result["error"]["code"]


def nothing_happened() -> bool:
    written = any(model.objects.exists() for model in (Roster, Snapshot, Job, Hardship))
    return not written and not AuditEvent.objects.filter(verb__startswith="students.").exists()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ([], "bad_arguments"),
        (["{file}"], "bad_arguments"),
        (["{file}", "--term", TERM, "--kind", "menu"], "bad_arguments"),
        (["{file}", "--term", TERM, "--frobnicate"], "bad_arguments"),
        (["missing.csv", "--term", TERM], "no_file"),
        ([".", "--term", TERM], "no_file"),
        (["{file}", "--term", "2031-autumn"], "unknown_term"),
        (["{file}", "--term", TERM, "--school", "3599999999"], "unknown_school"),
        (["{file}", "--term", TERM, "--by", "nobody"], "unknown_account"),
    ],
)
def test_import_roster_refuses_what_it_does_not_know(roll, arguments, code):
    assert refusal("import_roster", *[str(roll) if a == "{file}" else a for a in arguments]) == code
    assert nothing_happened()


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["{file}", "--register", "poverty"], "bad_arguments"),
        (["{file}", "--as-of", "2026-10-12"], "bad_arguments"),
        (["{file}", "--register", "poverty", "--as-of", "2026-13-01"], "bad_arguments"),
        (["{file}", "--register", "poverty", "--as-of", "12.10.2026"], "bad_arguments"),
        (["missing.csv", "--register", "poverty", "--as-of", "2026-10-12"], "no_file"),
        (["{file}", "--register", "pigs", "--as-of", "2026-10-12"], "unknown_register"),
        (["{file}", "--register", "poverty", "--as-of", "2026-10-12", "--scope", "990101999"], "unknown_scope"),
        (["{file}", "--register", "poverty", "--as-of", "2026-10-12", "--scope", "990102"], "unknown_scope"),
    ],
)
def test_import_register_refuses_what_it_does_not_know(listing, arguments, code):
    assert refusal("import_register", *[str(listing) if a == "{file}" else a for a in arguments]) == code
    assert nothing_happened()


@pytest.mark.parametrize(
    ("name", "arguments", "code"),
    [
        ("reconcile", [], "bad_arguments"),
        ("reconcile", ["--term", "2031-autumn"], "unknown_term"),
        ("reconcile", ["--term", TERM, "--rules", "R01,R99"], "unknown_rule"),
        ("reconcile", ["--term", TERM, "--rules", ""], "unknown_rule"),
        ("reconcile", ["--term", TERM, "--rules", ","], "unknown_rule"),
        ("reconcile", ["--term", TERM, "--rules", "r01"], "unknown_rule"),
        ("reconcile", ["--term", TERM, "--as-of", "yesterday"], "bad_arguments"),
        ("discrepancies", [], "bad_arguments"),
        ("discrepancies", ["--term", "2031-autumn"], "unknown_term"),
        ("discrepancies", ["--term", TERM, "--rule", "R99"], "unknown_rule"),
        ("discrepancies", ["--term", TERM, "--state", "sleeping"], "bad_arguments"),
        ("link", ["--register", "pigs"], "unknown_register"),
        ("settle", ["--rule", "R25", "--remedy", "record_hardship"], "bad_arguments"),
        ("settle", ["--rule", "R99", "--remedy", "accept", "--reason", "x"], "unknown_rule"),
        ("settle", ["--rule", "R25", "--remedy", "pray", "--reason", "x"], "unknown_remedy"),
        ("settle", ["--rule", "R25", "--remedy", "end_hardship", "--reason", "x"], "unknown_remedy"),
        ("settle", ["--rule", "R25", "--remedy", "accept", "--reason", "x", "--school", "3599999999"], "unknown_school"),
        ("settle", ["--rule", "R25", "--remedy", "accept", "--reason", " "], "reason_required"),
        ("settle", ["--rule", "R01", "--remedy", "whereabouts_known", "--reason", "x"], "value_required"),
    ],
)
def test_a_command_refuses_what_it_does_not_know(name, arguments, code):
    assert refusal(name, *arguments) == code
    assert nothing_happened()


def test_a_date_that_is_none_is_told_in_words(county):
    outcome = run("reconcile", "--term", TERM, "--as-of", "2026-13-01")

    assert outcome.result["error"]["message"] == "参数不正确：--as-of 日期应写成 2026-09-01 的样式"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("import_roster", ["{file}", "--term", TERM]),
        ("import_register", ["{file}", "--register", "poverty", "--as-of", "2026-10-12"]),
        ("link", []),
        ("reconcile", ["--term", TERM]),
        ("settle", ["--rule", "R25", "--remedy", "record_hardship", "--reason", "x"]),
    ],
)
def test_an_account_without_the_right_is_refused(world, roll, name, arguments):
    account = AccountFactory(role=Role.AUDITOR)
    given = [str(roll) if a == "{file}" else a for a in arguments]

    assert refusal(name, *given, "--by", account.username) == "no_right"
    assert nothing_happened()


def test_a_disabled_account_is_nobody(roll):
    account = AccountFactory(is_active=False)

    assert refusal("import_roster", roll, "--term", TERM, "--by", account.username) == "unknown_account"


def test_a_file_that_cannot_be_read_is_exit_2_with_its_own_word(tmp_path):
    path = tmp_path / "空.csv"
    path.touch()

    for arguments in (("import_roster", path, "--term", TERM), ("import_register", path, "--register", "poverty", "--as-of", "2026-10-12")):
        outcome = run(*arguments)
        assert (outcome.status, outcome.result["file_error"]["code"]) == (2, "empty")


def test_rejected_rows_are_exit_1_and_nothing_is_applied(tmp_path, school):
    path = write_list(tmp_path / "花名册.csv", [*ROLL, ROLL[0] | {"姓名": "李四", "身份证号": "123"}])

    outcome = run("import_roster", path, "--term", TERM, "--school", school.code, "--apply")

    assert (outcome.status, outcome.result["applied"], outcome.result["rejected"]) == (1, False, 1)


def test_the_same_roster_again_says_so_with_the_same_key(roll, school):
    arguments = ("import_roster", roll, "--term", TERM, "--school", school.code, "--apply")

    first, again = run(*arguments), run(*arguments)

    assert (first.status, first.result["new"], first.result["applied"]) == (0, 1, True)
    assert (again.status, again.result["new"], again.result["unchanged"]) == (0, 0, 1)
    assert again.result["roster"] == first.result["roster"]


def test_scope_may_name_the_county_itself(listing, county):
    arguments = ("--register", "poverty", "--as-of", "2026-10-12", "--scope", county.code)

    assert run("import_register", listing, *arguments).status == 0
    assert Snapshot.objects.get().township is None


def test_reconcile_takes_the_rules_it_is_given_in_the_rules_order():
    EntryFactory(on="population", student=StudentFactory())

    outcome = run("reconcile", "--term", TERM, "--rules", "R25, R01", "--as-of", "2026-10-12")

    assert outcome.status == 0
    assert list(outcome.result["rules"]) == ["R01", "R25"]
    assert outcome.result["as_of"] == "2026-10-12"


def test_settle_touches_only_the_school_it_is_given(world):
    here, there = (DiscrepancyFactory(rule="R25", school=school) for school in (world.school, world.other_school))

    outcome = run(
        "settle", "--rule", "R25", "--remedy", "accept", "--reason", "名单滞后", "--school", world.school.code
    )

    assert outcome.result == {"settled": 1, "left": 0}
    assert [Discrepancy.objects.get(pk=d.pk).state for d in (here, there)] == ["accepted", "new"]


def test_settle_in_the_name_of_a_clerk_reaches_her_own_school_only(world):
    for school in (world.school, world.other_school):
        DiscrepancyFactory(rule="R25", school=school)
    clerk = world.account(Role.SCHOOL_CLERK)

    outcome = run("settle", "--rule", "R25", "--remedy", "accept", "--reason", "x", "--by", clerk.username)

    assert outcome.result == {"settled": 1, "left": 0}


@pytest.mark.parametrize(
    ("asked", "shown"), [([], 3), (["--state", "open"], 1), (["--state", "closed"], 1), (["--rule", "R01"], 2)]
)
def test_discrepancies_are_told_by_state_and_rule(term, asked, shown):
    DiscrepancyFactory(term=term)
    DiscrepancyFactory(term=term, state="closed")
    DiscrepancyFactory(term=term, rule="R08", state="accepted", accepted_until=date(2027, 1, 1))

    outcome = run("discrepancies", "--term", TERM, *asked)

    assert (outcome.status, outcome.result["count"], len(outcome.result["items"])) == (0, shown, shown)
