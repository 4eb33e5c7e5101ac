"""Runs one lotgate command as a child that ends when the demo does, however the demo ended.

``python -m lotgate.demo.leash edge --config F`` is ``lotgate edge --config F`` on a leash; ``devices`` are the
simulated ones.
"""

from __future__ import annotations

import ctypes
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1  # prctl(2)


def main() -> int:
    """Ask the kernel for the signal, then be the command."""
    ctypes.CDLL(None, use_errno=True).prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGTERM)
    if sys.argv[1] == "devices":
        from lotgate.demo import devices  # only this child needs the simulated devices

        return devices.main(sys.argv[2:])
    from lotgate.__main__ import main as lotgate

    return lotgate(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
