"""The page that describes the API, in a browser: drawn from this server alone, under the strict policy, sending nothing."""

import pytest
from django.urls import reverse
from playwright.sync_api import expect

from tests.browser import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def visited(browser, live_server, system, aid_officer):
    """A quiet window of the aid officer: whatever it complains of fails the test."""
    page = browser.new_context(locale="zh-CN", viewport={"width": 1440, "height": 900}).new_page()
    trouble, asked = [], []
    page.on("console", lambda said: trouble.append(said.text) if said.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    log_in(page, live_server, aid_officer)
    yield page, live_server.url
    page.context.close()
    assert trouble == []
    assert [url for url in asked if not url.startswith((live_server.url, "data:"))] == []


def test_description_is_drawn_and_nothing_can_be_sent(visited):
    page, base = visited
    page.goto(base + reverse("students:exchange_docs"))

    expect(page.locator(".opblock")).to_have_count(6)
    page.get_by_text("推送一批行").click()
    expect(page.locator(".opblock.is-open")).to_contain_text("每批最多 1,000 行")
    expect(page.get_by_text("Try it out")).to_have_count(0)
    expect(page.get_by_text("Authorize")).to_have_count(0)


def test_pages_of_the_exchange_are_quiet(visited):
    page, base = visited
    for name in ("exchange", "exchange_requests", "add_token"):
        page.goto(base + reverse(f"students:{name}"))
        expect(page.locator("h1")).to_be_visible()
    page.fill("[name=agency]", "县残联")
    page.check("[name=registers][value=disability]")
    page.get_by_role("button", name="新建并显示令牌").click()
    expect(page.locator("#secret")).to_contain_text("bx_")
