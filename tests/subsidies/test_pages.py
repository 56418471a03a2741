"""The pages of aid: what a clerk, a head, an officer of aid and one of finance see and press."""

from datetime import date

import pytest
from django.urls import reverse
from django.utils import timezone

from bureau.access.roles import Role
from bureau.audit import AccessLogChild
from students.models import Determination
from subsidies.models import Appropriation, Exclusion, Grant, Programme, PublicNotice, Rate
from tests.factories import AccountFactory, AssignmentFactory
from tests.subsidies.factories import PASSED, POSTED, Way, money, pupil


@pytest.fixture(autouse=True)
def today(monkeypatch):
    """Inside the term, whatever day the suite runs on."""
    days = {"now": POSTED}
    monkeypatch.setattr(timezone, "localdate", lambda *at: days["now"])
    return days


@pytest.fixture
def way(boarders, term, school) -> Way:
    return Way(boarders, term, school)


def page(client, account, where, *args, **query):
    client.force_login(account)
    return client.get(reverse(f"subsidies:{where}", args=args), query)


def press(client, account, where, *args, follow=True, **data):
    client.force_login(account)
    return client.post(reverse(f"subsidies:{where}", args=args), data, follow=follow)


def text(response) -> str:
    assert response.status_code == 200, response.status_code
    return response.content.decode()


# Programmes and rates


def test_overview_tells_every_programme_with_its_rate(client, catalogue, term, school_clerk):
    told = text(page(client, school_clerk, "programmes"))

    assert "义务教育寄宿生生活补助" in told and "625.00 元—750.00 元" in told and "未核定" in told


def test_aid_officer_loads_the_catalogue_where_there_is_none(client, term, aid_officer):
    told = text(press(client, aid_officer, "install"))

    assert "已载入" in told and Programme.objects.count() > 15


def test_rate_is_looked_at_by_township_before_it_is_saved(client, boarders, term, school, aid_officer):
    pupil(school), pupil(school)
    given = {
        "from_term": 4053,
        "stage": "primary",
        "boarding": "boarder",
        "group": "hardship",
        "amount_fen": "700",
        "doc_no": "",
        "year_from": 0,
        "year_to": 0,
    }

    looked = text(press(client, aid_officer, "add_rate", boarders.pk, look=1, **given))

    assert "城关镇" in looked and "150.00 元" in looked and not Rate.objects.filter(from_term=4053).exists()
    press(client, aid_officer, "add_rate", boarders.pk, **given)
    assert Rate.objects.get(from_term=4053).amount_fen == 70_000


def test_rate_that_fits_the_same_children_is_refused(client, boarders, term, aid_officer):
    given = {
        "from_term": 4053,
        "stage": "primary",
        "boarding": "",
        "group": "hardship",
        "amount_fen": "700",
        "year_from": 0,
        "year_to": 0,
    }

    told = text(press(client, aid_officer, "add_rate", boarders.pk, **given))

    assert "重叠" in told and not Rate.objects.filter(from_term=4053).exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"amount_fen": "六百"}, "阿拉伯数字"),
        ({"confirmed": "on"}, "文号"),
        ({"central_percent": 60, "county_percent": 50}, "合计应为 100"),
        ({"year_from": 3, "year_to": 1}, "不能早于"),
        ({"from_term": 99}, "99"),
    ],
)
def test_wrong_rate_is_told_beside_its_field(client, boarders, term, aid_officer, wrong, words):
    given = {
        "from_term": 4053,
        "stage": "primary",
        "boarding": "boarder",
        "group": "hardship",
        "amount_fen": "700",
        "year_from": 0,
        "year_to": 0,
    }

    assert words in text(press(client, aid_officer, "add_rate", boarders.pk, **(given | wrong)))


def test_stopped_line_entitles_nobody_from_that_term_on(client, boarders, term, school, aid_officer):
    pupil(school)
    press(
        client,
        aid_officer,
        "add_rate",
        boarders.pk,
        from_term=4053,
        stage="primary",
        boarding="boarder",
        group="hardship",
        amount_fen="",
        year_from=0,
        year_to=0,
    )

    assert "停止执行" in text(page(client, aid_officer, "rates", boarders.pk))
    assert Way(boarders, term, school).list() == 0


def test_used_rate_cannot_be_deleted(client, way, school, aid_officer):
    pupil(school)
    rate = way.programme.rates.get(stage="primary", from_term=4048)
    way.list()

    assert "不能删除" in text(press(client, aid_officer, "delete_rate", way.programme.pk, rate.pk))
    unused = way.programme.rates.get(stage="junior", from_term=4023)
    press(client, aid_officer, "delete_rate", way.programme.pk, unused.pk)
    assert not Rate.objects.filter(pk=unused.pk).exists()


def test_programme_is_edited_and_its_code_is_not(client, boarders, term, aid_officer):
    given = {
        name: getattr(boarders, name)
        for name in (
            "benefit",
            "channel",
            "counted_by",
            "reference",
            "reference_days",
            "documents",
            "basis",
            "note",
        )
    }

    press(
        client,
        aid_officer,
        "edit_programme",
        boarders.pk,
        code="other",
        name="寄宿生补助",
        notice_days=7,
        **given,
    )

    boarders.refresh_from_db()
    assert (boarders.code, boarders.name, boarders.notice_days) == ("living_boarder", "寄宿生补助", 7)


def test_exclusion_is_entered_once(client, boarders, catalogue, aid_officer):
    for _ in range(2):
        told = text(
            press(client, aid_officer, "exclude", boarders.pk, other=catalogue["meal_plan"].pk, scope="term")
        )

    assert (
        "已经登记为互斥" in told and Exclusion.objects.filter(first=boarders).count() == 2
    )  # one came with the catalogue


# Entitled, and why not


def test_programme_page_counts_the_entitled_and_the_reasons(client, way, school, school_clerk):
    pupil(school), pupil(school, listed=None)

    told = text(page(client, school_clerk, "programme", way.programme.pk))

    assert "不在困难名单" in told and "按应助名单列出" in told and "625.00 元" in told


def test_lists_show_the_children_of_the_school_only_and_are_logged(client, way, world, school_clerk):
    mine, foreign = pupil(world.school), pupil(world.other_school)
    day = pupil(world.school, boarding=False)

    told = text(page(client, school_clerk, "entitled", way.programme.pk, term=way.term.code))
    why_not = text(
        page(client, school_clerk, "others", way.programme.pk, term=way.term.code, reason="not_boarder")
    )

    assert str(mine.pk) in told and str(foreign.pk) not in told and str(day.pk) in why_not
    assert set(AccessLogChild.objects.values_list("student_id", flat=True)) == {mine.pk, day.pk}


def test_entitled_can_be_narrowed_to_those_without_a_line(client, way, school, school_clerk):
    old = pupil(school)
    way.list()
    new = pupil(school)

    told = text(page(client, school_clerk, "entitled", way.programme.pk, line="none"))

    assert str(new.pk) in told and str(old.pk) not in told


@pytest.mark.parametrize("name", ["export_entitled", "export_others"])
def test_lists_are_exported_as_seen(client, way, school, school_clerk, name):
    pupil(school), pupil(school, listed=None)

    answer = page(client, school_clerk, name, way.programme.pk)

    assert answer.status_code == 200 and b"".join(answer.streaming_content)[:2] == b"PK"


# The steps


def test_step_is_signed_with_the_totals_that_were_shown(client, way, school):
    pupil(school)
    way.list()
    clerk, head = way.by["applied"], way.by["school_reviewed"]
    assert 'value="1:62500"' in text(page(client, clerk, "step_applied", way.programme.pk))

    press(client, clerk, "step_applied", way.programme.pk, shown="1:62500")
    told = text(press(client, head, "step_school_reviewed", way.programme.pk, shown="2:62500"))

    assert "情况有变化" in told and Grant.objects.get().state == "applied"
    press(client, head, "step_school_reviewed", way.programme.pk, shown="1:62500")
    assert Grant.objects.get().state == "school_reviewed"


@pytest.mark.parametrize("shown", ["", "x:y", "1", "1:2:3"])
def test_step_without_totals_moves_nothing(client, way, school, shown):
    pupil(school)
    way.list()

    press(client, way.by["applied"], "step_applied", way.programme.pk, shown=shown)

    assert Grant.objects.get().state == "candidate"


@pytest.mark.slow
def test_whole_way_on_pages_as_five_people(client, way, school, today, aid_officer):
    child = pupil(school)
    money(way.programme, way.term, 1000)
    clerk, head, programme = way.by["applied"], way.by["school_reviewed"], way.programme.pk
    press(client, clerk, "list_candidates", programme)
    press(client, clerk, "step_applied", programme, shown="1:62500")
    press(client, head, "step_school_reviewed", programme, shown="1:62500")
    press(client, clerk, "step_in_notice", programme, shown="1:62500", place="村务公开栏")
    notice = PublicNotice.objects.get()
    poster = text(page(client, clerk, "notice", notice.pk))
    assert child.person.name in poster and "村务公开栏" in poster and "脱贫" not in poster
    press(
        client,
        clerk,
        "object_to",
        notice.pk,
        line=str(Grant.objects.get().pk),
        text="家里开商店",
        received_on="2026-10-12",
    )
    today["now"] = PASSED
    press(client, head, "answer", notice.objections.get().pk, upheld="no", text="核实：代销点，收入低")
    press(client, clerk, "step_notice_passed", programme, shown="1:62500")
    press(client, clerk, "take_down", notice.pk)
    press(client, head, "step_submitted", programme, shown="1:62500")
    press(client, aid_officer, "step_county_approved", programme, shown="1:62500")
    told = text(
        press(client, way.by["finance_approved"], "step_finance_approved", programme, shown="1:62500")
    )

    assert "已办理 1 条" in told and Grant.objects.get().state == "finance_approved"
    notice.refresh_from_db()
    assert notice.removed_on == PASSED
    assert "财政审核通过" not in text(page(client, way.by["finance_approved"], "programme", programme))
    assert "义务教育寄宿生生活补助：财政已审核" in text(client.get(child.get_absolute_url()))


def test_desk_of_each_signer_says_what_waits(client, way, school):
    pupil(school)
    way.up_to("applied")
    client.force_login(way.by["school_reviewed"])

    assert "资助名单等待学校评审" in text(client.get(reverse("bureau:desk")))


def test_lines_are_returned_with_a_reason_from_the_list(client, way, school):
    pupil(school), pupil(school)
    way.up_to("submitted")
    aid = way.by["county_approved"]
    told = text(page(client, aid, "leave", all=1, state="submitted"))
    assert "办理 2 条资助" in told
    client.force_login(aid)
    url = reverse("subsidies:leave") + "?all=1&state=submitted"

    assert "页面打开后情况有变化" in text(
        client.post(url, {"count": "1:62500", "to": "returned", "reason": "附件不全"})
    )
    client.post(url, {"count": "2:125000", "to": "returned", "reason": "附件不全"})

    assert set(Grant.objects.values_list("state", flat=True)) == {"returned"}


def test_reader_of_the_county_signs_for_his_own_school_only(client, way, world):
    pupil(world.school), pupil(world.other_school)
    Way(way.programme, way.term, world.other_school).up_to("applied")
    way.up_to("applied")
    director = AccountFactory(county=world.county, role=Role.SUPERVISOR)
    AssignmentFactory(account=director, role=Role.SCHOOL_HEAD, school=world.school)
    foreign = Grant.objects.get(school=world.other_school)

    press(client, director, "leave_one", foreign.pk, to="returned", reason="试")

    foreign.refresh_from_db()
    assert foreign.state == "applied"
    press(
        client,
        director,
        "leave_one",
        Grant.objects.get(school=world.school).pk,
        to="returned",
        reason="班级有误",
    )
    assert Grant.objects.get(school=world.school).state == "returned"


def test_grant_page_tells_the_proof_and_warns_of_a_changed_line(client, way, school):
    pupil(school)
    way.list()
    line = Grant.objects.get()
    assert "与列出时的签名不符" not in text(page(client, way.by["applied"], "grant", line.pk))
    Grant.objects.update(amount_fen=1)

    assert "与列出时的签名不符" in text(page(client, way.by["applied"], "grant", line.pk))


def test_dashboard_counts_the_lines_of_the_term(client, way, school, supervisor):
    pupil(school)
    way.up_to("applied")
    client.force_login(supervisor)

    told = text(client.get(reverse("bureau:dashboard")))

    assert "本学期资助申请" in told
    assert "共 1 条" in text(client.get(reverse("subsidies:grants"), {"figure": "A01~state:applied"}))


# Money and determinations


def test_appropriation_is_entered_once_and_withdrawn_once(client, boarders, term, finance_officer):
    press(client, finance_officer, "add_source", name="中央直达", level="central")
    source = boarders.county.fundsource_set.get()
    given = {
        "source": source.pk,
        "programme": boarders.pk,
        "year": 2026,
        "kind": "new",
        "doc_no": "县财教〔2026〕9号",
        "received_on": "2026-09-01",
        "amount_fen": "1000",
    }
    press(client, finance_officer, "add_appropriation", **given)
    assert "已经登记过" in text(press(client, finance_officer, "add_appropriation", **given))
    made = Appropriation.objects.get()

    for _ in range(2):
        press(
            client,
            finance_officer,
            "withdraw",
            made.pk,
            amount_fen="400",
            reason="县财教〔2026〕10号",
            key="k1",
        )
    assert "超过可用指标" in text(
        press(client, finance_officer, "withdraw", made.pk, amount_fen="601", reason="多收", key="k2")
    )

    made.refresh_from_db()
    assert made.available_fen == 60_000
    assert "收回指标" in text(page(client, finance_officer, "appropriation", made.pk))
    assert "县财教〔2026〕9号" in text(page(client, finance_officer, "funds"))


def test_school_sees_no_appropriations(client, catalogue, school_clerk):
    assert page(client, school_clerk, "funds").status_code == 403


def test_determination_is_applied_reviewed_and_confirmed_by_three(client, way, school, aid_officer):
    child = pupil(school, listed=None)
    clerk, head = way.by["applied"], way.by["school_reviewed"]
    assert "请写明家庭困难情况" in text(
        press(client, clerk, "determine", child.pk, tier="general", valid_from="2026-09-01")
    )
    press(client, clerk, "determine", child.pk, tier="general", evidence="父亲重病", valid_from="2026-09-01")
    assert "已有认定" in text(
        press(client, clerk, "determine", child.pk, tier="hard", evidence="再来", valid_from="2026-09-01")
    )
    found = Determination.objects.get()
    press(client, clerk, "decide", found.pk, to="reviewed")  # he may not
    press(client, head, "decide", found.pk, to="reviewed")
    press(client, aid_officer, "decide", found.pk, to="confirmed")

    found.refresh_from_db()
    assert (found.state, found.reviewed_by, found.confirmed_by) == ("confirmed", head, aid_officer)
    assert way.list() == 1
    press(client, aid_officer, "decide", found.pk, to="ended", reason="康复")
    found.refresh_from_db()
    assert (found.state, found.valid_to) == ("ended", date(2026, 10, 12))


def test_applicant_does_not_review_himself(client, way, school):
    child = pupil(school, listed=None)
    clerk = way.by["applied"]
    press(client, clerk, "determine", child.pk, tier="general", evidence="父亲重病", valid_from="2026-09-01")
    AssignmentFactory(account=clerk, role=Role.SCHOOL_HEAD, school=school)

    assert "本人已办过" in text(press(client, clerk, "decide", Determination.objects.get().pk, to="reviewed"))


def test_waived_line_leaves_a_refusal_and_the_child_off_the_list(client, way, school):
    pupil(school)
    way.list()

    press(client, way.by["applied"], "leave_one", Grant.objects.get().pk, to="waived", reason="家长签字放弃")

    assert Grant.objects.get().state == "waived"
    assert "自愿放弃" in text(page(client, way.by["applied"], "others", way.programme.pk))
