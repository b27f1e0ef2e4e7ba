// SPDX-License-Identifier: GPL-2.0-or-later
// from_oci_process_test.c - config.json: process
#include "coso/spec/capset.h"
#include "shared/log.h"
#include "tests/unit/coso/oci_sample.h"
#include "tests/unit/unit.h"

#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#define BIT(number) (UINT64_C(1) << (number))

static struct spec_process process_of(struct arena *arena, const char *text)
{
	return sample_spec(arena, text).process;
}

TEST(from_oci_process, the_program) // PR-02, PR-03, PR-04, PR-07
{
	own_arena struct arena arena = { 0 };
	struct spec_process p = process_of(&arena, SAMPLE("'process':{'args':['sh','-c','x'],'cwd':'/srv','terminal':true,"
							  "'consoleSize':{'height':25,'width':80},'noNewPrivileges':true},"));
	CU_ASSERT_EQUAL_FATAL(p.args.count, 3);
	CU_ASSERT_STRING_EQUAL(p.args.items[2], "x");
	CU_ASSERT_PTR_NULL(p.args.items[3]);
	CU_ASSERT_STRING_EQUAL(p.cwd, "/srv");
	CU_ASSERT_TRUE(p.terminal && p.rows == 25 && p.columns == 80 && p.no_new_privileges);
	CU_ASSERT_TRUE(p.interactive && !p.init);
	p = process_of(&arena, SAMPLE_PROCESS("'consoleSize':{'height':'x'},")); // to be ignored without a terminal
	CU_ASSERT_TRUE(!p.terminal && !p.rows && !p.no_new_privileges);
	p = process_of(&arena, SAMPLE_PROCESS("'terminal':true,'consoleSize':{'height':0,'width':80},"));
	CU_ASSERT_EQUAL(p.rows + p.columns, 0);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE("'process':{'cwd':'/'},"), "process.args: must not be empty" },
		{ SAMPLE("'process':{'args':[],'cwd':'/'},"), "process.args: [] must not be empty" },
		{ SAMPLE("'process':{'args':'a','cwd':'/'},"), "process.args: \"a\" is not an array" },
		{ SAMPLE("'process':{'args':[1],'cwd':'/'},"), "process.args[0]: 1 is not a string" },
		{ SAMPLE("'process':{'args':['a']},"), "process.cwd: is missing" },
		{ SAMPLE("'process':{'args':['a'],'cwd':'rel'},"), "process.cwd: \"rel\" is not an absolute path" },
		{ SAMPLE("'process':{'args':['a'],'cwd':''},"), "process.cwd: \"\" is not an absolute path" },
		{ SAMPLE("'process':{'args':['a'],'cwd':7},"), "process.cwd: 7 is not a string" },
		{ SAMPLE_PROCESS("'terminal':1,"), "process.terminal: 1 is neither true nor false" },
		{ SAMPLE_PROCESS("'noNewPrivileges':'yes',"), "process.noNewPrivileges: \"yes\" is neither true nor false" },
		{ SAMPLE_PROCESS("'terminal':true,'consoleSize':7,"), "process.consoleSize: 7 is not an object" },
		{ SAMPLE_PROCESS("'terminal':true,'consoleSize':{'height':-1},"),
		  "process.consoleSize.height: -1 is not from 0 to 65535" },
		{ SAMPLE_PROCESS("'terminal':true,'consoleSize':{'height':1,'width':65536},"),
		  "consoleSize.width: 65536 is not from 0" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_process, environment) // PR-05
{
	own_arena struct arena arena = { 0 };
	struct spec_process p =
		process_of(&arena, SAMPLE_PROCESS("'env':['PATH=/bin','A=1','HOME=/h','AB=2','A=3','E=','B==','A=4'],"));
	CU_ASSERT_EQUAL_FATAL(p.env.count, 6);
	static const char *const expected[] = { "PATH=/bin", "A=4", "HOME=/h", "AB=2", "E=", "B==" };
	for (size_t i = 0; i < 6; i++)
		CU_ASSERT_STRING_EQUAL(p.env.items[i], expected[i]);
	CU_ASSERT_PTR_NULL(p.env.items[6]);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_PROCESS("'env':{},"), "process.env: {} is not an array" },
		{ SAMPLE_PROCESS("'env':['A=1','B'],"), "process.env[1]: \"B\" is not NAME=VALUE" },
		{ SAMPLE_PROCESS("'env':['=B'],"), "process.env[0]: \"=B\" is not NAME=VALUE" },
		{ SAMPLE_PROCESS("'env':[''],"), "process.env[0]: \"\" is not NAME=VALUE" },
		{ SAMPLE_PROCESS("'env':['A=1',7],"), "process.env[1]: 7 is not a string" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_process, a_large_environment)
{
	enum { NAMES = 500 };
	own_arena struct arena arena = { 0 };
	const char *list = "'N0=first'";
	for (int i = 0; i < NAMES * 2; i++)
		list = arena_printf(&arena, "%s,'N%d=%d'", list, i % NAMES, i);
	struct spec_process p = process_of(&arena, arena_printf(&arena, SAMPLE_PROCESS("'env':[%s],"), list));
	CU_ASSERT_EQUAL_FATAL(p.env.count, NAMES + 1); // and HOME
	for (int i = 0; i < NAMES; i++)
		CU_ASSERT_STRING_EQUAL(p.env.items[i], arena_printf(&arena, "N%d=%d", i, i + NAMES));
}

TEST(from_oci_process, home) // PR-06
{
	own_arena struct arena arena = { 0 };
	struct spec spec = sample_spec(&arena, SAMPLE_PROCESS("'env':['A=1','HOME=/h'],"));
	CU_ASSERT_PTR_NULL(spec.home_slot);
	spec = sample_spec(&arena, SAMPLE_PROCESS("'env':['A=1'],"));
	CU_ASSERT_PTR_NOT_NULL_FATAL(spec.home_slot);
	CU_ASSERT_PTR_EQUAL(spec.process.env.items[1], spec.home_slot);
	CU_ASSERT_STRING_EQUAL(spec.home_slot, "HOME=");
	memset(spec.home_slot + 5, 'x', SPEC_HOME_SLOT - 6); // all of it is there
	spec = sample_spec(&arena, SAMPLE_PROCESS("'env':['HOME=','A=1'],"));
	CU_ASSERT_EQUAL(spec.process.env.count, 2);
	CU_ASSERT_PTR_EQUAL(spec.process.env.items[0], spec.home_slot);
	CU_ASSERT_PTR_NOT_NULL(sample_spec(&arena, SAMPLE_PROCESS("")).home_slot);
	CU_ASSERT_PTR_NOT_NULL(sample_spec(&arena, SAMPLE_PROCESS("'env':['HOMER=/h'],")).home_slot);
}

TEST(from_oci_process, the_user) // PR-09 to PR-11
{
	own_arena struct arena arena = { 0 };
	struct spec_process p =
		process_of(&arena, SAMPLE_PROCESS("'user':{'uid':4294967294,'gid':2,'umask':63,'additionalGids':[5,6,5]},"));
	CU_ASSERT_TRUE(p.uid == 4294967294U && p.gid == 2 && p.umask.given && p.umask.value == 63);
	CU_ASSERT_TRUE(p.group_count == 3 && p.groups[0] == 5 && p.groups[2] == 5);
	CU_ASSERT_PTR_NULL(p.user);
	p = process_of(&arena, SAMPLE_PROCESS(""));
	CU_ASSERT_TRUE(p.uid == 0 && p.gid == 0 && !p.umask.given && p.group_count == 0);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_PROCESS("'user':'root',"), "process.user: \"root\" is not an object" },
		{ SAMPLE_PROCESS("'user':{'uid':-1},"), "process.user.uid: -1 is not from 0" },
		{ SAMPLE_PROCESS("'user':{'uid':4294967295},"), "process.user.uid: 4294967295 is no id" },
		{ SAMPLE_PROCESS("'user':{'uid':4294967296},"), "process.user.uid: 4294967296 is not from 0" },
		{ SAMPLE_PROCESS("'user':{'uid':'0'},"), "process.user.uid: \"0\" is not a whole number" },
		{ SAMPLE_PROCESS("'user':{'gid':4294967295},"), "process.user.gid: 4294967295 is no id" },
		{ SAMPLE_PROCESS("'user':{'umask':512},"), "process.user.umask: 512 is not from 0 to 511" },
		{ SAMPLE_PROCESS("'user':{'umask':'022'},"), "process.user.umask: \"022\" is not a whole number" },
		{ SAMPLE_PROCESS("'user':{'additionalGids':5},"), "process.user.additionalGids: 5 is not an array" },
		{ SAMPLE_PROCESS("'user':{'additionalGids':[5,-1]},"), "process.user.additionalGids[1]: -1 is no group id" },
		{ SAMPLE_PROCESS("'user':{'additionalGids':[4294967295]},"),
		  "process.user.additionalGids[0]: 4294967295 is no id" },
		{ SAMPLE_PROCESS("'user':{'additionalGids':['5']},"), "process.user.additionalGids[0]: \"5\" is no group id" },
	};
	SAMPLE_REFUSED(wrong);
}

#define MAPPED(user)                                                                                                               \
	SAMPLE("'process':{'args':['a'],'cwd':'/','user':" user "},'linux':{'namespaces':[{'type':'user'}],"                       \
	       "'uidMappings':[{'containerID':0,'hostID':1,'size':10}],'gidMappings':[{'containerID':0,'hostID':1,'size':20},"     \
	       "{'containerID':30,'hostID':100,'size':1}]},")

TEST(from_oci_process, ids_that_are_mapped)
{
	own_arena struct arena arena = { 0 };
	CU_ASSERT_EQUAL(process_of(&arena, MAPPED("{'uid':9,'gid':30,'additionalGids':[0,19,30]}")).gid, 30);
	static const struct sample_wrong wrong[] = {
		{ MAPPED("{'uid':10}"), "process.user.uid: 10 is not mapped in the user namespace" },
		{ MAPPED("{'gid':20}"), "process.user.gid: 20 is not mapped in the user namespace" },
		{ MAPPED("{'additionalGids':[1,29]}"), "process.user.additionalGids[1]: 29 is not mapped in the user namespace" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_process, resource_limits) // PR-13 to PR-15
{
	static const struct {
		const char *name;
		int resource;
	} all[] = {
		{ "AS", RLIMIT_AS },           { "CORE", RLIMIT_CORE },         { "CPU", RLIMIT_CPU },
		{ "DATA", RLIMIT_DATA },       { "FSIZE", RLIMIT_FSIZE },       { "LOCKS", RLIMIT_LOCKS },
		{ "MEMLOCK", RLIMIT_MEMLOCK }, { "MSGQUEUE", RLIMIT_MSGQUEUE }, { "NICE", RLIMIT_NICE },
		{ "NOFILE", RLIMIT_NOFILE },   { "NPROC", RLIMIT_NPROC },       { "RSS", RLIMIT_RSS },
		{ "RTPRIO", RLIMIT_RTPRIO },   { "RTTIME", RLIMIT_RTTIME },     { "SIGPENDING", RLIMIT_SIGPENDING },
		{ "STACK", RLIMIT_STACK },
	};
	enum { ALL = sizeof(all) / sizeof(all[0]) };
	own_arena struct arena arena = { 0 };
	const char *list = "";
	CU_ASSERT_EQUAL(ALL, RLIM_NLIMITS);
	for (int i = 0; i < ALL; i++)
		list = arena_printf(&arena, "%s%s{'type':'RLIMIT_%s','soft':%d,'hard':18446744073709551615}", list, i ? "," : "",
				    all[i].name, i);
	struct spec_process p = process_of(&arena, arena_printf(&arena, SAMPLE_PROCESS("'rlimits':[%s],"), list));
	CU_ASSERT_EQUAL_FATAL(p.rlimit_count, ALL);
	for (size_t i = 0; i < ALL; i++)
		CU_ASSERT_TRUE(p.rlimits[i].resource == all[i].resource && p.rlimits[i].soft == i &&
			       p.rlimits[i].hard == RLIM_INFINITY);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_PROCESS("'rlimits':{},"), "process.rlimits: {} is not an array" },
		{ SAMPLE_PROCESS("'rlimits':[7],"), "process.rlimits[0]: 7 is not an object" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':1},{'type':'RLIMIT_FOO','soft':1,'hard':1}],"),
		  "process.rlimits[1].type: \"RLIMIT_FOO\" is no resource limit" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'','soft':1,'hard':1}],"),
		  "process.rlimits[0].type: \"\" is no resource limit" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':1},{'type':'RLIMIT_AS','soft':1,'hard':1}],"),
		  "process.rlimits[1].type: \"RLIMIT_AS\" is there twice" },
		{ SAMPLE_PROCESS("'rlimits':[{'soft':1,'hard':1}],"), "process.rlimits[0].type: is missing" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'RLIMIT_AS','hard':1}],"), "process.rlimits[0].soft: is missing" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'RLIMIT_AS','soft':1}],"), "process.rlimits[0].hard: is missing" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'RLIMIT_AS','soft':-1,'hard':1}],"),
		  "process.rlimits[0].soft: -1 is not from 0" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'RLIMIT_AS','soft':1,'hard':'1'}],"),
		  "process.rlimits[0].hard: \"1\" is not a whole number" },
		{ SAMPLE_PROCESS("'rlimits':[{'type':'RLIMIT_AS','soft':2,'hard':1}],"),
		  "process.rlimits[0].soft: 2 is above the hard limit" },
	};
	SAMPLE_REFUSED(wrong);
}

static char warned[512];

static void note(enum log_level level, const char *line, void *data)
{
	(void)data;
	CU_ASSERT_EQUAL(level, LOG_LEVEL_WARNING);
	CU_ASSERT_STRING_EQUAL(warned, ""); // one line at most
	snprintf(warned, sizeof(warned), "%s", line);
}

static struct spec_caps caps_of(struct arena *arena, const char *text)
{
	*warned = '\0';
	log_redirect(note, NULL);
	struct spec_process p = process_of(arena, text);
	log_redirect(NULL, NULL);
	return p.caps;
}

#define CAPS(parts) SAMPLE_PROCESS("'capabilities':{" parts "},")
#define ALL_SETS(names) "'bounding':" names ",'permitted':" names ",'effective':" names ",'inheritable':" names ",'ambient':" names

TEST(from_oci_process, capabilities) // PR-16 to PR-22
{
	own_arena struct arena arena = { 0 };
	struct spec_caps caps =
		caps_of(&arena, CAPS("'bounding':['CAP_CHOWN','CAP_KILL','CAP_SETUID'],'permitted':['CAP_CHOWN','CAP_KILL'],"
				     "'effective':['CAP_CHOWN'],'inheritable':['CAP_KILL'],'ambient':['CAP_KILL']"));
	CU_ASSERT_EQUAL(caps.bounding, BIT(CAP_CHOWN) | BIT(CAP_KILL) | BIT(CAP_SETUID));
	CU_ASSERT_EQUAL(caps.permitted, BIT(CAP_CHOWN) | BIT(CAP_KILL));
	CU_ASSERT_EQUAL(caps.effective, BIT(CAP_CHOWN));
	CU_ASSERT_EQUAL(caps.inheritable, BIT(CAP_KILL));
	CU_ASSERT_EQUAL(caps.ambient, BIT(CAP_KILL));
	CU_ASSERT_STRING_EQUAL(warned, "");
	caps = caps_of(&arena, SAMPLE_PROCESS("")); // none at all
	CU_ASSERT_EQUAL(caps.bounding | caps.permitted | caps.effective | caps.inheritable | caps.ambient, 0);
}

TEST(from_oci_process, capabilities_that_cannot_be_had_are_warned_of)
{
	own_arena struct arena arena = { 0 };
	struct spec_caps caps = caps_of(&arena, CAPS(ALL_SETS("['CAP_CHOWN','CAP_OF_TOMORROW','ALL','CAP_OF_TOMORROW']")));
	CU_ASSERT_EQUAL(caps.bounding, BIT(CAP_CHOWN));
	CU_ASSERT_EQUAL(caps.ambient, BIT(CAP_CHOWN));
	CU_ASSERT_PTR_NOT_NULL(strstr(warned, "dropped, as they can't be granted: CAP_OF_TOMORROW, ALL"));
	CU_ASSERT_PTR_NULL(strstr(strstr(warned, "ALL"), "CAP_OF")); // each once
	caps = caps_of(
		&arena,
		CAPS("'bounding':['CAP_CHOWN'],'effective':['CAP_CHOWN'],'inheritable':['CAP_KILL'],'ambient':['CAP_CHOWN']"));
	CU_ASSERT_EQUAL(caps.bounding, BIT(CAP_CHOWN));
	CU_ASSERT_EQUAL(caps.effective | caps.inheritable | caps.ambient, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(warned, "CAP_CHOWN, CAP_KILL"));
}

// What isn't in the caller's bounding set can be had in a user namespace only.
TEST(from_oci_process, capabilities_that_the_caller_lacks)
{
	own_arena struct arena arena = { 0 };
	uint64_t missing = capset_all() & ~capset_bounding();
	CU_ASSERT_EQUAL(capset_bounding() & ~capset_all(), 0);
	if (!missing)
		return; // nothing to lack here
	const char *name = capset_name(__builtin_ctzll(missing));
	struct spec_caps caps = caps_of(&arena, arena_printf(&arena, CAPS("'bounding':['%s']"), name));
	CU_ASSERT_EQUAL(caps.bounding, 0);
	CU_ASSERT_PTR_NOT_NULL(strstr(warned, name));
	caps = caps_of(&arena, arena_printf(&arena,
					    SAMPLE("'process':{'args':['a'],'cwd':'/','capabilities':{'bounding':['%s']}},'linux':{"
						   "'namespaces':[{'type':'user','path':'/proc/1/ns/user'}]},"),
					    name));
	CU_ASSERT_EQUAL(caps.bounding, missing & -missing);
	CU_ASSERT_STRING_EQUAL(warned, "");
}

TEST(from_oci_process, capabilities_that_are_wrong)
{
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_PROCESS("'capabilities':['CAP_CHOWN'],"), "process.capabilities: is not an object" },
		{ CAPS("'bounding':'CAP_CHOWN'"), "process.capabilities.bounding: \"CAP_CHOWN\" is not an array" },
		{ CAPS("'ambient':[7]"), "process.capabilities.ambient[0]: 7 is not a string" },
	};
	SAMPLE_REFUSED(wrong);
}

#define SCHEDULER(parts) SAMPLE_PROCESS("'scheduler':{" parts "},")

TEST(from_oci_process, the_scheduler) // PR-28 to PR-31
{
	static const struct {
		const char *name, *more;
		uint32_t policy;
	} all[] = {
		{ "OTHER", "'nice':-20", 0 }, { "FIFO", "'priority':1", 1 }, { "RR", "'priority':99", 2 },
		{ "BATCH", "'nice':19", 3 },  { "IDLE", "'nice':0", 5 },     { "DEADLINE", "'runtime':1024,'deadline':1024", 6 },
	};
	own_arena struct arena arena = { 0 };
	struct spec_scheduler s;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		s = process_of(&arena, arena_printf(&arena, SCHEDULER("'policy':'SCHED_%s',%s"), all[i].name, all[i].more))
			    .scheduler;
		CU_ASSERT_TRUE(s.given && s.policy == all[i].policy);
	}
	s = process_of(
		    &arena,
		    SCHEDULER(
			    "'policy':'SCHED_DEADLINE','nice':5,'runtime':1024,'deadline':2000,'period':18446744073709551615,"
			    "'flags':['SCHED_FLAG_RESET_ON_FORK','SCHED_FLAG_RECLAIM','SCHED_FLAG_DL_OVERRUN',"
			    "'SCHED_FLAG_KEEP_POLICY','SCHED_FLAG_KEEP_PARAMS','SCHED_FLAG_UTIL_CLAMP_MIN','SCHED_FLAG_UTIL_CLAMP_MAX']"))
		    .scheduler;
	CU_ASSERT_TRUE(s.flags == 0x7f && s.nice == 5 && s.runtime == 1024 && s.deadline == 2000 && s.period == UINT64_MAX);
	CU_ASSERT_FALSE(process_of(&arena, SAMPLE_PROCESS("")).scheduler.given);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_PROCESS("'scheduler':'SCHED_FIFO',"), "process.scheduler: \"SCHED_FIFO\" is not an object" },
		{ SCHEDULER(""), "process.scheduler.policy: is missing" },
		{ SCHEDULER("'policy':''"), "process.scheduler.policy: \"\" is no policy that Linux has" },
		{ SCHEDULER("'policy':'SCHED_FOO'"), "process.scheduler.policy: \"SCHED_FOO\" is no scheduling policy" },
		{ SCHEDULER("'policy':'SCHED_ISO'"), "process.scheduler.policy: \"SCHED_ISO\" is no policy that Linux has" },
		{ SCHEDULER("'policy':7"), "process.scheduler.policy: 7 is not a string" },
		{ SCHEDULER("'policy':'SCHED_OTHER','nice':20"), "process.scheduler.nice: 20 is not from -20 to 19" },
		{ SCHEDULER("'policy':'SCHED_OTHER','priority':1"),
		  "process.scheduler.priority: 1 goes with SCHED_FIFO and SCHED_RR only" },
		{ SCHEDULER("'policy':'SCHED_RR','priority':100"), "process.scheduler.priority: 100 is not from 0 to 99" },
		{ SCHEDULER("'policy':'SCHED_FIFO'"), "process.scheduler: has no priority from 1 to 99" },
		{ SCHEDULER("'policy':'SCHED_BATCH','runtime':1"), "process.scheduler.runtime: 1 goes with SCHED_DEADLINE only" },
		{ SCHEDULER("'policy':'SCHED_OTHER','period':1"), "process.scheduler.period: 1 goes with SCHED_DEADLINE only" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE'"), "process.scheduler: sched_setattr: `SCHED_DEADLINE` requires `runtime`" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE','runtime':1024"), "sched_setattr: `SCHED_DEADLINE` requires `deadline`" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE','runtime':0,'deadline':1"),
		  "process.scheduler: sched_setattr: `SCHED_DEADLINE` runtime must be greater than 0" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE','runtime':3,'deadline':2"), "` runtime 3 must be <= deadline 2" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE','runtime':1,'deadline':3,'period':2"), "` deadline 3 must be <= period 2" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE','runtime':1023,'deadline':2000"),
		  "` runtime 1023 must be between 1024 and" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE','runtime':9223372036854775808,'deadline':9223372036854775809"),
		  "must be between 1024 and 9223372036854775807" },
		{ SCHEDULER("'policy':'SCHED_OTHER','flags':['SCHED_FLAG_ALL']"),
		  "process.scheduler.flags[0]: \"SCHED_FLAG_ALL\" is no flag" },
		{ SCHEDULER("'policy':'SCHED_OTHER','flags':'x'"), "process.scheduler.flags: \"x\" is not an array" },
		{ SCHEDULER("'policy':'SCHED_DEADLINE','runtime':-1"), "process.scheduler.runtime: -1 is not from 0" },
	};
	SAMPLE_REFUSED(wrong);
}

TEST(from_oci_process, the_rest) // PR-24 to PR-27, PR-32 to PR-35
{
	own_arena struct arena arena = { 0 };
	struct spec_process p = process_of(&arena, SAMPLE_PROCESS("'apparmorProfile':'a','selinuxLabel':'s','oomScoreAdj':0,"
								  "'ioPriority':{'class':'IOPRIO_CLASS_IDLE','priority':7},"
								  "'execCPUAffinity':{'initial':'7','final':'0-3,7'},"));
	CU_ASSERT_STRING_EQUAL(p.apparmor_profile, "a");
	CU_ASSERT_STRING_EQUAL(p.selinux_label, "s");
	CU_ASSERT_TRUE(p.oom_score_adj.given && p.oom_score_adj.value == 0);
	CU_ASSERT_TRUE(p.io_priority.given && p.io_priority.class == 3 && p.io_priority.priority == 7);
	CU_ASSERT_STRING_EQUAL(p.cpus_initial, "7");
	CU_ASSERT_STRING_EQUAL(p.cpus_final, "0-3,7");
	p = process_of(&arena, SAMPLE_PROCESS("'apparmorProfile':'','selinuxLabel':'','execCPUAffinity':{'final':''},"));
	CU_ASSERT_PTR_NULL(p.apparmor_profile);
	CU_ASSERT_PTR_NULL(p.selinux_label);
	CU_ASSERT_PTR_NULL(p.cpus_final);
	CU_ASSERT_FALSE(p.oom_score_adj.given || p.io_priority.given);
	CU_ASSERT_EQUAL(process_of(&arena, SAMPLE_PROCESS("'ioPriority':{'class':'IOPRIO_CLASS_RT'},")).io_priority.class, 1);
	static const struct sample_wrong wrong[] = {
		{ SAMPLE_PROCESS("'apparmorProfile':7,"), "process.apparmorProfile: 7 is not a string" },
		{ SAMPLE_PROCESS("'selinuxLabel':[],"), "process.selinuxLabel: [] is not a string" },
		{ SAMPLE_PROCESS("'oomScoreAdj':1001,"), "process.oomScoreAdj: 1001 is not from -1000 to 1000" },
		{ SAMPLE_PROCESS("'oomScoreAdj':'0',"), "process.oomScoreAdj: \"0\" is not a whole number" },
		{ SAMPLE_PROCESS("'ioPriority':7,"), "process.ioPriority: 7 is not an object" },
		{ SAMPLE_PROCESS("'ioPriority':{'priority':4},"), "process.ioPriority.class: is missing" },
		{ SAMPLE_PROCESS("'ioPriority':{'class':'IOPRIO_CLASS_NONE'},"),
		  "process.ioPriority.class: \"IOPRIO_CLASS_NONE\" is no class" },
		{ SAMPLE_PROCESS("'ioPriority':{'class':''},"), "process.ioPriority.class: \"\" is no class" },
		{ SAMPLE_PROCESS("'ioPriority':{'class':'IOPRIO_CLASS_BE','priority':8},"),
		  "process.ioPriority.priority: 8 is not from 0 to 7" },
		{ SAMPLE_PROCESS("'execCPUAffinity':'1',"), "process.execCPUAffinity: \"1\" is not an object" },
		{ SAMPLE_PROCESS("'execCPUAffinity':{'initial':'1-'},"), "process.execCPUAffinity.initial: \"1-\" is not a list" },
		{ SAMPLE_PROCESS("'execCPUAffinity':{'final':3},"), "process.execCPUAffinity.final: 3 is not a string" },
	};
	SAMPLE_REFUSED(wrong);
}

// exec --process: what is the container's stays, and its own process has what this one says nothing of.
TEST(from_oci_process, another_process_of_a_container)
{
	own_arena struct arena arena = { 0 };
	json_auto_t *tree = sample_json("{'args':['true'],'cwd':'/','selinuxLabel':'own','env':['A=1']}"),
		    *number = sample_json("[7]");
	json_auto_t *wrong = sample_json("{'args':['true'],'cwd':'/','user':{'uid':10}}");
	json_auto_t *full = sample_json("{'args':['true'],'cwd':'/','oomScoreAdj':6,'capabilities':{},'rlimits':["
					"{'type':'RLIMIT_CPU','soft':2,'hard':3}]}");
	struct spec container =
		sample_spec(&arena, MAPPED("{'uid':9},'apparmorProfile':'profile','selinuxLabel':'label','rlimits':["
					   "{'type':'RLIMIT_AS','soft':1,'hard':1}],'oomScoreAdj':5"));
	container.process.seccomp = SPEC_SECCOMP_JSON;
	container.process.seccomp_listener = "/l";
	container.process.keep_groups = true;
	container.process.caps.bounding = 1;
	struct spec_process p;
	struct err err = { 0 };
	char *home = NULL;
	CU_ASSERT_EQUAL_FATAL(oci_process_to_spec(&arena, tree, &container, &p, &home, &err), 0);
	CU_ASSERT_STRING_EQUAL(p.args.items[0], "true");
	CU_ASSERT_EQUAL(p.seccomp, SPEC_SECCOMP_JSON);
	CU_ASSERT_STRING_EQUAL(p.seccomp_listener, "/l");
	CU_ASSERT_STRING_EQUAL(p.apparmor_profile, "profile");
	CU_ASSERT_STRING_EQUAL(p.selinux_label, "own");
	CU_ASSERT_TRUE(p.keep_groups && p.uid == 0);
	CU_ASSERT_TRUE(p.rlimit_count == 1 && p.rlimits[0].resource == RLIMIT_AS && p.rlimits[0].hard == 1);
	CU_ASSERT_TRUE(p.oom_score_adj.given && p.oom_score_adj.value == 5 && p.caps.bounding == 1);
	CU_ASSERT_PTR_EQUAL(p.env.items[1], home);
	CU_ASSERT_EQUAL(oci_process_to_spec(&arena, full, &container, &p, &home, &err), 0);
	CU_ASSERT_TRUE(p.rlimit_count == 1 && p.rlimits[0].resource == RLIMIT_CPU && p.rlimits[0].hard == 3);
	CU_ASSERT_TRUE(p.oom_score_adj.value == 6 && p.caps.bounding == 0);
	CU_ASSERT_EQUAL(oci_process_to_spec(&arena, wrong, &container, &p, &home, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "process.user.uid: 10 is not mapped in the user namespace");
	CU_ASSERT_EQUAL(oci_process_to_spec(&arena, number, &container, &p, &home, &err), -1);
	CU_ASSERT_STRING_EQUAL(err.msg, "process: is not an object");
}
