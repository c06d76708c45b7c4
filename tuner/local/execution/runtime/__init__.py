"""One runtime's process tree: which interpreter, its variables, how it starts, is fed and ends.

Read `process` first: it starts a `program` (of an `interpreter` or `node_js`) by its
supervisor, and feeds it events through the `runtime_api`. The `supervisor` is a process
beside it, which runs `launch` to give the runtime its `file_view`.

Light: the supervisor is imported through here at every cold start.
"""

TYPE_CHECKING = False

if TYPE_CHECKING:
    from typing import TypedDict

    class LaunchSpec(TypedDict):
        """The supervisor's instructions: plain values, because they cross a pipe."""

        argv: list[str]
        environment: dict[str, str]
        working_dir: str
        """As the runtime sees it."""
        code_dir: str
        opt_dir: str
        """The layers' folder, where it becomes /opt; else empty."""
        links: dict[str, str]
        """Links to make beside the code (/var/lang), and where they lead."""
        user_id: int
        """The user that the runtime runs as; 0: whoever runs the endpoint."""
        tmp_dir: str
        """The environment's own; the supervisor creates it."""
        hides_tmp: bool
        """Whether it becomes /tmp, and the code /var/task, in its own mount namespace."""
        tmp_image: str
        """A file mounted as /tmp instead of `tmp_dir`; empty: there is none."""
        disk_command: list[str]
        """The command that makes it; the supervisor runs it, so that it's always removed."""
        file_limit_bytes: int
        """Size of the largest file that may be written; 0: any."""
        kept_dirs: list[str]
        """Folders that stay visible although they are under /tmp or a home folder."""
        home_dirs: list[str]
        """The operator's home folders, hidden if `hides_tmp`."""
        cpus: list[int]
        """Cores that may be used; empty: all."""
        memory_limit_bytes: int
        core_count: int
        """Cores that the tree can run on at once."""
        cores: float
        """CPU share to begin with, if the supervisor controls it."""
        controlled: bool
        """Whether the supervisor stops and continues the tree."""
        owner_pid: int
