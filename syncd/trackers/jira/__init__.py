"""Jira Cloud and Data Center as trackers: `tracker` implements the contract, the other modules each hold one question to Jira.

No other package imports jira.
"""
