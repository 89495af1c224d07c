"""Known-bad variants of the program, each of which some named test must catch: see README.md.

    python -m tests.mutants                    # all of them, as a table
    python -m tests.mutants gap-not-fetched    # one

A mutant is a patch at a named seam and says what kills it: an oracle of the simulation, or a test.
"""
