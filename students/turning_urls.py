"""Pages of the school year: promotion, handing over, areas; see students/urls.py."""

from bureau.access.routes import path
from students.views import turning, turning_areas, turning_deeds, turning_leavers, turning_promotions

urlpatterns = [
    path("year/", turning.year, right="students.view", name="year"),
    path("year/plan", turning.plan, right="year.turn", name="year_plan"),
    path("year/schooling", turning.schooling, right="year.turn", name="schooling"),
    path(
        "year/schooling/<int:schooling_id>/remove",
        turning.remove_schooling,
        right="year.turn",
        name="remove_schooling",
    ),
    path("year/repeats", turning.repeats, right="year.turn", name="repeats"),
    path(
        "year/repeats/<int:repeat_id>/withdraw",
        turning.withdraw_repeat,
        right="year.turn",
        name="withdraw_repeat",
    ),
    path("year/promotions/start", turning_promotions.start, right="year.turn", name="start_promotion"),
    path(
        "year/promotions/<uuid:promotion_id>/",
        turning_promotions.promotion,
        right="year.turn",
        name="promotion",
    ),
    path(
        "year/promotions/<uuid:promotion_id>/children",
        turning_promotions.children,
        right="year.turn",
        name="promotion_children",
    ),
    path(
        "year/promotions/<uuid:promotion_id>/again",
        turning_promotions.again,
        right="year.turn",
        name="promotion_again",
    ),
    path(
        "year/promotions/<uuid:promotion_id>/apply",
        turning_promotions.apply,
        right="year.turn",
        name="apply_promotion",
    ),
    path(
        "year/promotions/<uuid:promotion_id>/undo",
        turning_promotions.undo,
        right="year.turn",
        name="undo_promotion",
    ),
    path(
        "year/promotions/<uuid:promotion_id>/give-up",
        turning_promotions.give_up,
        right="year.turn",
        name="give_up_promotion",
    ),
    path("year/handover/", turning_leavers.handover, right="students.view", name="handover"),
    path("year/leavers/", turning_leavers.leavers, right="students.view", name="leavers"),
    path("year/leavers/export.xlsx", turning_leavers.export_leavers, right="figures.export", name="export_leavers"),
    path("year/leavers/hand-over", turning_deeds.hand_over, right="rosters.upload", name="hand_over"),
    path("year/leavers/report", turning_deeds.report_in, right="rosters.upload", name="report_in"),
    path(
        "year/leavers/report/withdraw",
        turning_deeds.withdraw_report,
        right="rosters.upload",
        name="withdraw_report",
    ),
    path(
        "year/leavers/destination", turning_deeds.destinations, right="rosters.upload", name="destinations"
    ),
    path(
        "year/leavers/destination/withdraw",
        turning_deeds.withdraw_destinations,
        right="rosters.upload",
        name="withdraw_destinations",
    ),
    path(
        "year/leavers/<int:leaver_id>/return",
        turning_deeds.return_leaver,
        right="year.turn",
        name="return_leaver",
    ),
    path("year/aided/", turning_leavers.aided, right="students.view", name="aided"),
    path("year/aided/check", turning_deeds.check_aid, right="rosters.upload", name="check_aid"),
    path("year/areas/", turning_areas.areas, right="students.view", name="areas"),
    path("year/areas/<uuid:school_id>/", turning_areas.area, right="students.view", name="area"),
    path("year/areas/<uuid:school_id>/edit", turning_areas.edit_area, right="year.turn", name="edit_area"),
    path("year/areas/<uuid:school_id>/letters", turning_areas.letters, right="students.view", name="letters"),
]
