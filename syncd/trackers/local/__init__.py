"""A folder of Markdown files as a tracker: `tracker` implements the contract.

It needs no account, and shows in tests and in the demo what a tracker must do.
"""
