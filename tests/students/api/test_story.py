"""The heart of the product by another office's program alone: a list arrives, differs, is linked and judged, and the next
one resolves what is left. It speaks HTTP to a running site, with nothing of ours but the address and a token."""

import json
from datetime import date
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from students.actions import linking, registers, settling
from students.intake.known import register_named
from students.models import Category, Discrepancy, Snapshot
from students.models import Link as Proposal
from tests.students.api.conftest import work
from tests.students.factories import EnrolmentFactory, HardshipFactory, StudentFactory, child_name, citizen_id

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]

BORN = date(2016, 5, 1)


class Program:
    """What the office's developers would write after reading the description."""

    def __init__(self, address: str, token: str) -> None:
        self.address, self.token = address, token

    def call(self, method: str, path: str, body: dict | None = None) -> tuple[int, dict]:
        data = json.dumps(body).encode() if body is not None else None
        headers = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"}
        try:
            with urlopen(Request(self.address + path, data, headers, method=method), timeout=30) as answer:
                return answer.status, json.load(answer)
        except HTTPError as refused:
            return refused.code, json.load(refused)

    def send(self, register: str, as_of: str, rows: list[dict], *, chunk: int) -> str:
        _, opened = self.call("POST", f"registers/{register}/snapshots", {"as_of": as_of, "scope": None, "partial": False})
        for number, start in enumerate(range(0, len(rows), chunk), 1):
            body = {"sequence": number, "rows": rows[start : start + chunk]}
            for _ in range(2):  # the line is bad: every chunk is sent twice
                assert self.call("POST", f"snapshots/{opened['id']}/rows", body) == (200, {"sequence": number, "rows": len(body["rows"])})
        status, closing = self.call("POST", f"snapshots/{opened['id']}/close", {"rows": len(rows)})
        assert status == 202 and closing["job"]
        return opened["id"]

    def result(self, key: str) -> dict:
        return self.call("GET", f"snapshots/{key}")[1]

    def verdicts(self, key: str) -> list[str | None]:
        """All pages, row after row."""
        found, after = [], 0
        while after is not None:
            page = self.call("GET", f"snapshots/{key}/rows?limit=3&after={after}")[1]
            found += [item["verdict"] for item in page["items"]]
            after = page["next_after"]
        return found


def listed(n: int, **cells) -> dict:
    return {"姓名": child_name(n), "证件号码": citizen_id(BORN, n), "户编号": f"H{n}", "户类型": "脱贫户"} | cells


def open_questions(rule: str) -> int:
    return Discrepancy.objects.open(on=date(2026, 11, 20)).filter(rule=rule).count()


def test_list_arrives_differs_is_judged_and_the_next_one_resolves_the_rest(live_server, system_of, office, school):
    children = [StudentFactory(name=child_name(n), born=BORN, number=citizen_id(BORN, n)) for n in range(1, 10)]
    for child in children:
        EnrolmentFactory(student=child, school=school)
    poverty = register_named(office.county, "poverty")
    for child in children[:5]:
        HardshipFactory(student=child, category=Category.LIFTED_POOR, valid_from=date(2026, 9, 1), register=poverty)
    program = Program(f"{live_server.url}/api/v1/", system_of("县农业农村局", "poverty").secret)
    assert [one["name"] for one in program.call("GET", "registers")[1]["items"]] == ["poverty"]

    # September: five children whom the bureau has recorded, and one nobody knows.
    september = program.send("poverty", "2026-09-10", [listed(n) for n in (1, 2, 3, 4, 5, 90)], chunk=4)
    work()
    assert program.result(september)["verdicts"] == {"linked": 5, "proposed": 0, "unlinked": 1}

    # October: one left, four came; one number is a digit off, so a person must say whether it is the same child.
    misspelt = listed(7, 证件号码=citizen_id(BORN, 7)[:-2] + "99")
    october = program.send("poverty", "2026-10-12", [*(listed(n) for n in (1, 2, 3, 4, 6, 8, 9, 90)), misspelt], chunk=3)
    work()
    told = program.result(october)
    assert told["state"] == "closed" and (told["counts"]["added"], told["counts"]["removed"], told["counts"]["same"]) == (4, 1, 5)
    verdicts = program.verdicts(october)
    assert verdicts[:8] == ["linked"] * 7 + ["unlinked"] and verdicts[8] == "proposed"
    assert [p["row"] for p in told["problems"]["items"] if p["code"] == "id_checksum"] == [9]
    office.reconcile("R25", "R26", on=date(2026, 10, 12))
    assert (open_questions("R25"), open_questions("R26")) == (3, 1), "6, 8 and 9 are to be recorded, 5 to be ended"

    # The officer answers the proposal; the program sees it without sending anything.
    proposal = Proposal.objects.get(status=Proposal.State.PROPOSED, person=children[6].person)
    linking.decide(link=proposal, answer="yes", reason="", by=office.by)
    assert program.verdicts(october)[8] == "linked"
    office.reconcile("R25", "R26", on=date(2026, 10, 12))
    assert open_questions("R25") == 4

    # Those he is sure of he records in bulk; 6 and 7 he leaves to what the next list says.
    sure = Discrepancy.objects.filter(rule="R25", student__in=children[7:9])
    assert settling.settle(discrepancies=sure, remedy="record_hardship", reason="按10月期名单", by=office.by) == (2, 0)

    # November: the office has put 5 back and taken 6 and 7 off.
    left = [listed(n) for n in (1, 2, 3, 4, 5, 8, 9, 90)]
    november = program.send("poverty", "2026-11-10", left, chunk=6)
    work()
    assert program.result(november)["state"] == "held", "two of nine would leave: the bureau looks first"
    registers.confirm_snapshot(snapshot=Snapshot.objects.get(state="held"), by=office.by)
    work()
    assert program.verdicts(november) == ["linked"] * 7 + ["unlinked"]
    office.reconcile("R25", "R26", on=date(2026, 11, 10))
    assert (open_questions("R25"), open_questions("R26")) == (0, 0)
    assert set(Discrepancy.objects.filter(rule__in=["R25", "R26"]).values_list("state", flat=True)) == {"closed"}

    # Sent once more by mistake: nothing new.
    again = program.send("poverty", "2026-11-10", left, chunk=2)
    work()
    assert program.result(again)["counts"] == program.result(november)["counts"] and Snapshot.objects.count() == 3
