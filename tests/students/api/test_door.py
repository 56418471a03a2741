"""Who gets in, how often, and what a hostile request meets: a refusal in words, never a fault of ours."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone

from students.actions import exchange
from students.api import tokens
from students.models import Delivery, ExchangeRequest, ExchangeToken
from tests.students.api.test_push import BORN, row, rows
from tests.students.factories import citizen_id

NOBODY = "01900000-0000-7000-8000-000000000000"


# Tokens


def test_token_is_kept_as_a_keyed_hash_only(system):
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM students_exchangetoken")
        stored = repr([bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone()])

    assert system.secret not in stored and system.secret[10:] not in stored
    assert system.token.hint == system.secret[:10]


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Bearer bx_wrong", "Basic YTpi", "Bearer 令牌".encode().decode("latin-1"), "Bearer " + "x" * 9000],
)
def test_without_a_known_token_the_answer_is_401(system, header):
    answer = system.get("/registers", HTTP_AUTHORIZATION=header)

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert answer.json()["code"] == "unauthorized"


@pytest.mark.parametrize(("days", "status"), [(0, 200), (-1, 401)], ids=["last day", "the day after"])
def test_token_opens_until_its_last_day(system_of, days, status):
    system = system_of("县民政局", "dibao", expires_on=timezone.localdate() + timedelta(days=days))

    assert system.get("/registers").status_code == status


def test_revoked_token_opens_nothing_from_the_next_request_on(system, aid_officer):
    assert system.get("/registers").status_code == 200

    assert exchange.revoke_token(token=system.token, by=aid_officer)

    assert system.get("/registers").status_code == 401
    assert not exchange.revoke_token(token=system.token, by=aid_officer)


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.20.31.7", 200), ("10.20.32.7", 401), ("::1", 401), ("", 401), ("无", 401)],
)
def test_token_is_used_from_its_addresses_only(system_of, address, status):
    system = system_of("县民政局", "dibao", networks=["10.20.31.0/24", "192.0.2.1/32"])

    assert system.get("/registers", REMOTE_ADDR=address).status_code == status


def test_behind_the_entrance_the_address_is_the_one_it_wrote_down(system_of, settings):
    settings.PRODUCTION = True
    system = system_of("县民政局", "dibao", networks=["10.20.31.0/24"])

    lied = system.get("/registers", HTTP_X_FORWARDED_FOR="10.20.31.7, 203.0.113.9", REMOTE_ADDR="127.0.0.1")
    good = system.get("/registers", HTTP_X_FORWARDED_FOR="10.20.31.7", REMOTE_ADDR="127.0.0.1")

    assert (lied.status_code, good.status_code) == (401, 200)


def test_every_refused_token_is_told_the_same_and_logged_with_its_reason(system_of, aid_officer):
    gone, late, far = (system_of("县民政局", "dibao", **facts) for facts in ({}, {"expires_on": timezone.localdate() - timedelta(1)}, {"networks": ["10.0.0.0/8"]}))
    exchange.revoke_token(token=gone.token, by=aid_officer)

    told = {system.get("/registers", **more).content for system, more in ((gone, {}), (late, {}), (far, {}), (far, {"HTTP_AUTHORIZATION": "Bearer x"}))}

    assert len(told) == 1
    reasons = list(ExchangeRequest.objects.order_by("pk").values_list("code", flat=True))
    assert reasons == ["token_revoked", "token_expired", "address_refused", "unknown_token"]


def test_logged_in_account_is_not_a_token(client, aid_officer, system):
    client.force_login(aid_officer)

    assert client.get("/api/v1/registers").status_code == 401
    assert client.post("/api/v1/registers/dibao/snapshots", {"as_of": "2026-10-12"}, content_type="application/json").status_code == 401


# What a token sees


def test_other_lists_are_not_there(system, system_of):
    absent = system.post("/registers/nothing/snapshots", {"as_of": "2026-10-12"})
    foreign = system.post("/registers/poverty/snapshots", {"as_of": "2026-10-12"})

    assert (foreign.status_code, foreign.content) == (404, absent.content)
    assert [item["name"] for item in system.get("/registers").json()["items"]] == ["dibao", "tekun"]


def test_what_another_office_pushed_is_not_there(system, system_of):
    other = system_of("县残联", "dibao")
    key = other.push("dibao", rows(1, 2))

    for path, method in ((f"/snapshots/{key}", "get"), (f"/snapshots/{key}/rows", "get"), (f"/snapshots/{key}/close", "post")):
        foreign, absent = system.ask(method, path, {} if method == "post" else None), system.ask(method, path.replace(key, NOBODY), {} if method == "post" else None)
        assert (foreign.status_code, foreign.content) == (404, absent.content)
    pushed = system.post(f"/snapshots/{key}/rows", {"sequence": 9, "rows": [row(9)]})
    assert pushed.status_code == 404 and Delivery.objects.get().rows == 2


def test_new_token_of_the_same_office_goes_on_where_the_old_one_was(system, system_of):
    key = system.push("dibao", rows(1, 2))

    assert system_of("县民政局", "dibao").state(key)["state"] == "closed"


def test_token_for_other_lists_of_the_same_office_does_not_see_it(system, system_of):
    key = system.push("dibao", rows(1, 2))

    assert system_of("县民政局", "tekun").get(f"/snapshots/{key}").status_code == 404


def test_same_bytes_of_two_offices_are_one_list_and_each_reads_its_own(system, system_of):
    other = system_of("县残联", "dibao")
    keys = [one.push("dibao", rows(1, 2)) for one in (system, other)]

    assert other.verdicts(keys[1]) == system.verdicts(keys[0])
    assert other.get(f"/snapshots/{keys[0]}").status_code == 404


def test_another_county_s_township_is_unknown(system, world):
    for scope in (world.far_school.township.code, "000000000", "' or 1=1"):
        answer = system.post("/registers/dibao/snapshots", {"as_of": "2026-10-12", "scope": scope})
        assert (answer.status_code, answer.json()["code"]) == (422, "unknown_scope")


# How often


def test_the_minute_s_last_request_is_answered_and_the_next_is_not(system_of, monkeypatch):
    monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda: 60_000_010))
    system = system_of("县民政局", "dibao", per_minute=3)

    told = [system.get("/registers") for _ in range(5)]

    assert [answer.status_code for answer in told] == [200, 200, 200, 429, 429]
    assert told[3].headers["Retry-After"] == "50" and told[3].json()["code"] == "too_many_requests"
    monkeypatch.setattr(tokens, "time", SimpleNamespace(time=lambda: 60_000_060))
    assert system.get("/registers").status_code == 200
    assert ExchangeRequest.objects.filter(status=429).count() == 1, "the first refusal of a minute is written down"


def test_one_system_s_haste_does_not_slow_down_another(system_of):
    hasty, calm = system_of("县残联", "dibao", per_minute=1), system_of("县民政局", "dibao", per_minute=5)
    for _ in range(3):
        hasty.get("/registers")

    assert calm.get("/registers").status_code == 200


def test_stranger_who_tries_tokens_is_slowed_down_and_no_longer_written_down(system, monkeypatch):
    monkeypatch.setattr(tokens, "STRANGERS_PER_MINUTE", 3)

    told = [system.get("/registers", HTTP_AUTHORIZATION=f"Bearer bx_{n}").status_code for n in range(6)]

    assert told == [401] * 3 + [429] * 3 and ExchangeRequest.objects.count() == 3
    assert system.get("/registers").status_code == 200, "a token that is known is answered from there all the same"


def test_use_of_a_token_is_noted(system):
    assert system.token.last_used_at is None

    system.get("/registers")

    assert ExchangeToken.objects.get(pk=system.token.pk).last_used_at is not None


# What is sent


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ("", 400),
        ("{", 400),
        ("[]", 400),
        ("null", 400),
        ("7", 400),
        ('{"sequence": 1, "rows": [{"姓名": NaN}]}', 400),
        ('{"sequence": 1, "rows": [{"姓名": Infinity}]}', 400),
        ('{"sequence": 1, "rows": [{"姓名": "甲", "姓名": "乙"}]}', 400),
        ('{"sequence": 1, "rows": [{"姓名": ' + "9" * 5000 + "}]}", 400),
        ('{"sequence": 1, "rows": [{"证件号码": 990101201605010012}]}', 400),
        ('{"sequence": 1, "rows": [{"姓名": 1e400}]}', 400),
        ('{"sequence": 1, "rows": [{"姓名": ["甲"]}]}', 400),
        ('{"sequence": 1, "rows": [{" ": "甲"}]}', 400),
        ('{"sequence": 1, "rows": [{}]}', 400),
        ('{"sequence": 1, "rows": ["甲"]}', 400),
        ('{"sequence": 1, "rows": []}', 400),
        ('{"sequence": 0, "rows": [{"姓名": "甲"}]}', 400),
        ('{"sequence": true, "rows": [{"姓名": "甲"}]}', 400),
        ('{"sequence": "1", "rows": [{"姓名": "甲"}]}', 400),
        ('{"sequence": 1048576, "rows": [{"姓名": "甲"}]}', 400),
        ('{"rows": [{"姓名": "甲"}]}', 400),
        ('{"sequence": 1, "rows": [{"姓名": "甲"}], "last": true}', 400),
        ('{"sequence": 1.5, "rows": [{"姓名": "甲"}]}', 400),
        ('{"sequence": 1, "rows": ' + "[" * 20 + "]" * 20 + "}", 400),
        ("[" * 100_000 + "]" * 100_000, 400),
        ('{"a":' * 100_000 + "1" + "}" * 100_000, 400),
        (b'{"sequence": 1, "rows": [{"\xd0\xd5\xc3\xfb": "x"}]}', 400),
        ('{"sequence": 1, "rows": [{"姓名": "\\ud800甲"}]}', 200),
        ('{"sequence": 1, "rows": [{"姓名": "甲\\u0000乙"}]}', 200),
        ('{"sequence": 1, "rows": [{"姓名": "甲", "人口数": 999999999999999}]}', 200),
        ('\ufeff{"sequence": 1, "rows": [{"姓名": "甲"}]}', 200),
    ],
)  # fmt: skip
def test_whatever_is_sent_is_answered_in_words(system, body, status):
    key = system.open("dibao")

    answer = system.post(f"/snapshots/{key}/rows", body if isinstance(body, bytes) else body.encode())

    assert answer.status_code == status, answer.content.decode()
    if status == 400:
        assert set(answer.json()) <= {"code", "message", "fields"}
        assert system.state(key)["received_rows"] == 0


@pytest.mark.parametrize(("count", "status"), [(1000, 200), (1001, 400)])
def test_a_chunk_holds_a_thousand_rows(system, count, status):
    key = system.open("dibao")

    answer = system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [{"姓名": "甲"}] * count})

    assert answer.status_code == status


def test_body_that_is_too_large_is_413(system, settings):
    key = system.open("dibao")
    body = json.dumps({"sequence": 1, "rows": [{"姓名": "甲" * 1000}]}, ensure_ascii=False).encode()
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(body)

    assert system.post(f"/snapshots/{key}/rows", body).status_code == 200
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = len(body) - 1
    answer = system.post(f"/snapshots/{key}/rows", body)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize(("count", "status"), [(200, 200), (201, 413)])
def test_a_list_has_as_many_headers_as_a_file(system, count, status):
    key = system.open("dibao")
    system.post(f"/snapshots/{key}/rows", {"sequence": 1, "rows": [{"姓名": "甲"}]})

    answer = system.post(f"/snapshots/{key}/rows", {"sequence": 2, "rows": [{f"列{n}": 1} for n in range(1, count)]})

    assert answer.status_code == status


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
             "application/json; charset=gbk", "application/json; charset=base64", "application/json; charset=nonsense", ""]
)  # fmt: skip
def test_anything_but_utf8_json_is_415(system, kind):
    key = system.open("dibao")

    answer = system.post(f"/snapshots/{key}/rows", b'{"sequence": 1, "rows": [{"a": 1}]}', content_type=kind)

    assert answer.status_code == 415 and answer.json()["code"] == "unsupported_media_type"


@pytest.mark.parametrize(
    "facts",
    [{"as_of": "2026-13-01"}, {"as_of": 20261012}, {"as_of": None}, {}, {"as_of": "2026-10-12", "scope": 7},
     {"as_of": "2026-10-12", "parial": True}, {"as_of": "2026-10-12", "scope": ""}, {"as_of": "2026-10-12", "id": "1"},
     {"as_of": "2026-10-12", "partial": "yes"}, {"as_of": "2026-10-12", "partial": 1}, {"as_of": "2026-10-12", "scope": "x" * 13}],
)  # fmt: skip
def test_list_is_not_opened_by_guesswork(system, facts):
    answer = system.post("/registers/dibao/snapshots", facts)

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid")
    assert answer.json()["fields"] and not Delivery.objects.exists()


@pytest.mark.parametrize("day", ["0001-01-01", "1999-12-31", "9999-12-31"])
def test_days_no_list_can_be_of_are_refused(system, day):
    assert system.post("/registers/dibao/snapshots", {"as_of": day}).status_code == 422


@pytest.mark.parametrize("method", ["put", "patch", "delete", "options"])
def test_other_methods_are_405(system, method):
    answer = system.ask(method, "/registers")

    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed") and "GET" in answer.headers["Allow"]


@pytest.mark.parametrize(
    "path", ["/nothing", "/snapshots/1", f"/snapshots/{NOBODY}", "/snapshots/%00", "/registers/%F0%9F%98%80/snapshots", "/registers/", "/../x"]
)
def test_addresses_that_lead_nowhere_are_404(system, path):
    answer = system.get(path) if "registers/%" not in path else system.post(path, {"as_of": "2026-10-12"})

    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=1001", "limit=x", "limit=", "limit=%00", "offset=-1", "offset=1e3", "ofset=1", "offset=99999999999999999999", "limit=٣"],
)
def test_page_that_cannot_be_is_400(system, query):
    assert system.get(f"/snapshots/{system.open('dibao')}?{query}").status_code == 400


def test_far_pages_are_empty(system):
    key = system.push("dibao", rows(1, 2))

    assert system.get(f"/snapshots/{key}/rows?after={2**53}").json() == {"items": [], "next_after": None}
    assert system.get(f"/snapshots/{key}?offset={2**53}").json()["problems"]["items"] == []


def test_answers_are_json_whatever_a_browser_would_rather_have_and_are_not_cached(system):
    answer = system.get("/registers", HTTP_ACCEPT="text/html")

    assert (answer.status_code, answer.headers["Content-Type"]) == (200, "application/json")
    assert "no-store" in answer.headers["Cache-Control"]


def test_no_number_in_an_address_gets_into_the_log(system):
    number = citizen_id(BORN, 1)
    system.post(f"/registers/{number}/snapshots", {"as_of": "2026-10-12"})
    system.get(f"/snapshots/{number}")
    system.get(f"/{number}")
    system.get(f"/registers?id={number}")

    assert [number in path for path in ExchangeRequest.objects.values_list("path", flat=True)] == [False] * 4


def test_systems_need_no_cookie_and_get_none(system):
    assert not system.get("/registers").cookies and isinstance(system.client, Client)
