"""The auditor's pages: what was done, who looked at which child, and whether the log is whole."""

import ast
import inspect
from datetime import UTC, date, datetime
from types import FunctionType

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver, reverse

from bureau import audit, jobs, secrecy
from bureau.access import actions
from bureau.access.roles import Role
from bureau.access.table import pages
from bureau.audit import AccessLog, AuditEvent, guards, tasks, views
from bureau.audit.models import AccessLogChild
from bureau.audit.verbs import DETAILS, PAGES, VERBS
from bureau.jobs import Job
from bureau.keys import uuid7
from students.models import Identifier
from tests.factories import AccountFactory
from tests.samples import student_at

ROOMS = ("bureau", "students", "subsidies", "dropout", "inspections")
CITIZEN_ID = "99010120160501124X"
AUDIT, LOOKS, CHECK = (reverse(f"bureau:{name}") for name in ("audit", "access_log", "check_log"))


@pytest.fixture
def auditor_client(client, auditor, home):
    client.force_login(auditor)
    return client


@pytest.fixture
def child(school):
    """A child with a citizen ID."""
    child, key = student_at(school), uuid7()
    Identifier.objects.create(
        id=key, county=child.county, person=child.person, kind=Identifier.Kind.CITIZEN_ID,
        sealed=secrecy.seal(CITIZEN_ID, field="citizen_id", value_id=key),
        index=secrecy.blind(CITIZEN_ID, field="citizen_id"),
    )  # fmt: skip
    return child


def seen(account, *children, at=datetime(2026, 11, 20, 4, tzinfo=UTC), view="students:student", reason=""):
    log = AccessLog.objects.create(
        at=at, by=account, county=account.county, method="GET", view=view, path="/", reason=reason,
        count=len(children),
    )  # fmt: skip
    AccessLogChild.objects.bulk_create(AccessLogChild(log=log, student_id=one.pk) for one in children)
    return log


def text_of(response) -> str:
    assert response.status_code == 200
    return response.content.decode()


# The words.


def given_for(keyword: str, call: ast.Call, function: ast.AST) -> list[ast.AST]:
    """What the call gives for a keyword; a name is followed to what the function assigned to it."""
    given = [k.value for k in call.keywords if k.arg == keyword]
    if given and isinstance(given[0], ast.Name):
        name = given[0].id
        return [
            node.value
            for node in ast.walk(function)
            if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == name for t in node.targets)
        ]
    return given


def recordings():
    """Every call of audit.record in the product, with the function around it."""
    for room in ROOMS:
        for path in sorted((settings.ROOT / room).rglob("*.py")):
            for function in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if not isinstance(function, ast.FunctionDef):
                    continue
                for call in ast.walk(function):
                    if isinstance(call, ast.Call) and ast.unparse(call.func) in ("audit.record", "record"):
                        yield call, function, f"{path.name}:{call.lineno}"


def test_every_verb_that_is_recorded_has_its_word():
    used, unread = set(), []
    for call, function, place in recordings():
        verbs = {
            part.value
            for given in given_for("verb", call, function)
            for part in ([given.body, given.orelse] if isinstance(given, ast.IfExp) else [given])
            if isinstance(part, ast.Constant)
        }
        used |= verbs
        if not verbs:
            unread.append(place)

    assert not unread, "the verb is not written where it is recorded"
    assert len(used) > 30
    assert used <= VERBS.keys()


def test_every_figure_that_is_recorded_has_its_word():
    keys = {
        key.value
        for call, function, _ in recordings()
        for given in given_for("detail", call, function)
        for node in ast.walk(given)
        if isinstance(node, ast.Dict)
        for key in node.keys
        if isinstance(key, ast.Constant)
    }

    assert len(keys) > 15
    assert keys <= DETAILS.keys()


def shows_children(view: FunctionType) -> bool:
    """Whether the view, or a function of its module that it names, says audit.saw."""
    waiting, done = [inspect.unwrap(view)], set()
    while waiting:
        function = waiting.pop()
        if function in done:
            continue
        done.add(function)
        if "saw" in function.__code__.co_names:
            return True
        near = (function.__globals__.get(name) for name in function.__code__.co_names)
        waiting += [f for f in near if isinstance(f, FunctionType) and f.__module__ == function.__module__]
    return False


def test_every_page_that_shows_children_has_its_word():
    names = {page.name for page in pages()}
    views_of = {
        f"{namespace}:{pattern.name}": pattern.callback
        for resolver in get_resolver().url_patterns
        for namespace in [resolver.namespace or resolver.app_name]
        for pattern in resolver.url_patterns
    }
    assert names == views_of.keys()

    showing = {name for name, view in views_of.items() if shows_children(view)}

    assert "students:student" in showing and "bureau:desk" not in showing
    assert showing <= PAGES.keys()


# 操作日志.


def test_row_tells_who_what_and_how_many_in_the_offices_words(auditor_client, aid_officer, county):
    person = AccountFactory(role=Role.SUPERVISOR, display_name="马小兰")
    audit.record(
        by=aid_officer, verb="access.account_created", subject=person, detail={"role": "school_clerk"}
    )
    audit.record(
        by=None, verb="organisation.imported", subject=county, detail={"townships": 12, "schools": 1300}
    )

    text = text_of(auditor_client.get(AUDIT))

    assert "开设账号" in text and "账号：马小兰" in text and "角色 <b>学校经办人</b>" in text
    assert "导入机构" in text and "县（区）：云岭县" in text and "学校 <b>1,300</b>" in text
    assert "系统" in text and str(aid_officer) in text
    assert "school_clerk" not in text and ">access.account_created" not in text


def test_child_is_not_named(auditor_client, aid_officer, child):
    audit.record(
        by=aid_officer, verb="students.number_revealed", subject=child, detail={"field": "citizen_id"}
    )

    text = text_of(auditor_client.get(AUDIT))

    assert "查看完整号码" in text and "号码 <b>公民身份号码</b>" in text
    assert child.person.name not in text


def test_seal_is_shown(auditor_client, aid_officer):
    audit.record(by=aid_officer, verb="students.exported")
    assert "待封存" in text_of(auditor_client.get(AUDIT))

    audit.seal()

    assert "第 1 号" in text_of(auditor_client.get(AUDIT))


def test_other_counties_are_out_of_sight(auditor_client, world):
    stranger = AccountFactory(county=world.far_county, role=Role.SUPERVISOR, display_name="邻县的人")
    audit.record(by=stranger, verb="students.exported")
    seen(stranger, student_at(world.far_school))

    assert "邻县的人" not in text_of(auditor_client.get(AUDIT))
    assert "邻县的人" not in text_of(auditor_client.get(LOOKS))


@pytest.mark.parametrize(
    ("since", "until", "shown"),
    [
        ("2026-11-20", "2026-11-20", True),
        ("2026-11-21", "", False),
        ("", "2026-11-19", False),
        ("", "9999-12-31", True),
    ],
)
def test_both_days_of_a_period_count_in_shanghai_time(
    auditor_client, aid_officer, child, since, until, shown
):
    """23:30 on the 20th in Shanghai."""
    seen(aid_officer, child, at=datetime(2026, 11, 20, 15, 30, tzinfo=UTC))

    page = auditor_client.get(LOOKS, {"from": since, "to": until}).context["page"]

    assert bool(page.rows) is shown


def test_filters_by_person_verb_and_thing(auditor_client, county):
    one, ten = (AccountFactory(role=Role.SUPERVISOR, username=name) for name in ("desk1", "desk10"))
    for account in (one, ten):
        audit.record(by=account, verb="students.exported", detail={"rows": 1})
    audit.record(by=None, verb="access.account_edited", subject=one)

    def rows(**params):
        return [(str(t.event.by), t.what) for t in auditor_client.get(AUDIT, params).context["page"].rows]

    assert rows(who="desk1") == [(str(one), "导出学生名单")]
    assert len(rows(who="desk")) == 2
    assert rows(who="系统") == [("None", "修改账号资料")]
    assert rows(verb="access.account_edited") == [("None", "修改账号资料")]
    assert rows(about=f"bureau.account:{one.pk}") == [("None", "修改账号资料")]
    assert rows(about="nothing:1") == rows(verb="nothing") == []


def test_pages_follow_each_other_without_gap_or_repetition(auditor_client, aid_officer):
    for number in range(120):
        audit.record(by=aid_officer, verb="students.exported", detail={"rows": number})
    found, url = [], AUDIT
    while url:
        page = auditor_client.get(url).context["page"]
        found += [told.event.detail["rows"] for told in page.rows]
        url = page.next_url and AUDIT + page.next_url

    assert found == list(range(119, -1, -1))


@pytest.mark.parametrize("url", [AUDIT, LOOKS])
def test_list_needs_no_more_queries_for_more_rows(auditor_client, aid_officer, child, url):
    def queries() -> int:
        audit.record(by=aid_officer, verb="access.account_edited", subject=aid_officer)
        seen(aid_officer, child)
        with CaptureQueriesContext(connection) as captured:
            auditor_client.get(url)
        return len(captured)

    queries()
    first = queries()
    for _ in range(5):
        last = queries()
    assert last == first


@pytest.mark.sqlite
@pytest.mark.parametrize(("table", "url"), [("audit", AUDIT), ("access", LOOKS)])
def test_newest_rows_and_a_period_are_read_from_the_index(auditor_client, table, url):
    with CaptureQueriesContext(connection) as captured:
        auditor_client.get(url, {"from": "2026-01-01"})
    sql = next(q["sql"] for q in captured if "ORDER BY" in q["sql"] and '"at" DESC' in q["sql"])
    with connection.cursor() as cursor:
        cursor.execute("EXPLAIN QUERY PLAN " + sql)
        plan = " ".join(row[3] for row in cursor.fetchall())

    assert f"{table}_county_newest (county_id=? AND at>?)" in plan and "TEMP B-TREE" not in plan


# 查阅记录.


def test_look_tells_page_children_and_reason(auditor_client, aid_officer, child, school):
    seen(aid_officer, child, view="students:reveal", reason="核对户口簿")
    seen(aid_officer, child, student_at(school), view="students:students")

    text = text_of(auditor_client.get(LOOKS))

    assert "查看完整号码" in text and "核对户口簿" in text and "学生名单" in text
    assert f"?child={child.pk}" in text
    assert child.person.name not in text


def test_number_leads_to_those_who_looked_and_stands_in_no_address(
    auditor_client, aid_officer, child, school
):
    ours = seen(aid_officer, child, student_at(school))
    seen(aid_officer, student_at(school))

    response = auditor_client.post(LOOKS, {"number": f" {CITIZEN_ID.lower()} "})

    assert response.status_code == 302 and CITIZEN_ID[:14] not in response.url
    page = auditor_client.get(response.url)
    assert [told.log for told in page.context["page"].rows] == [ours]
    assert "只看查阅过这名学生的" in text_of(page)
    event = AuditEvent.objects.get(verb="audit.child_looked_up")
    assert event.detail == {"found": 1}


@pytest.mark.parametrize(
    ("number", "answer"),
    [
        ("张三", "这不是完整、正确的身份证号或学籍号"),
        ("99010120160501", "这不是完整、正确的身份证号或学籍号"),
        ("990101201605011258", "本县没有登记使用这个号码的学生"),
        ("", "必填"),
    ],
    ids=["name", "part of a number", "nobody's", "nothing"],
)
def test_number_that_finds_nobody_is_answered(auditor_client, child, number, answer):
    page = text_of(auditor_client.post(LOOKS, {"number": number}))

    assert answer in page
    assert not AuditEvent.objects.filter(verb="audit.child_looked_up").exists()


def test_number_of_another_county_finds_nobody(auditor_client, child, world):
    Identifier.objects.update(county=world.far_county)

    assert "本县没有登记使用这个号码的学生" in text_of(auditor_client.post(LOOKS, {"number": CITIZEN_ID}))


@pytest.mark.parametrize("key", ["x", "7", ",".join(str(uuid7()) for _ in range(21))])
def test_child_that_is_no_key_shows_no_rows(auditor_client, aid_officer, child, key):
    seen(aid_officer, child)

    page = auditor_client.get(LOOKS, {"child": key}).context["page"]

    assert page.rows == [] and page.refused


# 日志校验.


def test_whole_log_is_found_whole_and_the_check_is_recorded(auditor_client, auditor, aid_officer):
    audit.record(by=aid_officer, verb="students.exported")
    audit.seal()

    text = text_of(auditor_client.post(CHECK, {"paper": str(audit.head())}))

    assert "未发现问题" in text and "1 条" in text and str(audit.head()) in text
    event = AuditEvent.objects.get(verb="audit.checked")
    assert (event.by, event.detail) == (auditor, {"checked": 1})


def test_looking_at_the_page_checks_nothing(auditor_client):
    assert "校验结果" not in text_of(auditor_client.get(CHECK))
    assert not AuditEvent.objects.exists()


def test_changed_row_is_found(auditor_client, aid_officer):
    audit.record(by=aid_officer, verb="students.exported", detail={"rows": 3})
    if connection.vendor == "postgresql":  # somebody who owns the database takes its guards away first
        with connection.schema_editor() as editor:
            guards.backwards(None, editor)
    AuditEvent.objects.update(verb="students.linked")

    text = text_of(auditor_client.post(CHECK))

    assert "发现问题：未封存的记录被改动" in text and "未发现问题" not in text
    assert AuditEvent.objects.get(verb="audit.checked").detail["fault"] == "changed"


def test_seal_on_paper_that_the_log_no_longer_has_is_found(auditor_client, aid_officer):
    audit.record(by=aid_officer, verb="students.exported")
    audit.seal()

    text = text_of(auditor_client.post(CHECK, {"paper": "7:" + "ab" * 33}))

    assert "日志末尾的记录被删除" in text


def test_miscopied_seal_is_answered_next_to_the_field(auditor_client):
    text = text_of(auditor_client.post(CHECK, {"paper": "一二三"}))

    assert "封条应写成" in text and "一二三" in text and "校验结果" not in text


def test_long_log_is_checked_by_a_job(auditor_client, auditor, aid_officer, monkeypatch):
    monkeypatch.setattr(views, "MOST_CHECKED_AT_ONCE", 1)
    monkeypatch.setattr(audit.sealing, "ROWS_PER_ROUND", 2)
    for _ in range(5):
        audit.record(by=aid_officer, verb="students.exported")
    audit.seal()

    response = auditor_client.post(CHECK)

    job = Job.objects.get(kind=tasks.CHECK)
    assert response.url == reverse("bureau:job", args=[job.pk])
    jobs.run(job.pk)
    job.refresh_from_db()
    assert (job.state, job.result["checked"], job.done) == (Job.State.DONE, 5, 5)
    link = f"{CHECK}?job={job.pk}"
    assert link in text_of(auditor_client.get(response.url))
    assert "未发现问题" in text_of(auditor_client.get(link))


def test_result_of_somebody_elses_check_is_not_shown(auditor_client, world):
    other = world.account(Role.AUDITOR)
    done = Job.objects.create(
        kind=tasks.CHECK, county=other.county, by=other, state=Job.State.DONE,
        result={"checked": 1, "unsealed": 0, "head": "0:", "first_fault": None},
    )  # fmt: skip

    assert "校验结果" not in text_of(auditor_client.get(CHECK, {"job": done.pk}))


def test_only_the_auditor_has_the_entry_in_the_side_bar(client, world):
    for role in (Role.AUDITOR, Role.ADMINISTRATOR):
        client.force_login(world.account(role))
        assert ("审计日志" in text_of(client.get(reverse("bureau:desk")))) is (role == Role.AUDITOR)


def test_actions_of_the_product_read_well(auditor_client, world, administrator):
    clerk = world.account(Role.SCHOOL_CLERK)
    actions.end_assignment(assignment=clerk.assignments.get(), ended_on=date(2026, 12, 31), by=administrator)
    actions.set_role_rights(
        county=world.county, role=Role.INSPECTOR, rights={"students.view"}, by=administrator
    )

    text = text_of(auditor_client.get(AUDIT))

    assert "终止任职" in text and "至 <b>2026年12月31日</b>" in text
    assert "调整角色权限" in text
    taken = text.partition("取消权限 <b>")[2].partition("</b>")[0]
    assert "查看综合看板" in taken and "dashboard" not in taken
