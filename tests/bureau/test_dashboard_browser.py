"""The dashboard in a browser: charts hover, click and print under the strict content security policy."""

import re

import pytest
from django.urls import reverse

from bureau.keys import uuid7
from students.models import Discrepancy
from tests.browser import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def page(browser, live_server, world, aid_officer):
    """The dashboard of a county with three questions in one township, drawn."""
    for n in range(3):
        Discrepancy.objects.create(
            county=world.county, rule="R25", subject_kind="student", subject_id=uuid7().hex, office="aid",
            township=world.township, term=world.term, opened_on=world.term.starts_on, due_on=f"2026-09-{n + 10}",
        )  # fmt: skip
    page = browser.new_page(viewport={"width": 1366, "height": 768})
    page.trouble = []
    page.on("console", lambda message: page.trouble.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    log_in(page, live_server, aid_officer)
    page.goto(live_server.url + reverse("bureau:dashboard"))
    page.wait_for_selector("body[data-ready]")
    yield page
    page.close()


def test_hover_tells_value_and_unit_and_nothing_is_refused(page):
    page.locator("#chart_questions .nsewdrag").hover()

    page.wait_for_selector("#chart_questions .hoverlayer .legend")
    assert "3 件" in page.locator("#chart_questions .hoverlayer").text_content()
    assert page.trouble == []


def test_click_on_a_bar_opens_the_list_it_counts(page):
    bar = page.locator("#chart_questions .trace.bars").first.locator(".point path").first
    box = bar.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)

    page.wait_for_url(re.compile(r"/discrepancies/\?figure=D03"))
    assert "城关镇 · 共 3 件" in page.inner_text("main")


def test_paper_gets_vector_charts_of_its_own_width(page, tmp_path):
    wide = page.locator("#chart_questions .main-svg").first.get_attribute("width")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    on_paper = page.locator("#chart_questions .main-svg").first.get_attribute("width")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.wait_for_function(
        "wide => document.querySelector('#chart_questions .main-svg').getAttribute('width') === wide",
        arg=wide,
    )
    page.pdf(path=tmp_path / "brief.pdf", prefer_css_page_size=True, print_background=True)

    pdf = (tmp_path / "brief.pdf").read_bytes()
    assert float(on_paper) < 600
    assert re.findall(rb"/MediaBox \[0 0 (\d+)\.?\d* (\d+)", pdf)[0] == (b"841", b"594")  # A4 landscape
    assert b"/Subtype /Image" not in pdf
