// SPDX-License-Identifier: GPL-2.0-or-later
// request.c - the command line of coso-criu as a request to criu
#include "coso/criu/request.h"

#include "shared/fd.h"
#include "shared/num.h"
#include "shared/opts.h"
#include "shared/str.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

enum { LOG_LEVEL = 4 }; // debug, as others have it: what failed is in the log alone

struct words {
	const char *program, *channel, *pid, *image_path, *work_path, *parent_path, *root, *page_server, *cgroups, *empty_ns,
		*freeze, *lsm_profile, *lsm_context;
	struct strv external, ext_mount, inherit_fd, join_ns, cgroup_root;
	bool leave_running, tcp_established, tcp_skip_in_flight, tcp_close, ext_unix_sk, shell_job, file_locks, link_remap,
		auto_dedup, track_mem, orphan_pts_master, help;
};

#define WORD(field) offsetof(struct words, field)

static const struct opt table[] = {
	{ "criu", 0, OPT_TEXT, WORD(program), "PATH", "the program (criu, of PATH)" },
	{ "channel", 0, OPT_TEXT, WORD(channel), "FD", "a socket on which criu's questions are passed on, and the result" },
	{ "pid", 0, OPT_TEXT, WORD(pid), "PID", "the first process of what is dumped" },
	{ "image-path", 0, OPT_TEXT, WORD(image_path), "DIR", "folder of the images" },
	{ "work-path", 0, OPT_TEXT, WORD(work_path), "DIR", "folder of the log (that of the images)" },
	{ "parent-path", 0, OPT_TEXT, WORD(parent_path), "DIR", "images of the pre-dump before, relative to the images" },
	{ "root", 0, OPT_TEXT, WORD(root), "DIR", "mount point that becomes the root of what is restored" },
	{ "leave-running", 0, OPT_FLAG, WORD(leave_running), NULL, "let it run on after the dump" },
	{ "tcp-established", 0, OPT_FLAG, WORD(tcp_established), NULL, "with open TCP connections" },
	{ "tcp-skip-in-flight", 0, OPT_FLAG, WORD(tcp_skip_in_flight), NULL, "without TCP connections that are being made" },
	{ "tcp-close", 0, OPT_FLAG, WORD(tcp_close), NULL, "restore TCP connections closed" },
	{ "ext-unix-sk", 0, OPT_FLAG, WORD(ext_unix_sk), NULL, "with unix sockets to the outside" },
	{ "shell-job", 0, OPT_FLAG, WORD(shell_job), NULL, "of the session of a shell, with its terminal" },
	{ "file-locks", 0, OPT_FLAG, WORD(file_locks), NULL, "with file locks" },
	{ "link-remap", 0, OPT_FLAG, WORD(link_remap), NULL, "with open files that have lost a name" },
	{ "auto-dedup", 0, OPT_FLAG, WORD(auto_dedup), NULL, "punch out what later images have" },
	{ "track-mem", 0, OPT_FLAG, WORD(track_mem), NULL, "the next dump has what changed alone" },
	{ "orphan-pts-master", 0, OPT_FLAG, WORD(orphan_pts_master), NULL, "terminals whose master is outside" },
	{ "page-server", 0, OPT_TEXT, WORD(page_server), "ADDRESS:PORT", "where pages go" },
	{ "manage-cgroups-mode", 0, OPT_TEXT, WORD(cgroups), "MODE", "soft, full, strict or ignore" },
	{ "empty-ns", 0, OPT_TEXT, WORD(empty_ns), "NS", "network: a namespace whose content is somebody else's affair" },
	{ "external", 0, OPT_LIST, WORD(external), "TEXT", "something of the outside, as criu names it: net[4026531840]:key" },
	{ "ext-mount", 0, OPT_LIST, WORD(ext_mount), "KEY:PATH",
	  "a mount of the outside; '\\:' for a colon in KEY, '\\\\' for '\\'" },
	{ "inherit-fd", 0, OPT_LIST, WORD(inherit_fd), "FD:KEY", "restore this file of the outside as our descriptor FD" },
	{ "join-ns", 0, OPT_LIST, WORD(join_ns), "TYPE:PATH", "restore into this namespace" },
	{ "cgroup-root", 0, OPT_LIST, WORD(cgroup_root), "[CONTROLLER:]PATH", "restore below this control group" },
	{ "freeze-cgroup", 0, OPT_TEXT, WORD(freeze), "DIR", "freeze this control group meanwhile" },
	{ "lsm-profile", 0, OPT_TEXT, WORD(lsm_profile), "TYPE:NAME", "AppArmor profile or SELinux label of what is restored" },
	{ "lsm-mount-context", 0, OPT_TEXT, WORD(lsm_context), "TEXT", "SELinux context of its mounts" },
	{ "help", 'h', OPT_FLAG, WORD(help), NULL, "this text" },
	{ 0 },
};

static const struct {
	const char *name;
	enum request_verb verb;
	const char *help;
} verbs[] = {
	{ "check", REQUEST_CHECK, "whether this criu works on this kernel" },
	{ "dump", REQUEST_DUMP, "write the images of a tree of processes" },
	{ "pre-dump", REQUEST_PRE_DUMP, "write its memory in advance, while it runs" },
	{ "restore", REQUEST_RESTORE, "make it again of its images; it becomes a child of ours" },
};

enum { VERBS = sizeof(verbs) / sizeof(*verbs) };

void request_help(FILE *out)
{
	for (size_t i = 0; i < VERBS; i++)
		fprintf(out, "%s coso-criu %-9s [options]   %s\n", i ? "      " : "usage:", verbs[i].name, verbs[i].help);
	fprintf(out, "\noptions:\n");
	opts_help(table, out);
}

static int parse_verb(const char *word, struct request *r, struct err *err)
{
	for (size_t i = 0; i < VERBS; i++) {
		if (str_eq(word, verbs[i].name)) {
			r->verb = verbs[i].verb;
			return 0;
		}
	}
	return err_set(err, EINVAL, "give one of check, dump, pre-dump, restore (see coso-criu --help)");
}

static int parse_fd(const char *what, const char *text, int *out, struct err *err)
{
	uint64_t fd;
	if (num_u64(what, text, 0, INT_MAX, &fd, err) < 0)
		return -1;
	if (fcntl((int)fd, F_GETFD) < 0)
		return err_sys(err, "%s %s", what, text);
	*out = (int)fd;
	return 0;
}

static int open_folder(const char *what, const char *path, int *out, struct err *err)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return err_sys(err, "%s '%.200s'", what, path);
	*out = fd;
	return 0;
}

int request_open(struct arena *arena, struct request *r, const char *images, const char *work, struct err *err)
{
	CriuOpts *o = r->options;
	if (open_folder("--image-path", images, &o->images_dir_fd, err) < 0 ||
	    open_folder("--work-path", work, &o->work_dir_fd, err) < 0)
		return -1;
	o->has_work_dir_fd = true;
	r->log = arena_printf(arena, "%s/%s", work, o->log_file);
	return 0;
}

// criu's flags have the names of ours.
static void take_flags(const struct words *w, CriuOpts *o)
{
#define FLAG(field)                                                                                                                \
	{                                                                                                                          \
		WORD(field), offsetof(CriuOpts, has_##field), offsetof(CriuOpts, field)                                            \
	}
	static const struct {
		size_t word, has, value;
	} flags[] = {
		FLAG(leave_running), FLAG(tcp_established), FLAG(tcp_skip_in_flight), FLAG(tcp_close),
		FLAG(ext_unix_sk),   FLAG(shell_job),       FLAG(file_locks),         FLAG(link_remap),
		FLAG(auto_dedup),    FLAG(track_mem),       FLAG(orphan_pts_master),
	};
#undef FLAG
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		bool given = *(const bool *)((const char *)w + flags[i].word);
		*(protobuf_c_boolean *)((char *)o + flags[i].has) = given;
		*(protobuf_c_boolean *)((char *)o + flags[i].value) = given;
	}
}

static int take_cgroups(const struct words *w, CriuOpts *o, struct err *err)
{
	static const struct {
		const char *name;
		CriuCgMode mode;
	} modes[] = {
		{ "soft", CRIU_CG_MODE__SOFT },
		{ "full", CRIU_CG_MODE__FULL },
		{ "strict", CRIU_CG_MODE__STRICT },
		{ "ignore", CRIU_CG_MODE__IGNORE },
	};
	if (!w->cgroups)
		return 0;
	o->has_manage_cgroups = o->has_manage_cgroups_mode = true;
	for (size_t i = 0; i < sizeof(modes) / sizeof(*modes); i++) {
		o->manage_cgroups_mode = modes[i].mode;
		o->manage_cgroups = modes[i].mode != CRIU_CG_MODE__IGNORE;
		if (str_eq(w->cgroups, modes[i].name))
			return 0;
	}
	return err_set(err, EINVAL, "--manage-cgroups-mode '%.40s': soft, full, strict or ignore is possible", w->cgroups);
}

static int take_page_server(struct arena *arena, const struct words *w, CriuOpts *o, struct err *err)
{
	static const char what[] = "--page-server";
	uint64_t port;
	if (!w->page_server)
		return 0;
	const char *colon = strrchr(w->page_server, ':');
	if (!colon || colon == w->page_server)
		return err_set(err, EINVAL, "%s '%.100s': ADDRESS:PORT is needed", what, w->page_server);
	if (num_u64(what, colon + 1, 1, 65535, &port, err) < 0)
		return -1;
	CriuPageServerInfo *ps = arena_alloc(arena, sizeof(*ps));
	criu_page_server_info__init(ps);
	ps->address = arena_strndup(arena, w->page_server, (size_t)(colon - w->page_server));
	ps->has_port = true;
	ps->port = (int32_t)port;
	o->ps = ps;
	return 0;
}

// Up to the first colon that no backslash is before.
static int split_key(struct arena *arena, const char *text, char **out_key, char **out_rest)
{
	char *key = arena_alloc(arena, strlen(text) + 1), *to = key;
	for (const char *c = text; *c; c++) {
		if (*c == ':') {
			*out_key = key;
			*out_rest = arena_strdup(arena, c + 1);
			return 0;
		}
		c += *c == '\\' && c[1];
		*to++ = *c;
	}
	return -1;
}

static int take_mounts(struct arena *arena, const struct words *w, CriuOpts *o, struct err *err)
{
	o->ext_mnt = arena_alloc(arena, (w->ext_mount.count + 1) * sizeof(*o->ext_mnt));
	for (size_t i = 0; i < w->ext_mount.count; i++) {
		ExtMountMap *m = o->ext_mnt[o->n_ext_mnt++] = arena_alloc(arena, sizeof(*m));
		ext_mount_map__init(m);
		if (split_key(arena, w->ext_mount.items[i], &m->key, &m->val) < 0)
			return err_set(err, EINVAL, "--ext-mount '%.200s': KEY:PATH is needed", w->ext_mount.items[i]);
	}
	o->external = w->external.items;
	o->n_external = w->external.count;
	return 0;
}

static int take_inherited(struct arena *arena, const struct words *w, CriuOpts *o, struct err *err)
{
	static const char what[] = "--inherit-fd";
	o->inherit_fd = arena_alloc(arena, (w->inherit_fd.count + 1) * sizeof(*o->inherit_fd));
	for (size_t i = 0; i < w->inherit_fd.count; i++) {
		char *number;
		InheritFd *f = o->inherit_fd[o->n_inherit_fd++] = arena_alloc(arena, sizeof(*f));
		inherit_fd__init(f);
		if (split_key(arena, w->inherit_fd.items[i], &number, &f->key) < 0)
			return err_set(err, EINVAL, "%s '%.200s': FD:KEY is needed", what, w->inherit_fd.items[i]);
		if (parse_fd(what, number, &f->fd, err) < 0)
			return -1;
	}
	return 0;
}

static int take_places(struct arena *arena, const struct words *w, CriuOpts *o, struct err *err)
{
	o->join_ns = arena_alloc(arena, (w->join_ns.count + 1) * sizeof(*o->join_ns));
	for (size_t i = 0; i < w->join_ns.count; i++) {
		JoinNamespace *j = o->join_ns[o->n_join_ns++] = arena_alloc(arena, sizeof(*j));
		join_namespace__init(j);
		if (split_key(arena, w->join_ns.items[i], &j->ns, &j->ns_file) < 0)
			return err_set(err, EINVAL, "--join-ns '%.200s': TYPE:PATH is needed", w->join_ns.items[i]);
	}
	o->cg_root = arena_alloc(arena, (w->cgroup_root.count + 1) * sizeof(*o->cg_root));
	for (size_t i = 0; i < w->cgroup_root.count; i++) {
		CgroupRoot *c = o->cg_root[o->n_cg_root++] = arena_alloc(arena, sizeof(*c));
		cgroup_root__init(c);
		if (w->cgroup_root.items[i][0] == '/' || split_key(arena, w->cgroup_root.items[i], &c->ctrl, &c->path) < 0)
			c->path = w->cgroup_root.items[i];
	}
	return 0;
}

static int take_folders(struct arena *arena, const struct words *w, struct request *r, struct err *err)
{
	static const char *const logs[] = { "check.log", "dump.log", "dump.log", "restore.log" };
	CriuOpts *o = r->options;
	const char *work = w->work_path ? w->work_path : w->image_path;
	o->has_log_level = true;
	o->log_level = LOG_LEVEL;
	o->log_file = (char *)logs[r->verb];
	if (w->parent_path && (!*w->parent_path || w->parent_path[0] == '/'))
		return err_set(err, EINVAL, "--parent-path '%.200s': it is relative to the folder of the images", w->parent_path);
	if (r->verb == REQUEST_CHECK)
		return 0;
	if (!w->image_path)
		return err_set(err, EINVAL, "--image-path is missing");
	return request_open(arena, r, w->image_path, work, err);
}

static int take_process(const struct words *w, const struct request *r, CriuOpts *o, struct err *err)
{
	bool dumps = r->verb == REQUEST_DUMP || r->verb == REQUEST_PRE_DUMP;
	uint64_t pid;
	if (dumps != !!w->pid)
		return err_set(err, EINVAL, dumps ? "--pid is missing" : "--pid goes with dump and pre-dump");
	if (w->pid && num_u64("--pid", w->pid, 1, INT_MAX, &pid, err) < 0)
		return -1;
	if (w->pid) {
		o->has_pid = true;
		o->pid = (int32_t)pid;
	}
	if (r->verb == REQUEST_RESTORE) { // a child of this process, and not of criu's, which ends
		o->has_rst_sibling = true;
		o->rst_sibling = true;
	}
	if (w->empty_ns) {
		if (!str_eq(w->empty_ns, "network"))
			return err_set(err, EINVAL, "--empty-ns '%.40s': only network is possible", w->empty_ns);
		o->has_empty_ns = true;
		o->empty_ns = CLONE_NEWNET;
	}
	return 0;
}

static void take_texts(const struct words *w, CriuOpts *o)
{
	o->parent_img = (char *)w->parent_path;
	o->root = (char *)w->root;
	o->freeze_cgroup = (char *)w->freeze;
	o->lsm_profile = (char *)w->lsm_profile;
	o->lsm_mount_context = (char *)w->lsm_context;
}

static int take_descriptors(const struct words *w, struct request *r, struct err *err)
{
	CriuOpts *o = r->options;
	if (fd_cloexec_from(STDERR_FILENO + 1) < 0)
		return err_sys(err, "mark descriptors close-on-exec");
	for (size_t i = 0; i < o->n_inherit_fd; i++) {
		if (fcntl(o->inherit_fd[i]->fd, F_SETFD, 0) < 0)
			return err_sys(err, "--inherit-fd %d", o->inherit_fd[i]->fd);
	}
	o->has_notify_scripts = o->notify_scripts = !!w->channel;
	return 0;
}

int request_parse(struct arena *arena, int argc, char *const argv[], struct request *out, struct err *err)
{
	struct words w = { 0 };
	struct request r = { .channel = -1 };
	int next = 0, verb = 0;
	if (opts_parse(table, arena, argc, argv, &w, &verb, err) < 0)
		return -1;
	const char *word = verb < argc ? argv[verb++] : NULL;
	if (verb < argc && opts_parse(table, arena, argc - verb, argv + verb, &w, &next, err) < 0)
		return -1;
	if (w.channel && parse_fd("--channel", w.channel, &r.channel, err) < 0)
		return -1;
	if (w.channel)
		out->channel = r.channel; // where it is told what is wrong with the rest
	r.help = w.help;
	r.program = w.program ? w.program : "criu";
	CriuOpts *o = r.options = arena_alloc(arena, sizeof(*r.options));
	criu_opts__init(o);
	take_flags(&w, o);
	take_texts(&w, o);
	if (!r.help) {
		if (parse_verb(word, &r, err) < 0)
			return -1;
		if (verb + next < argc)
			return err_set(err, EINVAL, "one word too many: '%.40s' (see coso-criu --help)", argv[verb + next]);
		if (take_process(&w, &r, o, err) < 0 || take_cgroups(&w, o, err) < 0 || take_page_server(arena, &w, o, err) < 0 ||
		    take_mounts(arena, &w, o, err) < 0 || take_inherited(arena, &w, o, err) < 0 ||
		    take_places(arena, &w, o, err) < 0 || take_folders(arena, &w, &r, err) < 0 || take_descriptors(&w, &r, err) < 0)
			return -1;
	}
	*out = r;
	return 0;
}
