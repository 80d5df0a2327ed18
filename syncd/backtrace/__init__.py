"""Backtrace's own API: what a project is set up to send, and the totals of its groups.

It reads with a token that is sent to the configured address only. Nothing here follows an address of a notification, and no crash
object is ever fetched.
"""
