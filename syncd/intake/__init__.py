"""HTTP in: the receiver checks a delivery and stores it before it answers 200.

`sources` turns the bytes of each kind of sender into a notification. Folding belongs to the worker.
"""
