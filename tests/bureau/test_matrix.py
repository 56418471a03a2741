"""Every URL × every role and stranger × own, foreign and absent objects, generated from the URLconf.

A new page needs nothing here: its right stands where its path is declared, its objects in tests/samples.py.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection, transaction
from django.test import Client
from django.urls import reverse

from bureau.access.models import Account, RoleRights
from bureau.access.roles import RIGHTS, Role
from bureau.access.routes import ANYBODY, LOGGED_IN, TOKEN
from bureau.access.table import Page, as_markdown, pages
from tests.factories import AccountFactory
from tests.samples import SAMPLES, Sample

PAGES = [page for page in pages() if page.right != TOKEN]
FOR_SYSTEMS = [
    page for page in pages() if page.right == TOKEN
]  # no account opens them; tests/students/api asks with tokens
BEFORE_LOGIN = {
    "bureau:login": "strangers log in here",
    "bureau:login_code": "the second half of logging in; without the first it leads there",
    "bureau:healthz": "a load balancer asks; it tells nothing but that the database answers",
}
UNSAFE = ("post", "put", "patch", "delete")
NOBODY = "nobody"  # has an account, but no assignment today

# What a page may write while it is only looked at: who looked or took a copy, and the session's own clock.
LOOKING = re.compile(r'"(bureau_accesslog|bureau_accesslogchild|bureau_auditevent|django_session)"')
WRITES = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|ALTER|DROP|CREATE|TRUNCATE)", re.IGNORECASE)


def thoroughly(roles: Iterable[str], *, at_once: Iterable[str]) -> list:
    """Every role, the ones not tried `at_once` in the slow tier: each of them opens every page there is."""
    return [role if role in at_once else pytest.param(role, marks=pytest.mark.slow) for role in roles]


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Ten thousand refusals are the subject here; to write each down with its traceback takes a third of the time."""
    logging.disable(logging.WARNING)
    yield
    logging.disable(logging.NOTSET)


def test_every_page_declares_a_known_right():
    undeclared = [page.route for page in PAGES if page.right not in {*RIGHTS, ANYBODY, LOGGED_IN}]
    assert not undeclared, "declare them with bureau.access.routes.path(…, right=…)"


def test_every_page_has_a_name_of_its_own():
    assert len({page.name for page in PAGES}) == len(PAGES)


def test_pages_before_login_are_exactly_those_with_a_reason():
    assert {page.name for page in PAGES if page.right == ANYBODY} == set(BEFORE_LOGIN)


def test_every_page_with_arguments_has_its_sample_and_no_sample_is_left_over():
    assert {page.name for page in PAGES if page.arguments} == set(SAMPLES)


def test_guide_of_rights_is_up_to_date():
    guide = settings.ROOT / "docs/guide/rights.md"
    assert guide.read_text(encoding="utf-8") == as_markdown(), "run: python3 manage.py write_rights_guide"


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AID_OFFICER, None])
def test_no_account_opens_what_is_for_systems(world, role):
    client, surprises = Client(), []
    if role:
        client.force_login(world.account(role))
    for number, page in enumerate(FOR_SYSTEMS):  # from an address each: strangers are slowed down
        url = reverse(page.name, kwargs=dict.fromkeys(page.arguments, str(UUID(int=7))))
        for method in ("get", "head", "options", *UNSAFE):
            response = getattr(client, method)(url, REMOTE_ADDR=f"10.0.0.{number}")
            if response.status_code != 401 or response.headers["WWW-Authenticate"] != "Bearer":
                surprises.append((method, url, response.status_code))
    assert FOR_SYSTEMS and not surprises


@pytest.mark.parametrize(
    "role", thoroughly([*Role.values, NOBODY], at_once=[Role.AID_OFFICER, Role.SCHOOL_CLERK, NOBODY])
)
def test_page_opens_for_those_with_its_right_and_shows_only_what_is_theirs(world, role):
    account = AccountFactory(role=None) if role == NOBODY else world.account(role)
    visitor = Visitor(account)
    for page in PAGES:
        sample = sample_for(page, world, account)
        if page.right in (ANYBODY, LOGGED_IN):
            visitor.expects_no_refusal(page)
        elif account.may(page.right):
            visitor.expects_own(page, sample)
            visitor.expects_404_for_foreign(page, sample)
        else:
            visitor.expects_403(page, sample)
            if role == NOBODY:  # whose refusals are those of every page
                visitor.expects_no_difference_between_foreign_and_absent(page, sample, also=(403,))
    assert not visitor.surprises, visitor.told()


# One role of each kind of place: with every right, it reaches whatever any role of that place reaches.
@pytest.mark.parametrize(
    "role",
    thoroughly(
        [Role.SUPERVISOR, Role.TOWNSHIP_OFFICER, Role.INSPECTOR, Role.DISTRICT_SCHOOL, Role.SCHOOL_CLERK],
        at_once=[Role.TOWNSHIP_OFFICER],
    ),
)
def test_no_combination_of_rights_opens_a_foreign_object(world, role):
    RoleRights.objects.create(county=world.county, role=role, rights=list(RIGHTS))
    account = world.account(role)
    visitor = Visitor(account)
    for page in PAGES:
        if page.arguments:
            visitor.expects_no_difference_between_foreign_and_absent(
                page, sample_for(page, world, account), also=(403,)
            )
    assert not visitor.surprises, visitor.told()


@pytest.mark.parametrize("role", thoroughly([Role.ADMINISTRATOR, Role.SCHOOL_CLERK], at_once=[]))
def test_unusual_methods_open_nothing_either(world, role):
    RoleRights.objects.create(county=world.county, role=role, rights=list(RIGHTS))
    account = world.account(role)
    visitor = Visitor(account)
    for page in PAGES:
        if page.arguments:
            visitor.expects_no_difference_between_foreign_and_absent(
                page,
                sample_for(page, world, account),
                also=(403,),
                methods=("head", "put", "patch", "delete"),
            )
    assert not visitor.surprises, visitor.told()


def test_stranger_is_sent_to_the_login_page_whatever_he_asks_for(world):
    account, client, surprises = world.account(Role.SUPERVISOR), Client(), []
    for page in PAGES:
        sample = sample_for(page, world, account)
        for arguments in (sample.own, sample.foreign, absent(sample)) if page.right != ANYBODY else ():
            if arguments is None:
                continue
            url = reverse(page.name, kwargs=arguments)
            for method in ("get", "head", *UNSAFE):
                response = getattr(client, method)(url)
                if response.status_code != 302 or not response.url.startswith(reverse("bureau:login")):
                    surprises.append((method, url, response.status_code))
    assert not surprises


def test_nothing_is_changed_without_a_token(world):
    account = world.account(Role.ADMINISTRATOR)
    client, surprises = Client(enforce_csrf_checks=True), []
    client.force_login(account)
    for page in PAGES:
        sample = sample_for(page, world, account)
        arguments = sample.own or sample.foreign
        for method in UNSAFE if arguments is not None else ():
            status = getattr(client, method)(reverse(page.name, kwargs=arguments)).status_code
            if status != 403:
                surprises.append((method, page.name, status))
    assert not surprises


def sample_for(page: Page, world, account: Account) -> Sample:
    if not page.arguments:
        return Sample({}, None)
    return SAMPLES[page.name](world, account)


def absent(sample: Sample) -> dict | None:
    """Arguments that name nothing at all."""
    like = sample.foreign
    if like is None:
        return None
    return {name: UUID(int=7) if isinstance(value, UUID) else 2**40 for name, value in like.items()}


class Visitor:
    """One logged-in account that tries pages and notes what it did not expect."""

    def __init__(self, account: Account):
        self.client, self.account, self.surprises = Client(raise_request_exception=True), account, []
        self.client.force_login(account)

    def expects_no_refusal(self, page: Page) -> None:
        self._note(page, "get", self._ask("get", page, {}), (200, 302, 405))

    def expects_own(self, page: Page, sample: Sample) -> None:
        if sample.own is None:
            return
        with nothing_written(page):
            response = self._ask("get", page, sample.own)
        self._note(page, "get", response, (200, 302, 405))
        if response.status_code == 405:
            with transaction.atomic():  # a page of one button: pressed, and taken back
                self._note(page, "post", self._ask("post", page, sample.own), (200, 302, 400))
                transaction.set_rollback(True)
        self.client.cookies.pop("messages", None)  # else the next page says what was done
        if "no-store" not in response.headers.get("Cache-Control", ""):
            self.surprises.append((page.name, "may be cached"))

    def expects_404_for_foreign(self, page: Page, sample: Sample) -> None:
        """What else may not differ, the accounts with all rights show."""
        if sample.foreign is not None:
            self._note(page, "get foreign", self._ask("get", page, sample.foreign), (404, 405))

    def expects_no_difference_between_foreign_and_absent(
        self, page: Page, sample: Sample, also=(), methods=("get", "post")
    ) -> None:
        if sample.foreign is None:
            return
        for method in methods:
            foreign, nothing = (
                self._ask(method, page, sample.foreign),
                self._ask(method, page, absent(sample)),
            )
            self._note(page, f"{method} foreign", foreign, (404, 405, *also))
            if _told(foreign) != _told(nothing):
                self.surprises.append((page.name, method, "foreign and absent differ"))

    def expects_403(self, page: Page, sample: Sample) -> None:
        here = sample.own if sample.own is not None else sample.foreign
        self._note(page, "get", self._ask("get", page, here), (403,))
        self._note(page, "post", self._ask("post", page, here), (403,))

    def told(self) -> str:
        return "\n".join(map(str, self.surprises))

    def _ask(self, method: str, page: Page, arguments: dict):
        return getattr(self.client, method)(reverse(page.name, kwargs=arguments))

    def _note(self, page: Page, what: str, response, expected: tuple[int, ...]) -> None:
        if response.status_code not in expected:
            self.surprises.append((page.name, what, response.status_code))


def _told(response) -> tuple:
    """What an answer tells, without what differs from one moment to the next: token, clock, length."""
    body = b"" if response.streaming else response.content
    text = re.sub(
        r'("csrfmiddlewaretoken" value=|X-CSRFToken": )"[^"]+"|打印于[^<]+',
        "",
        body.decode("utf-8", "replace"),
    )
    headers = {name: value for name, value in response.headers.items() if name != "Content-Length"}
    return response.status_code, tuple(sorted(headers.items())), text


@contextmanager
def nothing_written(page: Page):
    """Fails when a request inside writes anything but who looked."""

    def watch(execute, sql, params, many, context):
        assert not WRITES.match(sql) or LOOKING.search(sql), f"{page.name} writes on GET: {sql[:120]}"
        return execute(sql, params, many, context)

    with connection.execute_wrapper(watch):
        yield
