"""A scripted Lambda endpoint in a process of its own: it answers after a while, and may stall.

`python -m tests.load.endpoint DELAY_S STALL_FROM_S STALL_TO_S` prints its port. The stall's times
count from the first invocation; what comes meanwhile is answered at its end.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from base64 import b64encode
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
_CONFIG: dict[str, Any] = {
    "FunctionName": "hello",
    "FunctionArn": "arn:aws:lambda:us-east-1:123456789012:function:hello",
    "Runtime": "python3.13",
    "Role": "arn:aws:iam::123456789012:role/any",
    "Handler": "a.b",
    "CodeSize": 1,
    "Timeout": 30,
    "MemorySize": 1024,
    "CodeSha256": "q1w2e3",
    "Version": "$LATEST",
    "State": "Active",
    "LastUpdateStatus": "Successful",
    "PackageType": "Zip",
    "Architectures": ["x86_64"],
    "RevisionId": "1",
}


@contextmanager
def endpoint(delay_s: float, stall: tuple[float, float] = (0.0, 0.0)) -> Iterator[str]:
    """Run it; give its URL."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.load.endpoint", *map(str, (delay_s, *stall))],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        finally:
            process.terminate()


class _Script:
    def __init__(self, delay_s: float, stall: tuple[float, float]) -> None:
        self._delay_s, self._stall = delay_s, stall
        self._began_s: float | None = None

    async def answer(self, target: str) -> tuple[bytes, str]:
        """The body and more headers of an answer."""
        if not target.split("?", maxsplit=1)[0].endswith("/invocations"):
            named = target.rstrip("/").endswith("/functions/hello")
            found = {"Configuration": _CONFIG} if named else {}
            return json.dumps(found).encode(), ""
        now_s = asyncio.get_running_loop().time()
        if self._began_s is None:
            self._began_s = now_s
        passed_s = now_s - self._began_s
        first_s, last_s = self._stall
        wait_s = last_s - passed_s if first_s <= passed_s < last_s else 0.0
        await asyncio.sleep(wait_s + self._delay_s)
        report = (
            f"REPORT RequestId: r\tDuration: {self._delay_s * 1000:.2f} ms\tBilled Duration: "
            f"{self._delay_s * 1000:.0f} ms\tMemory Size: 1024 MB\tMax Memory Used: 50 MB\n"
        )
        log = b64encode(report.encode()).decode()
        return b"1", f"x-amzn-requestid: r\r\nX-Amz-Log-Result: {log}\r\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, kept open."""
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                fields = dict(
                    line.lower().split(": ", 1)
                    for line in head.decode().split("\r\n")[1:]
                    if ": " in line
                )
                await reader.readexactly(int(fields.get("content-length", 0)))
                body, more = await self.answer(head.split(b" ")[1].decode())
                start = f"HTTP/1.1 200 OK\r\n{more}Content-Type: application/json\r\n"
                writer.write(f"{start}Content-Length: {len(body)}\r\n\r\n".encode() + body)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def _main() -> None:
    delay_s, first_s, last_s = map(float, sys.argv[1:])
    script = _Script(delay_s, (first_s, last_s))
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
