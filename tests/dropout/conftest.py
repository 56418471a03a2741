"""A school's child on the way, and a clock inside the term."""

import pytest
from django.utils import timezone

from tests.dropout.factories import TODAY, Road
from tests.students.conftest import office  # noqa: F401


@pytest.fixture
def road(term, school) -> Road:
    return Road(school)


@pytest.fixture
def today(monkeypatch):
    """`today["now"]`: the day the pages think it is."""
    days = {"now": TODAY}
    monkeypatch.setattr(timezone, "localdate", lambda *at: days["now"])
    return days
