"""The frame, my desk, the dashboard and the pages of long work."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.template import engines
from django.urls import reverse
from django.utils import timezone

from bureau import desk, figures
from bureau.access.roles import Role
from bureau.desk import Recent, ToDo
from bureau.jobs import results
from bureau.jobs.models import Job
from bureau.jobs.views import told
from bureau.organisation.models import School
from bureau.pages import freshness, navigation
from bureau.pages.context import Frame
from bureau.pages.freshness import Freshness, Source
from bureau.pages.navigation import NavItem
from tests.factories import AccountFactory

NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai


def rendered(template: str, **context) -> str:
    return engines["django"].from_string(template).render(context)


@pytest.mark.parametrize("role", Role.values)
def test_every_role_has_a_desk(world, client, role):
    account = world.account(role)
    client.force_login(account)

    page = client.get(reverse("bureau:desk"))

    assert page.status_code == 200
    text = page.content.decode()
    assert "我的工作台" in text and Role(role).label in text
    assert account.display_name in text


def test_desk_without_anything_to_do_says_what_to_do(world, client):
    client.force_login(world.account(Role.AUDITOR))

    text = client.get(reverse("bureau:desk")).content.decode()

    assert "现在没有等您办理的事项" in text and "常用入口" in text


def test_desk_speaks_of_uploads_only_to_those_who_upload(world, client):
    told = {}
    for role in (Role.ADMINISTRATOR, Role.AUDITOR, Role.AID_OFFICER, Role.SCHOOL_CLERK):
        client.force_login(world.account(role))
        told[role] = "我最近上传的" in client.get(reverse("bureau:desk")).content.decode()

    assert told == {
        Role.ADMINISTRATOR: False,
        Role.AUDITOR: False,
        Role.AID_OFFICER: True,
        Role.SCHOOL_CLERK: True,
    }


def test_desk_tells_the_administrator_of_schools_without_clerk_and_of_unused_accounts(world):
    administrator = world.account(Role.ADMINISTRATOR)
    AccountFactory(role=Role.SUPERVISOR, must_change_password=True)

    counts = {todo.title: todo.count for todo in desk.todos(administrator)}

    assert counts["账号还没有首次登录"] == 1
    assert counts["学校还没有经办人账号"] == School.objects.count()


def test_desk_puts_what_is_late_first_and_leaves_out_what_is_done(world, client, aid_officer, monkeypatch):
    todos = [
        ToDo("还早的事", 4, "/early", due_on=timezone.localdate() + timedelta(days=9)),
        ToDo("办完的事", 0, "/done", tone="red"),
        ToDo("逾期的事", 3, "/late", due_on=timezone.localdate() - timedelta(days=2), tone="red", late=2),
    ]
    monkeypatch.setattr(desk, "_todos", [lambda account: todos])
    client.force_login(aid_officer)

    text = client.get(reverse("bureau:desk")).content.decode()

    assert text.index("逾期的事") < text.index("还早的事")
    assert "办完的事" not in text
    assert "待办 7 项" in text and "其中逾期 2 件" in text
    assert 'href="/late"' in text


def test_desk_shows_the_newest_uploads_first(aid_officer, monkeypatch):
    moments = [NOON - timedelta(days=n) for n in (3, 1, 2)]
    uploads = [Recent(f"第{n}份", at, "/x", "applied", "已入库") for n, at in enumerate(moments)]
    monkeypatch.setattr(desk, "_recents", [lambda account: uploads[:1], lambda account: uploads[1:]])

    assert [recent.title for recent in desk.recents(aid_officer)] == ["第1份", "第2份", "第0份"]


def test_side_bar_has_what_the_account_may_open_and_marks_where_it_is(world, client, school_clerk):
    client.force_login(school_clerk)

    text = client.get(reverse("bureau:jobs")).content.decode()

    assert re.search(r'href="/jobs/" class="on" aria-current="page"', text)
    assert reverse("bureau:organisation") in text
    assert reverse("bureau:dashboard") not in text  # a school clerk has no right to it


def test_bell_counts_what_is_past_its_date(world, rf, aid_officer, monkeypatch):
    schools = NavItem(
        "学校", "building-2", "bureau:organisation", "organisation.view", 1,
        waiting=School.objects.visible_to, overdue=lambda account: School.objects.filter(name__startswith="河口"),
    )  # fmt: skip
    monkeypatch.setattr(navigation, "_items", {"x": schools})
    request = rf.get("/organisation/terms/")
    request.user = aid_officer

    frame = Frame(request)

    assert [(entry.count_text, entry.here) for entry in frame.nav] == [("3", True)]
    assert frame.overdue == 1


def test_freshness_line_names_each_list_and_the_last_change(world, rf, aid_officer, monkeypatch):
    sources = [
        Source("低保名单", "9月期", NOON.date().replace(month=9)),
        Source("脱贫名单", "10月期", NOON.date()),
    ]
    monkeypatch.setattr(freshness, "_providers", [lambda account: Freshness(NOON, sources)])
    request = rf.get("/")
    request.user = aid_officer

    frame = Frame(request)
    assert frame.fresh_line == "数据截至 2026-11-20 12:00"
    assert [(source.short, source.period) for source in frame.newest] == [
        ("脱贫", "10月期"),
        ("低保", "9月期"),
    ]


def test_page_carries_no_inline_script_style_or_handler(world, client, aid_officer):
    client.force_login(aid_officer)
    for name in ("bureau:desk", "bureau:dashboard", "bureau:jobs"):
        page = client.get(reverse(name))
        text = page.content.decode()
        assert not re.search(r"<[^>]+\s(style|on[a-z]+)=", text)
        assert not [
            tag
            for tag in re.findall(r"<script\b[^>]*>", text)
            if "src=" not in tag and "application/json" not in tag
        ]
        assert not re.search(r"<style|https?://(?!www\.w3\.org)", text)
        assert "unsafe-inline" not in page.headers["Content-Security-Policy"]


def test_dashboard_shows_every_tile_with_its_number_and_link(world, client, aid_officer):
    client.force_login(aid_officer)

    page = client.get(reverse("bureau:dashboard"))

    text = page.content.decode()
    assert len(page.context["tiles"]) >= 4
    for item in page.context["tiles"]:
        assert item["tile"].figure.name in text
        assert f'href="{item["url"]}"' in text
    assert "全县 2 个乡镇 · 3 所学校" in text


def test_dashboard_without_a_term_says_where_to_begin(db, client):
    client.force_login(AccountFactory(role=Role.SUPERVISOR))

    text = client.get(reverse("bureau:dashboard")).content.decode()

    assert "还没有学期" in text and reverse("bureau:organisation") in text


def test_chart_has_a_table_of_the_same_numbers_with_links():
    series = figures.Series("发现", "due", [3, 0], ["/list?x=1", "/list?x=2"])
    chart = figures.Chart("q", "办得怎么样", "乡镇", "", "dashboard", lambda asked: None)

    text = rendered(
        '{% include "bureau/_chart.html" %}',
        chart=chart,
        data=figures.ChartData(["甲镇", "乙镇"], [series], "件"),
    )

    assert '<a href="/list?x=1">3</a>' in text
    assert "/list?x=2" not in text  # nothing to open behind a nought
    assert "合计" in text and 'data-chart="q"' in text


def test_empty_chart_says_what_to_do():
    chart = figures.Chart("q", "办得怎么样", "乡镇", "", "dashboard", lambda asked: None)
    text = rendered('{% include "bureau/_chart.html" %}', chart=chart, data=figures.ChartData([], [], "件"))

    assert "还没有可以画的数字" in text and "data-chart" not in text


def test_health_needs_no_login(client, db):
    page = client.get(reverse("bureau:healthz"))

    assert (page.status_code, page.content) == (200, b"ok")


@pytest.fixture
def job(aid_officer) -> Job:
    return Job.objects.create(
        county=aid_officer.county, kind="test.count", by=aid_officer, state=Job.State.RUNNING,
        done=500, total=2000, message="核对第 1 张表", started_at=NOON,
    )  # fmt: skip


def test_running_job_tells_speed_and_time_left(job):
    seen = told(job, now=NOON + timedelta(seconds=10))

    assert (seen.rate, seen.left) == (50, 30)


def test_speed_is_not_told_before_there_is_one(job):
    job.done = 0

    seen = told(job, now=NOON + timedelta(seconds=10))

    assert (seen.rate, seen.left) == (None, None)


def test_running_job_asks_again_and_a_finished_one_does_not(client, aid_officer, job):
    client.force_login(aid_officer)
    address = reverse("bureau:job", args=[job.pk])

    running = client.get(address, headers={"HX-Request": "true"}).content.decode()
    Job.objects.filter(pk=job.pk).update(
        state=Job.State.DONE, done=2000, finished_at=NOON + timedelta(seconds=40)
    )
    finished = client.get(address, headers={"HX-Request": "true"}).content.decode()

    assert 'hx-trigger="load delay:1s"' in running and "500 / 2,000" in running
    assert "<html" not in running
    assert "hx-get" not in finished and "用时 40 秒" in finished


def test_finished_job_leads_to_what_came_out_of_it(client, aid_officer, job, monkeypatch):
    monkeypatch.setitem(results._pages, "test.count", lambda job: f"/came-out/{job.done}")
    client.force_login(aid_officer)
    address = reverse("bureau:job", args=[job.pk])

    before = client.get(address).content.decode()
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)

    assert "/came-out/" not in before
    assert "/came-out/500" in client.get(address).content.decode()


def test_failed_job_says_why(client, aid_officer, job):
    Job.objects.filter(pk=job.pk).update(state=Job.State.FAILED, error_text="第 3 张表没有找到表头。")
    client.force_login(aid_officer)

    assert "第 3 张表没有找到表头。" in client.get(reverse("bureau:job", args=[job.pk])).content.decode()
    assert "第 3 张表没有找到表头。" in client.get(reverse("bureau:jobs")).content.decode()


def test_cancelling_asks_the_job_to_stop_and_says_so(client, aid_officer, job):
    client.force_login(aid_officer)

    page = client.post(reverse("bureau:cancel_job", args=[job.pk]), follow=True)

    job.refresh_from_db()
    assert job.cancel_asked_at is not None
    assert "已要求停止" in page.content.decode()
    assert (
        "再次" not in client.post(reverse("bureau:cancel_job", args=[job.pk]), follow=True).content.decode()
    )


def test_job_of_somebody_else_is_not_found(world, client, job):
    client.force_login(world.account(Role.SUPERVISOR))

    assert client.get(reverse("bureau:job", args=[job.pk])).status_code == 404
    assert client.post(reverse("bureau:cancel_job", args=[job.pk])).status_code == 404


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{{ d|date_cn }}", "2026年11月20日"),
        ("{{ m|moment_cn }}", "2026年11月20日 12:00"),
        ("{{ d|month_cn }}", "2026年11月"),
        ("{{ nothing|date_cn }}|{{ nothing|duration_cn }}|{{ nothing|thousands }}", "||"),
        (
            "{{ 45|duration_cn }}，{{ 200|duration_cn }}，{{ 3900|duration_cn }}",
            "45 秒，3 分 20 秒，1 小时 5 分",
        ),
        ("{{ 1234567|thousands }}", "1,234,567"),
        ("{{ 125000|yuan }} 元，{{ 134700000|wan }}", "1,250.00 元，134.7 万元"),
        ("{{ '990101201605010012'|mask_id }}", "990101************"),
        ("{% status 'overdue' label %}", '<span class="dot dot-red"></span>&lt;逾期&gt;'),
        ("{% tag '应助未助' 'amber' %}", '<span class="tag tag-amber">应助未助</span>'),
    ],
)
def test_tags_write_as_the_office_does(template, text):
    assert rendered(template, d=NOON.date(), m=NOON, nothing=None, label="<逾期>") == text


@pytest.mark.parametrize(("days", "text"), [(1, ""), (0, "今日到期"), (-1, "逾期 1 天"), (-6, "逾期 6 天")])
def test_deadline_is_told_from_its_last_day_on(days, text):
    assert rendered("{{ d|days_over }}", d=timezone.localdate() + timedelta(days=days)) == text
