"""动态调整: two issues of a list, by township."""

from datetime import date

import pytest
from django.urls import reverse

from tests.factories import TownshipFactory
from tests.students.factories import EnrolmentFactory, EntryFactory, SnapshotFactory, StudentFactory
from tests.students.test_rules_of_schools import listed_in

AUGUST, SEPTEMBER, OCTOBER = date(2026, 8, 10), date(2026, 9, 10), date(2026, 10, 12)

pytestmark = pytest.mark.django_db


@pytest.fixture
def issues() -> list:
    return [SnapshotFactory(name="dibao", as_of=day) for day in (AUGUST, SEPTEMBER, OCTOBER)]


def lines(client, snapshot, query: str = "") -> dict:
    page = client.get(reverse("students:changes", args=[snapshot.pk]) + query)
    return {str(township or ""): columns for township, columns in page.context["lines"]}


def test_people_and_pupils_are_counted_by_township(client, aid_officer, issues):
    _, september, october = issues
    town, pupil = TownshipFactory(name="河口乡"), EnrolmentFactory().student
    listed_in(EntryFactory(on="dibao", student=pupil, township=town), october)
    listed_in(EntryFactory(on="dibao", student=StudentFactory(), township=town), october)
    listed_in(EntryFactory(on="dibao", student=StudentFactory()), september)
    client.force_login(aid_officer)

    assert lines(client, october) == {
        "河口乡": [(2, 1), (0, 0), (0, 0)],
        "": [(0, 0), (1, 0), (0, 0)],
        "合计": [(2, 1), (1, 0), (0, 0)],
    }


def test_any_older_issue_can_be_chosen(client, aid_officer, issues):
    august, september, october = issues
    listed_in(EntryFactory(on="dibao", student=StudentFactory()), august)
    listed_in(EntryFactory(on="dibao", student=StudentFactory()), august, september)
    client.force_login(aid_officer)

    assert lines(client, october)["合计"][1] == (1, 0)
    assert lines(client, october, f"?against={august.pk}")["合计"][1] == (2, 0)
    assert lines(client, october, "?against=nonsense")["合计"][1] == (1, 0)


def test_first_issue_has_nothing_to_be_compared_with(client, aid_officer, issues):
    client.force_login(aid_officer)

    assert lines(client, issues[0]) == {}
