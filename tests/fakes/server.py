"""The server that plug-ins build their fakes on, and so do the tests of syncd."""

from syncd.plugin.conformance.server import Answer as Answer
from syncd.plugin.conformance.server import Cut as Cut
from syncd.plugin.conformance.server import Denied as Denied
from syncd.plugin.conformance.server import Fault as Fault
from syncd.plugin.conformance.server import How as How
from syncd.plugin.conformance.server import Moment as Moment
from syncd.plugin.conformance.server import Recorded as Recorded
from syncd.plugin.conformance.server import Routes as Routes
from syncd.plugin.conformance.server import ServerBase as ServerBase
