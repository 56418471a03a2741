"""A zip of roll files: one roster per file, each at its school, applied together; and its page."""

import csv
import io
import zipfile
from datetime import date
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from bureau import jobs
from bureau.access.roles import Role
from bureau.jobs import Job
from bureau.sheets.intake import archive
from students.actions import bundles, rosters
from students.actions.refusals import NotApplicable
from students.models import Bundle, Roster
from tests.factories import AccountFactory
from tests.students.factories import citizen_id
from tests.students.test_rosters import LI, WANG, ZHANG, ZHAO, at_school

Files = dict[str, list[dict] | bytes]


@pytest.fixture(autouse=True)
def _here(monkeypatch):
    """The zip is taken apart in this process; the child has tests of its own."""
    def talk(module, request, meanwhile=None):
        with open(request["path"], "rb") as file:
            yield from archive.messages(file, Path(request["folder"]), archive.ArchiveLimits(**request["limits"]))

    monkeypatch.setattr("bureau.sheets.archive.talk", talk)


def as_csv(rows: list[dict]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(key for row in rows for key in row)), restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def zip_of(files: Files) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, rows in files.items():
            info = zipfile.ZipInfo(name, (2026, 9, 1, 8, 0, 0))
            archive.writestr(info, rows if isinstance(rows, bytes) else as_csv(rows))
    return content.getvalue()


def send(office, files: Files, *, by=None) -> Bundle:
    path = office.folder / "名册.zip"
    path.write_bytes(zip_of(files))
    bundle = bundles.receive_bundle(
        file=path, file_name=path.name, term=office.term, kind="roll", county=office.county, by=by or office.by
    )
    work()
    bundle.refresh_from_db()
    return bundle


def work() -> None:
    """What the workers would do."""
    while job := Job.objects.due().exclude(kind="students.reconcile").order_by("id").first():
        assert jobs.run(job.pk)
    assert not Job.objects.filter(state="failed").exists()


def verdicts(bundle: Bundle) -> dict[str, tuple]:
    return {
        one.file_name: (str(one.school or ""), one.status, (one.file_error or {}).get("code", ""))
        for one in bundle.rosters.select_related("school")
    }


def of(school, *rows: dict) -> list[dict]:
    return [row | {"学校名称": school.name} for row in rows]


def test_each_file_becomes_a_roster_at_the_school_its_rows_name(office, world):
    bundle = send(office, {"a.csv": of(world.school, ZHANG, LI), "b.csv": of(world.other_school, WANG)})

    assert verdicts(bundle) == {
        "a.csv": (world.school.name, "staged", ""),
        "b.csv": (world.other_school.name, "staged", ""),
    }
    assert {one.source for one in bundle.rosters.all()} == {"bundle"}
    assert sum(one.accepted for one in bundle.rosters.all()) == 3


def test_a_file_whose_rows_name_no_school_is_placed_by_its_name_or_folder(office, world):
    world.school.aliases = ["一小老校"]
    world.school.save()
    code, name = world.school.code, world.school.name
    names = [f"{code}.csv", f"{name}.csv", f"2026年秋{name}学生花名册（终）.csv", f"{name}/全校.csv", f"上报/{name}/三年级.csv", "一小老校.csv"]

    bundle = send(office, {name: [ZHANG | {"班级": f"{n + 1}班"}] for n, name in enumerate(names)})

    assert [school for school, _, _ in verdicts(bundle).values()] == [name] * len(names)


def test_rows_beat_the_name_of_the_file(office, world):
    bundle = send(office, {f"{world.other_school.name}.csv": of(world.school, ZHANG)})

    assert [school for school, _, _ in verdicts(bundle).values()] == [world.school.name]


@pytest.mark.parametrize("name", ["花名册.csv", "城关镇第一小学和河口乡中心校.csv"], ids=["nothing", "two schools"])
def test_a_file_nobody_can_place_waits_for_the_officer(office, world, name):
    bundle = send(office, {name: [ZHANG]})
    assert [(status, code) for _, status, code in verdicts(bundle).values()] == [("refused", "school_unknown")]

    bundles.choose_school(roster=bundle.rosters.get(), school=world.school, by=office.by)
    work()

    assert verdicts(bundle) == {name: (world.school.name, "staged", "")}


def test_the_officer_places_a_file_that_calls_its_school_by_a_name_nobody_knows(office, world):
    bundle = send(office, {"a.csv": [ZHANG | {"学校名称": "老街学堂"}]})
    bundles.choose_school(roster=bundle.rosters.get(), school=world.school, by=office.by)
    work()

    assert bundle.rosters.get().accepted == 1


def test_a_longer_name_beats_the_one_inside_it(office, world):
    world.other_school.name = world.school.name + "东校区"
    world.other_school.save()

    bundle = send(office, {f"{world.school.name}东校区.csv": [ZHANG]})

    assert [school for school, _, _ in verdicts(bundle).values()] == [world.other_school.name]


def test_a_file_of_many_schools_is_split_by_the_county(office, world):
    bundle = send(office, {"全县.csv": of(world.school, ZHANG) + of(world.other_school, LI)})

    assert verdicts(bundle) == {"全县.csv": ("", "staged", "")}


def test_a_center_school_sends_only_for_its_own_schools(office, world):
    center = world.account(Role.DISTRICT_SCHOOL)
    files = {
        "a.csv": of(world.school, ZHANG),
        "b.csv": of(world.other_school, LI),
        "c.csv": of(world.school, WANG) + of(world.center_school, ZHAO),
    }

    bundle = send(office, files, by=center)

    assert verdicts(bundle) == {
        "a.csv": (world.school.name, "staged", ""),
        "b.csv": ("", "refused", "other_school"),
        "c.csv": ("", "refused", "many_schools"),
    }


def test_same_zip_twice_is_the_same_bundle(office, world):
    first = send(office, {"a.csv": of(world.school, ZHANG)})

    assert send(office, {"a.csv": of(world.school, ZHANG)}) == first
    assert Roster.objects.count() == 1


def test_after_everything_was_given_up_the_same_zip_begins_anew(office, world):
    first = send(office, {"a.csv": of(world.school, ZHANG)})
    rosters.discard_roster(roster=first.rosters.get(), by=office.by)

    assert send(office, {"a.csv": of(world.school, ZHANG)}) != first


def test_another_account_with_the_same_zip_does_not_see_the_first_one(office, world):
    one, other = world.account(Role.DISTRICT_SCHOOL), AccountFactory(role=Role.DISTRICT_SCHOOL, at=world.other_school)
    first = send(office, {"a.csv": of(world.school, ZHANG)}, by=one)

    assert send(office, {"a.csv": of(world.school, ZHANG)}, by=other) != first


def test_the_same_file_twice_in_a_zip_is_read_once(office, world):
    bundle = send(office, {"a.csv": of(world.school, ZHANG), "副本.csv": of(world.school, ZHANG)})

    assert list(verdicts(bundle)) == ["a.csv"]
    assert "内容完全相同" in bundle.entries[1]["why"]


def test_a_zip_that_is_no_zip_is_told_and_may_come_again(office):
    path = office.folder / "名册.zip"
    path.write_bytes(b"Rar!\x1a\x07\x00")
    facts = {"file": path, "file_name": path.name, "term": office.term, "kind": "roll", "county": office.county, "by": office.by}
    bundle = bundles.receive_bundle(**facts)
    work()

    bundle.refresh_from_db()
    assert bundle.file_error["code"] == "truncated"
    assert bundles.receive_bundle(**facts) != bundle


def test_a_zip_whose_opening_was_stopped_is_opened_on_request(office, world):
    path = office.folder / "名册.zip"
    path.write_bytes(zip_of({"a.csv": of(world.school, ZHANG)}))
    bundle = bundles.receive_bundle(
        file=path, file_name=path.name, term=office.term, kind="roll", county=office.county, by=office.by
    )
    jobs.cancel(bundle.job, by=office.by)

    bundles.open_again(bundle=bundle, by=office.by)
    bundles.open_again(bundle=bundle, by=office.by)
    work()

    assert Job.objects.filter(kind="students.open_bundle").count() == 2
    assert bundle.rosters.get().status == "staged"


def test_a_file_that_cannot_be_read_is_still_at_its_school(office, world):
    bundle = send(office, {f"{world.school.name}.xlsx": b"PK\x03\x04"})

    assert list(verdicts(bundle).values()) == [(world.school.name, "refused", "truncated")]


def test_a_run_that_is_started_again_makes_nothing_twice(office, world):
    bundle = send(office, {"a.csv": of(world.school, ZHANG)})

    jobs.run_now("students.open_bundle", by=office.by, county=office.county, bundle=bundle.pk)

    assert bundle.rosters.count() == 1


# One roll per school.


def test_several_files_of_one_school_are_refused_by_naming_them(office, world):
    bundle = send(office, {"三年级.csv": of(world.school, ZHANG), "四年级.csv": of(world.school, LI), "b.csv": of(world.other_school, WANG)})
    roster = bundle.rosters.get(file_name="三年级.csv")

    with pytest.raises(NotApplicable, match=r"“三年级\.csv”、“四年级\.csv”"):
        rosters.apply_roster(roster=roster, by=office.by)
    assert [one.file_name for one in bundles.ready(bundle, by=office.by)] == ["b.csv"]

    rosters.discard_roster(roster=bundle.rosters.get(file_name="四年级.csv"), by=office.by)
    rosters.apply_roster(roster=roster, by=office.by)
    assert at_school(world.school) == {"张三"}


def test_a_school_inside_a_file_of_many_counts_as_another_file_of_it(office, world):
    bundle = send(office, {"全县.csv": of(world.school, ZHANG) + of(world.other_school, WANG), "a.csv": of(world.school, LI)})

    assert bundles.ready(bundle, by=office.by) == []


# Applying.


def test_files_without_errors_are_applied_together_and_the_others_stay(office, world):
    wrong = ZHAO | {"身份证号": "990101201605010000"}
    bundle = send(office, {"a.csv": of(world.school, ZHANG, LI), "b.csv": of(world.other_school, WANG), "c.csv": of(world.center_school, wrong)})

    bundles.ask_to_apply(bundle=bundle, by=office.by)
    work()

    bundle.refresh_from_db()
    assert (bundle.job.result["applied"], bundle.job.result["refused"]) == (2, [])
    assert {name: status for name, (_, status, _) in verdicts(bundle).items()} == {"a.csv": "applied", "b.csv": "applied", "c.csv": "staged"}
    assert at_school(world.school) == {"张三", "李四"}
    assert Job.objects.filter(kind="students.reconcile").count() == 1
    assert [one.file_name for one in bundle.rosters.order_by("pk")] == ["a.csv", "b.csv", "c.csv"]  # as in the zip
    with pytest.raises(NotApplicable, match="没有可以入库的文件"):
        bundles.ask_to_apply(bundle=bundle, by=office.by)


def test_pressing_twice_asks_for_one_job(office, world):
    bundle = send(office, {"a.csv": of(world.school, ZHANG)})

    assert bundles.ask_to_apply(bundle=bundle, by=office.by) == bundles.ask_to_apply(bundle=bundle, by=office.by)


# The page.


def upload(client, content: bytes, name: str = "名册.zip", **more):
    term = more.pop("term")
    file = SimpleUploadedFile(name, content)
    return client.post(reverse("students:upload_roster"), {"file": file, "kind": Roster.Kind.ROLL, "term": term.pk, **more})


def test_a_zip_on_the_upload_page_leads_to_its_page(client, office, world):
    client.force_login(office.by)

    response = upload(client, zip_of({"a.csv": of(world.school, ZHANG), "说明.docx": b"x", "b.csv": [LI]}), term=office.term)

    assert response.url == Bundle.objects.get().get_absolute_url()
    assert "正在解开" in client.get(response.url).content.decode()
    work()
    told = client.get(response.url).content.decode()
    assert "a.csv" in told and "不是电子表格" in told and "认不出学校" in told and "全部入库（仅无错误的 1 份）" in told


def test_officer_picks_the_school_on_the_page(client, office, world):
    client.force_login(office.by)
    bundle = send(office, {"b.csv": [LI]})

    told = client.post(
        reverse("students:place_file", args=[bundle.pk]), {"roster": bundle.rosters.get().pk, "school": world.school.pk}, follow=True
    )

    assert f"按{world.school}重新读取" in told.content.decode()


def test_result_of_applying_is_told_on_the_page(client, office, world):
    client.force_login(office.by)
    bundle = send(office, {"a.csv": of(world.school, ZHANG)})

    client.post(reverse("students:apply_bundle", args=[bundle.pk]))
    assert "正在入库" in client.get(bundle.get_absolute_url()).content.decode()
    work()

    assert "已入库 1 份" in client.get(bundle.get_absolute_url()).content.decode()


def test_a_center_school_is_not_led_to_pages_it_may_not_open(client, office, world):
    center = world.account(Role.DISTRICT_SCHOOL)
    bundle = send(office, {"a.csv": of(world.school, ZHANG), "b.csv": of(world.other_school, LI)}, by=center)
    client.force_login(center)

    told = client.get(bundle.get_absolute_url()).content.decode()

    mine, foreign = bundle.rosters.get(file_name="a.csv"), bundle.rosters.get(file_name="b.csv")
    assert mine.get_absolute_url() in told and foreign.get_absolute_url() not in told
    assert "不在您管理的学校之内" in told and world.other_school.name not in told


def test_school_is_told_to_send_one_file(client, office, world):
    client.force_login(world.account(Role.SCHOOL_CLERK))

    response = upload(client, zip_of({"a.csv": [ZHANG]}), term=office.term)

    assert "不要压缩" in response.content.decode()
    assert not Bundle.objects.exists()


def test_a_school_chosen_beside_a_zip_is_told(client, office, world):
    client.force_login(office.by)

    response = upload(client, zip_of({"a.csv": [ZHANG]}), term=office.term, school=world.school.pk)

    assert "这里请不要选学校" in response.content.decode()


def test_center_school_need_not_choose_a_school_for_a_zip(client, office, world):
    client.force_login(world.account(Role.DISTRICT_SCHOOL))

    assert upload(client, zip_of({"a.csv": of(world.school, ZHANG)}), term=office.term).status_code == 302


def test_bundle_is_seen_by_the_county_and_its_sender_only(client, office, world):
    bundle = send(office, {"a.csv": of(world.school, ZHANG)}, by=world.account(Role.DISTRICT_SCHOOL))

    for role, status in ((Role.AID_OFFICER, 200), (Role.SCHOOL_CLERK, 404), (Role.DISTRICT_SCHOOL, 404)):
        client.force_login(world.account(role))
        assert client.get(bundle.get_absolute_url()).status_code == status


def test_every_file_is_accounted_for(office, world):
    rows = [{"姓名": f"学生{'甲乙丙丁戊己庚辛壬癸'[n // 10]}{'甲乙丙丁戊己庚辛壬癸'[n % 10]}", "身份证号": citizen_id(date(2016, 1, 1), n), "班级": "1班"} for n in range(20)]
    bundle = send(office, {f"{n}.csv": [row] for n, row in enumerate(rows)})

    assert {code for _, _, code in verdicts(bundle).values()} == {"school_unknown"}
    assert len(bundle.entries) == 20
