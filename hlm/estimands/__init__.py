"""What is estimated: each quantity an object, made once for each model, with its true values.

`estimands_of` gives those of a model, `targets` their true values in a scenario. The names of
terms are made in `names`, and taken apart nowhere.
"""
