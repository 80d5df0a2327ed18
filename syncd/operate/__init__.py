"""Operations that console and commands share: status, attention, explain, operators' actions, health, gauges.

This package turns reads of the store into answers for people. Pages belong to `console`, tables and options to `cli`.
"""
