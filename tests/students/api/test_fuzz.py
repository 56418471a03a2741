"""What the description allows and what it forbids, thrown at the API: it keeps its word, and never falls over."""

import re
from collections.abc import Iterator
from uuid import UUID

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, settings

from bureau.wsgi import application
from students.api import tokens
from students.models import ExchangeRequest
from students.views.exchange import described
from tests.students.api.test_push import rows

pytestmark = [pytest.mark.slow, pytest.mark.django_db, pytest.mark.timeout(600)]

# 404: a list that is not the token's; 409 and 422: right in form, but not as things stand.
STANDING = {"expected-statuses": ["2xx", "404", "409", "422"]}
CONFIG = {"checks": {"positive_data_acceptance": STANDING}, "generation": {"deterministic": True}}

schema = schemathesis.openapi.from_dict(described(), config=schemathesis.Config.from_dict(CONFIG))
schema.app = application


@pytest.fixture
def keys(system, monkeypatch) -> list[str]:
    """Lists of the token, one in each state it can reach by itself."""
    monkeypatch.setattr(tokens, "STRANGERS_PER_MINUTE", 10**6)
    opened, waiting = system.open("dibao"), system.open("dibao")
    for key in (opened, waiting):
        system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": rows(1, 3)})
    closed = system.push("dibao", rows(1, 12))
    refused = system.push("dibao", [{"甲": 1}])
    held = system.push("dibao", rows(1, 2), as_of="2026-10-13")
    system.post(f"/snapshots/{waiting}/close")
    keys = [opened, waiting, closed, refused, held]
    assert [system.state(key)["state"] for key in keys] == ["open", "waiting", "closed", "refused", "held"]
    return keys


@pytest.fixture
def one_connection(keys) -> Iterator[None]:
    """Keeps the test's connection, which a site's request would give back when it is over."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@schema.parametrize()
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_api_keeps_its_description(case, system, keys, one_connection):
    """Well-formed addresses are led to lists that are there, so what is behind them is tried."""
    parameters = case.path_parameters or {}
    if _is_uuid(parameters.get("snapshot_id")):
        parameters["snapshot_id"] = keys[UUID(parameters["snapshot_id"]).int % len(keys)]
    if re.fullmatch("[a-z][a-z0-9_]{0,29}", str(parameters.get("name", ""))):
        parameters["name"] = "dibao"

    case.call_and_validate(headers={"Authorization": f"Bearer {system.secret}"})

    assert not ExchangeRequest.objects.filter(status__gte=500).exists()


def _is_uuid(text: object) -> bool:
    try:
        return str(UUID(str(text))) == text
    except ValueError:
        return False
