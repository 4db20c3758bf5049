# SPDX-License-Identifier: GPL-2.0-or-later
# discfs: `make demo` shows it, `make check` proves it, `make help` lists the rest.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
CC      ?= cc
PKGS    := fuse3 libisofs-1 libburn-1 libudfread sqlite3 libcrypto libseccomp
TEST_PKGS := cmocka

WARN := -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
        -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wno-unused-parameter
OPT  ?= -O2 -g
SAN  ?=
CPPFLAGS += -Isrc -I$(BUILD)/gen -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -DDISCFS_VERSION='"$(VERSION)"'
CFLAGS   += -std=gnu11 $(OPT) $(WARN) $(SAN) -pthread -fstack-protector-strong $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS  += $(SAN) -pthread
LDLIBS   += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
CTL_LIBS := $(shell pkg-config --libs sqlite3 2>/dev/null) -lm

SHARED_SRC := $(wildcard src/base/*.c src/model/*.c src/wire/*.c src/proc/*.c)
DAEMON_SRC := $(SHARED_SRC) $(wildcard src/store/*.c src/commit/*.c src/control/*.c src/mount/*.c \
              src/disc/*.c src/worker/*.c)
CTL_SRC    := $(SHARED_SRC) $(wildcard src/ctl/*.c)
UNIT_SRC   := $(wildcard tests/unit/test_*.c)

DAEMON_OBJ := $(DAEMON_SRC:src/%.c=$(BUILD)/obj/%.o)
MAIN_OBJ   := $(BUILD)/obj/main.o
CTL_OBJ    := $(CTL_SRC:src/%.c=$(BUILD)/obj/%.o)
UNIT_BIN   := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)

.PHONY: all deps check check-unit check-mount check-asan check-valgrind check-long lint format bench demo install \
        uninstall clean help

all: $(BUILD)/discfs $(BUILD)/discfsctl

$(BUILD)/discfs: $(MAIN_OBJ) $(DAEMON_OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

$(BUILD)/discfsctl: $(CTL_OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ $(CTL_LIBS)

# The schema is compiled in as one string.
$(BUILD)/gen/schema.inc: src/store/schema.sql
	@mkdir -p $(@D)
	sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $< > $@
$(BUILD)/obj/store/db.o: $(BUILD)/gen/schema.inc

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# A unit test is one program with its own main; it takes what it needs of the daemon's objects.
$(BUILD)/discfs.a: $(DAEMON_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/discfs.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/discfs.a \
		$(shell pkg-config --cflags --libs $(TEST_PKGS)) $(LDLIBS)

# Runs every test even when one fails; what a test said is shown when it failed.
check-unit: $(UNIT_BIN)
	@failed=0; for test in $^; do \
		printf '%-32s ' "$${test##*/}"; \
		if $$test >$$test.log 2>&1; then echo "ok, $$(grep -c ' OK \] ' $$test.log) tests"; \
		else echo FAILED; cat $$test.log; failed=1; fi; \
	done; exit $$failed

# The sanitizers make gcc see uninitialised variables where there are none.
check-asan:
	$(MAKE) BUILD=build-asan OPT="-O1 -g -Wno-maybe-uninitialized" check-unit \
		SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"

C_FILES  := $(shell find src tests/unit tests/bench -name '*.[ch]' 2>/dev/null)
SH_FILES := $(shell find tests -name '*.sh' 2>/dev/null) $(wildcard mount-helpers/*)
CPPCHECK := cppcheck --quiet --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --std=c11 \
            -Isrc -D_GNU_SOURCE --suppress=missingInclude --suppress=internalAstError --suppress=ctuuninitvar --suppress=memleak

# Takes some 20 minutes; BENCH_ARGS="--quick" or the names of cases for less. See docs/performance.md.
bench: all $(BUILD)/bench/fsload
	DISCFS=$(BUILD)/discfs DISCFSCTL=$(BUILD)/discfsctl FSLOAD=$(BUILD)/bench/fsload tests/bench/bench.sh $(BENCH_ARGS)

$(BUILD)/bench/fsload: tests/bench/fsload.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $<

lint:
	tests/lint/layers.sh
	clang-format --dry-run -Werror $(C_FILES)
	shellcheck -x -P SCRIPTDIR $(SH_FILES)
	$(CPPCHECK) src

format:
	clang-format -i $(C_FILES)

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

clean:
	rm -rf $(BUILD) build-*
