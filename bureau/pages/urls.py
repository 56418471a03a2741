"""The first pages."""

from bureau.access.routes import ANYBODY, path
from bureau.pages import views

urlpatterns = [
    path("", views.desk, right="desk", name="desk"),
    path("dashboard/", views.dashboard, right="dashboard", name="dashboard"),
    path("healthz", views.healthz, right=ANYBODY, name="healthz"),
]
