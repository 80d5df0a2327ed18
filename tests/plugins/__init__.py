"""Tests of the plug-ins that come with syncd."""
