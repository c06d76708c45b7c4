"""The whole local Lambda: API, executor and emulated services behind one port on loopback."""

from __future__ import annotations

import itertools
import re
import secrets
import time
from contextlib import ExitStack, closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, Self

from tuner.errors import LocalError
from tuner.iac import read_template
from tuner.local.build import Builder, with_named
from tuner.local.control_plane.aliases import AliasesApi
from tuner.local.control_plane.api_error import ApiError
from tuner.local.control_plane.events import RETRY_DELAYS_S, EventConfigApi
from tuner.local.control_plane.function_store import FunctionStore
from tuner.local.control_plane.function_urls import FunctionUrlApi
from tuner.local.control_plane.functions import FunctionsApi
from tuner.local.control_plane.governance import GovernanceApi
from tuner.local.control_plane.invoke import Concurrency, InvokeApi
from tuner.local.control_plane.lambda_api import LambdaApi
from tuner.local.control_plane.layers import LayersApi, LayerStore
from tuner.local.control_plane.names import ACCOUNT_ID, AccountRegion
from tuner.local.control_plane.not_here import NotHereApi
from tuner.local.control_plane.package import Code, CodeStore, Uploads
from tuner.local.control_plane.permissions import FunctionPermissionsApi, LayerPermissionsApi
from tuner.local.deployer import Deployer
from tuner.local.emulated_services import EmulatedServices, not_installed
from tuner.local.execution.run_folder import RunFolder, clean_leftovers, user_work_dir
from tuner.local.http.endpoint import OWN_PREFIX, Endpoint, Proxy
from tuner.local.http.message import Request, Response, json_response, plain
from tuner.local.http.server import HttpServer
from tuner.local.service_use import ServiceUse
from tuner.local.template_report import findings_on, left_out, made

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from tuner.iac import Template, TemplateResource
    from tuner.local.deployment import Executor, FunctionDefinition, HostLimits
    from tuner.local.execution.invocation_log import LogEvent, LogSink
    from tuner.model.finding import Finding

_LAMBDA_ONLY: Final = "this endpoint was started for Lambda only, without S3, SQS and the others"


class LocalLambda:
    """Serves from construction until `close()`, or the end of a `with` block.

    `executor` None uses the real one, which runs handlers. `update_s` is how long a change is in
    progress, by `clock`. A function that can't be emulated here (its runtime, its memory) raises
    LocalError; with `leave_out_unfit` it is left out with a finding, as long as others remain.
    `resources` are created in the emulated services, empty. `http` is a server that is already
    bound. With `build`, pip, npm and the like run first, in copies of the functions' folders: for
    all, or for the function `build_for` and those that it names; `on_step` is told about each. With
    `access_key_id`, only requests signed with it can change anything. Also raises LocalError if
    this host lacks what it needs.
    """

    def __init__(
        self,
        functions: Sequence[FunctionDefinition] = (),
        *,
        region: str = "us-east-1",
        executor: Executor | None = None,
        emulated_services: bool = True,
        update_s: float = 0.1,
        concurrent_executions: int = 1000,
        event_retry_delays_s: tuple[float, ...] = RETRY_DELAYS_S,
        clock: Callable[[], float] = time.monotonic,
        leave_out_unfit: bool = False,
        build: bool = False,
        build_for: str | None = None,
        on_step: Callable[[str], None] = lambda _: None,
        resources: Sequence[TemplateResource] = (),
        http: HttpServer | None = None,
        access_key_id: str | None = None,
    ) -> None:
        self.region = _checked_region(region)
        self._access_key_id = access_key_id
        self._code_token = secrets.token_urlsafe(16)
        # Each part is built when those are there that it needs; they are closed in reverse.
        with ExitStack() as stack:
            base = user_work_dir()
            clean_leftovers(base, "api")
            folder = stack.enter_context(closing(RunFolder(base, "api"))).path
            self._server = stack.enter_context(closing(http or HttpServer()))
            self._use = ServiceUse()
            self._alone = not_installed() if emulated_services else _LAMBDA_ONLY
            self._services = None
            if self._alone is None:
                services = EmulatedServices(
                    folder, account_id=ACCOUNT_ID, region=region, port=self._server.port
                )
                self._services = stack.enter_context(closing(services))
            own = executor or _real_executor(base, self.keep_log)
            self._executor = stack.enter_context(closing(own))
            self._codes = CodeStore(folder)
            account = AccountRegion(region, ACCOUNT_ID)
            self._layers = LayerStore(account, self._codes)
            self._store = FunctionStore(
                account,
                update_s=update_s,
                retire=self._executor.retire,
                environment=self._client_environment(),
                clock=clock,
            )
            builder = None
            if build:
                only = None if build_for is None else with_named(build_for, functions)
                builder = Builder(folder / "build", only=only, on_step=on_step)
            deployer = Deployer(self._store, self._layers, self._codes, self._executor, builder)
            self._of_functions = deployer.deploy_all(functions, leave_out_unfit=leave_out_unfit)
            handle = self._assemble(stack, concurrent_executions, event_retry_delays_s)
            self._findings = self._make(resources)
            # Closed once more, and first: it ends the invocations that the others wait for.
            stack.callback(self._executor.close)
            self._server.start(handle)
            self._open = stack.pop_all()

    @classmethod
    def from_template(
        cls,
        path: Path,
        *,
        port: int = 0,
        region: str = "us-east-1",
        executor: Executor | None = None,
        emulated_services: bool = True,
        parameters: Mapping[str, str] | None = None,
        environment: Mapping[str, str] | None = None,
        build: bool = False,
        build_for: str | None = None,
        on_step: Callable[[str], None] = lambda _: None,
        access_key_id: str | None = None,
        allow_outside: bool = False,
    ) -> Self:
        """Deploy the functions of a SAM template; raises TemplateError too.

        `parameters` are values for the template's own, `environment` for functions' variables;
        `build` installs what the functions need, or what `build_for` and those that it names need.
        """
        http = HttpServer(port=port)
        try:
            template = read_template(
                path,
                parameters=parameters,
                environment=environment,
                region=_checked_region(region),
                account_id=ACCOUNT_ID,
                endpoint_url=http.url,
                allow_outside=allow_outside,
            )
            server = cls(
                template.functions,
                region=region,
                executor=executor,
                emulated_services=emulated_services,
                leave_out_unfit=True,
                build=build,
                build_for=None if build_for is None else _bare_name(build_for, region),
                on_step=on_step,
                access_key_id=access_key_id,
                resources=template.resources,
                http=http,
            )
        except BaseException:
            http.close()
            raise
        server.report_on(template)
        return server

    @property
    def endpoint_url(self) -> str:
        """Where clients connect: http://127.0.0.1:PORT."""
        return self._server.url

    @property
    def limits(self) -> HostLimits:
        """What this host can emulate."""
        return self._executor.limits

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What the operator should know about this host and the functions."""
        of_functions = itertools.chain.from_iterable(self._of_functions.values())
        return tuple(dict.fromkeys((*self.limits.findings, *of_functions, *self._findings)))

    def status(self) -> dict[str, object]:
        """Describe the endpoint, as `GET /_tuner/status` does."""
        limits = self.limits
        return {
            "endpoint_url": self.endpoint_url,
            "region": self.region,
            "account_id": ACCOUNT_ID,
            "functions": self._store.names(),
            "left_out": dict(self._store.left_out),
            "cpu_control": limits.cpu_control,
            "max_memory_mb": limits.max_memory_mb,
            "core_count": limits.core_count,
            "host_findings": [asdict(each) for each in limits.findings],
            "findings": [asdict(each) for each in self.findings],
            "function_findings": {
                name: [asdict(each) for each in found] for name, found in self._of_functions.items()
            },
        }

    def report_on(self, template: Template) -> None:
        """Let the endpoint report what of a template isn't here, or has no effect."""
        for name, why in template.left_out.items():
            self._store.left_out[name] = why
            self._of_functions[name] = [left_out(why)]
        self._findings += findings_on(template)

    def keep_log(self, group: str, stream: str, events: Sequence[LogEvent]) -> None:
        """Put log lines into CloudWatch Logs; without emulated services they are dropped."""
        if self._services is not None:
            self._services.keep_log(group, stream, events)

    def close(self) -> None:
        """End every environment and process, and remove everything that was made."""
        self._open.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _make(self, resources: Sequence[TemplateResource]) -> list[Finding]:
        """Create a template's resources once the emulated services are up."""
        make = None
        if self._services is not None:
            self._services.wait_ready()
            make = self._services.requests.make
        return [*made(resources, make, self._alone or "")]

    def _assemble(
        self,
        stack: ExitStack,
        concurrent_executions: int,
        event_retry_delays_s: tuple[float, ...],
    ) -> Callable[[Request], Response]:
        """Join the API's parts into what answers requests."""
        concurrency = Concurrency(concurrent_executions, self._store.reserved_in_all)
        invoke = InvokeApi(self._store, self._executor, concurrency, event_retry_delays_s)
        read_object = self._services.requests.read if self._services else None
        uploads = Uploads(self._codes, read_object)
        api = LambdaApi(
            FunctionsApi(self._store, uploads, self._layers, self._executor, self._code_url),
            LayersApi(self._layers, uploads, self._code_url),
            LayerPermissionsApi(self._layers),
            AliasesApi(self._store),
            FunctionPermissionsApi(self._store),
            FunctionUrlApi(self._store, self.endpoint_url),
            NotHereApi(self._store, concurrent_executions=concurrent_executions),
            EventConfigApi(self._store),
            GovernanceApi(
                self._store,
                self._layers,
                concurrent_executions=concurrent_executions,
                architecture=self._executor.limits.architecture,
            ),
            stack.enter_context(closing(invoke)),
            account=self._store.account,
            access_key_id=self._access_key_id,
        )
        if self._services is None:
            return Endpoint(api.handle, self._own, None, self._alone or "", self._use).handle
        proxy = stack.enter_context(closing(Proxy(self._services.socket_path, self._use)))
        return Endpoint(api.handle, self._own, proxy.handle, "", self._use).handle

    def _client_environment(self) -> tuple[tuple[str, str], ...]:
        """Let handlers' AWS clients find this endpoint. The credentials are invented."""
        return (
            ("AWS_ENDPOINT_URL", self.endpoint_url),
            ("AWS_REGION", self.region),
            ("AWS_DEFAULT_REGION", self.region),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_SESSION_TOKEN", "local"),
        )

    def _code_url(self, code: Code) -> str:
        """Where to fetch a package. The token keeps it from being guessed."""
        return f"{self.endpoint_url}{OWN_PREFIX}code/{self._code_token}/{code.zip_path.name}"

    def _own(self, request: Request) -> Response:
        """Answer what is below /_tuner/: status, use of services, packages at their addresses."""
        path = request.path.removeprefix(OWN_PREFIX)
        if request.method not in ("GET", "HEAD"):
            return plain(405, "only GET is answered here")
        if path == "status":
            return json_response(200, self.status())
        if path == "use":
            return json_response(200, self._use.to_json())
        kind, _, rest = path.partition("/")
        token, _, name = rest.partition("/")
        code = self._codes.find(name.removesuffix(".zip"))
        known = secrets.compare_digest(token.encode(), self._code_token.encode())
        if kind == "code" and known and code is not None:
            return Response(200, code.zip_path.read_bytes(), (("Content-Type", "application/zip"),))
        return plain(404, "nothing is kept here")


def _bare_name(given: str, region: str) -> str:
    """The name in a FunctionName; an invalid one matches nothing, and the caller hears so later."""
    try:
        return AccountRegion(region, ACCOUNT_ID).resolve(given).name
    except ApiError:
        return given


def _checked_region(region: str) -> str:
    if not re.fullmatch(r"[a-z]{2,4}(-[a-z]+)+-\d", region):
        raise LocalError(f"{region!r} is not the name of an AWS region: us-east-1 is one")
    return region


def _real_executor(base: Path, keep_log: LogSink) -> Executor:
    from tuner.local.execution.executor import (  # noqa: PLC0415 - a scripted one needs none
        ProcessExecutor,
    )

    return ProcessExecutor(work_dir=base, on_log=keep_log)
