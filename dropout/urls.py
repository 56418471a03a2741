"""Pages of dropout control, each with the right it needs."""

from bureau.access.routes import path
from dropout.views import case_list, case_page, deadlines, ledgers, orders

app_name = "dropout"

CASE, ORDER = "dropout/cases/<uuid:case_id>/", "dropout/orders/<uuid:order_id>/"

urlpatterns = [
    path("dropout/cases/", case_list.cases, right="dropout.view", name="cases"),
    path("dropout/cases/export.xlsx", case_list.export, right="dropout.export", name="export_cases"),
    path("dropout/cases/assign", case_list.assign, right="dropout.work", name="assign"),
    path(CASE, case_page.case, right="dropout.view", name="case"),
    path(f"{CASE}visit", case_page.visit, right="dropout.work", name="visit"),
    path(f"{CASE}sign", case_page.sign, right="dropout.view", name="sign"),
    path(f"{CASE}steps/<slug:word>", case_page.step, right="dropout.view", name="step"),
    path("dropout/students/<uuid:student_id>/report", case_page.report, right="dropout.work", name="report"),
    path(ORDER, orders.order, right="dropout.view", name="order"),
    path(f"{ORDER}serve", orders.serve, right="dropout.order", name="serve_order"),
    path(f"{ORDER}cancel", orders.cancel, right="dropout.order", name="cancel_order"),
    path("dropout/ledger/", ledgers.overview, right="dropout.view", name="ledger"),
    path("dropout/children/", ledgers.children, right="dropout.view", name="children"),
    path("dropout/children/export.xlsx", ledgers.export_children, right="dropout.export", name="export_children"),
    path("dropout/rates/", ledgers.rate_page, right="dropout.view", name="rates"),
    path("dropout/deadlines/", deadlines.deadlines, right="dropout.view", name="deadlines"),
    path("dropout/deadlines/save", deadlines.save, right="dropout.decide", name="save_deadline"),
]
