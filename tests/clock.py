"""The clock that plug-ins test with."""

from syncd.plugin.conformance.clock import START as START
from syncd.plugin.conformance.clock import MovableClock as MovableClock
