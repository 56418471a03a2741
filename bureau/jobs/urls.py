"""Pages of long work."""

from bureau.access.routes import path
from bureau.jobs import views

urlpatterns = [
    path("jobs/", views.jobs, right="jobs.view", name="jobs"),
    path("jobs/<uuid:job_id>/", views.job, right="jobs.view", name="job"),
    path("jobs/<uuid:job_id>/cancel", views.cancel, right="jobs.view", name="cancel_job"),
]
