"""The local Lambda as a whole: API, executor and neighbours behind one port on loopback."""

from __future__ import annotations

import contextlib
import queue
import re
import secrets
import threading
import time
from typing import TYPE_CHECKING, Final, Self

from tuner.errors import LocalError
from tuner.local.aliases_api import AliasesApi
from tuner.local.api import LambdaApi
from tuner.local.api_error import ApiError
from tuner.local.definition import FunctionDefinition, from_template
from tuner.local.endpoint import OWN_PREFIX, Endpoint
from tuner.local.functions_api import FunctionsApi
from tuner.local.governance_api import GovernanceApi
from tuner.local.http_message import Request, Response, json_response, plain
from tuner.local.http_server import HttpServer
from tuner.local.invoke_api import Concurrency, InvokeApi
from tuner.local.names import Place, check_new_name
from tuner.local.neighbours import Neighbours
from tuner.local.package import Code, CodeStore, zip_folder, zip_source
from tuner.local.private_folder import PrivateFolder, work_dir
from tuner.local.proxy import Proxy
from tuner.local.settings import create_settings
from tuner.local.store import FunctionStore
from tuner.local.validation import check_function
from tuner.model.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path
    from types import TracebackType

    from tuner.local.deployment import Executor, HostLimits
    from tuner.local.invocation_log import LogEvent, LogSink

ACCOUNT_ID: Final = "123456789012"
_ROLE: Final = f"arn:aws:iam::{ACCOUNT_ID}:role/local"
_ECHO: Final = "def handler(event, context):\n    return event\n"
_LAMBDA_ONLY: Final = "this endpoint was started for Lambda alone, without S3, SQS and the others"


class LocalLambda:
    """Serves from construction until `close()`, or the end of a `with` block.

    `executor` None takes the real one, which runs handlers. `update_s` is how long a change is in
    progress, by `clock`. A function that cannot be shown here (its runtime, its memory) raises
    LocalError; with `leave_out_unfit` it is left out with a finding, as long as others remain.
    Raises LocalError, too, where the port or this host's means cannot be had.
    """

    def __init__(
        self,
        functions: Sequence[FunctionDefinition] = (),
        *,
        port: int = 0,
        region: str = "us-east-1",
        executor: Executor | None = None,
        neighbours: bool = True,
        update_s: float = 0.1,
        concurrent_executions: int = 1000,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
        leave_out_unfit: bool = False,
    ) -> None:
        self.region = _checked_region(region)
        self._proxy: Callable[[Request], Response] | None = None
        self._findings: list[Finding] = []
        self._open = contextlib.ExitStack()
        try:
            self._start(
                functions,
                port=port,
                executor=executor,
                neighbours=neighbours,
                update_s=update_s,
                concurrent_executions=concurrent_executions,
                seed=seed,
                clock=clock,
                leave_out_unfit=leave_out_unfit,
            )
        except BaseException:
            self._open.close()
            raise

    @classmethod
    def from_template(
        cls,
        path: Path,
        *,
        port: int = 0,
        region: str = "us-east-1",
        executor: Executor | None = None,
        neighbours: bool = True,
    ) -> Self:
        """Deploy the functions of a SAM template; raises TemplateError too."""
        from tuner.iac import read_template  # noqa: PLC0415 - YAML is not always needed

        template = read_template(path)
        server = cls(
            [from_template(function, path) for function in template.functions],
            port=port,
            region=region,
            executor=executor,
            neighbours=neighbours,
            leave_out_unfit=True,
        )
        server.add_findings(Finding("template_ignored", "info", each) for each in template.ignored)
        return server

    @property
    def endpoint_url(self) -> str:
        """Where clients connect: http://127.0.0.1:PORT."""
        return self._server.url

    @property
    def limits(self) -> HostLimits:
        """What this host can show."""
        return self._executor.limits

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the operator should know of this host and of the functions."""
        known = (*self._executor.limits.findings, *self._findings)
        return tuple(dict.fromkeys(known))

    @property
    def neighbours_pid(self) -> int | None:
        """Process id of the neighbours, if they were started."""
        return self._neighbours.pid if self._neighbours else None

    def status(self) -> dict[str, object]:
        """Describe the endpoint, as `GET /_tuner/status` does."""
        limits = self.limits
        return {
            "endpoint_url": self.endpoint_url,
            "region": self.region,
            "account_id": ACCOUNT_ID,
            "functions": self._store.names(),
            "cpu_control": limits.cpu_control,
            "max_memory_mb": limits.max_memory_mb,
            "core_count": limits.core_count,
            "findings": [
                {"code": item.code, "severity": item.severity, "message": item.message}
                for item in self.findings
            ],
        }

    def add_findings(self, findings: Iterable[Finding]) -> None:
        """Let the endpoint tell of something more."""
        self._findings += findings

    def keep_log(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Put log lines into CloudWatch Logs; without neighbours they are dropped."""
        if self._neighbours is not None:
            self._neighbours.keep_log(group, stream, events)

    def close(self) -> None:
        """End every environment and process, and remove all that was made."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(
        self,
        functions: Sequence[FunctionDefinition],
        *,
        port: int,
        executor: Executor | None,
        neighbours: bool,
        update_s: float,
        concurrent_executions: int,
        seed: int,
        clock: Callable[[], float],
        leave_out_unfit: bool,
    ) -> None:
        """Build the parts in the order in which each needs the others; closed in reverse."""
        base = work_dir()
        folder = PrivateFolder(base)
        self._open.callback(folder.close)
        self._neighbours = self._start_neighbours(folder.path) if neighbours else None
        self._codes = CodeStore(folder.path)
        self._server = HttpServer(port=port)
        self._open.callback(self._server.close)
        self._executor = executor or _real_executor(base, self.keep_log)
        self._open.callback(self._executor.close)
        retirement = _Retirement(self._executor)
        self._open.callback(retirement.close)
        self._store = FunctionStore(
            Place(self.region, ACCOUNT_ID),
            update_s=update_s,
            retire=retirement.add,
            environment=self._client_environment(),
            seed=seed,
            clock=clock,
        )
        self._deploy_all(functions, leave_out_unfit=leave_out_unfit)
        self._code_token = secrets.token_urlsafe(16)
        concurrency = Concurrency(concurrent_executions, self._store.reserved_in_all)
        invocations = InvokeApi(self._store, self._executor, concurrency)
        self._open.callback(invocations.close)
        api = LambdaApi(
            FunctionsApi(self._store, self._codes, self.limits, self._code_url),
            AliasesApi(self._store),
            GovernanceApi(self._store, concurrent_executions=concurrent_executions),
            invocations,
        )
        if self._neighbours is not None:
            self._neighbours.wait_ready()
        endpoint = Endpoint(api.handle, self._own, self._proxy, _LAMBDA_ONLY)
        # Closed once more, and first: it ends the invocations that the others wait for.
        self._open.callback(self._executor.close)
        self._server.start(endpoint.handle)

    def _start_neighbours(self, folder: Path) -> Neighbours:
        neighbours = Neighbours(folder, account_id=ACCOUNT_ID, region=self.region)
        self._open.callback(neighbours.close)
        proxy = Proxy(neighbours.socket_path)
        self._open.callback(proxy.close)
        self._proxy = proxy.handle
        return neighbours

    def _client_environment(self) -> tuple[tuple[str, str], ...]:
        """Let handlers' AWS clients find this endpoint. The credentials are invented ones."""
        return (
            ("AWS_ENDPOINT_URL", self.endpoint_url),
            ("AWS_REGION", self.region),
            ("AWS_DEFAULT_REGION", self.region),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", "local"),
        )

    def _deploy_all(
        self, functions: Sequence[FunctionDefinition], *, leave_out_unfit: bool
    ) -> None:
        unfit: list[str] = []
        for function in functions:
            try:
                self._deploy(function)
            except LocalError as error:
                if not leave_out_unfit:
                    raise
                unfit.append(str(error))
                self._store.leave_out(function.name, str(error))
        if unfit and not self._store.names():
            raise LocalError("; ".join(unfit))
        self.add_findings(
            Finding("function_left_out", "warning", f"left out: {each}") for each in unfit
        )

    def _deploy(self, function: FunctionDefinition) -> None:
        request = {
            "Role": _ROLE,
            "Handler": function.handler,
            "Runtime": function.runtime,
            "Description": function.description,
            "MemorySize": function.memory_mb,
            "Timeout": function.timeout_s,
            "EphemeralStorage": {"Size": function.ephemeral_storage_mb},
            "Architectures": [function.architecture],
            "Environment": {"Variables": dict(function.environment)},
        }
        source = function.code_dir
        package = zip_folder(source) if source else zip_source("handler.py", _ECHO)
        try:
            check_new_name(function.name)
            check_function(request, self.limits.max_memory_mb, self.limits.core_count)
            settings = create_settings(request)
            code = self._codes.add(package)
            self._store.create(function.name, settings, code, tags={}, at_once=True)
        except ApiError as refused:
            where = f"{function.origin}: " if function.origin else ""
            raise LocalError(f"{where}function {function.name}: {refused}") from refused
        self.add_findings(self._executor.runtime_findings(function.runtime))
        if function.has_requirements:
            message = (
                f"{function.name}: the packages of its requirements.txt are not installed here; "
                f"where it needs them, run pip install -r requirements.txt -t {function.code_dir}"
            )
            self.add_findings([Finding("requirements_not_installed", "warning", message)])

    def _code_url(self, code: Code) -> str:
        """Where a package can be fetched. The token keeps it from being guessed."""
        return f"{self.endpoint_url}{OWN_PREFIX}code/{self._code_token}/{code.zip_path.name}"

    def _own(self, request: Request) -> Response:
        path = request.path.removeprefix(OWN_PREFIX)
        if request.method not in ("GET", "HEAD"):
            return plain(405, "only GET is answered here")
        if path == "status":
            return json_response(200, self.status())
        kind, _, rest = path.partition("/")
        token, _, name = rest.partition("/")
        code = self._codes.find(name.removesuffix(".zip"))
        if kind == "code" and code and secrets.compare_digest(token, self._code_token):
            return Response(200, code.zip_path.read_bytes(), (("Content-Type", "application/zip"),))
        return plain(404, "nothing is kept here")


class _Retirement:
    """Tells the executor of ended deployments from a thread of its own: ending takes time."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._ended: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="retirement", daemon=True)
        self._thread.start()

    def add(self, deployment_id: str) -> None:
        self._ended.put(deployment_id)

    def close(self) -> None:
        self._ended.put(None)
        self._thread.join(10)

    def _work(self) -> None:
        while (deployment_id := self._ended.get()) is not None:
            self._executor.retire(deployment_id)


def _checked_region(region: str) -> str:
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d", region):
        raise LocalError(f"{region!r} is not the name of an AWS region: us-east-1 is one")
    return region


def _real_executor(base: Path, keep_log: LogSink) -> Executor:
    from tuner.local.executor import ProcessExecutor  # noqa: PLC0415 - a scripted one needs none

    return ProcessExecutor(work_dir=base, on_log=keep_log)
