from bureau.access.routes import path
from bureau.organisation import change_views, views

VIEW, EDIT = "organisation.view", "organisation.edit"

urlpatterns = [
    path("organisation/", views.organisation, right=VIEW, name="organisation"),
    path("organisation/townships/new/", views.edit_township, right=EDIT, name="add_township"),
    path("organisation/townships/<uuid:township_id>/", views.township, right=VIEW, name="township"),
    path(
        "organisation/townships/<uuid:township_id>/edit/",
        views.edit_township,
        right=EDIT,
        name="edit_township",
    ),
    path(
        "organisation/townships/<uuid:township_id>/villages/new/",
        views.edit_village,
        right=EDIT,
        name="add_village",
    ),
    path(
        "organisation/villages/<uuid:village_id>/edit/", views.edit_village, right=EDIT, name="edit_village"
    ),
    path("organisation/schools/new/", views.edit_school, right=EDIT, name="add_school"),
    path("organisation/schools/<uuid:school_id>/", views.school, right=VIEW, name="school"),
    path("organisation/schools/<uuid:school_id>/edit/", views.edit_school, right=EDIT, name="edit_school"),
    path("organisation/schools/<uuid:school_id>/change/", change_views.plan, right=EDIT, name="plan_change"),
    path("organisation/changes/", change_views.changes, right=VIEW, name="school_changes"),
    path("organisation/changes/<uuid:change_id>/", change_views.change, right=VIEW, name="school_change"),
    path("organisation/changes/<uuid:change_id>/apply", change_views.apply, right=EDIT, name="apply_change"),
    path("organisation/changes/<uuid:change_id>/cancel", change_views.cancel, right=EDIT, name="cancel_change"),
    path("organisation/changes/<uuid:change_id>/undo", change_views.undo, right=EDIT, name="undo_change"),
    path("organisation/terms/", views.terms, right=VIEW, name="terms"),
    path("organisation/terms/new/", views.edit_term, right=EDIT, name="add_term"),
    path("organisation/terms/<uuid:term_id>/edit/", views.edit_term, right=EDIT, name="edit_term"),
    path("organisation/settings/", views.settings, right=EDIT, name="settings"),
    path("organisation/holidays/", views.holidays, right=VIEW, name="holidays"),
    path("organisation/holidays/add/", views.add_holiday, right=EDIT, name="add_holiday"),
    path("organisation/holidays/paste/", views.paste_holidays, right=EDIT, name="paste_holidays"),
    path(
        "organisation/holidays/<int:holiday_id>/delete/",
        views.delete_holiday,
        right=EDIT,
        name="delete_holiday",
    ),
]
