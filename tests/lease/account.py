"""An account with one function in it, behind the real gateway, and ways for its calls to fail."""

from __future__ import annotations

import io
import itertools
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from tests.lease.in_process import handlers
from tests.scripted_executor import ScriptedExecutor
from tuner.aws import connect
from tuner.lease.journal import LeaseTerms
from tuner.lease.lease import open_lease
from tuner.local import FunctionDefinition, LocalLambda

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from tuner.aws import LambdaGateway
    from tuner.lease.function_control import FunctionControl
    from tuner.lease.window import Leased
    from tuner.model.function import FunctionConfig
    from tuner.model.progress import ProgressEvent

Moment = Literal["before", "after"]
_NUMBERS = itertools.count(1)


class Killed(BaseException):
    """The process ends here: nothing that follows can be done."""


def no_sleep(_seconds: float) -> None:
    """Waits are for accounts that are really away."""


def ignore(_event: ProgressEvent) -> None:
    """Nobody looks."""


@dataclass
class Account:
    """One local Lambda, the gateway to it, and a folder for journals."""

    server: LocalLambda
    gateway: LambdaGateway
    state_dir: Path
    handle: Any = None
    """What answers the server's requests."""
    name: str = ""

    def make_function(
        self, memory_mb: int = 512, *, package_type: str = "Zip", **settings: Any
    ) -> str:
        """Deploy one more function, with a published version and an alias of its owner's."""
        self.name = f"function-{next(_NUMBERS)}"
        role = "arn:aws:iam::123456789012:role/any"
        self.client.create_function(
            FunctionName=self.name,
            Role=role,
            MemorySize=memory_mb,
            **CODE[package_type](),
            **settings,
        )
        self.client.publish_version(FunctionName=self.name, Description="owner's release")
        self.client.update_function_configuration(
            FunctionName=self.name, Description="the next release"
        )
        self.client.create_alias(FunctionName=self.name, Name="live", FunctionVersion="1")
        return self.name

    @property
    def client(self) -> Any:
        """A client of somebody else's in the same account."""
        return self.gateway._control.client

    def read(self) -> FunctionConfig:
        """The function as the gateway reads it."""
        return self.gateway.read_function(self.name)

    def snapshot(self) -> dict[str, Any]:
        """All that an owner could see, but for RevisionId and LastModified."""
        versions = self.client.list_versions_by_function(FunctionName=self.name)["Versions"]
        aliases = self.client.list_aliases(FunctionName=self.name)["Aliases"]
        concurrency = self.client.get_function_concurrency(FunctionName=self.name)
        return {
            "versions": [_settled(version) for version in versions],
            "aliases": [_settled(alias) for alias in aliases],
            "tags": self.client.list_tags(
                Resource=versions[0]["FunctionArn"].removesuffix(":$LATEST")
            )["Tags"],
            "copies": [name for name in self.functions() if name.startswith("lambda-tuner-")],
            "concurrency": concurrency.get("ReservedConcurrentExecutions"),
        }

    def functions(self) -> list[str]:
        """Names of all functions."""
        pages = self.client.get_paginator("list_functions").paginate()
        return [function["FunctionName"] for page in pages for function in page["Functions"]]

    @property
    def code(self) -> bytes:
        """A package that any function can have."""
        return a_zip()

    def terms(self, sweep_id: str = "sweep-1", isolation: Any = "version") -> LeaseTerms:
        """Terms of a lease in this account."""
        return LeaseTerms(
            sweep_id,
            self.state_dir,
            self.gateway.endpoint_url,
            "2026-01-01T00:00Z",
            isolation,
        )

    def lease(
        self,
        control: FunctionControl | None = None,
        *,
        sweep_id: str = "sweep-1",
        on_progress: Callable[[ProgressEvent], None] = ignore,
        isolation: str = "version",
    ) -> AbstractContextManager[Leased]:
        """Lease the function."""
        return open_lease(
            self.read(),
            self.terms(sweep_id, isolation),
            control=control or self.gateway,
            sleep=no_sleep,
            on_progress=on_progress,
        )


def open_account(state_dir: Path) -> Iterator[Account]:
    """Serve an account until the generator ends."""
    executor = ScriptedExecutor(1.0, time_scale=0)
    with (
        handlers() as found,
        LocalLambda(
            [FunctionDefinition("first")], executor=executor, emulated_services=False, update_s=0
        ) as server,
        connect(region=server.region, profile=None, endpoint_url=server.endpoint_url) as gateway,
    ):
        yield Account(server, gateway, state_dir, found[-1])


@dataclass
class Faulty:
    """A control that works over the wire, fails where it is told to, and keeps a record.

    `fails_at` is the number of the failing call (from 0), before or after it took effect; `lasts`
    makes every later call fail too, without effect.
    """

    control: FunctionControl
    fails_at: int | None = None
    moment: Moment = "before"
    error: BaseException = field(default_factory=lambda: ConnectionError("never set"))
    lasts: bool = False
    calls: list[str] = field(default_factory=list)
    before_call: Callable[[int, str], None] = lambda _number, _name: None

    def __getattr__(self, name: str) -> Any:
        def call(*arguments: Any, **options: Any) -> Any:
            number = len(self.calls)
            self.calls.append(name)
            self.before_call(number, name)
            fails = self.fails_at is not None and (
                number == self.fails_at or (self.lasts and number > self.fails_at)
            )
            if fails and (self.moment == "before" or number != self.fails_at):
                raise self.error
            result = getattr(self.control, name)(*arguments, **options)
            if fails:
                raise self.error
            return result

        return call


def a_zip() -> bytes:
    """The smallest code there is."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("handler.py", "def handler(event, context):\n    return event\n")
    return buffer.getvalue()


CODE: dict[str, Callable[[], dict[str, Any]]] = {
    "Zip": lambda: {
        "Runtime": "python3.13",
        "Handler": "handler.handler",
        "Code": {"ZipFile": a_zip()},
    },
    "Image": lambda: {
        "PackageType": "Image",
        "ImageConfig": {"Command": ["handler.handler"]},
        "Code": {"ImageUri": "123456789012.dkr.ecr.us-east-1.amazonaws.com/thumbs:release"},
    },
}


def _settled(raw: dict[str, Any]) -> dict[str, Any]:
    return {key: raw[key] for key in raw if key not in ("RevisionId", "LastModified")}
