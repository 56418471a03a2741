"""The Celery application: a doorbell and a clock. What is to be done stands in the job table (`bureau/jobs`)."""

import os

from celery import Celery
from celery.signals import setup_logging
from kombu.transport import TRANSPORT_ALIASES

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bureau.settings")
TRANSPORT_ALIASES["filesystem"] = "bureau.broker:Transport"

app = Celery("bureau")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["bureau.jobs", "bureau.audit"])


@setup_logging.connect
def keep_our_logging(**_) -> None:
    """Django's LOGGING stands, with its filter that blanks numbers; Celery would replace it."""
