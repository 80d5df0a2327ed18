"""Tests of the tracker GitLab."""
