"""What the console and the commands both ask and do: status, explain, relink.

Reads of the store become answers for people here. Pages belong to `console`, tables and options to `cli`.
"""
