"""Addresses for systems. They carry no right of an account: a token opens them (students/api/tokens.py)."""

from bureau.access.routes import TOKEN, path
from students.api import views

urlpatterns = [
    path("api/v1/registers", views.Registers.as_view(), right=TOKEN, name="api_registers"),
    path("api/v1/registers/<str:name>/snapshots", views.Snapshots.as_view(), right=TOKEN, name="api_snapshots"),
    path("api/v1/snapshots/<str:snapshot_id>", views.Snapshot.as_view(), right=TOKEN, name="api_snapshot"),
    path("api/v1/snapshots/<str:snapshot_id>/rows", views.Rows.as_view(), right=TOKEN, name="api_rows"),
    path("api/v1/snapshots/<str:snapshot_id>/close", views.Close.as_view(), right=TOKEN, name="api_close"),
    path("api/<path:rest>", views.Nowhere.as_view(), right=TOKEN, name="api_nowhere"),
]
