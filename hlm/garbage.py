"""How often Python looks for cyclic garbage in a process of its own."""

import atexit
import gc

__all__ = ["look_for_little_garbage"]

OBJECTS = 50_000
"""New objects after which it looks, in the place of 700."""


def look_for_little_garbage() -> None:
    """Have Python not search what is imported, time and again and once more when it ends.

    That is a quarter of the time of a command that answers at once, and a tenth of a job's.
    """
    gc.set_threshold(OBJECTS)
    atexit.register(gc.freeze)
