"""One module per kind of sender: bytes in, a `Notification` out. Pure.

A source reads what its sender documents. Login and storage belong to the receiver, counting to the core.
"""
