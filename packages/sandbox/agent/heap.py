"""A fork copies every page that it writes to. Memory that was freed before the fork lies scattered, so what the fork makes would land on a page
of its own each time. So these holes are filled, for good: what is made after that lies together.
"""

import ctypes
import gc

libc = ctypes.PyDLL(None)
libc.malloc.restype = ctypes.c_void_p
HEADER = 8  # of what malloc hands out
MALLOC_SIZES = range(24, 256, 16)
# Of the interpreter's own allocator (Objects/obmalloc.c): a pool holds things of one size, a multiple of 16 bytes, after a header.
POOL, POOL_HEADER = 1 << 14, 48
POOL_SIZES = range(16, 513, 16)
LARGEST = 1 << 26  # above every free piece of the heap
MOST = 1 << 16  # bytes of one size
TOGETHER = 1 << 11  # bytes of a row
FILLING = []


def fill_holes():
    gc.collect()
    if hasattr(libc, "malloc_trim"):
        libc.malloc_trim(ctypes.c_size_t(0))
    libc.free(ctypes.c_void_p(libc.malloc(ctypes.c_size_t(LARGEST))))  # has malloc sort what is free
    for size in MALLOC_SIZES:
        fill(size + HEADER, lambda size=ctypes.c_size_t(size): libc.malloc(size), int, lambda place: True)
    for size in POOL_SIZES:
        fill(size, maker(size), id, lambda place: place % POOL == POOL_HEADER)


def fill(size, make, find, may_begin):
    """Makes things of `size` until a row of them lies one beside the other, from a place on where an empty part of memory may begin."""
    first, row = 0, 0
    for _ in range(MOST // size):
        FILLING.append(make())
        place = find(FILLING[-1])
        if row and place == first + row * size:
            row += 1
        else:
            first, row = place, int(may_begin(place))
        if row * size >= TOGETHER:
            return


def maker(size):
    """Of things that take `size` bytes, or up to 15 less. Of 32 it makes the most there may be: what `fill` counts with takes places too."""
    if size == 16:
        return object
    if size == 32:
        return lambda: float(len(FILLING))
    return lambda: bytes(size - bytes().__sizeof__())
