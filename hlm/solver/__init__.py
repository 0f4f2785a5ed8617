"""Goals and an oracle that simulates -> the smallest size, or the cheapest design, meeting them.

Knows no study and no files. All that it does is a function of the tallies that it is given.
"""

from hlm.solver.answer import Answer, Design, Estimate, Tried, Unreached
from hlm.solver.cost_expression import Cost, growing_cost, read_cost
from hlm.solver.many import solve_many
from hlm.solver.one import solve_one
from hlm.solver.question import Ask, Goal, Oracle, Point, Predicted, Tolerance, Variable
from hlm.solver.tally import Tally

__all__ = [
    "Answer",
    "Ask",
    "Cost",
    "Design",
    "Estimate",
    "Goal",
    "Oracle",
    "Point",
    "Predicted",
    "Tally",
    "Tolerance",
    "Tried",
    "Unreached",
    "Variable",
    "growing_cost",
    "read_cost",
    "solve_many",
    "solve_one",
]
