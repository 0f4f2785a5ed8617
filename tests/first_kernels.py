"""Kernels of a program that several processes are first to need: see test_jit.py.

Each says when it is ready, waits for the word to go, and prints whether it compiled, what the
kernel gives, and how many compiled kernels it found on disk.
"""

import numpy as np

from hlm.jit import compiling, entry, inlined


@inlined
def square(x):
    return x * x


@entry
def sum_of_squares(x):
    total = x[0] - x[0]
    for k in range(x.shape[0]):
        total += square(x[k])
    return total


def call():
    """Call the kernel for two types: two entries of one index on disk."""
    return sum_of_squares(np.arange(5.0)), sum_of_squares(np.arange(4))


if __name__ == "__main__":
    print("ready", flush=True)
    input()
    with compiling("test") as missing:
        if missing:
            print("compiling", flush=True)
            call()
    print(missing, *call(), sum(sum_of_squares.stats.cache_hits.values()))
