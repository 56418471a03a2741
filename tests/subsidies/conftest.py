"""The county with its programmes, and five people who sign."""

from dataclasses import dataclass

import pytest

from bureau.access.models import Account
from subsidies.actions import programmes
from subsidies.models import Programme
from tests.students.conftest import office  # noqa: F401


@pytest.fixture
def catalogue(county):
    """The county's programmes by code."""
    programmes.install(county)
    return {
        programme.code: programme
        for programme in Programme.objects.filter(county=county).select_related("county")
    }


@pytest.fixture
def boarders(catalogue) -> Programme:
    """Boarders in difficulty of primary and junior schools: 625 yuan a term at primary schools in autumn 2026."""
    return catalogue["living_boarder"]


@dataclass
class Signers:
    """Who takes which step; each another person."""

    clerk: Account
    head: Account
    aid: Account
    finance: Account


@pytest.fixture
def signers(school_clerk, school_head, aid_officer, finance_officer) -> Signers:
    return Signers(school_clerk, school_head, aid_officer, finance_officer)
