# SPDX-License-Identifier: GPL-2.0-or-later
# Makefile - builds, tests and runs COSO; `make help` lists the targets

# Settings: V=1 prints commands, DEBUG=1 (or debug=1) builds -O0 -g, SAN=1 adds sanitizers; each has a folder of its own.
PREFIX  ?= /usr/local
DESTDIR ?=
V       ?= 0
SAN     ?= 0
DEBUG   ?= $(if $(debug),$(debug),0)
CC      := $(if $(filter default,$(origin CC)),gcc,$(CC))
VERSION := 0.1.0
COMMIT  := $(or $(shell git describe --always --dirty 2>/dev/null),unknown)

BUILD := build$(if $(filter 1,$(SAN)),/san)$(if $(filter 1,$(DEBUG)),/debug)
BIN   := $(BUILD)/bin
Q     := $(if $(filter 1,$(V)),,@)
say    = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

comma  := ,
WARN   := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wconversion $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection $(if $(filter 1,$(SAN) $(DEBUG)),,-D_FORTIFY_SOURCE=2)
CFLAGS ?= -O2 -g
override CFLAGS := $(if $(filter 1,$(DEBUG)),-O0 -g3,$(CFLAGS)) -std=gnu17 -fPIE $(WARN) $(HARDEN) \
	$(if $(filter 1,$(SAN)),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DCOSO_VERSION='"$(VERSION)"' -DCOSO_COMMIT='"$(COMMIT)"' -I. -I$(BUILD) -isystem /usr/include/libnl3
LDFLAGS  += -Wl,-z,relro,-z,now,--fatal-warnings $(if $(filter 1,$(SAN)),-fsanitize=address$(comma)undefined)
# Sanitizers and valgrind need a dynamic program.
STATIC   := $(if $(filter 1,$(SAN) $(DEBUG)),-pie,-static-pie)

shared_src  := $(wildcard shared/*.c)
scope_src   := $(wildcard coso/scope/*.c)
criu_src    := $(wildcard coso/criu/*.c)
coso_src    := $(filter-out $(scope_src) $(criu_src),$(wildcard coso/*.c coso/*/*.c)) gen/seccomp_builtin.c
cosonet_src := $(wildcard cosonet/*.c)
cosofs_src  := $(wildcard cosofs/*.c)
coso_lib    := $(filter-out coso/main.c,$(coso_src))
cosonet_lib := $(filter-out cosonet/main.c,$(cosonet_src))
cosofs_lib  := $(filter-out cosofs/main.c,$(cosofs_src))
scope_lib   := $(filter-out coso/scope/main.c,$(scope_src))
criu_lib    := $(filter-out coso/criu/main.c,$(criu_src))
unit_src    := $(wildcard tests/unit/*.c)

headers     := $(wildcard $(addsuffix /*.h,shared coso coso/* cosonet cosofs tests tests/unit tests/fuzz))

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

coso_libs    := -lseccomp -lcap -ljansson -lm
cosonet_libs := -lip4tc -lip6tc -lnl-route-3 -lnl-3 -ljansson
cosofs_libs  := -larchive -lcurl -lcrypto -lz -lseccomp
scope_libs   := -lsystemd
# Distributions without systemd have no libsystemd, and no use for what speaks to it.
scope        := $(if $(wildcard /usr/include/systemd/sd-bus.h),$(BIN)/coso-scope)
criu_libs    := -lcriu -lprotobuf-c
# Not every distribution has criu, and without it there is nothing that could speak to it.
criu         := $(if $(and $(wildcard /usr/include/criu/rpc.pb-c.h),$(wildcard /usr/include/protobuf-c/protobuf-c.h)),$(BIN)/coso-criu)

# Made in parallel unless -j says otherwise; the targets that do several things do them in order.
ifeq ($(MAKELEVEL)$(filter -j% --jobserver%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc)
endif
MAKEFLAGS += --no-print-directory

.PHONY: all
all: $(BIN)/coso $(BIN)/coso-oci $(scope) $(criu) $(BIN)/cosonet $(BIN)/cosofs ## build the programs into build/bin (V=1, DEBUG=1, SAN=1, CI=1)

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The seccomp filters that COSO brings along are compiled while it is built: that takes longer than a launch may.
HOSTCC  ?= cc
MACHINE := $(firstword $(subst -, ,$(shell $(CC) -dumpmachine)))
seccomp_build_src := coso/launch/seccomp_build/main.c $(patsubst %,coso/launch/seccomp_%.c,compile profile prologue tables) \
	$(shared_src)

$(BUILD)/gen/seccomp_build: $(seccomp_build_src) $(wildcard coso/launch/seccomp*.h shared/*.h)
	@mkdir -p $(@D)
	$(call say,HOSTCC,$@)
	$(Q)$(HOSTCC) -std=gnu17 -O1 -D_GNU_SOURCE -I. -o $@ $(seccomp_build_src) -lseccomp

$(BUILD)/gen/seccomp_builtin.c: $(BUILD)/gen/seccomp_build
	$(call say,GEN,$@)
	$(Q)$< $(MACHINE) > $@.new && mv $@.new $@

$(BUILD)/obj/gen/seccomp_builtin.o: $(BUILD)/gen/seccomp_builtin.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# What tells the commit is compiled again when that is another.
$(BUILD)/obj/coso/oci/oci.o: $(BUILD)/gen/commit
$(BUILD)/gen/commit: FORCE
	@mkdir -p $(@D)
	@echo '$(COMMIT)' | cmp -s - $@ || echo '$(COMMIT)' >$@
.PHONY: FORCE

# The linker warns about getpwnam and friends in a static program; a warning is an error (a library of the container would be loaded).
$(BIN)/coso: $(call obj,$(coso_src) $(shared_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(STATIC) $(LDFLAGS) -o $@ $^ $(coso_libs)

# The same program by the name under which engines call it.
$(BIN)/coso-oci: $(BIN)/coso
	$(Q)ln -sf coso $@

$(BIN)/cosonet: $(call obj,$(cosonet_src) $(shared_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(cosonet_libs)

$(BIN)/cosofs: $(call obj,$(cosofs_src) $(shared_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(cosofs_libs)

$(BIN)/coso-scope: $(call obj,$(scope_src) $(shared_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(scope_libs)

$(BIN)/coso-criu: $(call obj,$(criu_src) $(shared_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(criu_libs)

# These are put into the program by the assembler, which -MMD doesn't see.
$(BUILD)/obj/cosofs/embed.o: $(wildcard rootfs/*.txt)

# One unit test program a room: tests/unit/<room>/*.c with the room's own sources.
define unit_program
$(BIN)/unit-$(1): $(call obj,$(wildcard tests/unit/*.c tests/unit/$(1)/*.c) $($(1)_lib) $(filter-out $($(1)_lib),$(shared_src)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS) -pie $$(LDFLAGS) -o $$@ $$^ $$($(1)_libs) -lcunit
endef
$(foreach room,shared coso scope criu cosonet cosofs,$(eval $(call unit_program,$(room))))

# Our own static programs: what test containers run, and what tests run in.
test_programs := $(addprefix $(BIN)/,probe attack sandbox fault plugin reaper receiver)
$(BIN)/probe: tests/probe_try.c tests/probe_net.c tests/probe_oci.c tests/probe.h
$(test_programs): $(BIN)/%: tests/%.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(filter-out -fPIE -fsanitize=%,$(CFLAGS)) -static -o $@ $(filter %.c,$^)

units    := $(foreach room,shared coso scope $(if $(criu),criu) cosonet cosofs,$(if $(wildcard tests/unit/$(room)/*.c),$(BIN)/unit-$(room)))
programs := all $(test_programs)
SUITES   ?= $(foreach room,cli net fs security oci oci/engines,$(wildcard tests/$(room)/*.bats))

.PHONY: run setup fs-setup net-setup net-teardown
run: ## install what is missing, build, set up, and start a container; without a terminal it proves itself
	@scripts/deps build run
	@$(MAKE) all
	@COSO_BIN=$(BIN) scripts/run

setup: ## all that `run` does before the container
	@scripts/deps build run
	@$(MAKE) all
	@$(MAKE) fs-setup
	@$(MAKE) net-setup

fs-setup: $(BIN)/cosofs ## unpack the root file system (ROOTFS=DIR, TARBALL=FILE|URL)
	$(Q)$(BIN)/cosofs setup $(if $(ROOTFS),--rootfs $(ROOTFS)) $(if $(TARBALL),--tarball $(TARBALL))

net-setup: $(BIN)/cosonet ## make the bridge, forwarding and NAT (root)
	$(Q)$(BIN)/cosonet setup

net-teardown: $(BIN)/cosonet ## undo net-setup (root)
	$(Q)$(BIN)/cosonet teardown

.PHONY: test test-programs unit check fuzz fuzzers replays test-kernel bench
test: ## install what is missing, build, and run all tests (SUITES="tests/net/*.bats" FILTER=regex STRICT=1)
	@scripts/deps build run test
	@$(MAKE) test-programs
	@COSO_BIN=$(abspath $(BIN)) tests/run $(units) $(SUITES)

test-programs: $(programs) $(units)

unit: $(units) ## run the unit tests alone
	@COSO_BIN=$(abspath $(BIN)) tests/run $(units)

# Leaks are looked for by the sanitizers in the unit tests and by valgrind in the ordinary build; a container's child that ends in
# execve has no chance to free anything, so the suites look for errors only.
check: ## the tests again under the sanitizers and valgrind, and the fuzz targets for a while
	@scripts/deps build run test check
	@$(MAKE) $(units) $(programs) fuzzers
	@$(MAKE) SAN=1 DEBUG=$(DEBUG) V=$(V) $(if $(findstring command,$(origin BUILD)),BUILD=$(BUILD)/san) test-programs replays
	@scripts/check $(BUILD) $(if $(findstring command,$(origin BUILD)),$(BUILD)/san,build/san)

# A target is one program with all that it reads, under the sanitizers. What it finds stays in build/fuzz; known inputs are run first.
FUZZ_SECONDS ?= 60
fuzz_flags   := -O1 -g -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
fuzz_libs    := -lseccomp -ljansson -lm
$(BUILD)/fuzz/config: $(wildcard coso/spec/*.c)
$(BUILD)/fuzz/seccomp: $(wildcard coso/spec/*.c) $(patsubst %,coso/launch/seccomp_%.c,json words profile compile prologue) \
	$(BUILD)/gen/seccomp_builtin.c
fuzzers := $(BUILD)/fuzz/config $(BUILD)/fuzz/seccomp
$(fuzzers): $(BUILD)/fuzz/%: tests/fuzz/%.c tests/fuzz/check.c $(shared_src) $(headers)
	@mkdir -p $(@D)
	$(call say,FUZZ,$@)
	$(Q)clang $(CPPFLAGS) -std=gnu17 $(fuzz_flags) -o $@ $(filter %.c,$^) $(fuzz_libs)

# The same targets by any compiler, for files: a corpus, or what made one fail.
replays := $(patsubst $(BUILD)/fuzz/%,$(BIN)/replay-%,$(fuzzers))
$(replays): $(BIN)/replay-%: $(BUILD)/obj/tests/fuzz/%.o $(call obj,tests/fuzz/check.c tests/fuzz/driver.c $(coso_lib) $(shared_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) -pie $(LDFLAGS) -o $@ $^ $(coso_libs)

fuzzers: $(fuzzers)

replays: $(replays)

fuzz: ## let libFuzzer read configurations and profiles of its own making (FUZZ_SECONDS=60, for each target)
	@scripts/deps build check
	@$(MAKE) fuzzers
	@scripts/fuzz $(FUZZ_SECONDS) $(fuzzers)

test-kernel: ## run the suites on another kernel, with cgroup v2, under User-mode Linux
	@scripts/deps build run test kernel
	@$(MAKE) test-programs
	@COSO_BIN=$(abspath $(BIN)) scripts/kernel-under-test

bench: ## measure beside crun, runc, bubblewrap, podman and docker (ROUNDS=200)
	@scripts/deps build run bench
	@$(MAKE) all $(BIN)/floor $(BIN)/probe $(BIN)/sandbox
	@COSO_BIN=$(abspath $(BIN)) tests/bench/bench

$(BIN)/floor: tests/bench/floor.c
	@mkdir -p $(@D)
	$(Q)$(CC) -O2 -static -o $@ $<

.PHONY: lint format doctor debug install uninstall clean help
lint: ## layout, static analysis, sizes, includes, banned calls, shell scripts
	@scripts/deps build test check
	@$(MAKE) all tidy
	@scripts/lint $(BUILD)

# clang-tidy looks again at what has changed; a header's change is everybody's.
tidied  := $(patsubst %.c,$(BUILD)/lint/%.tidy,$(filter-out tests/bench/% coso/launch/seccomp_build/% \
	$(if $(criu),,coso/criu/% tests/unit/criu/%),$(wildcard $(addsuffix /*.c,\
	shared coso coso/* cosonet cosofs tests tests/unit/* tests/fuzz))))
.PHONY: tidy
tidy: $(tidied)
$(BUILD)/lint/%.tidy: %.c .clang-tidy $(headers)
	@mkdir -p $(@D)
	$(call say,TIDY,$<)
	$(Q)clang-tidy --quiet $< -- $(CPPFLAGS) -std=gnu17 >$@.log 2>/dev/null || { cat $@.log; exit 1; }
	@touch $@

format: ## lay the sources out by .clang-format
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

doctor: ## what this host has and lacks for COSO
	@scripts/doctor

debug: ## build for gdb, into a folder of its own
	@$(MAKE) DEBUG=1 SAN=$(SAN) V=$(V) all

install: all ## put the programs in PREFIX/bin (PREFIX=/usr/local DESTDIR=)
	install -d $(DESTDIR)$(PREFIX)/bin
	install -m 755 $(BIN)/coso $(BIN)/cosonet $(BIN)/cosofs $(DESTDIR)$(PREFIX)/bin
	$(if $(scope),install -D -m 755 $(scope) $(DESTDIR)$(PREFIX)/libexec/coso/coso-scope)
	$(if $(criu),install -D -m 755 $(criu) $(DESTDIR)$(PREFIX)/libexec/coso/coso-criu)
	ln -sf coso $(DESTDIR)$(PREFIX)/bin/coso-oci

uninstall: ## remove them
	rm -f $(addprefix $(DESTDIR)$(PREFIX)/,$(addprefix bin/,coso coso-oci cosonet cosofs) libexec/coso/coso-scope libexec/coso/coso-criu)
	rmdir $(DESTDIR)$(PREFIX)/libexec/coso 2>/dev/null || true

clean: ## remove what was built
	rm -rf --one-file-system $(BUILD)

help: ## this list
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 14

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
