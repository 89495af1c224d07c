"""Sections of views that are too long for one file: tables, handlers and queries of one part of a
view. The view itself, which names them in its tables and routes, is in `projections/`."""
