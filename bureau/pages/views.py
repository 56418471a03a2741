"""The start page, the dashboard, and the answer for whoever watches the server."""

from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from bureau import desk as desks
from bureau import figures
from bureau.jobs.models import Job
from bureau.jobs.views import told
from bureau.organisation.models import School, Township
from bureau.pages import navigation

MOST_JOBS = 5


@require_safe
def desk(request: HttpRequest) -> HttpResponse:
    """My work: what waits for me and by when, what I started that still runs, what I handed in last."""
    account = request.user
    todos = desks.todos(account)
    running = Job.objects.visible_to(account).filter(by=account).unfinished()[:MOST_JOBS]
    context = {
        "todos": todos,
        "waiting": sum(todo.count for todo in todos),
        "overdue": sum(todo.late for todo in todos),
        "jobs": [told(job) for job in running],
        "recents": desks.recents(account),
        "may_upload": desks.may_upload(account),
        "doors": [item for item in navigation.items_for(account) if item.page != "bureau:desk"],
    }
    return render(request, "bureau/desk.html", context)


@require_safe
def dashboard(request: HttpRequest) -> HttpResponse:
    """Live figures of the places this account may see, each a link to the rows it counts."""
    account = request.user
    asked = figures.Asked.by(account, on=timezone.localdate())
    if asked is None:
        return render(
            request, "bureau/dashboard.html", {"asked": None, "setup": reverse("bureau:organisation")}
        )
    charts = [(chart, chart.data(asked)) for chart in figures.charts(account)]
    context = {
        "asked": asked,
        "places": _places(asked),
        "charts": charts,
        "chart_data": {chart.code: data.as_json() for chart, data in charts},
        "tables": [(table, table.data(asked)) for table in figures.tables(account)],
        "tiles": [  # last: the number of a figure whose parts are known is their sum
            {
                "tile": tile,
                "value": tile.figure.value(asked),
                "url": tile.figure.url(asked),
                "line": tile.line(asked),
                "foot": tile.foot(asked),
            }
            for tile in figures.tiles()
            if not tile.private or asked.account.may(tile.figure.right)
        ],
    }
    return render(request, "bureau/dashboard.html", context)


def healthz(request: HttpRequest) -> HttpResponse:
    """`ok` when this process can ask its database."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return HttpResponse("ok", content_type="text/plain")


def _places(asked: figures.Asked) -> str:
    """`全县 10 个乡镇 · 62 所学校`, or what the account may see of them."""
    schools = School.objects.visible_to(asked.account)
    if asked.account.scope.whole_county:
        return (
            f"全县 {Township.objects.filter(county=asked.county).count()} 个乡镇 · {schools.count()} 所学校"
        )
    number = schools.count()
    return schools.get().name if number == 1 else f"本人负责的 {number} 所学校"
