"""Texts, names and addresses that mean harm end as text, as a refusal, or as nothing at all."""

import pytest
from django.conf import settings
from django.urls import reverse

from students.actions.files import display_name
from students.models import Roster
from tests.students.test_rosters import ZHANG

CODE = ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "{{7*7}}", "{% debug %}", "${7*7}"]


def test_the_file_lies_sealed(office, school):
    office.roll([ZHANG], school=school)

    kept = [path for path in settings.MEDIA_ROOT.rglob("*") if path.is_file()]
    assert len(kept) == 1
    data = kept[0].read_bytes()
    assert not data.startswith(b"PK")
    assert not any(text.encode() in data for text in ("张三", ZHANG["身份证号"], "sheet1.xml"))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("花名册(最终)(2)😀.xlsx", "花名册(最终)(2)😀.xlsx"),
        ("..\\..\\windows\\名册.xlsx", "名册.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("名册\u202exslx.exe", "名册xslx.exe"),
        ("名\0册\r\n.xlsx", "名册.xlsx"),
        ("长" * 300 + ".xlsx", "长" * 195 + ".xlsx"),
    ],
)
def test_a_file_name_is_shown_without_what_could_mislead(name, shown):
    assert display_name(name) == shown


@pytest.mark.parametrize("code", CODE)
def test_code_in_a_file_is_shown_as_text(client, aid_officer, office, school, code):
    wrong = ZHANG | {"性别": code, code: "球"}
    roster = office.roll([wrong], school=school)
    Roster.objects.filter(pk=roster.pk).update(file_name=f"{code}.xlsx")
    client.force_login(aid_officer)

    page = client.get(roster.get_absolute_url()).content.decode()

    assert code[:12] in page.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", '"')
    assert "<script>alert" not in page and "<img src=x" not in page
    assert "49.xlsx" not in page


@pytest.mark.parametrize("words", ["'; DROP TABLE students_person; --", "%", "_", "\\", "张%", "' OR '1'='1"])
def test_a_search_takes_every_character_as_itself(client, aid_officer, office, school, words):
    office.enrol([ZHANG], school=school)
    client.force_login(aid_officer)

    page = client.get(reverse("students:students"), {"q": words})

    assert page.status_code == 200
    assert list(page.context["page"].rows) == []


@pytest.mark.parametrize(
    "query",
    ["page=-1", "page=1e9", "after=x", "sort=password", "school=０1", "school=1&school=2", "id=%00", "grade=%FF", "q=" + "x" * 100_000],
    ids=lambda query: query[:20],
)
@pytest.mark.parametrize("name", ["students", "rosters"])
def test_an_odd_address_is_answered(client, aid_officer, name, query):
    client.force_login(aid_officer)

    assert client.get(f"{reverse(f'students:{name}')}?{query}").status_code in (200, 400)


@pytest.mark.parametrize("key", ["0", "０1", "00000000-0000-0000-0000-000000000000", "{0189}", "x" * 300])
def test_an_odd_key_is_an_absent_object(client, aid_officer, key):
    client.force_login(aid_officer)

    assert client.get(f"{reverse('students:rosters')}{key}/").status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"a=1&" * 10_001, "application/x-www-form-urlencoded"),
        (b"term=" + b"x" * 3_000_000, "application/x-www-form-urlencoded"),
        (b"[" * 1000, "application/json"),
        (b"--x\r\nnothing", "multipart/form-data"),
        (b"--x\r\nnothing", "multipart/form-data; boundary=x"),
    ],
    ids=["10,000 fields", "huge field", "json", "no boundary", "broken parts"],
)
def test_an_odd_form_is_answered(client, school_clerk, body, content_type):
    client.force_login(school_clerk)

    answer = client.post(reverse("students:upload_roster"), body, content_type=content_type)

    assert answer.status_code in (200, 400, 413)
    assert not Roster.objects.exists()
