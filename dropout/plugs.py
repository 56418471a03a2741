"""What this room brings to the house."""

from bureau.audit import telling
from dropout import desk, figures, merging, rules
from dropout.actions import remedies
from students import rules as registry
from students.actions import settling
from students.figures import QUESTION_FIGURES
from students.views import compared, discrepancies


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    desk.plug_in()
    figures.plug_in()
    merging.plug_in()
    registry.register(*rules.RULES, *rules.offering_a_case())
    settling.REMEDIES.update({remedy.code: remedy for remedy in remedies.REMEDIES})
    discrepancies.REASONS.update(rules.REASONS)
    compared.SPEAK_FOR_THEMSELVES.update(rules.REASONS)
    QUESTION_FIGURES.words["rule"].update({rule.code: rule.title for rule in rules.RULES})
    telling.register_codes("remedy", {remedy.code: remedy.label for remedy in settling.REMEDIES.values()})
