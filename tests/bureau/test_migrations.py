"""The migrations say what the models say."""

import subprocess
import sys

from django.conf import settings


def test_no_model_has_changed_without_its_migration(outside_environment):
    """In a process of its own: the suite itself makes its tables from the models."""
    asked = [sys.executable, "manage.py", "makemigrations", "--check", "--dry-run"]
    answer = subprocess.run(asked, cwd=settings.ROOT, env=outside_environment, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stdout + answer.stderr
