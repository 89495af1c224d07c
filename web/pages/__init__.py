"""One module a page: its `router`, which asks by `api.reads` and renders a template.

Pages write nothing: their forms send commands to the JSON API.
"""
