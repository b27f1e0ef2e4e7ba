// SPDX-License-Identifier: GPL-2.0-or-later
// tty.c - the container's terminal
#include "coso/launch/tty.h"

#include "coso/launch/gate.h"
#include "coso/launch/launch.h"
#include "shared/fd.h"
#include "shared/path.h"
#include "shared/sys.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

// The slave comes from the master itself (TIOCGPTPEER), never from a name that somebody could have put something else at.
static int open_pair(struct launch *launch, int *out_master, int *out_slave, struct err *err)
{
	own_fd int master = path_open_in(launch->rootfs.root, "/dev/pts/ptmx", O_RDWR | O_NOCTTY, 0, err);
	if (master < 0)
		return -1;
	int unlock = 0;
	if (ioctl(master, TIOCSPTLCK, &unlock) < 0)
		return err_sys(err, "unlock the pty");
	int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (slave < 0)
		return err_sys(err, "open the pty's slave");
	*out_slave = slave;
	*out_master = take_fd(&master);
	return 0;
}

static int bind_console(struct launch *launch, int slave, struct err *err)
{
	own_fd int target = path_mountpoint_in(launch->rootfs.root, "/dev/console", false, err);
	if (target < 0)
		return -1;
	own_fd int mount = sys_open_tree(slave, "", AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (mount < 0 || sys_move_mount(mount, "", target, "", MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH) < 0)
		return err_sys(err, "bind the terminal on /dev/console");
	return 0;
}

static void set_size(const struct spec_process *process, int master)
{
	const struct winsize size = { .ws_row = process->rows, .ws_col = process->columns };
	if (size.ws_row && size.ws_col)
		ioctl(master, TIOCSWINSZ, &size);
	else
		tty_copy_size(STDIN_FILENO, master);
}

int tty_open(struct launch *launch, struct err *err)
{
	own_fd int master = -1;
	if (open_pair(launch, &master, &launch->tty, err) < 0)
		return -1;
	if (!launch_is_join(launch) && bind_console(launch, launch->tty, err) < 0) // that of the container stays
		return -1;
	set_size(&launch->spec->process, master); // the program may ask for it before the launcher gets to it
	if (gate_say(launch, GATE_CONSOLE, &master, err) < 0)
		return err_wrap(err, "hand over the terminal");
	if (ioctl(launch->tty, TIOCSCTTY, 0) < 0)
		return err_sys(err, "make the pty the controlling terminal");
	// The program's user opens its terminal by name (/dev/tty, ttyname): it must be theirs.
	if (fchown(launch->tty, launch->user.uid, (gid_t)-1) < 0 && errno != EPERM && errno != EINVAL)
		return err_sys(err, "give the terminal to user %u", launch->user.uid);
	for (int fd = 0; fd < 3; fd++) {
		if (dup2(launch->tty, fd) < 0)
			return err_sys(err, "put the terminal on descriptor %d", fd);
	}
	return 0;
}

int tty_set_raw(struct tty_raw *raw, int fd, struct err *err)
{
	raw->fd = -1;
	if (!isatty(fd))
		return 0;
	if (tcgetattr(fd, &raw->saved) < 0)
		return err_sys(err, "read the terminal's settings");
	struct termios mode = raw->saved;
	cfmakeraw(&mode);
	if (tcsetattr(fd, TCSANOW, &mode) < 0)
		return err_sys(err, "put the terminal in raw mode");
	raw->fd = fd;
	return 0;
}

void tty_restore(struct tty_raw *raw)
{
	if (raw->fd >= 0)
		tcsetattr(raw->fd, TCSADRAIN, &raw->saved);
	raw->fd = -1;
}

void tty_copy_size(int from, int master)
{
	struct winsize size;
	if (ioctl(from, TIOCGWINSZ, &size) == 0)
		ioctl(master, TIOCSWINSZ, &size);
}

bool tty_was_read(int master)
{
	own_fd int slave = ioctl(master, TIOCGPTPEER, O_RDONLY | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	struct pollfd p = { .fd = slave, .events = POLLIN };
	return poll(&p, 1, 0) == 0;
}
