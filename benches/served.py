"""The built program as a process that is measured: started, watched, ended. What `memory` and `site` share."""
import collections
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import time

TICKS = os.sysconf("SC_CLK_TCK")

# RSS, its anonymous part (without the pages of the program's own file) and its peak in MiB, and the seconds of processor
# time used.
Memory = collections.namedtuple("Memory", "rss own peak cpu")


def serve(stack, folder, binary, config, arguments):
    """Not all of it listens yet."""
    log = stack.enter_context(open(folder / "serve.log", "wb"))
    process = subprocess.Popen([binary, "serve", "--config", config["file"], *arguments], cwd=folder,
                               stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    stack.callback(stop, process)
    return process


def check_alive(process, folder):
    if process.poll() is not None:
        sys.exit(f"the program ended: {(folder / 'serve.log').read_text(errors='replace')[-2000:]}")


def stop(process):
    if process.poll() is None:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def memory(process):
    status = pathlib.Path(f"/proc/{process.pid}/status").read_text()
    mib = {name: int(kib) / 1024 for name, kib in re.findall(r"^(VmRSS|RssAnon|VmHWM):\s+(\d+) kB$", status, re.M)}
    fields = pathlib.Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return Memory(mib["VmRSS"], mib["RssAnon"], mib["VmHWM"], (int(fields[11]) + int(fields[12])) / TICKS)


def free_ports(*names):
    """An address on this host for each name."""
    return {name: f"127.0.0.1:{free_port()}" for name in names}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def until(what, look, limit=60):
    ends = time.monotonic() + limit
    while not look():
        if time.monotonic() > ends:
            sys.exit(f"waited {limit} s for {what}")
        time.sleep(0.05)
