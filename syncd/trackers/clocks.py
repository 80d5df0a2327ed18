"""Whether this machine's clock and a tracker's tell the same time."""

import time

from syncd.trackers import Finding

OFF_SECONDS = 30.0  # an answer says the time in whole seconds, and was on its way for some


def compared(theirs: float | None) -> list[Finding]:
    """What is to be said of a time that a tracker's answer just told; nothing where it told none."""
    if theirs is None:
        return []
    off = time.time() - theirs
    if abs(off) <= OFF_SECONDS:
        return [Finding(ok=True, what="its clock and this machine's tell the same time")]
    remedy = "run a time service on this machine (`timedatectl set-ntp true`): due times and proofs are times of both"
    return [Finding(ok=False, what=f"this machine's clock is {off:+,.0f} seconds off the tracker's", remedy=remedy)]
