"""Tests of the HTTP edge, on a real server with a real store."""
