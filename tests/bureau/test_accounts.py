"""Accounts: opened within the own scope, dated assignments, passwords handed out once, the workbook, the rights table."""

import re
from datetime import date, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone
from openpyxl import Workbook, load_workbook

from bureau.access import actions
from bureau.access.models import Account, RoleRights
from bureau.access.roles import Role
from bureau.audit import AuditEvent
from tests.commands import run
from tests.factories import PASSWORD, AccountFactory, AssignmentFactory

ONE_TIME = re.compile(r"[a-z2-9]{4}-[a-z2-9]{4}-[a-z2-9]{4}")


def new_account(**changes):
    return {"username": "yl-new", "display_name": "张三", "role": Role.SCHOOL_CLERK} | changes


# The command


@pytest.mark.parametrize(
    ("role", "at", "place"),
    [("school_clerk", "school", True), ("township_officer", "township", True), ("aid_officer", None, False)],
)
def test_command_opens_an_account(world, role, at, place):
    code = getattr(world, at).code if at else None

    status, result, stderr = run("create_account", "yl-x", "--role", role, *(["--at", code] if code else []))

    assert (status, result) == (0, {"username": "yl-x", "role": role, "place": code})
    assert Account.objects.get(username="yl-x").check_password(ONE_TIME.search(stderr)[0])
    assert Account.objects.get(username="yl-x").must_change_password
    assert AuditEvent.objects.get(verb="access.account_created", by__username="operator")


def test_command_takes_a_good_password_from_stdin_as_chosen(world):
    outcome = run(
        "create_account", "yl-x", "--role", "aid_officer", "--password-stdin", stdin=f"{PASSWORD}\n"
    )

    account = Account.objects.get(username="yl-x")
    assert account.check_password(PASSWORD) and not account.must_change_password
    assert PASSWORD not in outcome.stderr and not ONE_TIME.search(outcome.stderr)


def test_weak_password_from_stdin_serves_for_the_first_login_only(world):
    run("create_account", "yl-x", "--role", "aid_officer", "--password-stdin", stdin="12345678\n")

    account = Account.objects.get(username="yl-x")
    assert account.check_password("12345678") and account.must_change_password


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--role", "school_clerk"], "bad_place"),
        (["--role", "school_clerk", "--at", "3599999999"], "unknown_place"),
        (["--role", "township_officer"], "bad_place"),
        (["--role", "teacher"], "unknown_role"),
        (["--role", "aid_officer", "--password-stdin"], "no_password"),
        (["--role", "aid_officer", "--by", "nobody"], "unknown_account"),
        ([], "bad_arguments"),
    ],
)
def test_command_refuses(world, arguments, code):
    status, result, _ = run("create_account", "yl-x", *arguments)

    assert (status, result["error"]["code"]) == (2, code)
    assert not Account.objects.filter(username="yl-x").exists()


def test_command_refuses_a_name_that_is_taken_or_a_number_of_a_person(world):
    AccountFactory(username="yl-x")

    assert run("create_account", "yl-x", "--role", "aid_officer").result["error"]["code"] == "username_taken"
    assert (
        run("create_account", "990101201501010014", "--role", "aid_officer").result["error"]["code"]
        == "bad_username"
    )


def test_command_needs_a_county(db):
    assert run("create_account", "yl-x", "--role", "aid_officer")[:2][1]["error"]["code"] == "no_county"


# Opening accounts in the browser


def test_administrator_opens_an_account_and_the_password_is_shown_once(client, world, administrator):
    client.force_login(administrator)

    response = client.post(reverse("bureau:create_account"), new_account(school=world.school.pk))

    password = response.context["slips"][0].password
    assert password in response.content.decode()
    account = Account.objects.get(username="yl-new")
    assert account.check_password(password) and account.must_change_password
    assert account.scope.schools == {world.school.pk}
    assert password not in client.get(reverse("bureau:account", args=[account.pk])).content.decode()
    assert response.headers["Cache-Control"] == "no-store"
    assert not any(password in str(event.detail) for event in AuditEvent.objects.all())


@pytest.mark.parametrize("role", [role for role in Role if role not in (Role.SCHOOL_HEAD, Role.SCHOOL_CLERK)])
def test_district_school_can_give_no_role_above_its_schools(client, world, district_school, role):
    client.force_login(district_school)

    client.post(
        reverse("bureau:create_account"),
        new_account(role=role, school=world.school.pk, township=world.township.pk),
    )

    assert not Account.objects.filter(username="yl-new").exists()


def test_district_school_opens_a_clerk_at_a_school_it_manages_and_at_no_other(client, world, district_school):
    client.force_login(district_school)

    client.post(reverse("bureau:create_account"), new_account(school=world.other_school.pk))
    assert not Account.objects.filter(username="yl-new").exists()

    client.post(reverse("bureau:create_account"), new_account(school=world.school.pk))
    assert Account.objects.get(username="yl-new").assignments.get().school == world.school


def test_nobody_gives_the_operators_role_in_the_browser(client, world, administrator):
    client.force_login(administrator)

    client.post(reverse("bureau:create_account"), new_account(role=Role.OPERATOR))

    assert not Account.objects.filter(username="yl-new").exists()


def test_whole_county_role_does_not_widen_what_a_district_school_may_give(world, district_school):
    AssignmentFactory(account=district_school, role=Role.SUPERVISOR)

    assert not district_school.grants.whole_county
    assert district_school.grants.schools == {world.center_school.pk, world.school.pk}


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"role": Role.SCHOOL_CLERK}, "school"),
        ({"role": Role.TOWNSHIP_OFFICER}, "township"),
        ({"role": Role.AID_OFFICER, "valid_from": "2026-09-01", "valid_to": "2026-08-31"}, "valid_to"),
        ({"role": Role.AID_OFFICER, "username": "990101201501010014"}, "username"),
        ({"role": Role.AID_OFFICER, "username": "有 空格"}, "username"),
    ],
)
def test_form_says_what_is_wrong_next_to_the_field(client, world, administrator, changes, field):
    client.force_login(administrator)

    response = client.post(reverse("bureau:create_account"), new_account(**changes))

    assert field in response.context["form"].errors


def test_two_people_opening_one_name_at_once_get_one_account(world, administrator):
    actions.create_account(
        county=world.county, username="yl-x", display_name="", role=Role.SUPERVISOR, by=administrator
    )

    with pytest.raises(actions.UsernameTaken):
        actions.create_account(
            county=world.county, username="yl-x", display_name="", role=Role.SUPERVISOR, by=administrator
        )


# Seeing and editing within the scope


def test_school_head_sees_the_accounts_of_the_own_school_only(client, world, school_head, school_clerk):
    elsewhere = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)
    client.force_login(school_head)

    page = client.get(reverse("bureau:accounts")).content.decode()

    assert school_clerk.username in page and elsewhere.username not in page
    assert client.get(reverse("bureau:edit_account", args=[school_clerk.pk])).status_code == 403


def test_clerk_who_moved_to_another_school_is_no_longer_the_first_centres_to_edit(
    world, district_school, school_clerk
):
    assert Account.objects.editable_by(district_school).contains(school_clerk)

    AssignmentFactory(account=school_clerk, role=Role.SCHOOL_CLERK, school=world.other_school)

    assert not Account.objects.editable_by(district_school).contains(school_clerk)


def test_nobody_edits_himself_or_the_operator(world, administrator):
    editable = Account.objects.editable_by(administrator)

    assert not editable.contains(administrator)
    assert not editable.contains(actions.operator_of(world.county))


@pytest.mark.parametrize(("days", "sees"), [(0, True), (1, False)], ids=["last day", "the day after"])
def test_assignment_holds_on_its_last_day_and_not_after(world, days, sees):
    today = timezone.localdate()
    account = AccountFactory(role=None)
    AssignmentFactory(
        account=account, role=Role.SCHOOL_CLERK, school=world.school, valid_to=today - timedelta(days=days)
    )

    assert (world.school.pk in account.scope.schools) is sees


def test_ended_assignment_is_dated_and_audited(client, world, administrator, school_clerk):
    held = school_clerk.assignments.get()
    client.force_login(administrator)

    client.post(reverse("bureau:end_assignment", args=[held.pk]), {"ended_on": "2026-07-10"})

    held.refresh_from_db()
    assert held.valid_to == date(2026, 7, 10)
    assert AuditEvent.objects.get(verb="access.assignment_ended").by == administrator


def test_second_assignment_adds_a_place(client, world, administrator, school_clerk):
    client.force_login(administrator)

    client.post(
        reverse("bureau:assign", args=[school_clerk.pk]),
        {"role": Role.SCHOOL_CLERK, "school": world.other_school.pk},
    )

    assert Account.objects.get(pk=school_clerk.pk).scope.schools == {world.school.pk, world.other_school.pk}


def test_disabled_account_is_out_with_its_next_click(client, world, administrator, school_clerk):
    client.force_login(school_clerk)
    assert client.get(reverse("bureau:organisation")).status_code == 200

    actions.switch_account(account=school_clerk, active=False, by=administrator)

    assert client.get(reverse("bureau:organisation")).status_code == 302


def test_reset_password_ends_open_sessions_and_the_old_password(client, world, district_school, school_clerk):
    client.force_login(school_clerk)
    slips = actions.reset_passwords(accounts=[school_clerk], by=district_school)

    assert client.get(reverse("bureau:organisation")).status_code == 302
    school_clerk.refresh_from_db()
    assert school_clerk.check_password(slips[0].password) and not school_clerk.check_password(PASSWORD)


def test_bulk_reset_prints_slips_and_leaves_out_what_is_not_ones_own(
    client, world, district_school, school_clerk
):
    elsewhere = AccountFactory(role=Role.SCHOOL_CLERK, at=world.other_school)
    client.force_login(district_school)

    response = client.post(
        reverse("bureau:reset_passwords"), {"account": [school_clerk.pk, elsewhere.pk, "x"]}
    )

    assert [slip.account for slip in response.context["slips"]] == [school_clerk]
    elsewhere.refresh_from_db()
    assert elsewhere.check_password(PASSWORD)


def test_filters_find_accounts_by_words_role_school_and_state(
    client, world, administrator, school_clerk, school_head
):
    AccountFactory(role=Role.SUPERVISOR, display_name="罗秀英", must_change_password=True)
    client.force_login(administrator)

    def found(**params):
        return {
            row.display_name for row in client.get(reverse("bureau:accounts"), params).context["page"].rows
        }

    assert found(q="罗秀") == {"罗秀英"}
    assert found(role="school_head") == {school_head.display_name}
    assert found(school=world.school.pk) == {school_clerk.display_name, school_head.display_name}
    assert found(township=world.township.pk) == {school_clerk.display_name, school_head.display_name}
    assert found(state="waiting") == {"罗秀英"}


# The workbook


def workbook(*rows, header=("账号", "姓名", "角色", "学校标识码或乡镇代码")):
    book, file = Workbook(), SimpleUploadedFile("账号.xlsx", b"")
    for row in (header, *rows):
        book.active.append(row)
    book.save(file)
    file.seek(0)
    return file


def test_workbook_is_previewed_then_opened_with_slips(client, world, administrator):
    client.force_login(administrator)
    rows = [(f"yl-{n:03}", f"经办人{n}", "学校经办人", world.school.code) for n in range(1, 401)]
    file = workbook(
        *rows, ("yl-tw", "乡镇员", "乡镇干部", world.township.code), ("yl-aid", "资助员", "资助中心", None)
    )

    preview = client.post(reverse("bureau:upload_accounts"), {"file": file})
    assert len(preview.context["preview"].good) == 402
    assert not Account.objects.filter(username="yl-001").exists()

    slips = client.post(reverse("bureau:confirm_accounts"), {"sealed": preview.context["sealed"]})
    assert len(slips.context["slips"]) == 402
    assert Account.objects.get(username="yl-400").check_password(slips.context["slips"][399].password)
    assert slips.content.decode().count('class="slip"') == 402

    again = client.post(reverse("bureau:confirm_accounts"), {"sealed": preview.context["sealed"]})
    assert again.status_code == 302 and Account.objects.filter(username__startswith="yl-").count() == 402


def test_downloaded_workbook_lists_the_schools_without_a_clerk_and_is_understood_when_filled_in(
    client, world, district_school
):
    AccountFactory(role=Role.SCHOOL_CLERK, at=world.center_school)
    client.force_login(district_school)
    book = load_workbook(BytesIO(client.get(reverse("bureau:accounts_workbook")).content))
    page = book.worksheets[0]
    lines = [row for row in page.iter_rows() if row[0].value == f"{world.school.code}-jb"]
    assert len(lines) == 1 and not any(
        row[3].value in (world.center_school.code, world.other_school.code) for row in page
    )
    lines[0][1].value = "张三"
    file = SimpleUploadedFile("账号.xlsx", b"")
    book.save(file)
    file.seek(0)

    preview = client.post(reverse("bureau:upload_accounts"), {"file": file}).context["preview"]

    assert [(line.username, line.role, line.place) for line in preview.good] == [
        (f"{world.school.code}-jb", Role.SCHOOL_CLERK, world.school)
    ]


def test_faulty_rows_are_named_and_the_others_can_be_opened(client, world, administrator):
    AccountFactory(username="yl-old")
    client.force_login(administrator)
    file = workbook(
        ("yl-1", "甲一", "学校经办人", world.school.code),
        ("yl-old", "甲二", "学校经办人", world.school.code),
        ("yl-3", "甲三", "班主任", world.school.code),
        ("yl-4", "甲四", "校长", "3599999999"),
        ("yl-5", "甲五", "乡镇干部", world.school.code),
        ("990101201501010014", "甲六", "局领导", None),
    )

    preview = client.post(reverse("bureau:upload_accounts"), {"file": file}).context["preview"]

    assert [line.row for line in preview.good] == [2]
    assert {line.row for line in preview.bad} | {problem.row for problem in preview.problems} == {
        3,
        4,
        5,
        6,
        7,
    }


def test_workbook_of_a_district_school_reaches_its_own_schools_only(client, world, district_school):
    client.force_login(district_school)
    file = workbook(
        ("yl-1", "甲一", "学校经办人", world.school.code),
        ("yl-2", "甲二", "学校经办人", world.other_school.code),
        ("yl-3", "甲三", "局领导", None),
    )

    preview = client.post(reverse("bureau:upload_accounts"), {"file": file}).context["preview"]

    assert [line.username for line in preview.good] == ["yl-1"]


def test_preview_of_somebody_else_or_a_forged_one_opens_nothing(
    client, world, administrator, district_school
):
    from bureau.access import workbook as workbooks

    line = workbooks.Line(2, "yl-1", "甲一", Role.SCHOOL_CLERK, world.school.code, "")
    client.force_login(district_school)
    for sealed in (workbooks.seal([line], by=administrator), "forged", ""):
        client.post(reverse("bureau:confirm_accounts"), {"sealed": sealed})

    assert not Account.objects.filter(username="yl-1").exists()


@pytest.mark.parametrize("content", [b"", b"not a workbook", b"PK\x03\x04broken"])
def test_file_that_is_no_workbook_is_answered_in_words(client, world, administrator, content):
    client.force_login(administrator)

    response = client.post(
        reverse("bureau:upload_accounts"), {"file": SimpleUploadedFile("账号.xlsx", content)}
    )

    assert response.status_code == 200 and response.context["form"].errors["file"]


# The rights table


def boxes(client):
    form = client.get(reverse("bureau:rights")).context["form"]
    return {name: "on" for name, field in form.fields.items() if field.initial}


def test_right_given_by_the_administrator_holds_from_the_next_click(
    client, world, administrator, school_clerk
):
    client.force_login(administrator)
    client.post(reverse("bureau:rights"), boxes(client) | {"school_clerk:accounts.view": "on"})

    client.force_login(school_clerk)

    assert client.get(reverse("bureau:accounts")).status_code == 200
    event = AuditEvent.objects.get(verb="access.rights_changed")
    assert event.detail == {"role": "school_clerk", "given": ["accounts.view"], "taken": []}


def test_administrator_can_neither_lock_himself_out_nor_make_himself_the_auditor(
    client, world, administrator
):
    client.force_login(administrator)
    given = boxes(client)
    for name in [name for name in given if name.startswith("administrator:")]:
        del given[name]

    client.post(
        reverse("bureau:rights"), given | {"administrator:audit.view": "on", "auditor:accounts.edit": "on"}
    )

    rights = RoleRights.objects.by_role(world.county.pk)
    assert {"rights.edit", "accounts.edit"} <= rights[Role.ADMINISTRATOR]
    assert "audit.view" not in rights[Role.ADMINISTRATOR] and "accounts.edit" not in rights[Role.AUDITOR]


def test_saving_the_table_unchanged_stores_and_audits_nothing(client, world, administrator):
    client.force_login(administrator)

    client.post(reverse("bureau:rights"), boxes(client))

    assert not RoleRights.objects.exists()
    assert not AuditEvent.objects.filter(verb="access.rights_changed").exists()
