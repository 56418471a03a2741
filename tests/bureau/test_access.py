"""Logging in and out: lock-out, one-time passwords, safe redirects, sessions that end, and rights that end with them."""

import time
from datetime import date

import pytest
from axes.models import AccessAttempt
from django.conf import settings
from django.test import Client
from django.urls import reverse

from bureau.access.models import Account, RoleRights
from bureau.access.roles import ALWAYS, DEFAULT_RIGHTS, NEVER, RIGHTS, Role
from bureau.access.routes import path
from bureau.audit import AuditEvent
from tests.factories import PASSWORD, AccountFactory, AssignmentFactory, SchoolFactory

NEW_PASSWORD = "Cloud-Ridge-2026"


def log_in(client, account, password=PASSWORD, **extra):
    return client.post(reverse("bureau:login"), {"username": account.username, "password": password} | extra)


def test_account_logs_in_and_lands_on_the_desk(client, school_clerk):
    response = log_in(client, school_clerk)

    assert response.status_code == 302 and response.url == reverse("bureau:desk")
    assert client.get(response.url).status_code == 200


def test_wrong_password_and_unknown_account_get_the_same_answer(client, school_clerk):
    wrong = log_in(client, school_clerk, "wrong").context["form"].non_field_errors()
    unknown = client.post(reverse("bureau:login"), {"username": "nobody", "password": "x"})

    assert wrong == unknown.context["form"].non_field_errors() and "锁定" in wrong[0]


@pytest.mark.parametrize(
    ("asked", "goes"),
    [("/organisation/", "/organisation/"), ("https://evil.example/", "/"), ("//evil.example", "/")],
)
def test_login_goes_on_to_pages_of_this_site_only(client, school_clerk, asked, goes):
    assert log_in(client, school_clerk, next=asked).url == goes


def test_sixth_attempt_is_locked_out_even_with_the_right_password(client, school_clerk):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(client, school_clerk, "wrong")

    response = log_in(client, school_clerk)

    assert response.status_code == 429
    assert "15 分钟后自动解锁" in response.content.decode()


def test_lock_out_of_one_does_not_touch_the_others_behind_the_same_address(
    client, world, school_clerk, school_head
):
    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(client, school_clerk, "wrong")

    assert log_in(Client(), school_head).status_code == 302


def test_reset_password_lifts_the_lock(client, world, administrator, school_clerk):
    from bureau.access import actions

    for _ in range(settings.AXES_FAILURE_LIMIT):
        log_in(client, school_clerk, "wrong")
    slip = actions.reset_passwords(accounts=[school_clerk], by=administrator)[0]

    assert not AccessAttempt.objects.filter(username=school_clerk.username).exists()
    assert log_in(client, school_clerk, slip.password).status_code == 302


def test_session_key_changes_at_login(client, school_clerk):
    client.get(reverse("bureau:login"))
    client.session.save()
    before = client.session.session_key

    log_in(client, school_clerk)

    assert client.session.session_key != before


def test_logout_takes_a_post_and_ends_the_session(client, school_clerk):
    client.force_login(school_clerk)
    stolen = Client()
    stolen.cookies = client.cookies.copy()

    assert client.get(reverse("bureau:logout")).status_code == 405
    client.post(reverse("bureau:logout"))

    assert stolen.get(reverse("bureau:desk")).status_code == 302


# One-time passwords


def test_first_login_leads_to_the_password_page_and_nowhere_else(client, world):
    account = AccountFactory(role=Role.SCHOOL_CLERK, at=world.school, must_change_password=True)
    client.force_login(account)

    for page in ("bureau:desk", "bureau:organisation"):
        assert client.get(reverse(page)).url == reverse("bureau:change_password")
    assert "首次登录" in client.get(reverse("bureau:change_password")).content.decode()


def test_changed_password_opens_the_product_and_closes_other_sessions(client, world):
    account = AccountFactory(role=Role.SCHOOL_CLERK, at=world.school, must_change_password=True)
    client.force_login(account)
    elsewhere = Client()
    elsewhere.force_login(account)

    fields = {"old_password": PASSWORD, "new_password1": NEW_PASSWORD, "new_password2": NEW_PASSWORD}
    assert client.post(reverse("bureau:change_password"), fields).url == reverse("bureau:desk")

    assert client.get(reverse("bureau:desk")).status_code == 200
    assert elsewhere.get(reverse("bureau:desk")).status_code == 302
    assert Account.objects.get(pk=account.pk).check_password(NEW_PASSWORD)
    assert AuditEvent.objects.get(verb="access.password_changed").by == account


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", NEW_PASSWORD, NEW_PASSWORD, "old_password"),
        (PASSWORD, NEW_PASSWORD, "Another-2026-one", "new_password2"),
        (PASSWORD, "Short-2026", "Short-2026", "new_password2"),
        (PASSWORD, "onlysmallletters", "onlysmallletters", "new_password2"),
        (PASSWORD, "202608312026", "202608312026", "new_password2"),
    ],
    ids=["old one wrong", "not the same twice", "too short", "one kind of character", "digits only"],
)
def test_password_is_refused_next_to_the_field(client, school_clerk, old, new, again, field):
    client.force_login(school_clerk)

    response = client.post(
        reverse("bureau:change_password"), {"old_password": old, "new_password1": new, "new_password2": again}
    )

    assert field in response.context["form"].errors
    assert Account.objects.get(pk=school_clerk.pk).check_password(PASSWORD)


def test_one_time_hash_is_replaced_by_the_preferred_one_at_the_first_login(client, world, administrator):
    from bureau.access import actions

    slip = actions.create_account(
        county=world.county, username="yl-new", display_name="张三", role=Role.SUPERVISOR, by=administrator
    )
    assert slip.account.password.startswith("pbkdf2_sha256$")

    log_in(client, slip.account, slip.password)

    assert Account.objects.get(pk=slip.account.pk).password.startswith(
        "md5$"
    )  # the preferred one of the suite


# Sessions and rights that end


@pytest.mark.parametrize(
    ("key", "seconds"),
    [("seen_at", settings.SESSION_IDLE_SECONDS), ("began_at", settings.SESSION_COOKIE_AGE)],
)
@pytest.mark.parametrize(("beyond", "status"), [(-5, 200), (5, 302)], ids=["just before", "just after"])
def test_session_ends_after_idling_and_after_twelve_hours(client, school_clerk, key, seconds, beyond, status):
    client.force_login(school_clerk)
    session = client.session
    session["seen_at"] = session["began_at"] = int(time.time())
    session[key] = int(time.time()) - seconds - beyond
    session.save()

    assert client.get(reverse("bureau:desk")).status_code == status


def test_right_taken_away_is_gone_with_the_next_click(client, world, school_head):
    client.force_login(school_head)
    assert client.get(reverse("bureau:accounts")).status_code == 200

    rights = DEFAULT_RIGHTS[Role.SCHOOL_HEAD] - {"accounts.view"}
    RoleRights.objects.create(county=world.county, role=Role.SCHOOL_HEAD, rights=sorted(rights))

    assert client.get(reverse("bureau:accounts")).status_code == 403


def test_account_without_assignment_is_told_so_and_can_still_leave(client, world):
    client.force_login(AccountFactory(role=None))

    assert client.get(reverse("bureau:desk")).status_code == 403
    assert client.get(reverse("bureau:change_password")).status_code == 200
    assert client.post(reverse("bureau:logout")).status_code == 302


def test_place_decides_what_is_seen_and_no_place_is_nobody(world):
    inspector_without_place = AccountFactory(role=Role.INSPECTOR)
    scope = inspector_without_place.scope

    assert not scope.whole_county and not scope.schools and not scope.townships


def test_assignment_that_begins_tomorrow_gives_nothing_today(world):
    account = AccountFactory(role=None)
    AssignmentFactory(account=account, role=Role.SUPERVISOR, valid_from=date(2999, 1, 1))

    assert not account.scope.rights and not account.scope.whole_county


# What the table of roles promises


def test_fixed_rights_contradict_neither_each_other_nor_the_defaults():
    for role in Role:
        always = ALWAYS.get(role, frozenset())
        assert not always & NEVER[role] and always <= DEFAULT_RIGHTS[role] <= RIGHTS.keys()
        assert not DEFAULT_RIGHTS[role] & NEVER[role]


def test_path_with_an_unknown_right_cannot_be_declared():
    with pytest.raises(KeyError):
        path("x/", lambda request: None, right="students.see", name="x")


@pytest.mark.parametrize(("status", "url"), [(404, "/nowhere/"), (403, "/rights/")])
def test_error_page_speaks_chinese_in_the_frame(client, school_clerk, status, url):
    client.force_login(school_clerk)

    response = client.get(url)

    assert response.status_code == status
    assert "回到首页" in response.content.decode() and url not in response.content.decode()


def test_failed_page_answers_without_a_database_or_a_user(rf):
    from django.views.defaults import bad_request, server_error

    assert "系统出错了" in server_error(rf.get("/")).content.decode()
    assert "请求不完整" in bad_request(rf.get("/"), None).content.decode()


@pytest.mark.django_db
def test_a_right_is_exercised_only_where_the_assignment_that_carries_it_holds():
    school = SchoolFactory()
    county, account = school.county, AccountFactory(county=school.county)
    account.assignments.all().delete()
    account.assignments.create(county=county, role=Role.SUPERVISOR, valid_from=date(2026, 1, 1))
    account.assignments.create(county=county, role=Role.SCHOOL_CLERK, school=school, valid_from=date(2026, 1, 1))

    assert account.scope.whole_county
    account.acting_right = "rosters.upload"
    assert not account.scope.whole_county
    assert account.scope.schools == {school.pk}
