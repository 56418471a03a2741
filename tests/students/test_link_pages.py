"""身份匹配: the queue and its three answers."""

from datetime import date

import pytest
from django.urls import reverse

from bureau.access.roles import Role
from bureau.audit import AuditEvent
from bureau.keys import uuid7
from students.models import Entry, Link, Register
from tests.factories import AccountFactory
from tests.samples import student_at

HTMX = {"HX-Request": "true"}


@pytest.fixture
def proposal(school) -> Link:
    """The list's 张叁 of 1 May 2016 may be 张三; his number is one digit off."""
    register = Register.objects.create(county=school.county, name="dibao", title="低保对象名单")
    child = student_at(school)
    entry = Entry.objects.create(
        county=school.county, register=register, listed_from=date(2026, 9, 1), name="张叁", name_key="张叁",
        birth_on=date(2016, 5, 1), township=school.township, recognised_by=uuid7().bytes, row_uuid=uuid7(),
        digest=uuid7().bytes, link_state="proposed",
    )  # fmt: skip
    evidence = {"name": "homophone", "number": "one_off", "birth": "same"}
    return Link.objects.create(
        county=school.county,
        entry=entry,
        person=child.person,
        method="likeness",
        score=90,
        evidence=evidence,
        digest=b"",
    )


def decide(client, link, **answer):
    return client.post(reverse("students:decide_link", args=[link.pk]), answer, headers=HTMX)


def test_both_sides_stand_side_by_side_without_numbers(client, aid_officer, proposal):
    client.force_login(aid_officer)

    shown = client.get(reverse("students:links")).context["proposals"]

    facts = {fact.label: (fact.listed, fact.known, fact.agrees, fact.note) for fact in shown[0].facts}
    assert facts["姓名"] == ("张叁", "张三", False, "同音不同字")
    assert facts["证件号码"] == ("（不显示）", "（不显示）", False, "只差一位或两位颠倒")
    assert facts["出生日期"][2] is True
    assert "户主、监护人" not in facts  # neither side knows


def test_yes_links_the_row_to_the_child(client, aid_officer, proposal):
    client.force_login(aid_officer)

    card = decide(client, proposal, answer="yes").content.decode()

    proposal.refresh_from_db()
    assert (proposal.status, proposal.decided_by) == (Link.State.CONFIRMED, aid_officer)
    assert Entry.objects.get().person == proposal.person
    assert "已认定：是同一人" in card


@pytest.mark.parametrize("answer", ["no", "undecided"])
def test_no_and_not_yet_need_a_reason(client, aid_officer, proposal, answer):
    client.force_login(aid_officer)

    card = decide(client, proposal, answer=answer).content.decode()

    proposal.refresh_from_db()
    assert proposal.status == Link.State.PROPOSED
    assert "请写明理由" in card


@pytest.mark.parametrize(
    ("answer", "status"), [("no", Link.State.REJECTED), ("undecided", Link.State.UNDECIDED)]
)
def test_reason_is_kept_with_the_answer(client, aid_officer, proposal, answer, status):
    client.force_login(aid_officer)

    decide(client, proposal, answer=answer, reason="同名不同人，监护人不同")

    proposal.refresh_from_db()
    assert (proposal.status, proposal.reason) == (status, "同名不同人，监护人不同")
    assert Entry.objects.get().person is None


def test_what_was_put_off_has_a_list_of_its_own(client, aid_officer, proposal):
    Link.objects.update(status=Link.State.UNDECIDED)
    client.force_login(aid_officer)

    waiting = client.get(reverse("students:links")).context["proposals"]
    put_off = client.get(reverse("students:links"), {"state": "undecided"}).context["proposals"]

    assert (len(waiting), len(put_off)) == (0, 1)


def test_it_works_without_javascript(client, aid_officer, proposal):
    client.force_login(aid_officer)

    answer = client.post(reverse("students:decide_link", args=[proposal.pk]), {"answer": "yes"}, follow=True)

    assert "已记录：是同一人" in answer.content.decode() and "都认定完了" in answer.content.decode()


def test_it_is_said_in_words_what_agrees_and_how_strongly(client, aid_officer, proposal):
    client.force_login(aid_officer)

    page = client.get(reverse("students:links")).content.decode()

    assert "相同：出生日期；姓名同音不同字；证件号码只差一位" in page
    assert "<b>很像</b>" in page


@pytest.fixture
def three_alike(school, proposal) -> list[Link]:
    """Three rows with one candidate each, all the same but for one digit; and one row with two candidates."""
    Link.objects.all().delete()
    links = []
    for n in range(4):
        entry = Entry.objects.create(
            county=school.county, register=Register.objects.get(), listed_from=date(2026, 9, 1), name="张三", name_key="张三",
            birth_on=date(2016, 5, 1), township=school.township, recognised_by=uuid7().bytes, row_uuid=uuid7(),
            digest=uuid7().bytes, link_state="proposed",
        )  # fmt: skip
        for _ in range(1 + (n == 3)):
            links.append(
                Link.objects.create(
                    county=school.county, entry=entry, person=student_at(school).person, method="likeness", score=90,
                    evidence={"name": "same", "number": "one_off", "birth": "same"}, differs="number:one_off", digest=b"",
                )
            )  # fmt: skip
    return links


GROUP = {"register": "dibao", "differs": "number:one_off"}


def test_rows_that_differ_in_the_same_one_thing_are_offered_together(client, aid_officer, three_alike):
    client.force_login(aid_officer)

    groups = client.get(reverse("students:links")).context["groups"]
    shown = client.get(groups[0].url)

    assert [(group.count, group.words) for group in groups] == [(3, "其余都一致，证件号码只差一位或两位颠倒")]
    assert [p.link for p in shown.context["proposals"]] == three_alike[:3]


def test_the_ticked_ones_are_answered_together_and_the_others_stay(client, aid_officer, three_alike):
    client.force_login(aid_officer)
    ticked = [link.pk for link in (*three_alike[:2], three_alike[3])]  # the last belongs to a row with two candidates

    client.post(reverse("students:bulk_links"), GROUP | {"ids": ticked, "answer": "yes", "reason": ""})

    assert [link.status for link in Link.objects.order_by("pk")] == ["confirmed", "confirmed", "proposed", "proposed", "proposed"]
    assert Entry.objects.filter(link_method="confirmed").count() == 2
    assert AuditEvent.objects.get(verb="students.links_decided").detail == {"answer": "yes", "count": 2}


def test_a_no_for_many_needs_its_reason(client, aid_officer, three_alike):
    client.force_login(aid_officer)
    answer = GROUP | {"ids": [three_alike[0].pk], "answer": "no"}

    page = client.post(reverse("students:bulk_links"), answer).content.decode()
    assert "请写明理由" in page

    client.post(reverse("students:bulk_links"), answer | {"reason": "两家人"})
    assert Link.objects.get(pk=three_alike[0].pk).status == "rejected"


def test_links_of_another_county_are_not_answered(client, far_officer, three_alike):
    client.force_login(far_officer)

    client.post(reverse("students:bulk_links"), GROUP | {"ids": [three_alike[0].pk], "answer": "yes"})

    assert Link.objects.get(pk=three_alike[0].pk).status == "proposed"


def test_candidates_of_one_row_stand_together_and_the_register_tells_its_count(client, aid_officer, three_alike):
    Link.objects.filter(pk=three_alike[4].pk).update(score=61)
    client.force_login(aid_officer)

    page = client.get(reverse("students:links"))

    assert [(p.rank, p.among) for p in page.context["proposals"]][-2:] == [(1, 2), (2, 2)]
    assert [(register.name, count) for register, count in page.context["tiles"]] == [("dibao", 4)]


@pytest.fixture
def far_officer(world):
    return AccountFactory(county=world.far_county, role=Role.AID_OFFICER)
