"""Handlers for the tests of execution; every one is told by its event what to do.

They are plain functions with late imports, as handlers often are.
"""
# ruff: noqa: PLW0603, PTH108, PTH109, PTH123, PTH208

import errno
import json
import logging
import mmap
import os
import socket
import sys
import tempfile
import threading
import time

print("module level")
calls = 0


def echo(event, context):
    global calls
    calls += 1
    return {"event": event, "pid": os.getpid(), "calls": calls}


def empty(event, context):
    pass


def where(event, context):
    return sorted(os.sched_getaffinity(0))


def variables(event, context):
    return dict(os.environ)


def describe(event, context):
    return {
        "left_ms": context.get_remaining_time_in_millis(),
        "request_id": context.aws_request_id,
        "log_group": context.log_group_name,
        "log_stream": context.log_stream_name,
        "arn": context.invoked_function_arn,
        "memory_mb": context.memory_limit_in_mb,
        "name": context.function_name,
        "version": context.function_version,
        "custom": context.client_context.custom if context.client_context else None,
        "cwd": os.getcwd(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
        "trace": os.environ["_X_AMZN_TRACE_ID"],
    }


def spend(cpu_s):
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        pass


def burn(event, context):
    """CPU time over wall time, of this thread."""
    begin = time.perf_counter()
    spend(event["cpu_s"])
    return event["cpu_s"] / (time.perf_counter() - begin)


def burn_for(event, context):
    """CPU time over wall time of this thread in so many seconds of wall time."""
    begin, cpu = time.perf_counter(), time.thread_time()
    while time.perf_counter() - begin < event["s"]:
        pass
    return (time.thread_time() - cpu) / (time.perf_counter() - begin)


def burn_in_threads_of_c(event, context):
    """Two threads outside the interpreter's lock: CPU time over wall time."""
    import hashlib

    data = bytes(1 << 20)

    def work():
        for _ in range(event["blocks"]):
            hashlib.sha256(data).digest()

    begin, cpu = time.perf_counter(), time.process_time()
    threads = [threading.Thread(target=work) for _ in range(event["threads"])]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    wall = time.perf_counter() - begin
    return {"wall_s": wall, "cpu_s": time.process_time() - cpu}


def burn_in_children(event, context):
    """Short children one after the other, or an orphan: their CPU time over wall time."""
    begin = time.perf_counter()
    if event["kind"] == "double-fork":
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            if os.fork() == 0:
                os.setsid()
                spend(event["cpu_s"])
                os.write(writer, b"x")
            os._exit(0)
        os.waitpid(child, 0)
        os.read(reader, 1)
    else:
        for _ in range(event["count"]):
            child = os.fork()
            if child == 0:
                spend(event["cpu_s"] / event["count"])
                os._exit(0)
            os.waitpid(child, 0)
    return event["cpu_s"] / (time.perf_counter() - begin)


def fill(size_mb):
    block = mmap.mmap(-1, size_mb << 20)
    if hasattr(mmap, "MADV_HUGEPAGE"):  # far fewer page faults
        block.madvise(mmap.MADV_HUGEPAGE)
    for offset in range(0, size_mb << 20, 4096):
        block[offset] = 1
    return block


def eat(event, context):
    """Hold memory for a moment, in a child if told so."""
    if not event.get("in_child"):
        block = fill(event["mb"])
        block.close()
        return "eaten"
    child = os.fork()
    if child == 0:
        fill(event["mb"])
        os._exit(0)
    _, status = os.waitpid(child, 0)
    time.sleep(event.get("then_s", 0))
    return status


def read_file(event, context):
    """Page cache is no memory of the function's: a hole in a file fills it too."""
    with open("/tmp/large", "wb") as file:
        file.truncate(event["mb"] << 20)
    with open("/tmp/large", "rb", buffering=0) as file:
        return sum(len(block) for block in iter(lambda: file.read(1 << 20), b""))


def keep_in_tmp(event, context):
    names = sorted(os.listdir("/tmp"))
    with open("/tmp/kept", "w") as file:
        file.write("x")
    return names


def fill_tmp(event, context):
    """Take MB of /tmp until there are so many or no more can be had: MB, and the error."""
    taken, error = 0, None
    with open(f"{tempfile.gettempdir()}/filled", "wb") as file:
        try:
            while taken < event["mb"]:
                os.posix_fallocate(file.fileno(), taken << 20, 1 << 20)
                taken += 1
        except OSError as failed:
            error = errno.errorcode[failed.errno]
    return {"mb": taken, "error": error}


def write_and_drop(event, context):
    """Write files and delete them at once, again and again."""
    chunk, path = bytes(1 << 20), f"{tempfile.gettempdir()}/dropped"
    for _ in range(event["times"]):
        with open(path, "wb") as file:
            file.writelines(chunk for _ in range(event["mb"]))
        os.unlink(path)
        time.sleep(0.02)


def eat_in_a_short_child(event, context):
    """A child takes memory and is gone again within milliseconds."""
    child = os.fork()
    if child == 0:
        fill(event["mb"])
        os._exit(0)
    os.waitpid(child, 0)


def write_to_tmp(event, context):
    """Write a file and read it again: MB that were there."""
    chunk, path = bytes(1 << 20), f"{tempfile.gettempdir()}/written"
    with open(path, "wb") as file:
        file.writelines(chunk for _ in range(event["mb"]))
    with open(path, "rb") as file:
        return sum(len(part) for part in iter(lambda: file.read(1 << 20), b"")) >> 20


def sleep(event, context):
    time.sleep(event["s"])
    return os.getpid()


def fail(event, context):
    raise ValueError("as asked")


def leave(event, context):
    sys.stdout.write("last words")
    sys.stdout.flush()
    os._exit(event["code"])


def die(event, context):
    os.kill(os.getpid(), event["signal"])
    time.sleep(5)


def talk(event, context):
    print("to stdout")
    print("to stderr", file=sys.stderr)
    logging.getLogger().error("through logging")


def talk_json(event, context):
    """Through the runtime's logger, as records of its own, and as plain text."""
    logging.getLogger().info("logged info")
    logging.getLogger().warning("logged warning")
    for level in ("info", "warning"):
        record = {"timestamp": "2026-01-01T00:00:00Z", "level": level, "message": f"own {level}"}
        print(json.dumps(record))
    print("not JSON")


def large(event, context):
    return "x" * event["size"]


def spin_on(event, context):
    """Leave a thread behind that burns as long as it may."""
    threading.Thread(target=spend, args=(60,), daemon=True).start()
    return os.getpid()


def brood(event, context):
    """Leave a family behind: a child, and an orphan in a session of its own."""
    pids = [os.getpid()]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            os.setsid()
        os.write(writer, b"%d\n" % os.getpid())
        time.sleep(120)
        os._exit(0)
    while len(pids) < 3:
        pids += [int(line) for line in os.read(reader, 100).split()]
    return pids


def ask(event, context):
    """Tell a listener this invocation's trace header, and wait for its answer."""
    with socket.create_connection(("127.0.0.1", event["port"])) as connection:
        connection.sendall(os.environ["_X_AMZN_TRACE_ID"].encode() + b"\n")
        return json.loads(connection.makefile().readline())


def use_sdk(event, context):
    """Every handler may rely on boto3."""
    import boto3

    credentials = boto3.Session().get_credentials()
    return {"key": credentials.access_key, "python": list(sys.version_info[:2])}
