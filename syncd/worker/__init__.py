"""The two stages behind the inbox: absorb deliveries into groups, and sync one group's issue with its tracker.

The worker loads facts, asks the core for a decision, carries it out, and commits the result. Threads belong to `daemon`,
SQL to `store`, HTTP to `trackers`.
"""
