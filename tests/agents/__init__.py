"""Loops of agents of public frameworks against made-up answers, run on demand.

``python -m tests.agents`` says what it needs. Not a part of the tests: the frameworks are large.
"""
