# SPDX-License-Identifier: GPL-2.0-or-later
# discfs: `make demo` shows it, `make check` proves it, `make help` lists the rest.

VERSION := 0.1.0
PREFIX  ?= /usr/local
DESTDIR ?=
BUILD   ?= build
CC      ?= cc
PKGS    := fuse3 libisofs-1 libburn-1 sqlite3 libcrypto libseccomp libsystemd
TEST_PKGS := cmocka

STRICT ?= -Werror
WARN := -Wall -Wextra $(STRICT) -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wcast-qual \
        -Wwrite-strings -Wundef -Wformat=2 -Wvla -Wno-unused-parameter
OPT  ?= -O2 -g
SAN  ?=
CPPFLAGS += -Isrc -I$(BUILD)/gen -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -DFUSE_USE_VERSION=314 -DDISCFS_VERSION='"$(VERSION)"'
CFLAGS   += -std=gnu11 $(OPT) $(WARN) $(SAN) -pthread -fstack-protector-strong $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
LDFLAGS  += $(SAN) -pthread
LDLIBS   += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lm
CTL_LIBS = $(shell pkg-config --libs sqlite3 libudev libsystemd 2>/dev/null) -lm

SHARED_SRC := $(wildcard src/base/*.c src/model/*.c src/wire/*.c src/proc/*.c src/host/*.c)
DAEMON_SRC := $(SHARED_SRC) $(wildcard src/store/*.c src/commit/*.c src/control/*.c src/mount/*.c \
              src/disc/*.c src/worker/*.c)
CTL_SRC    := $(SHARED_SRC) $(wildcard src/ctl/*.c)
STORE_SRC  := $(wildcard src/store/*.c)
UNIT_SRC   := $(wildcard tests/unit/test_*.c)

DAEMON_OBJ := $(DAEMON_SRC:src/%.c=$(BUILD)/obj/%.o)
MAIN_OBJ   := $(BUILD)/obj/main.o
CTL_OBJ    := $(CTL_SRC:src/%.c=$(BUILD)/obj/%.o)
STORE_OBJ  := $(STORE_SRC:src/%.c=$(BUILD)/obj/%.o)
UNIT_BIN   := $(UNIT_SRC:tests/unit/%.c=$(BUILD)/unit/%)

JOBS     := $(shell nproc 2>/dev/null || echo 1)
QUIETLY  := $(MAKE) --no-print-directory

.PHONY: all man tests deps check check-unit check-fuzz check-mount check-drive check-readers check-asan check-tsan check-valgrind check-long check-guest check-clang fuzz lint format bench count \
        demo install uninstall deb check-deb clean help

all: $(BUILD)/discfs $(BUILD)/discfsctl

# The manual, from docs/man.
PAGES    := $(patsubst docs/man/%.scd,$(BUILD)/man/%,$(wildcard docs/man/*.scd))
man: $(PAGES)
$(BUILD)/man/%: docs/man/%.scd
	@command -v scdoc >/dev/null || { echo "The manual needs scdoc: apt install scdoc" >&2; exit 1; }
	@mkdir -p $(@D)
	scdoc < $< > $@.new
	mv $@.new $@

$(BUILD)/discfs: $(MAIN_OBJ) $(DAEMON_OBJ)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

# discfsctl takes of the store what reads the catalogue.
$(BUILD)/store.a: $(STORE_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/discfsctl: $(CTL_OBJ) $(BUILD)/store.a
	$(CC) $(LDFLAGS) -o $@ $^ $(CTL_LIBS)

# The schema is compiled in as one string.
$(BUILD)/gen/schema.inc: src/store/schema.sql
	@mkdir -p $(@D)
	sed -e 's/\\/\\\\/g; s/"/\\"/g; s/^/"/; s/$$/\\n"/' $< > $@
$(BUILD)/obj/store/db.o: $(BUILD)/gen/schema.inc

$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# The model check: see tests/model/model.h.
MODEL := $(BUILD)/model/model
$(BUILD)/model/%.o: tests/model/%.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

$(MODEL): $(patsubst tests/model/%.c,$(BUILD)/model/%.o,$(wildcard tests/model/*.c))
	$(CC) $(LDFLAGS) -o $@ $^

# A unit test is one program with its own main; it takes what it needs of the daemon's objects.
$(BUILD)/discfs.a: $(DAEMON_OBJ)
	rm -f $@
	$(AR) rcs $@ $^

$(BUILD)/unit/%: tests/unit/%.c $(BUILD)/discfs.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests -MMD -MP $(LDFLAGS) -o $@ $< $(filter %.o,$^) $(BUILD)/discfs.a \
		$(shell pkg-config --cflags --libs $(TEST_PKGS)) $(LDLIBS)

# What fails on purpose: part of a program, or loaded before its libraries.
FAILING := $(BUILD)/fault/failing.so
$(BUILD)/unit/test_faults: $(BUILD)/fault/failing.o
$(BUILD)/fault/failing.o: tests/fault/failing.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -Itests -fPIC -fno-builtin -MMD -MP -c -o $@ $<
$(FAILING): $(BUILD)/fault/failing.o
	$(CC) $(LDFLAGS) -shared -o $@ $<

# What the program's table of fault points says.
POINTS := $(BUILD)/fault/points
$(POINTS): tests/fault/points.c src/base/fault.h
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $<

# The simulated burner (tests/mmcsim/README.md): the library that programs get by LD_PRELOAD, and the tool. Both have the
# firmware in them; the library shows nothing but the calls that it replaces. No sanitizer, as other programs load it.
MMCSIM_SRC  := $(wildcard tests/mmcsim/*.c)
MMCSIM_OBJ   = $(patsubst tests/mmcsim/%.c,$(BUILD)/mmcsim/%.o,$(filter-out $(1),$(MMCSIM_SRC)))
MMCSIM      := $(BUILD)/mmcsim/mmcsim.so $(BUILD)/mmcsim/mmcsim
$(BUILD)/mmcsim/%.o: tests/mmcsim/%.c
	@mkdir -p $(@D)
	$(CC) $(filter-out -Isrc,$(CPPFLAGS)) $(filter-out $(SAN),$(CFLAGS)) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

$(BUILD)/mmcsim/mmcsim.so: $(call MMCSIM_OBJ,tests/mmcsim/tool.c)
	$(CC) $(filter-out $(SAN),$(LDFLAGS)) -shared -o $@ $^ -ldl

$(BUILD)/mmcsim/mmcsim: $(call MMCSIM_OBJ,tests/mmcsim/host_%.c tests/mmcsim/interpose_%.c)
	$(CC) $(filter-out $(SAN),$(LDFLAGS)) -o $@ $^

# Images through real workers, in search of what hurts: tests/hostile.
TRY := $(BUILD)/hostile/try
$(TRY): tests/hostile/try.c $(BUILD)/discfs.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP $(LDFLAGS) -o $@ $< $(BUILD)/discfs.a $(LDLIBS)

# The second opinion on UDF.
UDFLIST := $(BUILD)/udflist
$(UDFLIST): tests/udf/udflist.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(filter-out $(SAN),$(CFLAGS)) $(filter-out $(SAN),$(LDFLAGS)) -o $@ $< -ludfread $(shell pkg-config --libs libcrypto)

# Fuzz targets: each is replayed over its corpus in check-unit; `make fuzz` has libFuzzer look for more.
FUZZ := wire options disc
REPLAY := $(FUZZ:%=$(BUILD)/fuzz/replay_%)
$(BUILD)/fuzz/replay_%: tests/fuzz/fuzz_%.c tests/fuzz/replay.c $(BUILD)/discfs.a
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(LDLIBS)

FUZZ_SECONDS ?= 60
build-fuzz/fuzz_%: tests/fuzz/fuzz_%.c build-fuzz/discfs.a
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $^ $(LDLIBS)

fuzz:
	@tests/deps.sh fuzz
	$(QUIETLY) CC=clang BUILD=build-fuzz OPT="-O1 -g" SAN="-fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined" \
		-j$(JOBS) $(FUZZ:%=build-fuzz/fuzz_%)
	@for target in $(FUZZ); do mkdir -p build-fuzz/found/$$target && ASAN_OPTIONS=detect_leaks=0 build-fuzz/fuzz_$$target -timeout=10 \
		-max_total_time=$(FUZZ_SECONDS) -max_len=200000 -artifact_prefix=build-fuzz/ build-fuzz/found/$$target \
		tests/fuzz/corpus/$$target || exit 1; done

check-fuzz: $(REPLAY)
	@failed=0; for target in $(FUZZ); do ASAN_OPTIONS=detect_leaks=0 timeout 120 $(BUILD)/fuzz/replay_$$target \
		tests/fuzz/corpus/$$target/* >$(BUILD)/fuzz/$$target.log 2>&1; code=$$?; tail -n 1 $(BUILD)/fuzz/$$target.log; \
		[ $$code = 0 ] || { cat $(BUILD)/fuzz/$$target.log; echo "0 passed, 1 failed"; failed=1; }; done; exit $$failed

tests: all man $(TRY) $(REPLAY) $(UNIT_BIN) $(MODEL) $(FAILING) $(POINTS) $(MMCSIM) $(UDFLIST)

check: deps
	$(QUIETLY) -j$(JOBS) tests
	@failed=0; for suite in check-unit check-mount check-drive check-readers check-asan check-tsan check-valgrind; do \
		echo "== $$suite"; $(QUIETLY) $$suite || failed=1; \
	done; exit $$failed

check-unit: $(UNIT_BIN) check-fuzz
	@tests/unit.sh $(UNIT_BIN)

MOUNT_TESTS := $(wildcard tests/mount/*.sh)
check-mount: all man $(TRY) $(MODEL) $(FAILING) $(POINTS) $(UDFLIST)
	@DISCFS_BUILD=$(BUILD) tests/run.sh $(MOUNT_TESTS)

# Foreign programs, and the physics, on the simulated burner; then the table of media and programs that they made.
DRIVE_TESTS := $(filter-out %/lib_drive.sh %/lib_hazard.sh %/table.sh,$(wildcard tests/drive/*.sh))
check-drive: all $(POINTS) $(MMCSIM)
	@rm -rf $(BUILD)/drive
	@DISCFS_BUILD=$(BUILD) tests/run.sh $(DRIVE_TESTS); code=$$?; tests/drive/table.sh $(BUILD)/drive; exit $$code

# Every kind of image by readers that nobody here wrote, the Linux kernel in a virtual machine among them.
check-readers: all $(MMCSIM) $(UDFLIST)
	@DISCFS_BUILD=$(BUILD) tests/run.sh tests/readers/readers.sh

# What needs minutes and gigabytes.
check-long: all man $(TRY) $(MODEL) $(POINTS) $(MMCSIM) $(UDFLIST) $(BUILD)/unit/test_faults
	@tests/deps.sh desktop guest
	@DISCFS_BUILD=$(BUILD) tests/run.sh $(wildcard tests/long/*.sh)

# systemd, udev, logind, mount(8) and the end of the power, in a virtual Debian: tests/guest. As root; some ten minutes, and two
# more the first time. GUEST_ARGS: chapters of systemd.py.
check-guest: all
	@tests/deps.sh guest
	tests/guest/build.sh $(BUILD)/guest
	@rm -rf $(BUILD)/guest/tree
	@$(QUIETLY) -s install DESTDIR=$(BUILD)/guest/tree PREFIX=/usr
	tests/guest/systemd.py $(BUILD)/guest $(BUILD)/guest/tree $(GUEST_ARGS)

# The sanitizers make gcc see uninitialised variables where there are none.
ASAN := BUILD=build-asan OPT="-O1 -g -Wno-maybe-uninitialized" \
	SAN="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer"
ASAN_TESTS := smoke operations staging badinput foreign hostile bridge boot catalog
check-asan:
	$(QUIETLY) $(ASAN) -j$(JOBS) tests >/dev/null
	$(QUIETLY) $(ASAN) check-unit
	@DISCFS_BUILD=build-asan DISCFS_INSTRUMENTED=1 DISCFS_SLOWNESS=4 \
		tests/run.sh $(ASAN_TESTS:%=tests/mount/%.sh)

# Whatever runs in several threads.
TSAN := BUILD=build-tsan OPT="-O1 -g -Wno-tsan -Wno-maybe-uninitialized" SAN="-fsanitize=thread"
check-tsan:
	$(QUIETLY) $(TSAN) -j$(JOBS) all build-tsan/unit/test_threads >/dev/null
	@TSAN_OPTIONS=suppressions=tests/tsan.supp DISCFS_SLOWNESS=4 tests/unit.sh build-tsan/unit/test_threads
	@DISCFS_BUILD=build-tsan DISCFS_INSTRUMENTED=1 DISCFS_SLOWNESS=4 tests/run.sh tests/mount/crowd.sh tests/mount/waiting.sh

# The daemon and its workers under valgrind, through a short story.
check-valgrind: all
	@mkdir -p build-valgrind
	@printf '#!/bin/sh\nexec valgrind "%s" "$$@"\n' $(abspath $(BUILD))/discfs >build-valgrind/discfs
	@chmod +x build-valgrind/discfs
	@ln -sf $(abspath $(BUILD))/discfsctl build-valgrind/discfsctl
	@DISCFS_BUILD=build-valgrind DISCFS_INSTRUMENTED=1 DISCFS_SLOWNESS=10 tests/run.sh tests/mount/smoke.sh

check-clang:
	$(QUIETLY) CC=clang BUILD=build-clang -j$(JOBS) tests

demo:
	@tests/deps.sh demo
	@echo "Building discfs…"
	@$(QUIETLY) -j$(JOBS) all >/dev/null
	@DISCFS_BUILD=$(BUILD) tests/demo.sh

deps:
	@tests/deps.sh check bench lint

C_FILES  := $(shell find src tests/unit tests/fault tests/hostile tests/fuzz tests/bench tests/model tests/mmcsim tests/readers -name '*.[ch]' 2>/dev/null)
SH_FILES := $(shell find tests docs -name '*.sh' 2>/dev/null) .ci/run $(wildcard completion/*.bash mount-helpers/*) \
            desktop/discfs-action
CPPCHECK := cppcheck --quiet --enable=warning,performance,portability --error-exitcode=1 --inline-suppr --std=c11 \
            -Isrc -D_GNU_SOURCE --suppress=missingInclude --suppress=internalAstError --suppress=ctuuninitvar --suppress=memleak

# Takes some 20 minutes; BENCH_ARGS="--quick" or the names of cases for less. See docs/performance.md.
bench: all $(BUILD)/bench/fsload
	@[ -n "$$BENCH_PASSTHROUGH" ] || tests/bench/passthrough.sh $(BUILD)/bench || echo "passthrough_hp is left out"
	BENCH_PASSTHROUGH=$${BENCH_PASSTHROUGH:-$(BUILD)/bench/passthrough_hp} DISCFS=$(BUILD)/discfs \
		DISCFSCTL=$(BUILD)/discfsctl FSLOAD=$(BUILD)/bench/fsload tests/bench/bench.sh $(BENCH_ARGS)

# Round trips, statements and system calls of single operations; COUNT_ARGS="--calls --statements", names of operations.
count: all $(BUILD)/bench/counter.so
	@[ -n "$$BENCH_PASSTHROUGH" ] || tests/bench/passthrough.sh $(BUILD)/bench || echo "passthrough_hp is left out"
	@peer=$${BENCH_PASSTHROUGH:-$(BUILD)/bench/passthrough_hp}; [ ! -x "$$peer" ] || peer="--peer $$peer"; \
	DISCFS=$(BUILD)/discfs DISCFSCTL=$(BUILD)/discfsctl COUNTER=$(BUILD)/bench/counter.so tests/bench/count.py $$peer $(COUNT_ARGS)

$(BUILD)/bench/counter.so: tests/bench/counter.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) -fPIC -shared -o $@ $< -ldl -lsqlite3

$(BUILD)/bench/fsload: tests/bench/fsload.c
	@mkdir -p $(@D)
	$(CC) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@ $<

lint:
	tests/lint/layers.sh
	clang-format --dry-run -Werror $(C_FILES)
	echo $(SH_FILES) | xargs -n 16 -P $(JOBS) shellcheck -x -P SCRIPTDIR
	tests/lint/desktop.sh desktop/*.desktop
	$(CPPCHECK) src

format:
	clang-format -i $(C_FILES)

-include $(shell find $(BUILD) -path $(BUILD)/guest -prune -o -path $(BUILD)/deb -prune -o -name '*.d' -type f -print 2>/dev/null)

# mount(8) and umount(8) look for helpers in /sbin alone; systemd and its kin read /usr/local/lib, too.
SBINDIR  ?= /sbin
UNITDIR  ?= $(PREFIX)/lib/systemd/system
TMPFILES ?= $(PREFIX)/lib/tmpfiles.d
DOCDIR   := $(PREFIX)/share/doc/discfs
MANDIR   ?= $(PREFIX)/share/man
BASHDIR  := $(PREFIX)/share/bash-completion/completions
ZSHDIR   ?= $(PREFIX)/share/zsh/site-functions
ACTIONS  := $(PREFIX)/share/file-manager/actions
DOLPHIN  := $(PREFIX)/share/kio/servicemenus
NAUTILUS := $(PREFIX)/share/nautilus-python/extensions
LICENSE_FILE ?= LICENSE
OF_USERS  = session-.scope user@.service
PLACED    = sed -e 's,@BINDIR@,$(PREFIX)/bin,g' $(1) > $(DESTDIR)$(2) && chmod $(3) $(DESTDIR)$(2)
install: all man
	install -d $(addprefix $(DESTDIR),$(PREFIX)/bin $(SBINDIR) $(UNITDIR) $(TMPFILES) $(DOCDIR)/examples \
		$(DOCDIR)/docs/images $(ACTIONS) $(DOLPHIN) $(NAUTILUS))
	install -m 755 $(BUILD)/discfs $(BUILD)/discfsctl desktop/discfs-action $(DESTDIR)$(PREFIX)/bin/
	$(call PLACED,mount-helpers/mount.discfs,$(SBINDIR)/mount.discfs,755)
	ln -sfn $(PREFIX)/bin/discfsctl $(DESTDIR)$(SBINDIR)/umount.fuse.discfs
	$(call PLACED,systemd/discfs@.service,$(UNITDIR)/discfs@.service,644)
	install -m 644 systemd/discfs-hold.service $(DESTDIR)$(UNITDIR)/
	for of in $(OF_USERS); do install -D -m 644 systemd/before-hold.conf $(DESTDIR)$(UNITDIR)/$$of.d/discfs.conf || exit 1; done
	install -m 644 systemd/discfs.tmpfiles $(DESTDIR)$(TMPFILES)/discfs.conf
	install -m 644 $(wildcard systemd/examples/*) $(DESTDIR)$(DOCDIR)/examples/
	install -m 644 README.md NEWS.md $(LICENSE_FILE) $(DESTDIR)$(DOCDIR)/
	install -m 644 $(wildcard docs/*.md) $(DESTDIR)$(DOCDIR)/docs/
	install -m 644 $(wildcard docs/images/*.svg docs/images/*.png) $(DESTDIR)$(DOCDIR)/docs/images/
	for page in $(PAGES); do install -D -m 644 $$page $(DESTDIR)$(MANDIR)/man$${page##*.}/$${page##*/} || exit 1; done
	install -D -m 644 completion/discfsctl.bash $(DESTDIR)$(BASHDIR)/discfsctl
	install -D -m 644 completion/discfs.bash $(DESTDIR)$(BASHDIR)/discfs
	install -D -m 644 -t $(DESTDIR)$(ZSHDIR) completion/_discfsctl completion/_discfs
	install -m 644 $(wildcard desktop/action-*.desktop) $(DESTDIR)$(ACTIONS)/
	install -m 644 desktop/dolphin-discfs.desktop $(DESTDIR)$(DOLPHIN)/
	install -m 644 desktop/nautilus-discfs.py $(DESTDIR)$(NAUTILUS)/

uninstall:
	rm -f $(addprefix $(DESTDIR),$(PREFIX)/bin/discfs $(PREFIX)/bin/discfsctl $(PREFIX)/bin/discfs-action $(SBINDIR)/mount.discfs \
		$(SBINDIR)/umount.fuse.discfs $(UNITDIR)/discfs@.service $(UNITDIR)/discfs-hold.service \
		$(patsubst %,$(UNITDIR)/%.d/discfs.conf,$(OF_USERS)) $(TMPFILES)/discfs.conf \
		$(BASHDIR)/discfsctl $(BASHDIR)/discfs $(ZSHDIR)/_discfsctl $(ZSHDIR)/_discfs \
		$(patsubst desktop/%,$(ACTIONS)/%,$(wildcard desktop/action-*.desktop)) \
		$(DOLPHIN)/dolphin-discfs.desktop $(NAUTILUS)/nautilus-discfs.py \
		$(foreach page,$(notdir $(PAGES)),$(MANDIR)/man$(patsubst .%,%,$(suffix $(page)))/$(page)))
	rm -rf $(DESTDIR)$(DOCDIR)

# Debian's package, built as any user in a copy of the sources: build/deb/discfs_*.deb
DEB := $(BUILD)/deb/discfs-$(VERSION)
deb:
	@tests/deps.sh deb
	rm -rf $(BUILD)/deb
	mkdir -p $(DEB)
	tar -c --exclude=./.git --exclude='./build*' . | tar -x -C $(DEB)
	cd $(DEB) && env -u MAKEFLAGS -u MAKELEVEL DEB_BUILD_OPTIONS="nocheck parallel=$(JOBS) $$DEB_BUILD_OPTIONS" dpkg-buildpackage -us -uc
	@ls $(BUILD)/deb/discfs_*.deb

# That it builds without a network, passes lintian, has each file at its place, and works when it's installed.
check-deb:
	@tests/deps.sh deb check-deb
	@DISCFS_BUILD=$(BUILD) tests/run.sh tests/long/deb.sh

clean:
	rm -rf $(BUILD) build-*

help:
	@echo "make                 builds $(BUILD)/discfs and $(BUILD)/discfsctl"
	@echo "make man             builds the manual: $(BUILD)/man"
	@echo "make demo            shows discfs at work: a blank disc, two sessions, what is on it"
	@echo "make check           builds it and runs all tests but the long ones:"
	@echo "  check-unit         the parts, one by one"
	@echo "  check-fuzz         what fuzzing found, once more"
	@echo "  check-mount        whole stories on real mounts"
	@echo "  check-drive        sessions on every medium, in a simulated burner"
	@echo "  check-readers      images read by foreign programs, and by the Linux kernel in a virtual machine"
	@echo "  check-asan         both with the address and undefined-behaviour sanitizers"
	@echo "  check-tsan         many threads at once with the thread sanitizer"
	@echo "  check-valgrind     a short story under valgrind"
	@echo "make fuzz            looks for inputs that do harm, FUZZ_SECONDS each"
	@echo "make check-long      what needs minutes and gigabytes"
	@echo "make check-guest     systemd, mount(8) and the end of the power, in a virtual machine"
	@echo "make check-clang     builds everything with clang"
	@echo "make lint            layers, format, shell scripts, static analysis"
	@echo "make format          lays out the sources as .clang-format says"
	@echo "make bench           measures, against other programs on this machine"
	@echo "make count           counts what single operations cost: round trips, statements, system calls"
	@echo "make deps            installs the packages that all of these need"
	@echo "make install         to PREFIX ($(PREFIX)), below DESTDIR; make uninstall takes it away"
	@echo "make deb             builds Debian's package: $(BUILD)/deb/discfs_*.deb; make check-deb tests it"
	@echo "make clean           removes what was built"
