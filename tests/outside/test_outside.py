"""The main job on a county nobody in the project has seen: rolls in, lists in, exactly the planted differences out."""

from pathlib import Path

import pytest

from . import lists, rolls
from .county import FIRST, SECOND, County
from .drive import Bureau
from .story import Story

ALL = ("population", "xueji", "poverty", "monitored", "dibao", "tekun", "orphan", "disability")


def test_exactly_the_planted_differences_are_found(bureau: Bureau, tmp_path: Path):
    story = Story(bureau, County(tmp_path / "files", seed=1))

    story.first_round(("population", "xueji", "poverty", "monitored", "dibao"))
    story.links({"poverty", "monitored", "dibao"})
    story.reconcile(FIRST)

    assert story.deviations == []


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    ("seed", "style"),
    [
        (2, "a"),
        (3, "b"),
        (4, "c"),
        *(pytest.param(seed, "abc"[seed % 3], marks=pytest.mark.long) for seed in range(100, 118)),
    ],
)
def test_settled_hardships_stay_settled_and_the_next_lists_show_what_changed(
    bureau: Bureau, tmp_path: Path, seed: int, style: str
):
    story = Story(bureau, County(tmp_path / "files", seed=seed, style=style))

    story.first_round(ALL)
    story.links(set(ALL))
    story.reconcile(FIRST)
    story.settle_r25(FIRST)
    story.reconcile(FIRST)
    assert story.open["R25"].total() == 0
    story.register("poverty", lists.poverty(story.county, second=True), SECOND)
    story.reconcile(SECOND)

    assert story.deviations == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_the_order_of_the_files_does_not_matter(bureau: Bureau, tmp_path: Path):
    county = County(tmp_path / "files", seed=5)
    forward, backward = Story(bureau, county), None
    if bureau.database_url is None:
        backward = Story(bureau.copy(tmp_path / "backward"), county)
    registers = ("population", "xueji", "poverty", "monitored", "dibao", "disability")

    forward.first_round(registers)
    forward.reconcile(FIRST)
    if backward is None:
        assert forward.deviations == []
        return
    for register in reversed(registers):
        for book, scope in backward.files(register):
            backward.register(register, book, FIRST, scope=scope)
    for book, school in ((rolls.many(county), None), (rolls.central(county), rolls.CENTRAL),
                         (rolls.junior(county), rolls.JUNIOR), (rolls.liuhe(county), rolls.LIUHE)):  # fmt: skip
        backward.roll(book, school=school)
    backward.reconcile(FIRST)

    assert backward.open == forward.open
    assert [d for d in backward.deviations if d.startswith("R")] == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_late_partial_and_township_lists_remove_only_what_they_can_know(bureau: Bureau, tmp_path: Path):
    story = Story(bureau, County(tmp_path / "files", seed=6, style="b"))
    county = story.county
    town = next(c.town for c in county.on("poverty") if "poor" in c.tags)
    poor = [c for c in county.on("poverty") if "poor" in c.tags]
    missed, moved = {poor[-1].key}, {c.key for c in poor if c.town == town and c is not poor[-1]}
    gone = set(sorted(moved)[:2])

    story.first_round(("population", "poverty"))
    story.reconcile(FIRST)
    story.settle_r25(FIRST)
    story.register("poverty", lists.poverty(county, leave_out={"nowhere1"}), SECOND)
    story.reconcile(SECOND)
    # a list older than the newest one arrives late: both neighbours are compared again
    between, day = lists.poverty(county, leave_out={"nowhere1", *missed}), FIRST.replace(day=25)
    story.register("poverty", between, day)
    story.reconcile(day, say_as_of=True)
    assert set(missed) <= set(story.open["R26"])
    story.reconcile(SECOND)
    # a few rows more, marked partial: nobody is removed by them
    extra = lists.few(county, county.spare[:2])
    story.register("poverty", extra, SECOND.replace(day=20), partial=True)
    story.reconcile(SECOND.replace(day=20), say_as_of=True)
    # one township's list: only its own people can be missing from it
    piece = lists.poverty(county, town=town, leave_out=gone)
    story.register("poverty", piece, SECOND.replace(day=25), scope=lists.town_code(town))
    story.reconcile(SECOND.replace(day=25), say_as_of=True)
    assert gone <= set(story.open["R26"])

    assert story.deviations == []


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_cause_that_comes_back_opens_the_same_discrepancy_again(bureau: Bureau, tmp_path: Path):
    story = Story(bureau, County(tmp_path / "files", seed=7, style="b"))

    story.first_round(("population", "poverty"))
    story.reconcile(FIRST)
    first = story.item_of("R08", "nowhere1")
    story.register("poverty", lists.poverty(story.county, leave_out={"nowhere1"}), SECOND)
    story.reconcile(SECOND)
    story.register("poverty", lists.poverty(story.county), SECOND.replace(day=30))
    story.reconcile(SECOND.replace(day=30))
    again = story.item_of("R08", "nowhere1")

    assert first["occurrence"] == 1
    assert (again["subject"], again["occurrence"]) == (first["subject"], 2)
    assert story.deviations == []


@pytest.mark.slow
def test_the_second_roll_of_a_school_tells_new_changed_unchanged_and_absent(bureau: Bureau, tmp_path: Path):
    story = Story(bureau, County(tmp_path / "files", seed=8))

    story.roll(rolls.liuhe(story.county), school=rolls.LIUHE)
    result = story.roll(rolls.liuhe(story.county, second=True), school=rolls.LIUHE)

    # the child whose row was faulty is new now; the one whose row is faulty now is not absent
    assert {k: result[k] for k in ("new", "changed", "absent", "rejected")} == {
        "new": 3, "changed": 3, "absent": 2, "rejected": 1,
    }  # fmt: skip
    assert story.deviations == []
