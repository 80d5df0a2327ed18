"""Backtrace's own API: what its project is set up to send, the totals of its groups, and on request the tickets of a group.

It reads with a token that is sent to the configured address only. Nothing here follows an address of a notification, and no crash
object is ever fetched.
"""
