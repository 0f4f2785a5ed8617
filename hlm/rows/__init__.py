"""What makes the rows of a data set where they are not all alike.

Sizes of units, covariates that come from others, residuals that differ in variance or depend on one
another, rows that are missing: each is a frozen dataclass that a scenario may have, with what is to
be computed of it. NumPy and Numba are imported only where they are used, so that plans are read
fast.
"""
