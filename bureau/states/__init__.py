"""One table of moves per kind of object, as data, and one way to move.

class Discrepancy(models.Model):
    STATES = StateMachine("discrepancy", [Move("new", "assigned", right="differences.settle", label="交办"), …])

states.move(Discrepancy.objects.filter(pk=pk), to="assigned", by=account)
"""

from bureau.states.machine import Move, StateMachine
from bureau.states.models import Transition
from bureau.states.moving import IllegalMove, move

__all__ = ["IllegalMove", "Move", "StateMachine", "Transition", "move"]
