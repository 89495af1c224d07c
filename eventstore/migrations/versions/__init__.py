"""One module a revision; revisions are numbered and only ever added."""
