"""Plug-ins that come with syncd: trackers built on `syncd.plugin` alone, as those of other packages.

What one of them imports is an extra of its own, such as `syncd[gitlab]`. No module here imports anything else of syncd.
"""
