"""What this room brings to the house."""

from bureau.audit import telling
from bureau.door import steps
from bureau.organisation import furnishing
from students import rules as registry
from students.actions import settling
from students.figures import QUESTION_FIGURES
from students.views import compared, discrepancies
from subsidies import demo, desk, figures, merging, rules
from subsidies.actions import programmes, remedies


def plug_in() -> None:
    """Called once from `AppConfig.ready()`."""
    furnishing.register(programmes.install)
    steps.register(demo.seed)
    desk.plug_in()
    figures.plug_in()
    merging.plug_in()
    registry.register(*rules.RULES)
    settling.REMEDIES.update({remedy.code: remedy for remedy in remedies.REMEDIES})
    discrepancies.REASONS.update(rules.REASONS)
    compared.SPEAK_FOR_THEMSELVES.update(rules.REASONS)
    QUESTION_FIGURES.words["rule"].update({rule.code: rule.title for rule in rules.RULES})
    telling.register_codes("remedy", {remedy.code: remedy.label for remedy in settling.REMEDIES.values()})
