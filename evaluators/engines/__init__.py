"""Engines carry an evaluation out: in a sandbox, in this process or on Ray."""
