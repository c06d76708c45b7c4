"""Two CPU-bound threads at once: zlib compresses outside the interpreter's lock."""

import random
import zlib
from concurrent.futures import ThreadPoolExecutor

RANDOM = random.Random(1)
WORDS = [RANDOM.randbytes(4).hex() for _ in range(5000)]
PAGE = " ".join(RANDOM.choices(WORDS, k=30_000)).encode()


def handler(event, context):
    """Compress a page of 270 KB `pages` times, `threads` at once."""
    with ThreadPoolExecutor(event.get("threads", 2)) as pool:
        compressed = list(pool.map(zlib.compress, [PAGE] * event.get("pages", 24)))
    return {"pages": len(compressed), "bytes_out": sum(map(len, compressed))}
