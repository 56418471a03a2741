"""The outsider's own arithmetic, against vectors and hand-counted children."""

from pathlib import Path

import pytest

from . import lists, rolls
from .county import FIRST, SECOND, County, is_sound
from .truth import Truth


@pytest.mark.parametrize(
    ("number", "sound"),
    [
        ("11010519491231002X", True),  # the standard's own example
        ("990101201205030011", True),
        ("99010120120503002X", True),
        ("990101201205030012", False),
        ("990101201205030000", False),  # what a spreadsheet leaves
    ],
)
def test_the_check_digit_is_the_standards(number: str, sound: bool):
    assert is_sound(number) is sound


def test_nobody_has_a_number_outside_the_made_up_counties(tmp_path: Path):
    county = County(tmp_path, seed=1)
    numbers = [p.citizen_id for group in (county.children, county.adults) for p in group.values()]

    assert all(is_sound(number) and number[:6] in ("990101", "990102") for number in numbers)
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("style", ["a", "b", "c"])
def test_every_rule_has_something_to_find_and_something_to_leave_alone(tmp_path: Path, style: str):
    county = County(tmp_path, seed=2, style=style)
    truth = Truth(county)
    for book in (rolls.central(county), rolls.liuhe(county), rolls.junior(county), rolls.many(county)):
        truth.apply_roll(book)
    truth.import_register("population", lists.population(county), FIRST)
    truth.import_register("xueji", rolls.xueji(county), FIRST)
    for register in ("poverty", "monitored", "dibao", "orphan", "disability"):
        truth.import_register(register, getattr(lists, register)(county), FIRST)

    r01, r08, r25 = (set(truth.rule(rule, FIRST).must) for rule in ("R01", "R08", "R25"))
    assert {"six_in_time", "still_fifteen", "nowhere0", "elsewhere0", f"bad_row_{rolls.LIUHE}"} <= r01
    assert not r01 & {
        "six_too_late",
        "just_sixteen",
        "number_only",
        "unheard0",
        *county.rejected.values(),
    } - {f"bad_row_{school}" for school in (rolls.CENTRAL, rolls.LIUHE, rolls.BAITA)}
    assert {"nowhere0", "nowhere2", "unheard0", "reused", county.damaged["wrong_digit"]} <= r08
    assert "nowhere3" not in r08  # risk cleared in August
    assert {"nowhere0", "twin_a", "same_a", "dotted", "written_old"} <= r25
    assert not r25 & {"twin_b", "same_b", "unheard0", "migrant0", county.spare[4].key, county.spare[5].key}

    truth.settle_r25(FIRST, found=truth.r25(FIRST).must)
    assert not truth.r25(FIRST).must
    truth.import_register("poverty", lists.poverty(county, second=True), SECOND)
    assert "nowhere1" in truth.r26(SECOND).must
    assert county.spare[0].key in truth.r25(SECOND).must
    assert "still_fifteen" not in truth.r01(SECOND).must  # sixteen by then
