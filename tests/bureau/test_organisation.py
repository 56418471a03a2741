"""The organisation: the county file, the pages, and who may change what."""

import json
from datetime import date

import pytest
from django.urls import reverse

from bureau.audit import AuditEvent
from bureau.organisation.forms import SettingsForm
from bureau.organisation.models import County, Holiday, School, SchoolYear, Term, Township, Village
from tests.commands import run
from tests.factories import HolidayFactory

COUNTY = {
    "county": {"code": "990101", "name": "云岭县"},
    "townships": [
        {"code": "990101101", "name": "城关镇", "villages": [{"code": "990101101201", "name": "东街社区"}]},
        {"code": "990101102", "name": "河口乡", "villages": []},
    ],
    "schools": [
        {
            "code": "3599000001",
            "name": "城关镇中心校",
            "township": "990101101",
            "stages": ["primary", "junior"],
            "ownership": "public",
        },
        {"code": "3599000002", "name": "东街教学点", "township": "990101101", "stages": ["primary"], "ownership": "public",
         "managed_by": "3599000001", "teaching_point": True},
        {"code": "3599000003", "name": "云岭一中", "township": "990101102", "stages": ["senior"], "ownership": "private"},
    ],
    "terms": [
        {"code": "2026-autumn", "starts_on": "2026-09-01", "ends_on": "2027-01-22"},
        {"code": "2027-spring", "starts_on": "2027-02-22", "ends_on": "2027-07-09"},
    ],
    "holidays": [{"date": "2026-10-01", "kind": "off"}, {"date": "2026-10-10", "kind": "work"}],
}  # fmt: skip


@pytest.fixture
def load(tmp_path, db):
    def load(data, *arguments):
        file = tmp_path / "county.json"
        file.write_text(
            data if isinstance(data, str) else json.dumps(data, ensure_ascii=False), encoding="utf-8"
        )
        return run("import_organisation", file, *arguments)

    return load


def changed(path, value):
    """A copy of COUNTY with one place changed: `changed("schools.0.township", "x")`."""
    data = json.loads(json.dumps(COUNTY))
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    place = data
    for step in way:
        place = place[step]
    place[last] = value
    return data


def test_import_tells_the_numbers_in_the_file(load):
    status, result, _ = load(COUNTY)

    assert (status, result) == (0, {"townships": 2, "villages": 1, "schools": 3, "terms": 2})
    assert School.objects.get(code="3599000002").managed_by.code == "3599000001"
    assert School.objects.get(code="3599000003").stages == ["senior_general"]
    assert set(Term.objects.values_list("code", "school_year__starts_in")) == {
        ("2026-autumn", 2026),
        ("2027-spring", 2026),
    }
    assert SchoolYear.objects.count() == 1
    assert set(Holiday.objects.values_list("date", "kind")) == {
        (date(2026, 10, 1), "off"),
        (date(2026, 10, 10), "work"),
    }
    assert AuditEvent.objects.get(verb="organisation.imported").by.username == "operator"


def test_second_import_renames_by_code_adds_and_deletes_nothing(load):
    load(COUNTY)
    keys = dict(School.objects.values_list("code", "pk"))
    data = changed("schools.0.name", "城关镇九年一贯制学校")
    data["townships"][1]["villages"] = [{"code": "990101102201", "name": "河口村"}]
    data["schools"] = [data["schools"][0], {**data["schools"][2], "code": "3599000009", "name": "云岭二中"}]
    data["terms"] = []

    status, result, _ = load(data)

    assert (status, result) == (0, {"townships": 2, "villages": 2, "schools": 2, "terms": 0})
    school = School.objects.get(code="3599000001")
    assert (school.pk, school.name, school.aliases) == (
        keys["3599000001"],
        "城关镇九年一贯制学校",
        ["城关镇中心校"],
    )
    assert (School.objects.count(), Village.objects.count(), Term.objects.count()) == (4, 2, 2)


def test_school_may_name_a_township_stored_before(load):
    load(COUNTY)
    data = {**COUNTY, "townships": [], "terms": [], "holidays": []}

    assert load(data).status == 0


@pytest.mark.parametrize(
    ("path", "value", "code", "named"),
    [
        ("schools.1.township", "990101999", "unknown_township", "东街教学点"),
        ("schools.0.stages", ["primary", "college"], "unknown_stage", "college"),
        ("schools.0.stages", [], "unknown_stage", "城关镇中心校"),
        ("schools.0.managed_by", "3599000099", "unknown_school", "3599000099"),
        ("schools.0.ownership", "mixed", "unknown_ownership", "mixed"),
        ("schools.1.code", "3599000001", "duplicate_code", "3599000001"),
        ("townships.1.code", "990101101", "duplicate_code", "990101101"),
        ("townships.0.name", " ", "bad_name", "townships 第 1 项"),
        ("townships.0.villages", [{"code": "9901011012019", "name": "东街"}], "bad_code", "9901011012019"),
        ("terms.0.starts_on", "2026-9-1", "bad_date", "2026-9-1"),
        ("terms.0.ends_on", "2026-09-01", "bad_term", "2026-autumn"),
        ("terms.0.code", "2026-summer", "bad_term", "2026-summer"),
        ("terms.1.starts_on", "2026-02-22", "bad_term", "2027-spring"),
        ("holidays.0.kind", "holiday", "unknown_holiday_kind", "holiday"),
        ("county.code", "9901", "bad_code", "9901"),
        ("schools", {"code": "3599000001"}, "bad_shape", "schools"),
        ("schools.0", "3599000001", "bad_shape", "schools 第 1 项"),
        ("county", None, "bad_shape", "county"),
    ],
)
def test_faulty_file_is_refused_whole_and_the_place_is_named(load, path, value, code, named):
    status, result, _ = load(changed(path, value))

    assert (status, result["error"]["code"]) == (2, code)
    assert named in result["error"]["message"]
    assert not County.objects.exists() and not Township.objects.exists()


@pytest.mark.parametrize(
    ("text", "code"), [("{", "not_json"), ("[" * 100_000, "not_json"), ("[]", "bad_shape"), ("", "not_json")]
)
def test_what_is_no_county_file_is_refused(load, text, code):
    assert load(text)[:2][1]["error"]["code"] == code


def test_all_problems_are_counted_at_once(load):
    data = changed("schools.0.township", "990101998")
    data["schools"][1]["township"] = "990101999"

    message = load(data).result["error"]["message"]

    assert "990101998" in message and "990101999" in message


def test_missing_file_and_missing_argument_are_refused_with_one_object(db):
    assert run("import_organisation", "/nowhere.json")[:2][1]["error"]["code"] == "file_not_found"
    assert run("import_organisation").result["error"]["code"] == "bad_arguments"
    assert run("import_organisation").status == 2


def test_file_of_another_county_is_refused(load):
    load(COUNTY)

    assert load(changed("county.code", "990102")).result["error"]["code"] == "other_county"


# Pages


def test_school_clerk_is_shown_the_own_school_only(client, world, school_clerk):
    client.force_login(school_clerk)

    page = client.get(reverse("bureau:organisation")).content.decode()

    assert world.school.name in page
    assert world.center_school.code not in page and world.other_school.name not in page


def test_supervisor_is_shown_every_school_of_the_county(client, world, supervisor):
    client.force_login(supervisor)

    page = client.get(reverse("bureau:organisation")).content.decode()

    assert world.school.name in page and world.other_school.name in page
    assert world.far_school.name not in page


def school_fields(school, **changes):
    return {
        "code": school.code,
        "name": school.name,
        "township": school.township_id,
        "stages": school.stages,
        "ownership": school.ownership,
        "aliases": "",
    } | changes


def test_renamed_and_recoded_school_keeps_its_old_name_and_code(client, world, administrator):
    client.force_login(administrator)
    old_code, old_name = world.school.code, world.school.name

    client.post(
        reverse("bureau:edit_school", args=[world.school.pk]),
        school_fields(world.school, code="3599777777", name="城关镇实验小学"),
    )

    world.school.refresh_from_db()
    assert (world.school.code, world.school.name, world.school.aliases) == (
        "3599777777",
        "城关镇实验小学",
        [old_name],
    )
    assert [former.code for former in world.school.former_codes.all()] == [old_code]
    assert AuditEvent.objects.filter(verb="organisation.school_edited", by=administrator).count() == 1


def test_code_of_another_school_is_refused_next_to_the_field(client, world, administrator):
    client.force_login(administrator)

    response = client.post(
        reverse("bureau:edit_school", args=[world.school.pk]),
        school_fields(world.school, code=world.other_school.code),
    )

    assert f"代码“{world.other_school.code}”已被使用" in response.content.decode()


def test_succeeded_school_needs_its_closing_date(client, world, administrator):
    client.force_login(administrator)

    response = client.post(
        reverse("bureau:edit_school", args=[world.school.pk]),
        school_fields(world.school, succeeded_by=world.other_school.pk),
    )

    assert "撤并日期" in str(response.context["form"].errors)


def test_new_term_makes_its_school_year(client, world, administrator):
    client.force_login(administrator)

    client.post(
        reverse("bureau:add_term"),
        {"year": 2028, "season": "spring", "starts_on": "2028年2月21日", "ends_on": "2028-07-07"},
    )

    assert Term.objects.get(code="2028-spring").school_year.starts_in == 2027


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"ends_on": "2026-09-01"}, "ends_on"), ({"starts_on": "2027-01-01"}, "starts_on"), ({"year": 2026, "season": "autumn"}, "season")],
    ids=["no days", "another year", "already there"],
)  # fmt: skip
def test_impossible_term_is_refused(client, world, administrator, changes, field):
    client.force_login(administrator)
    given = {"year": 2026, "season": "spring", "starts_on": "2026-09-01", "ends_on": "2027-01-22"} | changes

    response = client.post(reverse("bureau:add_term"), given)

    assert field in response.context["form"].errors


def test_pasted_holidays_are_stored_and_a_repeated_day_takes_the_new_kind(client, world, administrator):
    HolidayFactory(date=date(2026, 10, 1), kind="work")
    client.force_login(administrator)

    client.post(
        reverse("bureau:paste_holidays"),
        {"text": "2026年10月1日\n2026-10-2 放假\n2026/10/10 上班\n", "kind": "off"},
    )

    assert dict(Holiday.objects.values_list("date", "kind")) == {
        date(2026, 10, 1): "off",
        date(2026, 10, 2): "off",
        date(2026, 10, 10): "work",
    }


def test_paste_with_a_line_that_is_no_date_stores_nothing_and_names_the_line(client, world, administrator):
    client.force_login(administrator)

    response = client.post(
        reverse("bureau:paste_holidays"), {"text": "2026-10-01\n国庆节\n2026-02-30", "kind": "off"}
    )

    assert "第 2 行“国庆节”" in response.content.decode() and "第 3 行" in response.content.decode()
    assert not Holiday.objects.exists()


def test_deleted_holiday_is_gone(client, world, administrator):
    holiday = HolidayFactory()
    client.force_login(administrator)

    client.post(reverse("bureau:delete_holiday", args=[holiday.pk]))

    assert not Holiday.objects.exists()


def test_village_is_added_to_its_township(client, world, administrator):
    client.force_login(administrator)

    client.post(
        reverse("bureau:add_village", args=[world.township.pk]),
        {"code": "990101101299", "name": "新村", "township": world.township.pk},
    )

    assert world.township.villages.filter(name="新村").exists()


def test_right_to_edit_held_at_one_school_does_not_reach_the_countys_terms(client, world, district_school):
    from bureau.access.models import RoleRights

    RoleRights.objects.create(county=world.county, role="district_school", rights=["organisation.edit"])
    client.force_login(district_school)

    assert client.get(reverse("bureau:add_term")).status_code == 403
    assert client.get(reverse("bureau:edit_school", args=[world.school.pk])).status_code == 200


# What the bureau decides for the whole county.


def settings_of(county: County, **changed) -> dict:
    names = [name for name in SettingsForm.base_fields if name != "building_until"]
    return {name: getattr(county, name) for name in names} | {"building_until": ""} | changed


@pytest.mark.django_db
def test_administrator_changes_a_deadline_and_the_log_names_it(client, administrator):
    client.force_login(administrator)

    client.post(reverse("bureau:settings"), settings_of(administrator.county, absence_days=8))

    assert County.objects.get(pk=administrator.county_id).absence_days == 8
    assert AuditEvent.objects.get(verb="organisation.settings_changed").detail == {"changed": ["absence_days"]}


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("age_under", "6", "12"),
        ("reject_share", "1.2", "1"),
        ("absence_days", "0", "1"),
        ("number_days", "", "必填"),
        ("building_until", "昨天", "日期"),
    ],
)
def test_a_setting_that_makes_no_sense_is_refused_and_nothing_changes(client, administrator, name, value, said):
    client.force_login(administrator)
    before = settings_of(County.objects.get(pk=administrator.county_id))

    answer = client.post(reverse("bureau:settings"), settings_of(administrator.county, **{name: value, "number_days": value if name == "number_days" else 40}))

    assert said in "".join(answer.context["form"].errors[name])
    assert settings_of(County.objects.get(pk=administrator.county_id)) == before


@pytest.mark.django_db
def test_saving_without_a_change_leaves_no_line_in_the_log(client, administrator):
    client.force_login(administrator)

    client.post(reverse("bureau:settings"), settings_of(administrator.county))

    assert not AuditEvent.objects.filter(verb="organisation.settings_changed").exists()
