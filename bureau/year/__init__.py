"""The bureau's year: the dates it sets (工作日历), what opens and closes a term, and the figures a closed term keeps.

Rooms plug in what they can tell of a term from `AppConfig.ready()`:

    checklists.register(Check("promotion", OPENING, "学年升级已办", look))      look(term, account) -> Tick
"""
