"""The texts of an issue as blocks, their templates, and a writer for each markup.

Pure: no I/O, no clock. The trackers decide which markup they need; the worker decides what is written when.
"""
