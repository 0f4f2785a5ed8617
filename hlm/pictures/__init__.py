"""Which figures a study can have, how one is chosen, and where its scenarios go.

No plotting library is loaded: all of it is known before there is a result.
"""
