from bureau.access.routes import path
from bureau.year import handover_views, views

ARRANGE = "year.arrange"

urlpatterns = [
    path("calendar/", views.calendar, right="desk", name="work_calendar"),
    path("calendar/new/", views.edit_work_date, right=ARRANGE, name="add_work_date"),
    path("calendar/copy/", views.copy_work_dates, right=ARRANGE, name="copy_work_dates"),
    path("calendar/<int:work_date_id>/", views.edit_work_date, right=ARRANGE, name="edit_work_date"),
    path(
        "calendar/<int:work_date_id>/delete/", views.delete_work_date, right=ARRANGE, name="delete_work_date"
    ),
    path(
        "accounts/<uuid:account_id>/handover/",
        handover_views.hand_over,
        right="accounts.edit",
        name="hand_over",
    ),
    path("handovers/<uuid:handover_id>/", handover_views.handover, right="accounts.view", name="handover"),
    path("terms/<uuid:term_id>/lists/", views.term_lists, right=ARRANGE, name="term_lists"),
    path("terms/<uuid:term_id>/close/", views.close_term, right=ARRANGE, name="close_term"),
    path("terms/closings/<uuid:closing_id>/", views.frozen_figures, right="dashboard", name="frozen_figures"),
    path("terms/closings/<uuid:closing_id>/reopen/", views.reopen_term, right=ARRANGE, name="reopen_term"),
]
