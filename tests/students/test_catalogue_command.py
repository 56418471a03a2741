"""`import_roster --json` says of every file of the catalogue what the reader says, and what only the registry can add."""

import pytest
from django.db import transaction
from django.utils import timezone

from bureau.sheets import read
from bureau.sheets.process import here
from students.sheets import ROSTERS
from tests.bureau.sheets.catalogue import CASES
from tests.commands import run

# What needs the school, its term or its children.
OF_THE_REGISTRY = {"other_school", "enrolled_elsewhere", "name_conflict", "age_out_of_range", "locked"}


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_command_tells_what_the_page_tells_of_every_file(world, home, monkeypatch, tmp_path):
    monkeypatch.setattr("bureau.sheets.reader.listen", here)
    cases = [case for case in CASES if case.kind in ROSTERS and not case.password and not case.slow]
    for place, case in enumerate(cases):
        folder = tmp_path / str(place)
        folder.mkdir()
        path = case.build(folder)
        reading = read(path, ROSTERS[case.kind], today=timezone.localdate(), in_process=True)

        with transaction.atomic():
            outcome = run(
                "import_roster", path, "--school", world.school.code, "--term", world.term.code, "--kind", case.kind
            )
            transaction.set_rollback(True)

        told, error = outcome.result, reading.file_error
        assert told["file_error"] == (error and {"code": error.code, "message": error.message}), case.name
        if error:
            assert (outcome.status, told["rows"], told["problems"]) == (2, 0, []), case.name
            continue
        ours = [problem.as_dict() for problem in reading.problems]
        assert [p for p in ours if p not in told["problems"]] == [], case.name
        added = {p["code"] for p in told["problems"] if p not in ours}
        assert added <= OF_THE_REGISTRY, (case.name, added)
        assert outcome.status == (1 if told["rejected"] else 0), case.name
        assert told["rows"] == told["accepted"] + told["rejected"] + told["skipped"] == len(reading.rows), case.name
        assert told["new"] + told["changed"] + told["unchanged"] == told["accepted"], case.name
