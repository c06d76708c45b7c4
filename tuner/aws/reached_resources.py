"""Which resources a function's settings name: its environment, destinations, and role policy.

A value of the environment is looked at only here. What isn't a resource's ARN or a queue's address
is compared, in this process, with the names of the account's tables, queues, streams, topics and
buckets: it's never sent, and never told unless it is such a name.
"""

from __future__ import annotations

import fnmatch
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from tuner.aws.function_ref import arn_part
from tuner.errors import AwsError
from tuner.model.record import read_object

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tuner.aws.services import Services
    from tuner.load.resources import Service

Named = tuple["Service", str]
"""A resource: its service and its name."""
_ARN: Final = re.compile(
    r"arn:aws[a-z-]*:(dynamodb|kinesis|lambda|s3|sns|sqs):([^:]*):([^:]*):(.+)"
)
# Another host's address could end in a secret.
_QUEUE_URL: Final = re.compile(
    r"https?://(?:sqs\.([a-z0-9-]+)|([a-z0-9-]+)\.queue)\.amazonaws\.com(?:\.cn)?"
    r"/[0-9]{12}/([A-Za-z0-9_-]{1,80}(?:\.fifo)?)"
)
_LOCAL_QUEUE: Final = re.compile(r"http://(?:127\.0\.0\.1|localhost)[:0-9]*/[0-9]{12}/([\w.-]+)")
_NAME: Final = re.compile(r"[A-Za-z0-9_.-]{3,255}")
_HINTS: Final[tuple[tuple[str, Service], ...]] = (
    ("TABLE", "dynamodb"), ("DYNAMO", "dynamodb"), ("QUEUE", "sqs"), ("SQS", "sqs"),
    ("STREAM", "kinesis"), ("KINESIS", "kinesis"), ("TOPIC", "sns"), ("SNS", "sns"),
    ("BUCKET", "s3"), ("S3", "s3"),
)  # fmt: skip
_MOST_PAGES: Final = 20
_MOST_BY_PATTERN: Final = 5
"""More resources than that under one wildcard say what a role may reach, not what it does."""


@dataclass(slots=True)
class Inventory:
    """Names of what the region has, listed when a value first asks for them."""

    services: Services
    region: str
    unseen: list[str]
    """Filled with what was refused, or is in another account."""
    account_id: str | None = None
    """Whose names those are; None: nobody says, so that an ARN's account isn't compared."""
    _listed: dict[Service, frozenset[str]] = field(default_factory=dict)

    def named(self, text: str) -> Named | None:
        """As `named_by_arn`, of this account alone: another's table may have the same name."""
        found, account = named_by_arn(text, self.region), _account_of(text)
        if found is None or self.account_id is None or account in ("", "*", self.account_id):
            return found
        self.unseen.append(f"{found[1]} ({found[0]}: in account {account})")
        return None

    def has(self, service: Service, name: str) -> bool:
        """Whether there is a resource of that name."""
        return name in self.names(service)

    def names(self, service: Service) -> frozenset[str]:
        """All names of a service's resources; none if it may not be asked, which is noted."""
        if service not in self._listed:
            try:
                self._listed[service] = frozenset(_LISTS[service](self.services))
            except AwsError:
                self._listed[service] = frozenset()
                self.unseen.append(f"the names of {_NOUNS[service]} (refused)")
        return self._listed[service]


_NOUNS: Final[Mapping[Service, str]] = {
    "dynamodb": "tables", "kinesis": "streams", "lambda": "functions", "s3": "buckets",
    "sns": "topics", "sqs": "queues",
}  # fmt: skip


_LISTS: Final[Mapping[Service, Callable[[Services], Iterable[str]]]] = {
    "dynamodb": lambda services: services.listed("dynamodb", "ListTables", most_pages=_MOST_PAGES),
    "kinesis": lambda services: services.listed("kinesis", "ListStreams", most_pages=_MOST_PAGES),
    "lambda": lambda _: (),
    "s3": lambda services: (
        each["Name"] for each in services.ask("s3", "ListBuckets").get("Buckets", ())
    ),
    "sns": lambda services: (
        each["TopicArn"].rpartition(":")[2]
        for each in services.listed("sns", "ListTopics", most_pages=_MOST_PAGES)
    ),
    "sqs": lambda services: (
        url.rpartition("/")[2]
        for url in services.listed("sqs", "ListQueues", most_pages=_MOST_PAGES, MaxResults=1000)
    ),
}  # fmt: skip


def named_by_arn(text: str, region: str) -> Named | None:
    """The resource of an ARN in this region, or of a queue's address; None for anything else.

    A name with a wildcard is returned as it is.
    """
    if address := _QUEUE_URL.fullmatch(text):
        return ("sqs", address[3]) if region in (address[1], address[2]) else None
    found = _ARN.fullmatch(text)
    if found is None or found[2] not in ("", "*", region):
        return None
    service: Any = found[1]
    rest = found[4]
    match service:
        case "dynamodb" | "kinesis":
            kind, _, name = rest.partition("/")
            name = name.partition("/")[0]
            return (service, name) if kind in ("table", "stream") and name else None
        case "lambda":
            kind, _, name = rest.partition(":")
            return (service, name.partition(":")[0]) if kind == "function" and name else None
        case "s3":
            return service, rest.partition("/")[0]
    return service, rest.partition(":")[0]


def _account_of(text: str) -> str:
    """The account of an ARN or a queue's address; empty where it has none, as a bucket's."""
    if _QUEUE_URL.fullmatch(text):
        return text.split("/")[3]
    return arn_part(text, 4)


def named_by_environment(variables: Mapping[str, str], inventory: Inventory) -> Iterator[Named]:
    """Resources that values of environment variables name."""
    for variable, value in variables.items():
        for part in value.split(","):
            text = part.strip()
            if named_by_arn(text, inventory.region):
                if found := inventory.named(text):
                    yield found
            elif local := _LOCAL_QUEUE.fullmatch(text):
                yield from _named("QUEUE", local[1], inventory)
            elif _NAME.fullmatch(text):
                yield from _named(variable, text, inventory)


def _named(variable: str, text: str, inventory: Inventory) -> Iterator[Named]:
    """What has this name: of the kind that the variable's own name tells, if it does."""
    told = [service for hint, service in _HINTS if hint in variable.upper()]
    for service in dict.fromkeys(told) or ("dynamodb", "kinesis", "s3", "sns", "sqs"):
        if inventory.has(service, text):
            yield service, text


def named_by_role(role_arn: str, inventory: Inventory) -> Iterator[Named]:
    """Resources that the policies of a role name, by wildcards too if these mean a few."""
    try:
        documents = tuple(_documents(role_arn.rpartition("/")[2], inventory.services))
    except AwsError:
        inventory.unseen.append("its role's policies (refused)")
        return
    for document in documents:
        statements = document.get("Statement") or []
        for statement in statements if isinstance(statements, list) else [statements]:
            if statement.get("Effect") != "Allow":
                continue
            resources = statement.get("Resource") or []
            for text in [resources] if isinstance(resources, str) else resources:
                if found := inventory.named(str(text)):
                    yield from _expanded(found, inventory)


def _expanded(named: Named, inventory: Inventory) -> tuple[Named, ...]:
    service, name = named
    if "*" not in name and "?" not in name:
        return (named,)
    if not name.strip("*?"):
        return ()
    found = fnmatch.filter(sorted(inventory.names(service)), name)
    return tuple((service, each) for each in found) if len(found) <= _MOST_BY_PATTERN else ()


def _documents(role: str, services: Services) -> Iterator[dict[str, Any]]:
    """Inline policies, and the owner's own managed ones: AWS's name no resource."""
    for name in services.listed("iam", "ListRolePolicies", RoleName=role):
        answer = services.ask("iam", "GetRolePolicy", RoleName=role, PolicyName=name)
        yield _read(answer["PolicyDocument"])
    for attached in services.listed("iam", "ListAttachedRolePolicies", RoleName=role):
        arn = attached["PolicyArn"]
        if ":iam::aws:" in arn:
            continue
        policy = services.ask("iam", "GetPolicy", PolicyArn=arn)["Policy"]
        answer = services.ask(
            "iam", "GetPolicyVersion", PolicyArn=arn, VersionId=policy["DefaultVersionId"]
        )
        yield _read(answer["PolicyVersion"]["Document"])


def _read(document: Any) -> dict[str, Any]:
    """A policy: botocore has parsed it, unless a server left it as text."""
    if isinstance(document, dict):
        return document
    return read_object(unquote(str(document))) or {}
