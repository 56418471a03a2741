"""可能是同一人, 合并, 拆分, 撤销 as pages; and old addresses of a merged child."""

from datetime import date

import pytest
from django.urls import reverse

from bureau import jobs
from bureau.access.roles import Role
from bureau.jobs.models import Job
from students.actions import merging
from students.models import Duplicate, Enrolment, Identifier, Merge, Student
from tests.factories import AccountFactory
from tests.students.factories import EnrolmentFactory, EntryFactory, StudentFactory, citizen_id

BORN = date(2016, 5, 1)
OWN, NEAR = citizen_id(BORN, 1), citizen_id(BORN, 21)


@pytest.fixture
def kept(school) -> Student:
    return StudentFactory(name="张三", number=OWN, at=school)


@pytest.fixture
def other(world) -> Student:
    return StudentFactory(name="张三", number=NEAR, at=world.other_school)


def number_of(student: Student):
    return Identifier.objects.get(person=student.pk).pk


def page(client, name: str, *args, **query) -> str:
    return client.get(reverse(f"students:{name}", args=args), query).content.decode()


def test_what_both_files_say_stands_side_by_side_without_a_number(client, aid_officer, kept, other):
    client.force_login(aid_officer)

    shown = page(client, "merge_students", kept.pk, **{"with": other.pk})

    assert "城关镇第一小学" in shown and "河口乡中心校" in shown
    assert "第 16、18 位不同" in shown
    assert OWN not in shown and NEAR not in shown and OWN[-4:] not in shown
    assert "两份档案的身份证号不同" in shown and "合并后同时在" in shown


def test_merging_leads_to_what_was_done_and_the_old_address_to_the_child(client, aid_officer, kept, other):
    client.force_login(aid_officer)
    address = reverse("students:merge_students", args=[kept.pk]) + f"?with={other.pk}"

    done = client.post(address, {"number": number_of(kept), "reason": "户口本核对为同一人"}, follow=True)

    assert done.redirect_chain[-1][0] == Merge.objects.get().get_absolute_url()
    assert "两份档案已合并" in done.content.decode()
    old = client.get(reverse("students:student", args=[other.pk]))
    assert (old.status_code, old.url) == (302, reverse("students:student", args=[kept.pk]))
    assert "户口本核对为同一人" in page(client, "student", kept.pk)


@pytest.mark.parametrize("missing", ["number", "reason"])
def test_without_a_number_or_a_reason_nothing_is_merged(client, aid_officer, kept, other, missing):
    client.force_login(aid_officer)
    answer = {"number": number_of(kept), "reason": "同一人"} | {missing: ""}

    shown = client.post(reverse("students:merge_students", args=[kept.pk]) + f"?with={other.pk}", answer)

    assert "请" in shown.content.decode() and not Merge.objects.exists()


def test_the_other_file_is_looked_for_by_name_or_number(client, aid_officer, kept, other):
    client.force_login(aid_officer)

    by_number = client.get(reverse("students:merge_students", args=[kept.pk]), {"q": NEAR})

    assert [one.pk for one in by_number.context["found"]] == [other.pk]


def test_a_child_of_another_county_is_not_offered_nor_merged(client, world, aid_officer, kept):
    stranger = StudentFactory(name="张三", county=world.far_county, at=world.far_school)
    client.force_login(aid_officer)

    assert client.get(reverse("students:merge_students", args=[kept.pk]), {"with": stranger.pk}).status_code == 404


def test_the_old_address_tells_nothing_to_who_may_not_see_the_child(client, world, aid_officer, kept, other):
    merging.merge(kept=kept, other=other, number=number_of(kept), reason="同一人", by=aid_officer)
    kept.enrolments.all().delete()
    client.force_login(AccountFactory(role=Role.SCHOOL_CLERK, at=world.school))

    assert client.get(reverse("students:student", args=[other.pk])).status_code == 404


def test_it_is_taken_back_with_a_reason(client, aid_officer, kept, other):
    done = merging.merge(kept=kept, other=other, number=number_of(kept), reason="同一人", by=aid_officer)
    client.force_login(aid_officer)

    without = client.post(reverse("students:undo_merge", args=[done.pk]), {"reason": ""})
    assert "请填写撤销理由" in without.content.decode() and Student.objects.count() == 1

    shown = client.post(reverse("students:undo_merge", args=[done.pk]), {"reason": "看错了"}, follow=True).content.decode()
    assert "恢复原样" in shown and "看错了" in shown
    assert Student.objects.count() == 2


def test_what_hinders_taking_back_is_told_instead_of_a_button(client, aid_officer, kept, other):
    first = merging.merge(kept=other, other=StudentFactory(name="张三"), reason="同一人", by=aid_officer)
    merging.merge(kept=kept, other=other, number=number_of(kept), reason="同一人", by=aid_officer)
    client.force_login(aid_officer)

    shown = page(client, "merge", first.pk)

    assert "请先撤销后来的" in shown and "撤销理由" not in shown


# 可能是同一人.


@pytest.fixture
def proposed(county, aid_officer, kept, other) -> Duplicate:
    merging.seek_duplicates(county=county, by=aid_officer)
    return Duplicate.objects.get()


def test_pairs_wait_side_by_side_with_their_reason(client, aid_officer, proposed):
    client.force_login(aid_officer)

    shown = page(client, "duplicates")

    assert "同名同日生，证件号码只差一位" in shown
    assert reverse("students:merge_students", args=[proposed.first]) in shown


@pytest.mark.parametrize(("answer", "state"), [("no", "different"), ("undecided", "undecided")])
def test_an_answer_takes_the_pair_off_the_list(client, aid_officer, proposed, answer, state):
    client.force_login(aid_officer)

    client.post(reverse("students:decide_duplicate", args=[proposed.pk]), {"answer": answer, "reason": "两家人"})

    proposed.refresh_from_db()
    assert (proposed.state, proposed.reason, proposed.decided_by) == (state, "两家人", aid_officer)
    assert "没有需要认定的" in page(client, "duplicates")
    assert "两家人" in page(client, "duplicates", state=state)


@pytest.mark.parametrize("answer", [{"answer": "no", "reason": " "}, {"answer": "yes", "reason": "x"}], ids=["no reason", "yes"])
def test_an_answer_that_is_none_changes_nothing(client, aid_officer, proposed, answer):
    client.force_login(aid_officer)

    client.post(reverse("students:decide_duplicate", args=[proposed.pk]), answer)

    proposed.refresh_from_db()
    assert proposed.state == "proposed"


def test_looking_again_is_a_job_that_leads_back_here(client, aid_officer, kept, other, county):
    client.force_login(aid_officer)

    client.post(reverse("students:seek_duplicates"))
    job = Job.objects.get(kind="students.seek_duplicates")
    done = jobs.run_now("students.seek_duplicates", by=aid_officer, county=county)

    assert (job.county, job.by) == (county, aid_officer)
    assert done.result == {"waiting": 1}


# 拆分.


@pytest.fixture
def both(kept, world) -> Student:
    EnrolmentFactory(student=kept, school=world.other_school)
    EntryFactory(student=kept, county=kept.county, school=world.other_school)
    return kept


def split_answer(both, world, **more) -> dict:
    stay = Enrolment.objects.get(student=both, school=world.other_school)
    return {
        "enrolments": [str(stay.pk)], "entries": [str(both.person.entries.get().pk)], "name": "张珊", "sex": "2",
        "birth_on": "2016-06-01", "reason": "两个孩子用了一个号码",
    } | more  # fmt: skip


def test_a_split_is_seen_once_more_before_it_is_done(client, aid_officer, both, world):
    client.force_login(aid_officer)
    address = reverse("students:split_student", args=[both.pk])

    shown = client.post(address, split_answer(both, world)).content.decode()
    assert "拆分前再看一遍" in shown and "归入新档案：张珊" in shown
    assert not Merge.objects.exists()

    client.post(address, split_answer(both, world, confirm="1"))
    new = Student.objects.get(person__name="张珊")
    assert (new.person.birth_on, new.enrolments.get().school) == (date(2016, 6, 1), world.other_school)
    assert new.person.entries.count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [({"enrolments": [], "entries": []}, "请至少选一条"), ({"name": "张?"}, "无法识别的字"), ({"reason": ""}, "请填写理由"),
     ({"birth_on": "昨天"}, "日期")],
    ids=["nothing chosen", "name", "reason", "date"],
)  # fmt: skip
def test_a_split_that_cannot_be_done_says_why(client, aid_officer, both, world, wrong, said):
    client.force_login(aid_officer)

    shown = client.post(reverse("students:split_student", args=[both.pk]), split_answer(both, world, confirm="1", **wrong))

    assert said in shown.content.decode()
    assert not Merge.objects.exists()


def test_rows_of_another_child_cannot_be_taken_along(client, aid_officer, both, other, world):
    client.force_login(aid_officer)
    foreign = str(other.enrolments.get().pk)

    client.post(reverse("students:split_student", args=[both.pk]), split_answer(both, world, enrolments=[foreign], confirm="1"))

    assert other.enrolments.count() == 1 and not Merge.objects.exists()


def test_a_clerk_sees_no_buttons_and_no_pages(client, school_clerk, kept, other):
    client.force_login(school_clerk)

    assert "与另一份档案合并" not in page(client, "student", kept.pk)
    assert client.get(reverse("students:merge_students", args=[kept.pk])).status_code == 403
