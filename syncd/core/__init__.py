"""Decisions, pure: what a notification changes, what an issue needs now, and why.

Functions take values and `now`, and return values. Nothing here does I/O, reads a clock, or knows a database or a tracker.
"""
