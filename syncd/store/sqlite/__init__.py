"""A store in one SQLite file: one writer thread, group commit, backup, and the locks of the processes that share it.

Only the driver seam lives here; the operations of the store are written once, above it.
"""
