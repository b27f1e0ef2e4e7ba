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

BUILD := build$(if $(filter 1,$(SAN)),/san)$(if $(filter 1,$(DEBUG)),/debug)
BIN   := $(BUILD)/bin
Q     := $(if $(filter 1,$(V)),,@)
say    = $(if $(filter 1,$(V)),,@printf '  %-7s %s\n' $(1) $(2))

WARN   := -Wall -Wextra -Wshadow -Wvla -Wformat=2 -Wstrict-prototypes -Wmissing-prototypes -Wconversion $(if $(CI),-Werror)
HARDEN := -fstack-protector-strong -fstack-clash-protection $(if $(filter 1,$(SAN) $(DEBUG)),,-D_FORTIFY_SOURCE=2)
CFLAGS ?= -O2 -g
override CFLAGS := $(if $(filter 1,$(DEBUG)),-O0 -g3,$(CFLAGS)) -std=gnu17 -fPIE $(WARN) $(HARDEN) \
	$(if $(filter 1,$(SAN)),-fsanitize=address$(comma)undefined -fno-omit-frame-pointer -fno-sanitize-recover=undefined)
comma  := ,
CPPFLAGS += -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DCOSO_VERSION='"$(VERSION)"' -I. -I$(BUILD)
LDFLAGS  += -Wl,-z,relro,-z,now,--fatal-warnings $(if $(filter 1,$(SAN)),-fsanitize=address$(comma)undefined)
# Sanitizers and valgrind need a dynamic program.
STATIC   := $(if $(filter 1,$(SAN) $(DEBUG)),-pie,-static-pie)

shared_src  := $(wildcard shared/*.c)
coso_src    := $(wildcard coso/*.c coso/*/*.c)
cosonet_src := $(wildcard cosonet/*.c)
cosofs_src  := $(wildcard cosofs/*.c)
coso_lib    := $(filter-out coso/main.c,$(coso_src))
cosonet_lib := $(filter-out cosonet/main.c,$(cosonet_src))
cosofs_lib  := $(filter-out cosofs/main.c,$(cosofs_src))
unit_src    := $(wildcard tests/unit/*.c)

obj = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))

coso_libs    := -lseccomp -lcap -ljansson
cosonet_libs := -lip4tc -lip6tc -lnftables -lnl-route-3 -lnl-3 -ljansson
cosofs_libs  := -larchive -lcurl -ljansson -lcrypto

.PHONY: all
all: $(BIN)/coso $(BIN)/coso-oci $(BIN)/cosonet $(BIN)/cosofs

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The linker warns about getpwnam and friends in a static program; a warning is an error (a library of the container would be loaded).
$(BIN)/coso: $(call obj,$(coso_src) $(shared_src))
	@mkdir -p $(@D)
	$(call say,LD,$@)
	$(Q)$(CC) $(CFLAGS) $(STATIC) $(LDFLAGS) -o $@ $^ $(coso_libs)

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

# One unit test program a room: tests/unit/<room>/*.c with the room's own sources.
define unit_program
$(BIN)/unit-$(1): $(call obj,$(wildcard tests/unit/*.c tests/unit/$(1)/*.c) $($(1)_lib) $(filter-out $($(1)_lib),$(shared_src)))
	@mkdir -p $$(@D)
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS) -pie $$(LDFLAGS) -o $$@ $$^ $$($(1)_libs) -lcunit
endef
$(foreach room,shared coso cosonet cosofs,$(eval $(call unit_program,$(room))))

# Our own static program that test containers run.
$(BIN)/probe: tests/probe.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -static -o $@ $<

-include $(shell find $(BUILD)/obj -name '*.d' 2>/dev/null)
