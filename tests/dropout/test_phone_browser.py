"""A visit entered on a 390 px phone, and the letter on A4."""

import pytest
from django.urls import reverse

from dropout.models import ReturnOrder, Visit
from tests.browser import log_in

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("today")]


@pytest.fixture
def phone(browser, live_server, road):
    """The township cadre's phone, with the child's case open."""
    road.up_to("persuading")
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.trouble = []
    page.on("console", lambda message: page.trouble.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: page.trouble.append(str(error)))
    log_in(page, live_server, road.cadre)
    page.goto(live_server.url + road.case.get_absolute_url())
    yield page
    page.close()


def fits(page) -> bool:
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_visit_is_entered_and_saved_on_a_phone(phone, road):
    assert fits(phone)
    phone.click("a.btn-primary:has-text('登记走访')")
    assert fits(phone)
    for name, words in {"visitors": "王老师", "met": "祖母", "place": "家中", "content": "讲政策"}.items():
        phone.fill(f"[name={name}]", words)
    phone.check("[name=outcome][value=agreed]")
    assert phone.locator("form button.btn-primary").bounding_box()["height"] >= 40

    phone.click("form button.btn-primary")

    phone.wait_for_selector("text=已登记这次走访")
    assert Visit.objects.get().outcome == "agreed" and fits(phone) and phone.trouble == []


def test_letter_is_one_sheet_and_its_receipt_another(phone, road, live_server):
    road.visit()
    road.visit(content="再次")
    road.order()

    phone.goto(live_server.url + reverse("dropout:order", args=[ReturnOrder.objects.get().pk]))
    paper = phone.pdf(format="A4", prefer_css_page_size=True)
    phone.emulate_media(media="print")

    assert paper.count(b"/Type /Page\n") + paper.count(b"/Type /Page ") + paper.count(b"/Type/Page/") == 2
    assert phone.is_visible("text=送达回证") and not phone.is_visible("text=登记送达")
