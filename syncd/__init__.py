"""syncd turns crash-group notifications into issues, exactly one per crash.

The way of one notification: `receiver.receive` checks it and `store.inbox.accept` puts it on disk;
`worker.absorb` folds it into its group (`payload.parse`, `fold.fold`); `worker.sync` asks `plan.plan`
what the group's issue needs and carries that out through a tracker.
"""

__version__ = "0.1.0"
