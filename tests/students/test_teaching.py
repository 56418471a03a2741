"""这些列是什么？: unknown headers are explained once on a page, the file is read again, later uploads need no asking."""

from datetime import date

import pytest
from django.urls import reverse

from bureau import jobs
from bureau.audit.models import AuditEvent
from bureau.jobs import Job
from bureau.sheets.process import here
from students.models import HeaderMapping, Roster
from tests.commands import run
from tests.factories import AccountFactory
from tests.students.factories import citizen_id, write_list


def pupil(n: int, **more) -> dict:
    return {"娃名": "赵钱孙李"[n % 4] + "小明", "证号": citizen_id(date(2016, 5, 1 + n)), "年级": "三年级", "班级": "1班"} | more


@pytest.fixture
def peeking(monkeypatch):
    monkeypatch.setattr("bureau.sheets.peek.listen", here)


@pytest.fixture
def refused(office, school, peeking) -> Roster:
    """A roll whose name and number columns nobody knows."""
    roster = office.roll([pupil(1, 爱好="跳绳"), pupil(2)], school=school)
    assert roster.file_error["code"] == "missing_column"
    return roster


def page_of(roster: Roster) -> str:
    return reverse("students:teach_headers", args=[roster.pk])


def read_again(roster: Roster) -> Roster:
    roster.refresh_from_db()
    assert roster.status == Roster.State.READING
    jobs.run_now("students.read_roster", by=roster.uploaded_by, county=roster.county, roster=roster.pk)
    roster.refresh_from_db()
    return roster


def teach(client, roster: Roster, answers: dict[str, str], **more):
    """Answer as the page asks: header -> attribute."""
    form = client.get(page_of(roster)).context["form"]
    given = {unknown.field: answers.get(unknown.heading.text, "") for unknown in form.unknown}
    return client.post(page_of(roster), given | more)


def test_refused_roster_offers_to_explain_its_headers(client, school_clerk, refused):
    client.force_login(school_clerk)

    assert page_of(refused) in client.get(refused.get_absolute_url()).content.decode()


def test_page_shows_headers_and_kinds_and_nobody(client, school_clerk, refused):
    client.force_login(school_clerk)

    page = client.get(page_of(refused)).content.decode()

    assert "娃名" in page and "18 位证件号码" in page and "爱好" in page
    assert "小明" not in page and "990101" not in page


def test_explained_once_the_file_is_read_at_once_and_the_next_needs_no_asking(client, office, school, school_clerk, refused):
    client.force_login(school_clerk)

    answer = teach(client, refused, {"娃名": "name", "证号": "citizen_id", "爱好": "-"})

    assert answer.url == refused.get_absolute_url()
    roster = read_again(refused)
    assert (roster.status, roster.accepted, roster.file_error) == (Roster.State.STAGED, 2, None)
    assert roster.tables[0]["taught"] == ["娃名", "证号", "爱好"]
    assert "按对应表识别" in client.get(roster.get_absolute_url()).content.decode()
    assert office.roll([pupil(3)], school=school).accepted == 1
    assert AuditEvent.objects.filter(verb="students.headers_taught").get().detail == {"count": 3}


def test_another_school_does_not_profit_but_all_do_from_the_bureaus_word(client, office, world, aid_officer, refused):
    client.force_login(aid_officer)
    teach(client, refused, {"娃名": "name", "证号": "citizen_id"})
    assert office.roll([pupil(3)], school=world.other_school).file_error["code"] == "missing_column"

    read_again(refused)
    other = office.roll([pupil(4)], school=world.center_school)
    teach(client, other, {"娃名": "name", "证号": "citizen_id"}, for_all="on")

    assert office.roll([pupil(5)], school=world.other_school).accepted == 1


def test_command_uses_what_was_taught(client, tmp_path, school, term, school_clerk, refused):
    client.force_login(school_clerk)
    teach(client, refused, {"娃名": "name", "证号": "citizen_id"})
    file = write_list(tmp_path / "b.csv", [pupil(3)])

    outcome = run("import_roster", file, "--school", school.code, "--term", term.code)

    assert (outcome.status, outcome.result["accepted"]) == (0, 1)


def test_ignored_column_of_a_staged_roster_can_be_explained_too(client, office, school, school_clerk, peeking):
    known = {"姓名": "赵小明", "身份证号": citizen_id(date(2016, 5, 1)), "年级": "三年级", "班级": "1班", "住不住": "住校"}
    roster = office.roll([known], school=school)
    client.force_login(school_clerk)
    assert page_of(roster) in client.get(roster.get_absolute_url()).content.decode()

    teach(client, roster, {"住不住": "boarding"})

    assert read_again(roster).staged.get().boarding is True


@pytest.mark.parametrize(
    ("answers", "told"),
    [
        ({"娃名": "name", "证号": "name"}, "已经是"),
        ({"娃名": "grade"}, "已经是“年级”列"),
        ({}, "请至少选择一列"),
    ],
    ids=["two columns of one kind", "a column the file has", "nothing chosen"],
)
def test_impossible_answers_are_told_beside_the_column(client, school_clerk, refused, answers, told):
    client.force_login(school_clerk)

    answer = teach(client, refused, answers)

    assert told in answer.content.decode()
    assert not HeaderMapping.objects.exists()


def test_applied_roster_is_not_read_again(client, office, school, school_clerk, peeking):
    known = {"姓名": "赵小明", "身份证号": citizen_id(date(2016, 5, 1)), "年级": "三年级", "班级": "1班", "住不住": "住校"}
    roster = office.enrol([known], school=school)
    client.force_login(school_clerk)

    answer = client.post(page_of(roster), {"column_0": "boarding"})

    roster.refresh_from_db()
    assert answer.status_code == 302 and roster.status == Roster.State.APPLIED
    assert not Job.objects.filter(kind="students.read_roster", state="queued").exists()


def test_mapping_is_changed_and_forgotten_by_its_school_only(client, world, school_clerk, refused):
    client.force_login(school_clerk)
    teach(client, refused, {"娃名": "name", "证号": "citizen_id"})
    mapping = HeaderMapping.objects.get(header="娃名")
    assert "娃名" in client.get(reverse("students:mappings")).content.decode()

    client.post(reverse("students:change_mapping", args=[mapping.pk]), {"attr": "-"})
    mapping.refresh_from_db()
    assert mapping.attr == ""

    client.force_login(AccountFactory(role="school_clerk", at=world.other_school))
    assert client.post(reverse("students:change_mapping", args=[mapping.pk]), {"forget": "yes"}).status_code == 404
    client.force_login(school_clerk)
    client.post(reverse("students:change_mapping", args=[mapping.pk]), {"forget": "yes"})
    assert not HeaderMapping.objects.filter(header="娃名").exists()


def test_word_of_the_bureau_is_not_the_schools_to_change(client, school_clerk, aid_officer, refused):
    client.force_login(aid_officer)
    teach(client, refused, {"娃名": "name"}, for_all="on")
    mapping = HeaderMapping.objects.get()

    client.force_login(school_clerk)

    assert "全县各校" in client.get(reverse("students:mappings")).content.decode()
    assert client.post(reverse("students:change_mapping", args=[mapping.pk]), {"attr": "-"}).status_code == 404


def test_unknown_column_cannot_be_taught_by_hand(client, school_clerk, refused):
    client.force_login(school_clerk)
    teach(client, refused, {"娃名": "name"})
    mapping = HeaderMapping.objects.get()

    client.post(reverse("students:change_mapping", args=[mapping.pk]), {"attr": "no_such_column"})

    mapping.refresh_from_db()
    assert mapping.attr == "name"
