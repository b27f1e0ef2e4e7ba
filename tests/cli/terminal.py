# SPDX-License-Identifier: GPL-2.0-or-later
# terminal.py - plays the person in front of a terminal
#
#   terminal.py CASE COSO ROOTFS [FLAG...]     one of the functions below; fails with what was on the screen
import fcntl, os, pty, select, signal, socket, struct, subprocess, sys, tempfile, termios, time

LIMIT = 15


class Terminal:
    def __init__(self, argv, rows=40, columns=100):
        self.screen = b""
        self.seen = 0  # what expect has dealt with
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.before = termios.tcgetattr(self.slave)
        self.child = subprocess.Popen(argv, stdin=self.slave, stdout=self.slave, stderr=self.slave, preexec_fn=self.session)

    def session(self):
        os.setsid()
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.master, text.encode())

    def read(self, deadline):
        if not select.select([self.master], [], [], max(0, deadline - time.monotonic()))[0]:
            raise AssertionError("waited in vain; the screen: %r" % self.screen[-2000:])
        self.screen += os.read(self.master, 65536)

    def expect(self, text):
        deadline = time.monotonic() + LIMIT
        while text.encode() not in self.screen[self.seen:]:
            self.read(deadline)
        self.seen = self.screen.index(text.encode(), self.seen) + len(text)

    # Types a line, and waits for what it prints. The shell echoes it first, so `answer` must not be in it.
    def ask(self, line, answer):
        self.type(line + "\n")
        self.expect(answer)

    def ends(self, status):
        deadline = time.monotonic() + LIMIT
        while self.child.poll() is None:
            assert time.monotonic() < deadline, "doesn't end; the screen: %r" % self.screen[-2000:]
            if select.select([self.master], [], [], 0.02)[0]:
                self.screen += os.read(self.master, 65536)
        assert self.child.returncode == status, (self.child.returncode, self.screen[-2000:])
        assert termios.tcgetattr(self.slave) == self.before, "the terminal's settings were not restored"

    def is_raw(self):
        return not termios.tcgetattr(self.slave)[3] & (termios.ICANON | termios.ECHO | termios.ISIG)


def start(coso, rootfs, *flags, command=("sh",), **size):
    return Terminal([coso, "--rootfs", rootfs, "--network", "none", *flags, *command], **size)


def shell(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags)
    t.ask("echo sum $((40 + 2))", "sum 42")
    assert t.is_raw()
    t.ask("tty", "/dev/pts/0")
    t.ask("test -c /dev/console && ls -l /proc/self/fd/0 | grep -c pts/0", "\n1")
    t.ask("echo $TERM-$((1 + 1))", "xterm-2")
    t.type("exit 7\n")
    t.ends(7)


def end_of_file(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags)
    t.ask("echo $((1 + 1))2", "22")
    t.expect("# ")  # before that the shell's line editor may take it for a character
    t.type("\x04")
    t.ends(0)


def window(coso, rootfs, *flags):
    # A shell's line editor may keep the signal to itself.
    script = "stty size; trap 'stty size; exit 4' WINCH; echo rea''dy; while :; do sleep 0.05; done"
    t = start(coso, rootfs, *flags, command=("sh", "-c", script), rows=33, columns=77)
    t.expect("33 77")
    t.expect("ready")
    t.resize(50, 120)
    t.expect("50 120")
    t.ends(4)


def interrupt(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags)
    t.ask("echo $((1 + 1))2; sleep 100; echo status $?", "22")
    time.sleep(0.2)  # the shell forks sleep after its echo
    t.type("\x03")
    t.expect("# ")  # what is typed before the shell asks again may be dropped by the terminal, or by the shell
    t.ask("echo after $((1 + 1))", "after 2")
    t.ask("trap 'echo cau''ght' INT; echo s''et", "set")
    t.type("\x03")
    t.ask("", "caught")
    t.ask("sh -c 'echo rea\\dy; exec cat'", "ready")
    t.ask("mirrored", "mirrored\r\nmirrored")
    t.type("\x1c")  # SIGQUIT ends cat, not the shell
    t.expect("Quit")
    t.expect("# ")
    t.ask("echo still $((1 + 1))", "still 2")
    t.type("exit 3\n")
    t.ends(3)


def interrupt_program(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags, command=("sh", "-c", "trap 'echo cau''ght; exit 9' INT; echo rea''dy; while :; do sleep 0.05; done"))
    t.expect("ready")
    t.type("\x03")
    t.expect("caught")
    t.ends(9)


def jobs(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags)
    t.ask("echo $((1 + 1))2", "22")
    t.type("sleep 100\n")
    time.sleep(0.3)
    t.type("\x1a")
    t.expect("Stopped")
    t.ask("jobs", "Stopped")
    t.ask("bg; echo in''back", "inback")
    t.ask("jobs", "Running")
    t.ask("fg", "sleep 100")
    time.sleep(0.3)
    t.type("\x03")
    t.expect("# ")
    t.ask("jobs; echo none $((1 + 1))", "none 2")
    t.type("exit 0\n")
    t.ends(0)


# Whoever ends the container, the terminal is as it was.
def killed(coso, rootfs, *flags):
    t = start(coso, rootfs, "--name", "victim", *flags)
    t.ask("echo $((1 + 1))2", "22")
    assert t.is_raw()
    subprocess.run([coso, "kill", "victim"], check=True)
    t.ends(137)
    t = start(coso, rootfs, *flags, command=("sleep", "100"))
    deadline = time.monotonic() + LIMIT
    while not t.is_raw():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    t.child.send_signal(signal.SIGTERM)
    if "--init" not in flags:  # pid 1 without a handler doesn't notice
        time.sleep(0.1)
        t.child.send_signal(signal.SIGHUP)
        subprocess.run("read -r pid < /proc/%d/task/%d/children; kill -9 $pid" % (t.child.pid, t.child.pid), shell=True, check=True,
                       executable="/bin/bash")
        t.ends(137)
    else:
        t.ends(143)


# A launch that fails after the terminal was made.
def fails(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags, command=("/no/such",))
    t.ends(127)
    assert b"/no/such" in t.screen, t.screen


def hangup(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags)
    t.ask("echo $((1 + 1))2", "22")
    os.close(t.slave)
    os.close(t.master)
    t.child.wait(LIMIT)


# 200 kB there and back, in raw mode inside.
def paste(coso, rootfs, *flags):
    text = "".join("%07d\n" % i for i in range(25000))
    t = start(coso, rootfs, *flags, command=("sh", "-c", "stty raw -echo; echo rea''dy; head -c %d | sha256sum" % len(text)))
    t.expect("ready")
    data = text.encode()
    while data:
        n = os.write(t.master, data[:4096])
        data = data[n:]
    import hashlib
    t.expect(hashlib.sha256(text.encode()).hexdigest())
    t.ends(0)


def flood(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags, command=("sh", "-c", "seq 100000; echo en''d"))
    t.expect("end")
    t.ends(0)
    assert t.screen.replace(b"\r", b"").startswith(b"".join(b"%d\n" % i for i in range(1, 100001))), "output was lost"


def owner(coso, rootfs, *flags):
    t = start(coso, rootfs, "--user", "nobody", *flags)
    t.ask("echo x >$(tty) && stat -c %U-%a $(tty)", "nobody-620")
    t.ask("echo y''es >/dev/tty", "yes")
    t.type("exit\n")
    t.ends(0)


# The terminal is not the container's: output goes there, but it has none to control.
def without(coso, rootfs, *flags):
    t = start(coso, rootfs, "--tty=false", *flags, command=("sh", "-c", "tty </dev/tty || echo no''ne"))
    t.expect("none")
    t.ends(0)


# Both directions are full at once: what is typed comes back, and nobody waits for anybody.
def both_ways(coso, rootfs, *flags):
    with tempfile.TemporaryFile() as source, tempfile.TemporaryFile() as target:
        source.write(b"abc\n" * 250000)
        source.seek(0)
        argv = [coso, "--rootfs", rootfs, "--network", "none", "--tty", *flags, "cat"]
        assert subprocess.run(argv, stdin=source, stdout=target, timeout=4 * LIMIT).returncode == 0
        target.seek(0)
        assert target.read().count(b"abc\r\n") >= 250000  # and some of its echo


# Starts COMMAND, whose output nobody reads, and waits until nothing fits any more.
def stalled(coso, rootfs, flags, *command):
    reader, writer = os.pipe()
    argv = [coso, "--rootfs", rootfs, "--network", "none", "--tty", *flags, *command]
    child = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=writer)
    deadline, before, since = time.monotonic() + LIMIT, 0, time.monotonic()
    while before < 30000 or time.monotonic() < since + 0.3:
        assert time.monotonic() < deadline, before
        time.sleep(0.02)
        now = struct.unpack("i", fcntl.ioctl(reader, termios.FIONREAD, b"\0" * 4))[0]
        if now != before:
            before, since = now, time.monotonic()
    assert os.get_blocking(writer), "the caller's pipe was changed"
    return child, reader, writer


# A reader that has stalled holds up neither signals nor the container's end; what it reads later is whole.
def reader(coso, rootfs, *flags):
    child, _, writer = stalled(coso, rootfs, ("--name", "victim", *flags), "yes")
    subprocess.run([coso, "kill", "victim"], check=True)
    assert child.wait(LIMIT) == 137
    assert os.get_blocking(writer)
    script = "trap 'exit 5' TERM; yes >/dev/console & while :; do sleep 0.05; done"
    child, _, _ = stalled(coso, rootfs, flags, "sh", "-c", script)
    started = time.monotonic()
    while child.poll() is None:  # the first ends the container, the next the wait for the reader
        assert time.monotonic() < started + LIMIT, "SIGTERM was not passed on"
        child.send_signal(signal.SIGTERM)
        time.sleep(0.2)
    assert child.returncode == 5, child.returncode
    child, end, writer = stalled(coso, rootfs, flags, "seq", "30000")
    os.close(writer)
    with os.fdopen(end, "rb") as file:
        assert file.read() == b"".join(b"%d\r\n" % i for i in range(1, 30001))
    assert child.wait(LIMIT) == 0


# A terminal that can't be opened anew (another user's) is made non-blocking while coso runs, and then as it was.
def borrowed(coso, rootfs, *flags):
    t = start(coso, rootfs, *flags)
    t.ask("echo $((1 + 1))2", "22")
    assert os.get_blocking(t.slave), "the caller's terminal was changed"
    t.type("exit 0\n")
    t.ends(0)
    ours, theirs = socket.socketpair()
    argv = [coso, "--rootfs", rootfs, "--network", "none", "--tty", *flags, "sh", "-c", "echo rea''dy; read line; echo got $line"]
    child = subprocess.Popen(argv, stdin=theirs, stdout=theirs)
    said = b""
    while b"ready" not in said:
        said += ours.recv(1000)
    assert not os.get_blocking(theirs.fileno())
    ours.send(b"it\n")
    while b"got it" not in said:
        said += ours.recv(1000)
    assert child.wait(LIMIT) == 0
    assert os.get_blocking(theirs.fileno()), "the flags were not restored"


# In the background a container has a terminal if it is asked for, wherever it is typed.
def background(coso, rootfs, *flags):
    for asked, answer in ((), b"not a tty\n"), (("-t",), b"/dev/pts/0\r\n"), (("-t=false",), b"not a tty\n"):
        start(coso, rootfs, "--detach", "--name", "bg", *asked, *flags, command=("tty",)).ends(0)
        for _ in range(LIMIT * 50):
            said = subprocess.run([coso, "logs", "bg"], capture_output=True).stdout
            if said:
                break
            time.sleep(0.02)
        assert said == answer, (asked, said)
        subprocess.run([coso, "rm", "--force", "bg"], check=True)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
