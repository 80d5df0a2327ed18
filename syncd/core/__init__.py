"""The decisions of syncd, as pure functions: fold a notification, plan the next action of an issue, give the reason.

Functions take values and `now`, and return values. Nothing here does I/O, reads a clock, or knows a database or a tracker.
"""
