"""A table of the moves one kind of object can make. Buttons, permissions, diagrams and tests are read off it."""

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Move:
    """From one state to another. `right` is what a person needs; without one only our own code makes the move,
    and no button is shown. `label` is the word on the button.
    """

    source: str
    target: str
    right: str = ""
    label: str = ""
    needs_reason: bool = False


class StateMachine:
    """The states of one kind of object, declared on its model as `STATES`.

    `field` is the column that holds the state, `county` the path to the object's county (empty: none). The first
    move starts at the initial state unless `initial` says otherwise.
    """

    def __init__(
        self,
        kind: str,
        moves: Iterable[Move],
        *,
        field: str = "state",
        county: str = "county",
        initial: str = "",
    ):
        self.kind, self.field, self.county = kind, field, county
        self.moves = tuple(moves)
        self.initial = initial or self.moves[0].source
        self._by_ends = {(move.source, move.target): move for move in self.moves}
        if len(self._by_ends) != len(self.moves):
            raise ValueError(f"{kind}: two moves between the same states")

    @property
    def states(self) -> list[str]:
        """Every state, in the order in which the table first names it."""
        return list(
            dict.fromkeys([self.initial, *(s for move in self.moves for s in (move.source, move.target))])
        )

    def moves_to(self, target: str) -> list[Move]:
        return [move for move in self.moves if move.target == target]

    def moves_from(self, state: str, account) -> list[Move]:
        """What this person may do next: the buttons of the page."""
        return [m for m in self.moves if m.source == state and m.right and account.may(m.right)]

    def allows(self, source: str, target: str) -> bool:
        return (source, target) in self._by_ends

    def mermaid(self) -> str:
        """The diagram for the documentation."""
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial}"]
        for move in self.moves:
            words = move.label + ("（须填理由）" if move.needs_reason else "")
            lines.append(f"    {move.source} --> {move.target}" + (f": {words}" if words else ""))
        sources = {move.source for move in self.moves}
        lines += [f"    {state} --> [*]" for state in self.states if state not in sources]
        return "\n".join(lines) + "\n"
