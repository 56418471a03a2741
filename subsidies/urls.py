"""Pages of aid, each with the right it needs."""

from bureau.access.routes import path
from subsidies.actions import granting
from subsidies.views import determining, entitled, funds, grants, notices, programmes, steps

app_name = "subsidies"

PROGRAMME = "aid/programmes/<uuid:programme_id>/"

urlpatterns = [
    path("aid/", programmes.programmes, right="aid.view", name="programmes"),
    path("aid/install", programmes.install, right="aid.programmes", name="install"),
    path("aid/programmes/add", programmes.edit_programme, right="aid.programmes", name="add_programme"),
    path(PROGRAMME, entitled.programme, right="aid.view", name="programme"),
    path(f"{PROGRAMME}edit", programmes.edit_programme, right="aid.programmes", name="edit_programme"),
    path(f"{PROGRAMME}rates/", programmes.rates, right="aid.view", name="rates"),
    path(f"{PROGRAMME}rates/add", programmes.edit_rate, right="aid.programmes", name="add_rate"),
    path(f"{PROGRAMME}rates/<int:rate_id>/", programmes.edit_rate, right="aid.programmes", name="edit_rate"),
    path(
        f"{PROGRAMME}rates/<int:rate_id>/delete",
        programmes.delete_rate,
        right="aid.programmes",
        name="delete_rate",
    ),
    path(f"{PROGRAMME}exclude", programmes.exclude, right="aid.programmes", name="exclude"),
    path(f"{PROGRAMME}entitled/", entitled.entitled, right="aid.view", name="entitled"),
    path(
        f"{PROGRAMME}entitled.xlsx", entitled.export_entitled, right="figures.export", name="export_entitled"
    ),
    path(f"{PROGRAMME}others/", entitled.others, right="aid.view", name="others"),
    path(f"{PROGRAMME}others.xlsx", entitled.export_others, right="figures.export", name="export_others"),
    path(f"{PROGRAMME}list", steps.list_candidates, right="aid.apply", name="list_candidates"),
    *(
        path(f"{PROGRAMME}steps/{to}", steps.page_of(to), right=granting.right_for(to), name=f"step_{to}")
        for to in map(str, granting.STEPS)
    ),
    path("aid/grants/", grants.grants, right="aid.view", name="grants"),
    path("aid/grants/export.xlsx", grants.export, right="figures.export", name="export_grants"),
    path("aid/grants/leave", grants.leave, right="aid.view", name="leave"),
    path("aid/grants/<uuid:grant_id>/", grants.grant, right="aid.view", name="grant"),
    path("aid/grants/<uuid:grant_id>/leave", grants.leave_one, right="aid.view", name="leave_one"),
    path("aid/notices/", notices.notices, right="aid.view", name="notices"),
    path("aid/notices/<uuid:notice_id>/", notices.notice, right="aid.view", name="notice"),
    path("aid/notices/<uuid:notice_id>/object", notices.object_to, right="aid.apply", name="object_to"),
    path("aid/notices/<uuid:notice_id>/down", notices.take_down, right="aid.apply", name="take_down"),
    path("aid/objections/<uuid:objection_id>/answer", notices.answer, right="aid.review", name="answer"),
    path("aid/determinations/", determining.determinations, right="aid.view", name="determinations"),
    path(
        "aid/determinations/<uuid:determination_id>/decide",
        determining.decide,
        right="aid.view",
        name="decide",
    ),
    path("aid/students/<uuid:student_id>/determine", determining.apply, right="aid.apply", name="determine"),
    path("aid/funds/", funds.funds, right="funds.view", name="funds"),
    path("aid/funds/add", funds.add_appropriation, right="aid.funds", name="add_appropriation"),
    path("aid/funds/sources/add", funds.add_source, right="aid.funds", name="add_source"),
    path("aid/funds/<uuid:appropriation_id>/", funds.appropriation, right="funds.view", name="appropriation"),
    path("aid/funds/<uuid:appropriation_id>/withdraw", funds.withdraw, right="aid.funds", name="withdraw"),
    path("aid/terms/<uuid:term_id>/close", funds.close_term, right="aid.funds", name="close_term"),
]
