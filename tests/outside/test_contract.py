"""docs/guide/commands.md, command by command: what is refused, with which exit status, and that nothing stays behind."""

import json
from pathlib import Path

import pytest

from . import lists, rolls, zoo
from .county import BAITA, CENTRAL, FIRST, LIUHE, TERM, County, town_code
from .drive import Bureau
from .story import Story


@pytest.fixture
def county(tmp_path: Path) -> County:
    return County(tmp_path / "files", seed=11)


def roster(book_or_path, *more: str, school: str | None = BAITA) -> list:
    path = getattr(book_or_path, "path", book_or_path)
    return ["import_roster", path, *(["--school", school] if school else []), "--term", TERM, *more]


# -- refused: exit 2, one object, nothing changed -------------------------------------------------


def test_a_wrong_word_on_the_command_line_is_refused(lone: Bureau, county: County):
    result = lone.run(
        "import_register", zoo.sound(county).path, "--register", "nonsense", "--as-of", FIRST, expect=2
    )

    assert result.refusal


@pytest.mark.slow
@pytest.mark.parametrize(
    "args",
    [
        pytest.param(
            ["import_roster", "FILE", "--school", "2199999999", "--term", TERM], id="unknown school"
        ),
        pytest.param(
            ["import_roster", "FILE", "--school", BAITA, "--term", "2031-autumn"], id="unknown term"
        ),
        pytest.param(["import_roster", "FILE", "--school", BAITA], id="no term"),
        pytest.param(["import_roster", "FILE", "--term", TERM, "--kind", "party"], id="unknown kind"),
        pytest.param(["import_roster", "nowhere.xlsx", "--school", BAITA, "--term", TERM], id="no such file"),
        pytest.param(
            ["import_roster", "FILE", "--school", BAITA, "--term", TERM, "--by", "nobody"],
            id="unknown account",
        ),
        pytest.param(["import_roster", "FILE", "--term", TERM, "--frobnicate"], id="unknown option"),
        pytest.param(
            ["import_register", "FILE", "--register", "poverty", "--as-of", "2026-13-01"], id="no such day"
        ),
        pytest.param(["import_register", "FILE", "--register", "poverty"], id="no day"),
        pytest.param(
            [
                "import_register",
                "FILE",
                "--register",
                "poverty",
                "--as-of",
                "2026-09-10",
                "--scope",
                "990101999000",
            ],
            id="unknown township",
        ),
        pytest.param(["reconcile", "--term", "2031-autumn"], id="reconcile an unknown term"),
        pytest.param(["reconcile", "--term", TERM, "--rules", "R01,R99"], id="reconcile an unknown rule"),
        pytest.param(["reconcile", "--term", TERM, "--as-of", "yesterday"], id="reconcile on no day"),
        pytest.param(["discrepancies", "--term", TERM, "--rule", "R99"], id="list an unknown rule"),
        pytest.param(["discrepancies", "--term", "2031-autumn"], id="list an unknown term"),
        pytest.param(["link", "--register", "nonsense"], id="link an unknown register"),
        pytest.param(["create_account", "x", "--role", "emperor"], id="unknown role"),
        pytest.param(
            ["create_account", "x", "--role", "school_clerk", "--at", "2199999999"], id="unknown place"
        ),
        pytest.param(
            ["settle", "--rule", "R25", "--remedy", "nonsense", "--by", "operator", "--reason", "x"],
            id="unknown remedy",
        ),
        pytest.param(
            ["settle", "--rule", "R25", "--remedy", "record_hardship", "--by", "nobody", "--reason", "x"],
            id="unknown person",
        ),
        pytest.param(
            ["settle", "--rule", "R25", "--remedy", "record_hardship", "--by", "operator"], id="no reason"
        ),
        pytest.param(["import_organisation", "nowhere.json"], id="no such organisation file"),
    ],
)
def test_bad_arguments_are_refused(lone: Bureau, county: County, args: list[str]):
    path = str(zoo.sound(county).path)

    result = lone.run(*[path if a == "FILE" else a for a in args], expect=2)

    assert result.refusal


def _bad_organisations(good: dict) -> dict[str, object]:
    school = good["schools"][0]
    stranger = school | {"code": "2199000999", "township": "990101888000"}
    more = {"code": "990101777000", "name": "新设乡", "villages": []}
    return {
        "unknown township": good
        | {"townships": [*good["townships"], more], "schools": [*good["schools"], stranger]},
        "unknown stage": good | {"schools": [school | {"stages": ["party"]}]},
        "no county": {k: v for k, v in good.items() if k != "county"},
        "a list": [good],
        "schools is a word": good | {"schools": "石桥"},
        "a school without a code": good | {"schools": [{k: v for k, v in school.items() if k != "code"}]},
        "a term that ends first": good
        | {"terms": [{"code": "2027-spring", "starts_on": "2027-07-01", "ends_on": "2027-02-01"}]},
        "a day that does not exist": good | {"holidays": [{"date": "2026-02-30", "kind": "off"}]},
        "an unknown kind of day": good | {"holidays": [{"date": "2026-05-01", "kind": "party"}]},
        "not JSON": None,
    }


@pytest.mark.parametrize(
    "what",
    [
        "unknown township",
        *(
            pytest.param(key, marks=pytest.mark.slow)
            for key in list(_bad_organisations({"schools": [{}], "townships": []}))[1:]
        ),
    ],
)
def test_a_faulty_organisation_file_is_refused_as_a_whole(lone: Bureau, county: County, what: str):
    content = _bad_organisations(county.organisation())[what]
    path = county.folder / "bad.json"
    path.write_text(
        "{nonsense" if content is None else json.dumps(content, ensure_ascii=False), encoding="utf-8"
    )

    result = lone.run("import_organisation", path, expect=2)

    assert result.refusal
    if what == "unknown township":  # its other new township was not stored either
        scope = ["--register", "poverty", "--as-of", FIRST, "--scope", "990101777000"]
        lone.run("import_register", lists.poverty(county).path, *scope, expect=2)


@pytest.mark.slow
def test_the_same_organisation_twice_is_no_fault(lone: Bureau, county: County):
    first = lone.run("import_organisation", county.write_organisation())
    again = lone.run("import_organisation", county.write_organisation())

    assert first.out == again.out


@pytest.mark.slow
@pytest.mark.parametrize("code", list(zoo.NO_ROLLS))
def test_a_file_that_is_no_roll_is_refused_by_its_code(lone: Bureau, county: County, code: str):
    result = lone.run(*roster(zoo.write_no_roll(county, code), "--apply"), expect=2)

    assert result.refusal == code.strip()


@pytest.mark.slow
@pytest.mark.parametrize("code", ["empty", "truncated", "encrypted", "not_a_workbook", "no_header"])
def test_a_file_that_is_no_list_is_refused_by_its_code(lone: Bureau, county: County, code: str):
    path = zoo.write_no_roll(county, code)

    result = lone.run("import_register", path, "--register", "poverty", "--as-of", FIRST, expect=2)

    assert result.refusal == code
    assert lone.run("link")["linked"] == 0


@pytest.mark.slow
def test_another_schools_roll_is_refused(lone: Bureau, county: County):
    result = lone.run(*roster(zoo.sound(county), "--apply", school=LIUHE), expect=2)

    assert result.refusal == "other_school"


# -- rosters ----------------------------------------------------------------------------------------


def test_every_fault_is_reported_at_its_cell_and_nothing_is_applied(lone: Bureau, county: County):
    story, book = Story(lone, county), zoo.zoo(county)

    preview = story.roll(book, school=BAITA, apply=False)
    applied = lone.run(*roster(book, "--apply"), expect=1)

    assert preview.status == 1
    assert applied["applied"] is False
    assert story.deviations == []


@pytest.mark.slow
def test_a_preview_stores_nothing_but_the_staged_roster(lone: Bureau, county: County):
    book = zoo.sound(county)
    everyone = len(book.lines)

    first, second = (lone.run(*roster(book)) for _ in range(2))
    lone.run(
        "import_register",
        lists.population(county).path,
        "--register",
        "population",
        "--as-of",
        FIRST,
        expect=None,
    )
    found = lone.run("reconcile", "--term", TERM, "--rules", "R01")

    assert first["applied"] is False and first["new"] == everyone
    assert second["new"] == everyone
    assert set(found["rules"]) == {"R01"}
    of_age = Story(lone, county).truth
    of_age.import_register("population", lists.population(county), FIRST)
    answer = of_age.r01(FIRST)
    assert answer.must.total() <= found["rules"]["R01"]["open"] <= (answer.must + answer.may).total()


@pytest.mark.slow
def test_with_faulty_rows_nothing_is_applied_unless_the_good_ones_are_accepted(lone: Bureau, county: County):
    book = rolls.central(county)

    held = lone.run(*roster(book, "--apply", school=CENTRAL), expect=1)
    good = lone.run(*roster(book, "--apply", "--accept-good", school=CENTRAL), expect=1)

    assert (held["applied"], held["rejected"]) == (False, 1)
    assert good["applied"] is True
    assert good["new"] == good["accepted"] == held["accepted"]


@pytest.mark.slow
def test_accept_good_does_not_apply_a_file_that_is_mostly_wrong(lone: Bureau, county: County):
    result = lone.run(*roster(zoo.mostly_faulty(county), "--apply", "--accept-good"), expect=1)

    assert result["applied"] is False


@pytest.mark.slow
def test_the_same_roll_twice_changes_nothing(lone: Bureau, county: County):
    book = zoo.sound(county)

    first = lone.run(*roster(book, "--apply"))
    again = lone.run(*roster(book, "--apply"))

    assert first["applied"] is True and first["new"] == len(book.lines)
    assert again["applied"] is True
    assert again["roster"] == first["roster"] or again["unchanged"] == len(book.lines)
    assert again["absent"] == 0


@pytest.mark.slow
def test_a_roll_without_faults_ends_with_zero(lone: Bureau, county: County):
    result = lone.run(*roster(zoo.sound(county), "--apply", school=None))

    assert (result.status, result["rejected"], result["applied"]) == (0, 0, True)


# -- registers, rules, accounts -----------------------------------------------------------------------


@pytest.mark.slow
def test_the_same_list_twice_is_one_snapshot(lone: Bureau, county: County):
    story, book = Story(lone, county), lists.monitored(county)

    first = story.register("monitored", book, FIRST)
    again = lone.run("import_register", book.path, "--register", "monitored", "--as-of", FIRST)
    story.reconcile(FIRST)

    assert again["snapshot"] == first["snapshot"]
    assert story.deviations == []


@pytest.mark.slow
def test_the_same_bytes_for_another_day_or_place_are_another_snapshot(lone: Bureau, county: County):
    path = lists.monitored(county).path
    start = ["import_register", path, "--register", "monitored", "--as-of"]

    snapshots = {
        lone.run(*start, "2026-09-10")["snapshot"],
        lone.run(*start, "2026-10-10")["snapshot"],
        lone.run(*start, "2026-10-10", "--scope", town_code(0), expect=None)["snapshot"],
    }

    assert len(snapshots) == 3


@pytest.mark.slow
def test_reconcile_twice_opens_nothing_twice(lone: Bureau, county: County):
    story = Story(lone, county)

    story.register("population", lists.population(county), FIRST)
    first = story.reconcile(FIRST)
    second = lone.run("reconcile", "--term", TERM)

    assert first["rules"]["R01"]["opened"] > 0
    assert second["rules"]["R01"] == {"opened": 0, "open": first["rules"]["R01"]["open"], "resolved": 0}
    assert second["run"] != first["run"]
    assert story.deviations == []


@pytest.mark.slow
def test_reconcile_never_looks_past_the_end_of_the_term(lone: Bureau, county: County):
    lone.run(
        "import_register", lists.monitored(county).path, "--register", "monitored", "--as-of", "2026-10-12"
    )

    assert lone.run("reconcile", "--term", "2026-spring")["as_of"] <= "2026-07-05"


@pytest.mark.slow
def test_accounts_are_created_once_and_show_where_they_stand(lone: Bureau):
    args = ["create_account", "clerk.baita", "--role", "school_clerk", "--at", BAITA, "--password-stdin"]

    created = lone.run(*args, stdin="a-Long-pass-9x!\n")

    assert {k: created[k] for k in ("username", "role")} == {
        "username": "clerk.baita",
        "role": "school_clerk",
    }
    assert BAITA in json.dumps(created["place"])
    assert lone.run(*args, stdin="a-Long-pass-9x!\n", expect=2).refusal
