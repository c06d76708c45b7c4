"""Which method and path is which operation, as in botocore's model of Lambda (2015-03-31)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

_TABLE: Final = """
Invoke                          POST   /2015-03-31/functions/{FunctionName}/invocations
GetFunction                     GET    /2015-03-31/functions/{FunctionName}
GetFunctionConfiguration        GET    /2015-03-31/functions/{FunctionName}/configuration
UpdateFunctionConfiguration     PUT    /2015-03-31/functions/{FunctionName}/configuration
UpdateFunctionCode              PUT    /2015-03-31/functions/{FunctionName}/code
PublishVersion                  POST   /2015-03-31/functions/{FunctionName}/versions
ListVersionsByFunction          GET    /2015-03-31/functions/{FunctionName}/versions
CreateFunction                  POST   /2015-03-31/functions
ListFunctions                   GET    /2015-03-31/functions
DeleteFunction                  DELETE /2015-03-31/functions/{FunctionName}
CreateAlias                     POST   /2015-03-31/functions/{FunctionName}/aliases
ListAliases                     GET    /2015-03-31/functions/{FunctionName}/aliases
GetAlias                        GET    /2015-03-31/functions/{FunctionName}/aliases/{Name}
UpdateAlias                     PUT    /2015-03-31/functions/{FunctionName}/aliases/{Name}
DeleteAlias                     DELETE /2015-03-31/functions/{FunctionName}/aliases/{Name}
AddPermission                   POST   /2015-03-31/functions/{FunctionName}/policy
GetPolicy                       GET    /2015-03-31/functions/{FunctionName}/policy
RemovePermission                DELETE /2015-03-31/functions/{FunctionName}/policy/{StatementId}
ListEventSourceMappings         GET    /2015-03-31/event-source-mappings
PublishLayerVersion             POST   /2018-10-31/layers/{LayerName}/versions
ListLayerVersions               GET    /2018-10-31/layers/{LayerName}/versions
GetLayerVersion                 GET    /2018-10-31/layers/{LayerName}/versions/{VersionNumber}
DeleteLayerVersion              DELETE /2018-10-31/layers/{LayerName}/versions/{VersionNumber}
ListLayers                      GET    /2018-10-31/layers
GetAccountSettings              GET    /2016-08-19/account-settings
TagResource                     POST   /2017-03-31/tags/{Resource}
UntagResource                   DELETE /2017-03-31/tags/{Resource}
ListTags                        GET    /2017-03-31/tags/{Resource}
PutFunctionConcurrency          PUT    /2017-10-31/functions/{FunctionName}/concurrency
DeleteFunctionConcurrency       DELETE /2017-10-31/functions/{FunctionName}/concurrency
GetFunctionConcurrency          GET    /2019-09-30/functions/{FunctionName}/concurrency
GetProvisionedConcurrencyConfig GET    /2019-09-30/functions/{FunctionName}/provisioned-concurrency
GetFunctionEventInvokeConfig    GET    /2019-09-25/functions/{FunctionName}/event-invoke-config
PutFunctionEventInvokeConfig    PUT    /2019-09-25/functions/{FunctionName}/event-invoke-config
UpdateFunctionEventInvokeConfig POST   /2019-09-25/functions/{FunctionName}/event-invoke-config
DeleteFunctionEventInvokeConfig DELETE /2019-09-25/functions/{FunctionName}/event-invoke-config
ListFunctionEventInvokeConfigs  GET    /2019-09-25/functions/{FunctionName}/event-invoke-config/list
GetFunctionCodeSigningConfig    GET    /2020-06-30/functions/{FunctionName}/code-signing-config
GetRuntimeManagementConfig GET /2021-07-20/functions/{FunctionName}/runtime-management-config
GetFunctionUrlConfig            GET    /2021-10-31/functions/{FunctionName}/url
ListFunctionUrlConfigs          GET    /2021-10-31/functions/{FunctionName}/urls
GetFunctionRecursionConfig      GET    /2024-08-31/functions/{FunctionName}/recursion-config
PutFunctionRecursionConfig      PUT    /2024-08-31/functions/{FunctionName}/recursion-config
"""

_REFUSED_TABLE: Final = """
PutProvisionedConcurrencyConfig PUT /2019-09-30/functions/{FunctionName}/provisioned-concurrency
InvokeWithResponseStream POST /2021-11-15/functions/{FunctionName}/response-streaming-invocations
CreateEventSourceMapping        POST   /2015-03-31/event-source-mappings
CreateFunctionUrlConfig         POST   /2021-10-31/functions/{FunctionName}/url
PutFunctionCodeSigningConfig    PUT    /2020-06-30/functions/{FunctionName}/code-signing-config
PutRuntimeManagementConfig PUT /2021-07-20/functions/{FunctionName}/runtime-management-config
"""
_REASONS: Final = {
    "PutProvisionedConcurrencyConfig": "environments start on demand here; keep one warm by "
    "invoking it, and see what provisioned concurrency does on AWS",
    "InvokeWithResponseStream": "responses are buffered here: use Invoke",
    "CreateEventSourceMapping": "nothing polls queues or streams here: invoke with an event "
    "(tuner payload make)",
    "CreateFunctionUrlConfig": "there are no function URLs here: use Invoke",
    "PutRuntimeManagementConfig": "the interpreter is this host's",
}


@dataclass(frozen=True, slots=True)
class Route:
    """An operation's method and path."""

    operation: str
    method: str
    template: str
    pattern: re.Pattern[str]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """Give the path's parameters, decoded, or None for another operation's request."""
        if method != self.method:
            return None
        found = self.pattern.fullmatch(path)
        return {name: unquote(part) for name, part in found.groupdict().items()} if found else None


def _read_table(table: str) -> tuple[Route, ...]:
    routes = []
    for line in table.split("\n"):
        if line:
            operation, method, template = line.split()
            # A trailing slash is tolerated: older clients send one for lists.
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template) + "/?"
            routes.append(Route(operation, method, template, re.compile(pattern)))
    return tuple(routes)


ROUTES: Final = _read_table(_TABLE)
REFUSED: Final = _read_table(_REFUSED_TABLE)
"""Operations that are known, and not served."""


def reason_refused(operation: str) -> str:
    """Say why an operation is not served, and what to do instead where there is something."""
    why = _REASONS.get(operation)
    return f"{operation} is not supported by the local Lambda{f': {why}' if why else ''}"


def method_name(operation: str) -> str:
    """GetFunctionUrlConfig -> get_function_url_config."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()
