"""Which columns a blank form asks for: a kindergarten is not asked for a 学籍号, a vocational school for its majors."""

from bureau.organisation.models import Stage

STAGES = {
    "preschool": ("学前", (Stage.PRESCHOOL,)),
    "compulsory": ("义务教育", (Stage.PRIMARY, Stage.JUNIOR, Stage.SPECIAL)),
    "senior": ("普通高中", (Stage.SENIOR_GENERAL,)),
    "vocational": ("中职、技工", (Stage.VOCATIONAL,)),
}
DEFAULT_STAGE = "compulsory"
_PUPIL = ("name", "document_kind", "citizen_id", "sex", "birth_on", "ethnicity", "grade", "class_name")
_LIFE = ("hukou", "home", "boarding", "status")
_FAMILY = ("guardian_name", "guardian_relation", "guardian_citizen_id", "phone")
_VOCATIONAL = ("major", "agricultural", "programme_years", "internship_state", "internship_place")
_ROLLS = {
    "preschool": (*_PUPIL, "hukou", "home", "entered", *_FAMILY),
    "compulsory": (*_PUPIL, "student_number", *_LIFE, *_FAMILY),
    "senior": (*_PUPIL, "student_number", *_LIFE, *_FAMILY),
    "vocational": (*_PUPIL, "student_number", *_VOCATIONAL, *_LIFE, *_FAMILY),
}
_AID = (
    "school_name", "grade", "class_name", "name", "sex", "citizen_id", "student_number", "boarding", "hardship", "tier",
    "programme", "term", "rate_fen", "months", "amount_fen", "account_name", "account_relation", "account_citizen_id",
    "bank_name", "account", "phone",
)  # fmt: skip
_GUARDIANS = (
    "grade", "class_name", "name", "citizen_id", "student_number", "guardian_name", "guardian_relation",
    "guardian_citizen_id", "guardian_phone", "guardian_legal",
)  # fmt: skip


def columns_of(kind: str, stage: str) -> tuple[str, ...]:
    """The attributes a template of this kind of roster has for schools of this group of stages."""
    if kind == "aid":
        return tuple(attr for attr in _AID if not (stage == "preschool" and attr == "student_number"))
    return _GUARDIANS if kind == "guardians" else _ROLLS[stage]


def stages_of(stages: list[str]) -> list[str]:
    """The groups a school of these stages has forms for; all of them where nothing is known."""
    found = [group for group, (_, members) in STAGES.items() if set(members) & set(stages)]
    return found or list(STAGES)
