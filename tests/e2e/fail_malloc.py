"""Has allocations of a server fail that was started with LD_PRELOAD=LIBRARY and FAIL_MALLOC=memory.order."""

import mmap
import os
import struct

from started import SHOAL

LIBRARY = os.path.join(os.path.dirname(SHOAL), "tests/preload/fail_malloc.so")


class Memory:
    """What the preloaded library reads: so many allocations pass, then so many fail."""

    def __init__(self, folder):
        self.order = os.path.join(folder, "order")
        with open(self.order, "wb") as file:
            file.write(bytes(8))
        with open(self.order, "r+b") as file:
            self.shared = mmap.mmap(file.fileno(), 8)

    def runs_out(self, after, times):
        self.shared[0:8] = struct.pack("<ii", after, times)

    def suffices(self):
        """How many of the failures asked for have not come."""
        left = struct.unpack("<i", self.shared[4:8])[0]
        self.runs_out(0, 0)
        return left
