"""Real-life household lists in, checked rows out.

``guard`` decides whether a file may be opened at all, ``sandbox`` parses a workbook in a process
with limits, ``reader`` gives the rows of its lists, ``columns`` knows what the forms call things,
``rows`` turns rows into households and says of every row what is wrong with it. ``officers`` does
so with lists of officers.
"""
