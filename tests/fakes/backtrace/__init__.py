"""The double of Backtrace: the API of a project, the workflows service, and the webhook. `python -m tests.fakes.backtrace` runs it with a story.

Nothing in it was tried against a live service: it does what Backtrace's public documentation and tools say, and refuses what they do not say.
"""

from tests.fakes.backtrace.objects import Objects, callstack
from tests.fakes.backtrace.server import TOKEN, FakeBacktrace

__all__ = ["TOKEN", "FakeBacktrace", "Objects", "callstack"]
