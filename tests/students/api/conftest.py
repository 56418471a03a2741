"""Another office's system, as it speaks to the API; files it sends are read in this process."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from django.test import Client

from bureau import jobs
from bureau.jobs import Job
from bureau.sheets.process import here
from students.actions import exchange
from students.models import ExchangeToken

OCTOBER = "2026-10-12"


class System:
    """A system with a token: `system.post("/registers", …)` gives the answer; `push` does a whole list."""

    def __init__(self, token: ExchangeToken, secret: str) -> None:
        self.token, self.secret = token, secret
        self.client = Client(enforce_csrf_checks=True)

    def ask(self, method: str, path: str, body: Any = None, **headers):
        given = {"HTTP_AUTHORIZATION": f"Bearer {self.secret}"} | headers
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        kind = given.pop("content_type", "application/json")
        return self.client.generic(method.upper(), f"/api/v1{path}", body or b"", content_type=kind, **given)

    def get(self, path: str, **headers):
        return self.ask("get", path, **headers)

    def post(self, path: str, body: Any = None, **headers):
        return self.ask("post", path, body if body is not None else {}, **headers)

    def open(self, register: str = "dibao", **facts) -> str:
        answer = self.post(f"/registers/{register}/snapshots", {"as_of": OCTOBER} | facts)
        assert answer.status_code == 201, answer.content.decode()
        return answer.json()["id"]

    def push(self, register: str, rows: Sequence[dict], *, chunk: int = 1000, **facts) -> str:
        """A whole list, and the workers do their part."""
        key = self.open(register, **facts)
        for number, start in enumerate(range(0, len(rows), chunk), 1):
            answer = self.post(f"/snapshots/{key}/rows", {"sequence": number, "rows": rows[start : start + chunk]})
            assert answer.status_code == 200, answer.content.decode()
        answer = self.post(f"/snapshots/{key}/close", {"rows": len(rows)})
        assert answer.status_code == 202, answer.content.decode()
        work()
        return key

    def state(self, key: str) -> dict[str, Any]:
        answer = self.get(f"/snapshots/{key}")
        assert answer.status_code == 200, answer.content.decode()
        return answer.json()

    def verdicts(self, key: str, query: str = "") -> dict[int, str | None]:
        items = self.get(f"/snapshots/{key}/rows{query}").json()["items"]
        return {item["row"]: item["verdict"] for item in items}


def work() -> None:
    """What the workers would do meanwhile."""
    while job := Job.objects.due().order_by("id").first():
        assert jobs.run(job.pk)
    assert not Job.objects.filter(state=Job.State.FAILED).exists()


@pytest.fixture
def system_of(county, term, aid_officer, home, monkeypatch):
    """`system_of("县民政局", "dibao", …)`: a system whose token is for these lists."""
    monkeypatch.setattr("bureau.sheets.reader.listen", here)

    def make(agency: str = "县民政局", *registers: str, **facts) -> System:
        given = {"expires_on": date(2099, 12, 31), "networks": [], "per_minute": 6000} | facts
        token, secret = exchange.create_token(
            county=county, agency=agency, registers=list(registers) or ["dibao"], by=aid_officer, **given
        )
        return System(token, secret)

    return make


@pytest.fixture
def system(system_of) -> System:
    """民政局: 低保 and 特困."""
    return system_of("县民政局", "dibao", "tekun")
