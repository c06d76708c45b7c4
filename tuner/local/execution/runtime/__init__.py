"""One runtime's process tree: which interpreter, its variables, how it starts, is fed and ends.

Read `process` first: it starts a `program` (of an `interpreter` or `node_js`) by its
`supervisor_link`, and feeds it events through the `runtime_api`. The `supervisor` is a process
beside it, which runs `launch` to give the runtime its `file_view`.

Light: the supervisor is imported through here at every cold start.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TypedDict

    class LaunchSpec(TypedDict):
        """What the supervisor is told: plain values, for they cross a pipe."""

        argv: list[str]
        environment: dict[str, str]
        working_dir: str
        """As the runtime sees it."""
        code_dir: str
        opt_dir: str
        """The layers' folder, where it becomes /opt; else empty."""
        user_id: int
        """Whom the runtime runs as; 0: whoever runs the endpoint."""
        tmp_dir: str
        """The environment's own; the supervisor makes it."""
        hides_tmp: bool
        """Whether it becomes /tmp, and the code /var/task, in a mount namespace of its own."""
        tmp_image: str
        """A file that is mounted as /tmp in place of `tmp_dir`; empty: there is none."""
        disk_command: list[str]
        """What makes it; the supervisor runs it, so that somebody would remove it."""
        file_limit_bytes: int
        """Size of the largest file that may be written; 0: any."""
        kept_dirs: list[str]
        """Stay visible although they lie under /tmp or a home folder."""
        home_dirs: list[str]
        """What the operator keeps there is hidden, where `hides_tmp`."""
        cpus: list[int]
        """Cores that may be used; empty: all."""
        memory_limit_bytes: int
        core_count: int
        """Cores that the tree can run on at once."""
        cores: float
        """Share of CPU to begin with, where the supervisor controls it."""
        controlled: bool
        """Whether the supervisor stops and continues the tree."""
        owner_pid: int
