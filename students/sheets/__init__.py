"""The spreadsheets of the first floor, each with the layouts in which it arrives."""

from bureau.sheets import Sheet

from .civil_affairs import Dibao, DibaoHouseholds, LowIncome, LowIncomeHouseholds, Orphan, Tekun
from .disability import Disability
from .guardians import GuardianList, GuardiansSideBySide
from .others import AidPlatform, Births, OwnList, ProvincialPoor, SevereIllness
from .population import Deaths, Population
from .poverty import Monitored, Poverty, PovertyBefore2021, PovertyFromProvince, StudentPool
from .schools import AidRoster, ClassRoll, NationalRoll, NationalXueji, TechnicalRoll, Xueji
from .whereabouts import DropoutPlatform, Elsewhere

SHEETS: dict[str, list[type[Sheet]]] = {
    "population": [Population],
    "poverty": [Poverty, PovertyBefore2021, PovertyFromProvince],
    "monitored": [Monitored],
    "student_pool": [StudentPool],
    "dibao": [Dibao, DibaoHouseholds],
    "tekun": [Tekun],
    "orphan": [Orphan],
    "disability": [Disability],
    "xueji": [Xueji, NationalXueji],
    "deaths": [Deaths],
    "low_income": [LowIncome, LowIncomeHouseholds],
    "births": [Births],
    "illness": [SevereIllness],
    "elsewhere": [Elsewhere],
    "province_poor": [ProvincialPoor],
    "aid_platform": [AidPlatform],
    "dropout_platform": [DropoutPlatform],
}


def sheets_of(register: str) -> list[type[Sheet]]:
    """The layouts of a register's lists; one an officer added is read as OwnList."""
    return SHEETS.get(register, [OwnList])


ROSTERS: dict[str, list[type[Sheet]]] = {
    "roll": [ClassRoll, NationalRoll, TechnicalRoll],
    "aid": [AidRoster],
    "guardians": [GuardianList, GuardiansSideBySide],
}

__all__ = [
    "ROSTERS",
    "SHEETS",
    "OwnList",
    "sheets_of",
    *sorted({layout.__name__ for group in (SHEETS | ROSTERS).values() for layout in group}),
]
