"""Every page of the product; each app's `urls.py` declares the right its pages need."""

from django.urls import include, path

import bureau.access.urls
import bureau.audit.urls
import bureau.jobs.urls
import bureau.organisation.urls
import bureau.pages.urls
import bureau.year.urls

ground_floor = [
    *bureau.pages.urls.urlpatterns,
    *bureau.access.urls.urlpatterns,
    *bureau.organisation.urls.urlpatterns,
    *bureau.jobs.urls.urlpatterns,
    *bureau.audit.urls.urlpatterns,
    *bureau.year.urls.urlpatterns,
]

urlpatterns = [
    path("", include((ground_floor, "bureau"))),
    path("", include("students.urls")),
    path("", include("subsidies.urls")),
    path("", include("dropout.urls")),
]
