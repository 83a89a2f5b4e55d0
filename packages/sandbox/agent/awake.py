"""An init that has been woken up: goes on with the run where it left off. It is the last run of this init."""

import _socket  # what `socket` adds takes longer to import than everything else
import os
import time

import dormant
import frames
import linux
import supervisor


def live():
    """The rest of its life. Never returns."""
    linux.prctl(linux.PR_SET_DUMPABLE, 0)
    control, host = (_socket.socket(fileno=number) for number in (dormant.CONTROL, dormant.HOST))
    try:
        state = dormant.read_state()
        run = supervisor.resume(host, control, state)
        run.rest.wake(time.monotonic() - state["slept_at"])
        run.watch_over()
        run.finish()
        os._exit(0)
    except (ConnectionError, EOFError):
        os._exit(0)  # the host is gone, or has let go; or the holder is
    except BaseException:
        frames.report_failure(host)
        os._exit(1)
