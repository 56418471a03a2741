"""A run for one place: what belongs there is opened and closed, everything else stays as it was."""

from datetime import date

import pytest

from bureau import jobs
from students.models import Discrepancy
from tests.students.factories import EnrolmentFactory, EntryFactory, SnapshotFactory, StudentFactory

DAY = date(2026, 10, 12)


def run(office, **place) -> dict:
    job = jobs.run_now(
        "students.reconcile", by=office.by, county=office.county, term=office.term.code, rules=["R01", "R25"],
        as_of=DAY.isoformat(), **place,
    )  # fmt: skip
    return job.result["rules"]


@pytest.fixture
def two_townships(office, world) -> list:
    """A child who is nowhere in each of two townships, and a pupil of each school on the poverty list."""
    SnapshotFactory(name="population", as_of=DAY)
    SnapshotFactory(as_of=DAY)
    lost = []
    for school in (world.school, world.other_school):
        child = StudentFactory(hukou_township=school.township)
        EntryFactory(on="population", student=child, township=school.township)
        EntryFactory(on="poverty", student=StudentFactory(at=school), township=school.township)
        lost.append(child)
    return lost


def rows() -> list:
    return list(Discrepancy.objects.order_by("pk").values())


def test_only_differences_of_the_township_are_opened(office, world, two_townships):
    counts = run(office, township=str(world.township.pk))

    one = {"opened": 1, "open": 1, "resolved": 0}
    assert counts == {"R01": one, "R25": one}
    assert set(Discrepancy.objects.values_list("township", flat=True)) == {world.township.pk}


def test_a_school_s_run_knows_its_children_only(office, world, two_townships):
    counts = run(office, school=str(world.other_school.pk))

    assert (counts["R01"]["opened"], counts["R25"]["opened"]) == (0, 1)
    assert Discrepancy.objects.get().school == world.other_school


def test_a_cause_that_went_is_closed_here_and_left_alone_elsewhere(office, world, two_townships):
    run(office)
    before = {row["id"]: row for row in rows()}
    for child in two_townships:
        EnrolmentFactory(student=child, school=world.school)

    counts = run(office, township=str(world.other_township.pk))

    assert counts["R01"] == {"opened": 0, "open": 0, "resolved": 1}
    changed = [row["township_id"] for row in rows() if row != before[row["id"]]]
    assert changed == [world.other_township.pk]
    assert run(office)["R01"] == {"opened": 0, "open": 0, "resolved": 1}


def test_place_after_place_is_the_same_as_the_county_at_once(office, world, two_townships):
    for place in (world.township, world.other_township):
        run(office, township=str(place.pk))
    apart = [{**row, "id": 0} for row in rows()]
    Discrepancy.objects.all().delete()

    run(office)

    def key(row):
        return row["rule"], row["subject_id"]

    assert sorted(apart, key=key) == sorted(({**row, "id": 0} for row in rows()), key=key)


def test_runs_of_places_and_of_the_county_never_overlap(county, world, term):
    whole = jobs.enqueue("students.reconcile", by=None, county=county, term=term.code)
    part = jobs.enqueue("students.reconcile", by=None, county=county, term=term.code, township=str(world.township.pk))

    assert whole.exclusive_key == part.exclusive_key
