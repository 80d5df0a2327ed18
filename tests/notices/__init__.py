"""Tests of syncd.notices."""
