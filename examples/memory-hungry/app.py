"""Holds a large data set in memory at once: dies where it does not fit."""

import zlib

MB = 1024 * 1024


def handler(event, context):
    """Fill `megabytes` of memory, every page of it, then run a checksum over all."""
    megabytes = event.get("megabytes", 300)
    blocks = [bytes([number % 251]) * MB for number in range(megabytes)]
    checksum = 0
    for block in blocks:
        checksum = zlib.crc32(block, checksum)
    return {"megabytes": megabytes, "checksum": f"{checksum:08x}"}
