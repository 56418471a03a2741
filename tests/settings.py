"""Settings of the suite: the product's own, with a private home per worker and a cheap password hash."""

import atexit
import os
import shutil
import tempfile

# Children of a worker (a reader process, a worker under test) share its home; two workers never do.
_KEY = "BUREAU_TEST_HOME_" + os.environ.get("PYTEST_XDIST_WORKER", "main")
if _KEY not in os.environ:
    os.environ[_KEY] = tempfile.mkdtemp(prefix="bureau-test-")
    atexit.register(shutil.rmtree, os.environ[_KEY], ignore_errors=True)
os.environ["BUREAU_HOME"] = os.environ[_KEY]
for _name in ("BUREAU_KEYS", "BUREAU_PRODUCTION", "CELERY_BROKER_URL"):
    os.environ.pop(_name, None)

from bureau.settings import *  # noqa: E402, F403

PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.MD5PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",  # one-time passwords
]
