"""The demo county: 潜山市, its real divisions, its published totals, and made-up households.

``plan`` says what happens when, ``driver`` turns it into the commands everybody uses.
"""
