// SPDX-License-Identifier: GPL-2.0-or-later
// run.c - the life of a container
//
// Theory of operation. In the foreground this process launches, waits and cleans up. Detached, it forks a monitor first: the monitor
// does just the same, with the container's log in place of stdout and stderr, and tells this process through a pipe how the launch
// went; until then its own warnings go to the caller. The monitor is the container's parent, since only a parent gets the exit
// status. If it is killed the container lives on.
#include "coso/engine/run.h"

#include "coso/engine/claim.h"
#include "coso/engine/gc.h"
#include "coso/engine/pidfile.h"
#include "coso/engine/settle.h"
#include "coso/engine/state.h"
#include "coso/engine/supervise.h"
#include "coso/launch/launch.h"
#include "coso/launch/trace.h"
#include "shared/fd.h"
#include "shared/file.h"
#include "shared/log.h"
#include "shared/path.h"
#include "shared/proc.h"
#include "shared/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { COMMAND_SHOWN = 1000, CLAIMED = -1 }; // bytes; see struct news

struct life {
	const struct run *run;
	const struct spec *spec;
	struct launch launch;
	struct claim claim;
	struct state state;
	int folder; // below lib, with log and layers
	int exit_code;
	struct settle settle; // detached: what the monitor inherited
	bool began;
	int ready;  // detached: the pipe to the process that forked the monitor, else -1
	int caller; // detached: the caller's stderr, for what is said during the launch, else -1
};

// What the monitor tells its parent, once or twice; one write(2) each.
struct news {
	int exit_code; // 0: it runs; CLAIMED: the name is its own, and more will come
	struct err err;
};

const char *run_new_id(struct arena *arena)
{
	unsigned char bytes[6];
	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		memset(bytes, getpid() & 255, sizeof(bytes)); // never on Linux 5.6 and later; a clash is refused anyway
	char *id = arena_strdup(arena, "");
	for (size_t i = 0; i < sizeof(bytes); i++)
		id = arena_printf(arena, "%s%02x", id, bytes[i]);
	return id;
}

int run_check_id(const char *id, struct err *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t length = strlen(id);
	if (length == 0 || length > SPEC_ID_MAX || !strchr(letters, id[0]) ||
	    strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") != length)
		return err_set(err, EINVAL,
			       "the name '%.80s' isn't 1 to %d letters, digits, '_', '.' and '-', beginning with a letter or digit",
			       id, SPEC_ID_MAX);
	return 0;
}

// The beginning of a command line, for people to know it by. It is cut between characters of UTF-8.
static const char *join_words(struct arena *arena, const struct strv *words)
{
	char *line = arena_alloc(arena, COMMAND_SHOWN + 1), *end = line;
	size_t room = COMMAND_SHOWN;
	for (size_t i = 0; i < words->count && room; i++) {
		int n = snprintf(end, room + 1, "%s%s", i ? " " : "", words->items[i]);
		size_t length = n < 0 ? 0 : (size_t)n < room ? (size_t)n : room;
		end += length;
		room -= length;
	}
	while (!room && end > line && (end[-1] & 0xc0) == 0x80)
		*--end = '\0';
	if (!room && end > line && (end[-1] & 0x80))
		*--end = '\0';
	return line;
}

static void describe_state(struct life *life)
{
	const struct spec *spec = life->spec;
	life->state = (struct state){
		.id = spec->id,
		.rootfs = spec->root.path,
		.command = join_words(spec->arena, &spec->process.args),
		.network = spec->network.name,
		.created = stamp_now(spec->arena),
		.pid = life->launch.pid,
		.pid_start = proc_start_time(life->launch.pid),
		.owner = getpid(),
		.owner_start = proc_start_time(getpid()),
		.detached = spec->detach,
		.remove = spec->remove,
		.launching = true,
	};
}

static void send_news(const struct life *life, int exit_code, const struct err *err)
{
	struct news news = { .exit_code = exit_code };
	if (err)
		news.err = *err;
	if (life->ready >= 0)
		(void)!write(life->ready, &news, sizeof(news));
}

// What a crash leaves is mended by what stands here: from before the program can start until nothing is left of it.
static int note(struct launch *launch, struct err *err)
{
	struct life *life = launch->owner;
	describe_state(life);
	return state_write(life->claim.state, &life->state, err);
}

static int open_log(struct life *life, struct err *err)
{
	own_fd int log = openat(life->folder, "log", O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
	own_fd int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (log < 0 || null < 0)
		return err_sys(err, "make the log of '%s'", life->spec->id);
	life->caller = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (life->caller < 0)
		return err_sys(err, "keep stderr");
	log_to(life->caller);
	if (dup2(null, STDIN_FILENO) < 0 || dup2(log, STDOUT_FILENO) < 0 || dup2(log, STDERR_FILENO) < 0)
		return err_sys(err, "redirect to the log");
	return 0;
}

// Reserve, launch, write down.
static int begin(struct life *life, struct err *err)
{
	const struct place *place = life->run->place;
	const struct spec *spec = life->spec;
	struct launch *launch = &life->launch;
	launch->data = place_data(spec->arena, place, spec->id);
	launch->state_path = place_state(spec->arena, place, spec->id);
	launch->group = place_group(spec->arena, place, spec->id);
	launch->cache = place->cache_fd;
	launch->note = note;
	launch->owner = life;
	if (claim_take(place, spec->id, &life->claim, err) < 0)
		return -1;
	send_news(life, CLAIMED, NULL);
	launch->state = life->claim.state;
	launch->folder = life->folder = place_make_container(place, spec->id, err);
	if (life->folder < 0)
		return -1;
	if (life->run->trace && (launch->trace = trace_open(life->run->trace, err)) < 0)
		return -1;
	if (spec->detach && open_log(life, err) < 0)
		return -1;
	own_fd int signals = supervise_open_ending(err);
	if (signals < 0)
		return -1;
	launch->signals = spec->detach ? life->ready : signals; // a detached launch ends if nobody hears of it
	if (launch_start(launch, err) < 0) {
		int signal = err->code == EINTR ? supervise_take_ending(signals) : 0;
		life->exit_code = signal ? 128 + signal : launch->exit_code;
		if (signal)
			err_hint(err, "SIG%s", sigabbrev_np(signal));
		return -1;
	}
	launch->signals = -1; // from now on they are the container's
	life->state.launching = false;
	if (state_write(life->claim.state, &life->state, err) < 0)
		return -1;
	if (life->run->pid_file && pidfile_write(life->run->pid_file, launch->pid, err) < 0)
		return err_wrap(err, "--pid-file '%s'", life->run->pid_file);
	life->began = true;
	return 0;
}

// Nearly always its folder is empty by now.
static int remove_container(const char *path, struct err *err)
{
	return rmdir(path) == 0 || errno == ENOENT ? 0 : rootfs_remove_data(path, err);
}

static void end(struct life *life)
{
	const struct place *place = life->run->place;
	struct err err;
	bool made = life->folder >= 0;
	launch_end(&life->launch);
	trace_close(&life->launch.trace);
	fd_close(&life->folder);
	if (life->claim.state < 0) // the id is somebody else's: nothing of it is ours
		return;
	if (life->began && life->spec->detach && !life->spec->remove) {
		life->state.ended = true;
		life->state.pid = 0;
		life->state.exit_code = life->exit_code;
		if (state_write(life->claim.state, &life->state, &err) == 0 && !life->launch.unclean) {
			claim_drop(place, &life->claim);
			return;
		}
	} else if ((!made || remove_container(place_container(life->spec->arena, place, life->spec->id), &err) == 0) &&
		   !life->launch.unclean) {
		claim_release(place, life->spec->id, &life->claim);
		return;
	}
	if (!life->launch.unclean)
		log_warning("%s", err.msg);
	claim_leave(&life->claim); // the next command mends it
}

static void tell(struct life *life, const struct err *err)
{
	send_news(life, err ? life->exit_code : 0, err);
	fd_close(&life->ready);
	log_to(STDERR_FILENO);
	fd_close(&life->caller);
}

static int live(struct life *life, struct err *err)
{
	sigset_t old;
	launch_init(&life->launch, life->spec->arena, life->spec);
	supervise_block(false, &old);
	life->exit_code = 125;
	int result = begin(life, err);
	if (result < 0) {
		int code = life->exit_code;
		end(life);
		life->exit_code = code;
		tell(life, err);
	} else {
		tell(life, NULL);
		if (life->spec->detach)
			settle_down(&life->settle);
		const struct supervise s = {
			.pidfd = life->launch.pidfd,
			.console = life->launch.console,
			.input = life->spec->detach ? -1 : STDIN_FILENO,
			.output = STDOUT_FILENO,
		};
		result = supervise_run(&s, &life->exit_code, err);
		if (result == 0)
			fd_close(&life->launch.pidfd); // it was waited for
		end(life);
	}
	sigprocmask(SIG_SETMASK, &old, NULL);
	return result;
}

// The monitor's parent: waits for the news and goes.
static int hear(const struct life *life, pid_t monitor, int *out_exit_code, struct err *err)
{
	struct news news;
	bool claimed = false;
	ssize_t n;
	while ((n = fd_read_full(life->ready, &news, sizeof(news))) == (ssize_t)sizeof(news) && news.exit_code == CLAIMED)
		claimed = true;
	*out_exit_code = 125;
	if (n != (ssize_t)sizeof(news)) {
		waitpid(monitor, NULL, 0);
		if (claimed)
			gc_forget(life->run->place, life->spec->id);
		else
			gc_sweep(life->run->place, false);
		return err_set(err, EIO, "the monitor was killed during the launch");
	}
	*out_exit_code = news.exit_code;
	if (!news.exit_code)
		return 0;
	*err = news.err;
	return -1;
}

static int detach(struct life *life, int *out_exit_code, struct err *err)
{
	int ready[2];
	if (pipe2(ready, O_CLOEXEC) < 0)
		return err_sys(err, "make a pipe");
	pid_t pid = fork();
	if (pid < 0) {
		fd_close(&ready[0]);
		fd_close(&ready[1]);
		return err_sys(err, "fork the monitor");
	}
	if (pid > 0) {
		fd_close(&ready[1]);
		life->ready = ready[0];
		int result = hear(life, pid, out_exit_code, err);
		fd_close(&life->ready);
		return result;
	}
	fd_close(&ready[0]);
	life->ready = ready[1];
	setsid();
	prctl(PR_SET_NAME, "coso-monitor");
	const struct place *place = life->run->place;
	const int own[] = { place->run_fd, place->owners_fd, place->lib_fd, place->cache_fd, life->ready };
	if (settle_note(life->spec->arena, own, sizeof(own) / sizeof(own[0]), &life->settle, err) < 0) {
		tell(life, err);
		_exit(125);
	}
	_exit(live(life, err) < 0 ? 125 : 0);
}

int run_container(const struct run *run, const struct spec *spec, int *out_exit_code, struct err *err)
{
	struct life life = {
		.run = run, .spec = spec, .claim = { .state = -1 }, .folder = -1, .ready = -1, .caller = -1, .exit_code = 125
	};
	*out_exit_code = 125;
	if (run_check_id(spec->id, err) < 0)
		return -1;
	if (spec->detach)
		return detach(&life, out_exit_code, err);
	int result = live(&life, err);
	*out_exit_code = life.exit_code;
	return result;
}
