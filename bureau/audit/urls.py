"""Pages of the auditor."""

from bureau.access.routes import path
from bureau.audit import views

RIGHT = "audit.view"

urlpatterns = [
    path("audit/", views.events, right=RIGHT, name="audit"),
    path("audit/looks/", views.looks, right=RIGHT, name="access_log"),
    path("audit/check/", views.check_log, right=RIGHT, name="check_log"),
]
