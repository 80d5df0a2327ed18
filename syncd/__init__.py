"""syncd turns crash-group notifications into issues, exactly one per crash.

The way of one notification: `intake.receiver` checks it, and `store.inbox` commits it before the answer of 200;
`worker.absorb` folds it into its group; `worker.sync` asks `core.plan` what the group's issue needs, and does it
through a tracker.
"""

__version__ = "0.1.0"
