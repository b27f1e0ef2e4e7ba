#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Time commands side by side: one of each per round, in turn, so that a drift of the machine hits all alike.

    paired.py [-n 200] [--gap 0.15] crun='crun run -b BUNDLE x' coso='coso-oci run -b BUNDLE y'

Each value is split like a shell line and started without a shell; words NAME=VALUE before the program go into its environment,
a word <FILE is its standard input, and {i} becomes the round's number. {pid} becomes a process in a network namespace of its own,
made before the clock starts and ended after it stops. Prints, per command, the 10th, 50th and 90th percentile of its wall time in milliseconds, the user+system CPU time, and the ratio of its
wall time to the first command's: the median of the rounds' own ratios. With --gap the machine idles that long before each
start: some kernel waits (RCU, cgroup moves) only show then. --json writes the same, with the ratio of each command to each other.
A command that fails is reported with its status and what it said; the exit status is then 1.
"""
import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import time


def once(argv, env, stdin, out):
    """Run argv to its end. Returns (wall s, cpu s, wait status)."""
    start = time.perf_counter()
    pid = os.posix_spawn(argv[0], argv, env, file_actions=[
        (os.POSIX_SPAWN_OPEN, 0, stdin, os.O_RDONLY, 0),
        (os.POSIX_SPAWN_DUP2, out.fileno(), 1),
        (os.POSIX_SPAWN_DUP2, out.fileno(), 2)])
    _, status, usage = os.wait4(pid, 0)
    return time.perf_counter() - start, usage.ru_utime + usage.ru_stime, status


def parse(line):
    """Split a command line into (argv, environment, standard input)."""
    words, env, stdin = shlex.split(line), dict(os.environ), "/dev/null"
    while words and "=" in words[0] and "/" not in words[0].split("=")[0]:
        name, value = words.pop(0).split("=", 1)
        env[name] = value
    for word in [w for w in words if w.startswith("<")]:
        words.remove(word)
        stdin = word[1:]
    words[0] = find(words[0])
    return words, env, stdin


class Namespace:
    """A process in a network namespace of its own."""

    def __init__(self):
        ours = os.readlink("/proc/self/ns/net")
        self.process = subprocess.Popen(["unshare", "-n", "sleep", "60"])
        self.pid = self.process.pid
        deadline = time.monotonic() + 10
        while os.readlink(f"/proc/{self.pid}/ns/net") == ours:
            if time.monotonic() > deadline:
                sys.exit("paired.py: unshare -n gave no network namespace")
            time.sleep(0.0005)

    def close(self):
        self.process.kill()
        self.process.wait()


def time_line(line, number, gap, out):
    """Run one command of one round. Returns what once() does."""
    namespace = Namespace() if "{pid}" in line else None
    line = line.replace("{i}", str(number))
    if namespace:
        line = line.replace("{pid}", str(namespace.pid))
    command = parse(line)
    out.seek(0)
    out.truncate()
    time.sleep(gap)
    try:
        return once(*command, out)
    finally:
        if namespace:
            namespace.close()


def find(name):
    if "/" in name:
        return name
    for folder in os.environ["PATH"].split(":"):
        path = os.path.join(folder, name)
        if os.access(path, os.X_OK):
            return path
    sys.exit(f"paired.py: {name}: not found")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("-n", type=int, default=100, help="rounds that count (100)")
    p.add_argument("--warmup", type=int, default=5, help="rounds first that don't (5)")
    p.add_argument("--gap", type=float, default=0, help="seconds of idling before each start (0)")
    p.add_argument("--json", metavar="FILE", help="write the numbers there too")
    p.add_argument("command", nargs="+", metavar="NAME=COMMAND")
    args = p.parse_args()
    commands = [c.split("=", 1) for c in args.command]
    runs = {name: [] for name, _ in commands}
    failed = False
    with tempfile.TemporaryFile() as out:
        for i in range(-args.warmup, args.n):
            for name, line in commands:
                result = time_line(line, i + args.warmup, args.gap, out)
                if result[2] != 0:
                    out.seek(0)
                    print(f"{name}: wait status {result[2]}: {out.read(400).decode(errors='replace').strip()}", file=sys.stderr)
                    failed = True
                if i >= 0:
                    runs[name].append(result)
            if failed:
                break
    if failed:
        sys.exit(1)
    table = summarize(runs)
    first = commands[0][0]
    print(f"{'':20}{'p10 ms':>9}{'median ms':>11}{'p90 ms':>9}{'cpu ms':>9}{'ratio':>8}")
    for name, row in table.items():
        print(f"{name:20}{row['p10']:9.2f}{row['median']:11.2f}{row['p90']:9.2f}{row['cpu']:9.2f}{row['ratio'][first]:8.2f}")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"rounds": args.n, "gap": args.gap, "commands": table}, file, indent=1)
            file.write("\n")


def summarize(runs):
    """Per command: milliseconds, and the median of the rounds' own ratios to each other command."""
    table = {}
    for name, results in runs.items():
        wall = sorted(r[0] * 1e3 for r in results)
        table[name] = {
            "p10": round(wall[int(len(wall) * .1)], 3),
            "median": round(statistics.median(wall), 3),
            "p90": round(wall[int(len(wall) * .9)], 3),
            "cpu": round(statistics.median(r[1] * 1e3 for r in results), 3),
            "ratio": {other: round(statistics.median(r[0] / o[0] for r, o in zip(results, runs[other])), 3) for other in runs},
        }
    return table


if __name__ == "__main__":
    main()
