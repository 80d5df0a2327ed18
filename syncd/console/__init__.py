"""The operator's pages: HTML that needs no JavaScript, the same as JSON, actions, metrics and health, on their own listener.

Pages read the store and call no tracker. Sentences about the system's state come from `operate`.
"""
