"""The notebook that plug-ins test with."""

from syncd.plugin.conformance.notebook import Memory as Memory
