"""The second factor: set up, asked for at log-in and before full numbers, never accepted twice, locked by guessing."""

import pyotp
import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from bureau.access import second_factor
from bureau.access.models import SecondFactor
from bureau.access.second_factor import WrongCode
from bureau.audit import AuditEvent
from tests.factories import PASSWORD

NOON = 1_790_000_010  # the middle of a step
SETUP, CODE, AGAIN = "bureau:second_factor", "bureau:login_code", "bureau:code_again"


@pytest.fixture
def clock(monkeypatch):
    """The seconds this module reads; `clock.now` moves them."""

    class Clock:
        now = NOON

    monkeypatch.setattr(second_factor.time, "time", lambda: Clock.now)
    return Clock


def code_of(account, at: int) -> str:
    return pyotp.TOTP(second_factor.secret(account.second_factor)).at(at)


@pytest.fixture
def protected(clock, aid_officer):
    """An aid officer with a factor in use, and his recovery codes."""
    second_factor.begin(account=aid_officer)
    aid_officer.codes = second_factor.confirm(account=aid_officer, code=code_of(aid_officer, NOON))
    clock.now += 60
    return aid_officer


def half_in(account) -> Client:
    client = Client()
    answer = client.post(reverse("bureau:login"), {"username": account.username, "password": PASSWORD})
    assert answer.status_code == 302 and answer.url == reverse(CODE)
    return client


def test_password_alone_opens_nothing(protected):
    client = half_in(protected)

    assert client.get(reverse("bureau:desk")).url.startswith(reverse("bureau:login"))
    assert client.get(reverse(CODE)).status_code == 200


def test_code_of_this_moment_logs_in_once(protected, clock):
    code = code_of(protected, clock.now)

    answer = half_in(protected).post(reverse(CODE), {"code": code})
    again = half_in(protected).post(reverse(CODE), {"code": code})

    assert answer.status_code == 302 and answer.url == reverse("bureau:desk")
    assert again.status_code == 200 and "已经用过" in again.content.decode()


@pytest.mark.parametrize(("steps", "accepted"), [(-2, False), (-1, True), (1, True), (2, False)])
def test_telephone_may_be_one_step_off(protected, clock, steps, accepted):
    clock.now += 90
    code = code_of(protected, clock.now + steps * second_factor.STEP_SECONDS)

    answer = half_in(protected).post(reverse(CODE), {"code": code})

    assert (answer.status_code == 302) is accepted


def test_recovery_code_logs_in_once_and_is_told_to_the_audit(protected):
    first = half_in(protected).post(reverse(CODE), {"code": protected.codes[0].upper()})
    again = half_in(protected).post(reverse(CODE), {"code": protected.codes[0]})

    assert first.status_code == 302 and again.status_code == 200
    assert len(SecondFactor.objects.get().recovery) == second_factor.RECOVERY_CODES - 1
    assert AuditEvent.objects.filter(verb="access.factor_recovery_used").count() == 1


def test_five_wrong_codes_lock_even_the_right_one_for_a_quarter_of_an_hour(protected, clock):
    client = half_in(protected)
    for _ in range(second_factor.MOST_FAILURES):
        client.post(reverse(CODE), {"code": "000000"})

    locked = client.post(reverse(CODE), {"code": code_of(protected, clock.now)})
    SecondFactor.objects.update(locked_until=timezone.now())
    open_again = client.post(reverse(CODE), {"code": code_of(protected, clock.now)})

    assert "15 分钟后" in locked.content.decode() and open_again.status_code == 302


@pytest.mark.parametrize("code", ["", "12345", "１２３４５６", "abcdef", "9" * 20])
def test_what_is_no_code_is_refused_in_words(protected, code):
    answer = half_in(protected).post(reverse(CODE), {"code": code})

    assert answer.status_code == 200 and answer.context["form"].errors


def test_half_way_ends_after_five_minutes_and_with_a_new_password(protected, clock, monkeypatch):
    late, reset = half_in(protected), half_in(protected)
    protected.set_password("Another-2026-word")
    protected.save()
    assert reset.post(reverse(CODE), {"code": code_of(protected, clock.now)}).url == reverse("bureau:login")

    clock.now += 301
    assert late.post(reverse(CODE), {"code": code_of(protected, clock.now)}).url == reverse("bureau:login")
    assert Client().get(reverse(CODE)).url == reverse("bureau:login")


def test_setting_up_shows_the_secret_until_the_first_code_and_the_recovery_codes_once(
    client, clock, school_head
):
    client.force_login(school_head)
    client.post(reverse(SETUP), {"do": "begin"})
    shown = client.get(reverse(SETUP)).content.decode()
    secret = second_factor.secret(SecondFactor.objects.get())
    assert secret in shown and SecondFactor.objects.get().secret != secret.encode()

    wrong = client.post(reverse(SETUP), {"do": "confirm", "code": "000000"})
    assert not wrong.context["codes"] and second_factor.confirmed(school_head) is None

    done = client.post(reverse(SETUP), {"do": "confirm", "code": pyotp.TOTP(secret).at(clock.now)})
    assert len(done.context["codes"]) == second_factor.RECOVERY_CODES
    after = client.get(reverse(SETUP)).content.decode()
    assert secret not in after and done.context["codes"][0] not in after
    client.post(reverse(SETUP), {"do": "begin"})  # a secret in use is not exchanged by a button
    assert second_factor.secret(SecondFactor.objects.get()) == secret


def test_new_recovery_codes_end_the_old_ones(protected, clock):
    fresh = second_factor.renew_recovery(account=protected)

    second_factor.verify(account=protected, code=fresh[0])
    with pytest.raises(WrongCode):
        second_factor.verify(account=protected, code=protected.codes[0])


@pytest.mark.parametrize(
    ("setting", "role", "sent"),
    [
        ("off", "aid_officer", False),
        ("bureau", "aid_officer", True),
        ("bureau", "school_head", True),
        ("bureau", "township_officer", True),
        ("bureau", "inspector", True),
        ("bureau", "school_clerk", False),
        ("everyone", "school_clerk", True),
    ],
)
def test_whom_the_setting_sends_to_set_it_up_before_anything_else(
    client, world, settings, setting, role, sent
):
    settings.SECOND_FACTOR = setting
    client.force_login(world.account(role))

    answer = client.get(reverse("bureau:desk"))

    assert (answer.status_code == 302) is sent
    assert client.get(reverse(SETUP)).status_code == 200
    assert client.post(reverse("bureau:logout")).status_code == 302


def test_required_factor_cannot_be_given_up_by_its_owner(client, settings, protected, clock):
    settings.SECOND_FACTOR = "bureau"
    client.force_login(protected)

    client.post(reverse(SETUP), {"do": "remove", "code": code_of(protected, clock.now)})

    assert second_factor.confirmed(protected)
    settings.SECOND_FACTOR = "off"
    client.post(reverse(SETUP), {"do": "remove", "code": code_of(protected, clock.now)})
    assert second_factor.confirmed(protected) is None


def test_full_numbers_ask_for_the_code_again_after_five_minutes(client, protected, clock):
    client.force_login(protected)  # long ago, with a code nobody remembers
    template = reverse("students:filled_template")

    asked = client.get(template + "?term=x")
    assert asked.status_code == 302 and asked.url.startswith(reverse(AGAIN)) and "term%3Dx" in asked.url
    answer = client.post(asked.url, {"code": code_of(protected, clock.now), "next": template})
    assert answer.url == template
    assert not client.get(template).get("Location", "").startswith(reverse(AGAIN))
    clock.now += second_factor.FRESH_SECONDS + 1
    assert client.get(template).url.startswith(reverse(AGAIN))


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "javascript:alert(1)"])
def test_code_again_leads_to_pages_of_this_site_only(client, protected, clock, elsewhere):
    client.force_login(protected)

    answer = client.post(reverse(AGAIN), {"code": code_of(protected, clock.now), "next": elsewhere})

    assert answer.url == reverse("bureau:desk")


def test_lost_telephone_is_helped_by_whoever_looks_after_the_account(
    client, protected, administrator, school_clerk
):
    url = reverse("bureau:reset_second_factor", args=[protected.pk])
    client.force_login(school_clerk)
    assert client.post(url).status_code == 403
    client.force_login(administrator)
    assert "解除二次验证" in client.get(reverse("bureau:account", args=[protected.pk])).content.decode()

    client.post(url)
    client.post(url)  # pressed twice

    assert second_factor.confirmed(protected) is None
    assert AuditEvent.objects.filter(verb="access.factor_removed").count() == 1
