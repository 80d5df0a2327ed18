"""One process: its threads, its signals, its listeners, and its place among the processes that share a store.

`app` joins all parts. What a stage does with a group belongs to the worker.
"""
