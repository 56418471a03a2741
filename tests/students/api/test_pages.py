"""数据交换: the pages on which tokens are made and ended, and what the systems did is read."""

import json
from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau.audit import AuditEvent
from students.models import ExchangeToken
from tests.factories import AccountFactory
from tests.students.api.conftest import System
from tests.students.api.test_push import rows


def given(**facts) -> dict:
    day = (timezone.localdate() + timedelta(days=30)).isoformat()
    return {"agency": "县民政局", "registers": ["dibao"], "expires_on": day, "per_minute": 60, "networks": ""} | facts


@pytest.fixture
def officer(client, aid_officer):
    client.force_login(aid_officer)
    return client


def test_token_is_shown_once_and_works(officer, county):
    page = officer.post(reverse("students:add_token"), given(networks="127.0.0.1\n10.20.30.0/24"))

    secret = page.context["secret"]
    assert secret in page.content.decode() and "no-store" in page.headers["Cache-Control"]
    token = ExchangeToken.objects.get()
    assert (str(token.agency), token.registers, token.networks) == ("县民政局", ["dibao"], ["127.0.0.1/32", "10.20.30.0/24"])
    assert System(token, secret).get("/registers").status_code == 200
    assert secret not in officer.get(reverse("students:exchange")).content.decode()


def test_making_and_ending_a_token_is_in_the_audit_log_without_the_secret(officer, county):
    secret = officer.post(reverse("students:add_token"), given()).context["secret"]
    officer.post(reverse("students:revoke_token", args=[ExchangeToken.objects.get().pk]))

    events = AuditEvent.objects.filter(verb__startswith="students.token")
    assert sorted(events.values_list("verb", flat=True)) == ["students.token_created", "students.token_revoked"]
    assert all(secret not in json.dumps(event.detail) for event in events)


@pytest.mark.parametrize(
    ("facts", "field"),
    [
        ({"agency": ""}, "agency"),
        ({"registers": []}, "registers"),
        ({"registers": ["nothing"]}, "registers"),
        ({"networks": "10.0.0.0/99"}, "networks"),
        ({"networks": "\n".join(f"10.0.0.{n}" for n in range(21))}, "networks"),
        ({"per_minute": 0}, "per_minute"),
        ({"expires_on": (timezone.localdate() - timedelta(1)).isoformat()}, "expires_on"),
        ({"expires_on": (timezone.localdate() + timedelta(732)).isoformat()}, "expires_on"),
    ],
)
def test_token_that_cannot_be_is_told_beside_its_field(officer, county, facts, field):
    page = officer.post(reverse("students:add_token"), given(**facts))

    assert list(page.context["form"].errors) == [field] and not ExchangeToken.objects.exists()


def test_ended_token_is_told_as_ended(officer, system):
    page = officer.post(reverse("students:revoke_token", args=[system.token.pk]), follow=True).content.decode()

    assert "已停用" in page and system.get("/registers").status_code == 401


def test_requests_are_listed_by_office_and_outcome_without_content(officer, system, system_of):
    system.push("dibao", rows(1, 3))
    system.get("/registers", HTTP_AUTHORIZATION="Bearer x")
    system_of("县残联", "disability").get("/registers")
    url = reverse("students:exchange_requests")

    def shown(**query):
        return [(str(one.token.agency) if one.token else "", one.status) for one in officer.get(url, query).context["page"].rows]

    assert shown() == [("县残联", 200), ("", 401), ("县民政局", 202), ("县民政局", 200), ("县民政局", 201)]
    assert shown(agency=str(system.token.agency_id), result="good") == [("县民政局", 202), ("县民政局", 200), ("县民政局", 201)]
    assert shown(agency="none") == shown(result="refused") == [("", 401)]
    assert "unknown_token" in officer.get(url).content.decode()


def test_description_is_complete_and_chinese(officer):
    told = officer.get(reverse("students:exchange_description")).json()

    assert set(told["paths"]) == {
        "/api/v1/registers",
        "/api/v1/registers/{name}/snapshots",
        "/api/v1/snapshots/{snapshot_id}",
        "/api/v1/snapshots/{snapshot_id}/rows",
        "/api/v1/snapshots/{snapshot_id}/close",
    }
    operations = [one for path in told["paths"].values() for one in path.values()]
    assert all(any("\u4e00" <= c <= "\u9fff" for c in one["summary"] + one["description"]) for one in operations)
    assert all(one["security"] == [{"token": []}] and "401" in one["responses"] for one in operations)


@pytest.mark.parametrize("name", ["exchange", "add_token", "exchange_requests", "exchange_docs", "exchange_description"])
def test_pages_are_for_those_with_the_right(client, world, name):
    for role, status in (("administrator", 200), ("aid_officer", 200), ("supervisor", 403), ("school_clerk", 403)):
        client.force_login(world.account(role))
        assert client.get(reverse(f"students:{name}")).status_code == status


def test_another_county_s_tokens_are_not_shown(client, world, system):
    client.force_login(AccountFactory(county=world.far_county, role="aid_officer"))

    assert "县民政局" not in client.get(reverse("students:exchange")).content.decode()
    assert client.post(reverse("students:revoke_token", args=[system.token.pk])).status_code == 404
