"""The fault table: what servers and pages can do to a crawl, a row a fault, each visited twice.

`python -m tests.faults` prints it with what was expected and obtained.
"""
