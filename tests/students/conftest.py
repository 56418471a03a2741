"""Files go in through the actions users use; see `tests.students.factories.Office`."""

import pytest

from bureau.sheets.process import here
from tests.students.factories import Office


@pytest.fixture
def office(county, term, aid_officer, home, tmp_path, monkeypatch) -> Office:
    """The county's aid officer with files in hand.

    They are read in this process: the child that reads strangers' files has tests of its own and costs half the time.
    """
    monkeypatch.setattr("bureau.sheets.reader.listen", here)
    folder = tmp_path / "desk"
    folder.mkdir()
    return Office(county, term, folder, aid_officer)
