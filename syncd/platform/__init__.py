"""The machine below: HTTP server, systemd, logs, metrics, fsync.

Nothing here knows crash groups, issues or the store.
"""
