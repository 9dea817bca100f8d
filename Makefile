# Faultline. `make help` lists what there is to make.
#
# Needs nothing but make until a recipe runs: a bare system can call `make demo`, which installs what
# is missing first. Everything made lies in $(BUILD).

BUILD  := build
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g
ifeq ($(origin CC),default)
CC     := gcc
endif
CLANG  ?= clang
FUZZ_SECONDS ?= 30

PKGS    := glib-2.0 jansson libelf libdw libxxhash
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
INCLUDE := -Iguest/abi -Itraces -Ianalysis -Imonitor
SAN     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer
FUZZ    := $(SAN) -fsanitize=fuzzer

# pkg-config is asked once, and only when something is compiled.
PKG_CFLAGS = $(eval PKG_CFLAGS := $(shell pkg-config --cflags $(PKGS) | sed 's/-I/-isystem /g'))$(PKG_CFLAGS)
LIBS       = $(eval LIBS := $(shell pkg-config --libs $(PKGS)) -lm)$(LIBS)
HOST       = -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) $(INCLUDE) $(PKG_CFLAGS)

# Sub-makes started after the set-up use all cores, unless make was told how many.
PARALLEL = $(if $(findstring jobserver,$(MAKEFLAGS)),,-j$(shell nproc))

all: $(BUILD)/faultline $(BUILD)/certcheck $(BUILD)/plugin/access.so lttng $(BUILD)/guest/armv7.elf $(BUILD)/guest/x86_64.elf \
     $(BUILD)/guest/kit/build-guest.sh

# KVM of x86-64 is spoken to on such a machine only.
ifeq ($(shell uname -m),x86_64)
all: $(BUILD)/faultline-vmm $(BUILD)/nested/init
VMM_SRC := $(wildcard monitor/backend/kvm/*.c monitor/backend/kvm/*.S)
else
NO_VMM := %_kvm.c %_kvm_debug.c %_kvm_exit.c %_kvm_load.c %_kvm_run.c %_kvm_selftest.c
endif

# libvirt's part is a program by itself (ARCHITECTURE.md): without the library, all else is built.
LIBVIRT_OBJ := $(patsubst %.c,$(BUILD)/libvirt/%.o,$(wildcard monitor/libvirt/*.c))
all: libvirt

libvirt:
	@if pkg-config --exists libvirt; then \
		$(MAKE) -s --no-print-directory $(BUILD)/faultline-libvirt; \
	else echo "libvirt: not there, guests are started as children only (apt install libvirt-dev)"; fi

$(BUILD)/faultline-libvirt: $(LIBVIRT_OBJ)
	$(CC) $(CFLAGS) -o $@ $^ $$(pkg-config --libs libvirt glib-2.0)

$(BUILD)/libvirt/%.o: %.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) $(CFLAGS) -MMD -MP -c -o $@ $< \
		$$(pkg-config --cflags libvirt glib-2.0 | sed 's/-I/-isystem /g')

# ---- host: every source but main.c is in both the program and the tests ----

CERTCHECK := $(wildcard analysis/certcheck*.c)
HOST_SRC  := $(filter-out $(CERTCHECK),$(wildcard traces/*.c analysis/*.c analysis/checks/*.c \
               monitor/*.c monitor/backend/*.c monitor/explore/*.c monitor/gdb/*.c monitor/step/*.c))
LIB_SRC   := $(filter-out monitor/main.c,$(HOST_SRC))
HOST_DIRS := traces analysis monitor
TEST_SRC  := $(filter-out $(NO_VMM),$(wildcard $(HOST_DIRS:%=%/tests/test_*.c)))
BENCH_SRC := $(wildcard $(HOST_DIRS:%=%/tests/bench_*.c))
FUZZ_SRC  := $(filter-out $(NO_VMM),$(wildcard $(HOST_DIRS:%=%/tests/fuzz_*.c)))
AID_SRC   := $(filter-out $(TEST_SRC) $(BENCH_SRC) $(FUZZ_SRC) $(NO_VMM),$(wildcard $(HOST_DIRS:%=%/tests/*.c)))

HOST_OBJ  := $(HOST_SRC:%.c=$(BUILD)/host/%.o)
LIB_OBJ   := $(LIB_SRC:%.c=$(BUILD)/host/%.o)
VMM_OBJ   := $(VMM_SRC:%=$(BUILD)/vmm/%.o)
VMM_LIB   := $(filter-out %/main.c,$(VMM_SRC))
SAN_OBJ   := $(LIB_SRC:%.c=$(BUILD)/san/%.o) $(VMM_LIB:%=$(BUILD)/vmm-san/%.o)
FUZZ_OBJ  := $(LIB_SRC:%.c=$(BUILD)/fuzz-obj/%.o) $(VMM_LIB:%=$(BUILD)/vmm-fuzz/%.o)
AID_OBJ   := $(AID_SRC:%.c=$(BUILD)/san/%.o)
TEST_OBJ  := $(TEST_SRC:%.c=$(BUILD)/san/%.o)
TESTS     := $(TEST_SRC:%.c=$(BUILD)/tests/%)
BENCH_OBJ := $(BENCH_SRC:%.c=$(BUILD)/host/%.o)
BENCHES   := $(BENCH_SRC:%.c=$(BUILD)/bench/%)
FUZZERS   := $(FUZZ_SRC:%.c=$(BUILD)/fuzz/%)

$(BUILD)/faultline: $(HOST_OBJ)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

# Shares no code with what it checks.
$(BUILD)/certcheck: $(CERTCHECK:%.c=$(BUILD)/host/%.o)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $(SAN) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/san/%.o $(SAN_OBJ) $(AID_OBJ)
	@mkdir -p $(@D)
	$(CC) $(SAN) -o $@ $^ $(LIBS) -lcmocka

$(BUILD)/bench/%: $(BUILD)/host/%.o $(LIB_OBJ)
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/fuzz-obj/%.o: %.c
	@mkdir -p $(@D)
	$(CLANG) $(HOST) $(FUZZ)-no-link -MMD -MP -c -o $@ $<

$(BUILD)/fuzz/%: $(BUILD)/fuzz-obj/%.o $(FUZZ_OBJ)
	@mkdir -p $(@D)
	$(CLANG) $(FUZZ) -o $@ $^ $(LIBS)

# Our own VMM is a program by itself that needs the C library alone, and that linked in: it also runs
# where there is nothing else.
$(BUILD)/faultline-vmm: $(VMM_OBJ)
	$(CC) $(CFLAGS) -static -o $@ $^

VMM = -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) -Iguest/abi -MMD -MP -c

$(BUILD)/vmm/%.o: %
	@mkdir -p $(@D)
	$(CC) $(VMM) $(CFLAGS) -o $@ $<

$(BUILD)/vmm-san/%.o: %
	@mkdir -p $(@D)
	$(CC) $(VMM) $(SAN) -o $@ $<

$(BUILD)/vmm-fuzz/%.o: %
	@mkdir -p $(@D)
	$(CLANG) $(VMM) $(FUZZ)-no-link -o $@ $<

# The Linux that has KVM where this machine has not: process 1 is ours, the kernel is Debian's.
NESTED := $(BUILD)/nested

$(NESTED)/init: monitor/backend/nested/init.c monitor/backend/nested/control.h
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) $(CFLAGS) -static -o $@ $<

$(NESTED)/vmlinuz:
	@scripts/nested $(@D) $(KERNEL_DEB)

# What QEMU loads. What it calls of QEMU is resolved there.
$(BUILD)/plugin/access.so: $(BUILD)/plugin/access.o
	$(CC) $(CFLAGS) -shared -o $@ $<

$(BUILD)/plugin/%.o: monitor/plugin/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE $(WARN) $(WERROR) $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

# What option --lttng loads: the one needs the library that records, the other the one that controls.
LTTNG_SRC := $(wildcard monitor/lttng/*.c)
LTTNG_OBJ := $(LTTNG_SRC:%.c=$(BUILD)/%.o)
LTTNG     := $(BUILD)/plugin/lttng.so $(BUILD)/plugin/lttng-ust.so

lttng:
	@if pkg-config --exists lttng-ust lttng-ctl; then \
		$(MAKE) -s --no-print-directory $(LTTNG); \
	else \
		rm -f $(LTTNG); \
		echo "lttng: built without option --lttng: no liblttng-ust-dev and liblttng-ctl-dev here"; \
	fi

$(BUILD)/plugin/lttng-ust.so: $(BUILD)/monitor/lttng/provider.o
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -o $@ $^ -llttng-ust -ldl

$(BUILD)/plugin/lttng.so: $(filter-out %/provider.o,$(LTTNG_OBJ))
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) -shared -o $@ $^ -llttng-ctl $(LIBS)

$(BUILD)/monitor/lttng/%.o: monitor/lttng/%.c
	@mkdir -p $(@D)
	$(CC) $(HOST) -Imonitor/lttng $(CFLAGS) -fPIC -fvisibility=hidden -MMD -MP -c -o $@ $<

include guest/guest.mk

ALL_OBJ   := $(BUILD)/plugin/access.o $(LTTNG_OBJ) $(LIBVIRT_OBJ) $(VMM_OBJ) $(HOST_OBJ) $(SAN_OBJ) $(AID_OBJ) $(TEST_OBJ) $(BENCH_OBJ) $(FUZZ_OBJ)
-include $(ALL_OBJ:.o=.d)

tests: $(TESTS)
benches: $(BENCHES)
fuzzers: $(FUZZERS)
objects: $(NESTED)/init $(BUILD)/plugin/access.o $(LTTNG_OBJ) $(VMM_OBJ) $(HOST_OBJ) $(AID_OBJ) $(TEST_OBJ) $(BENCH_OBJ)

# ---- what people call ----

demo: ## find, shrink, replay, verify one race; installs what is missing (3 minutes)
	@scripts/setup build demo
	@$(MAKE) -s --no-print-directory $(PARALLEL) all
	@scripts/demo

check: ## all tests but the longest; installs what is missing (under 10 minutes)
	@scripts/setup build demo check gdb
	@$(MAKE) -s --no-print-directory $(PARALLEL) all tests
	@$(MAKE) -s --no-print-directory nested || echo "check: goes on without nested KVM"
	@scripts/run-tests $(TEST)

check-quick: ## unit tests only, no VM (under a minute)
	@scripts/setup build check
	@$(MAKE) -s --no-print-directory $(PARALLEL) tests
	@scripts/run-tests --quick $(TEST)

check-full: lint ## check, and the fuzzers, and the demo on a bare system in a chroot
	@scripts/setup build demo check fuzz fresh docker gdb
	@$(MAKE) -s --no-print-directory $(PARALLEL) all tests fuzzers
	@$(MAKE) -s --no-print-directory nested || echo "check: goes on without nested KVM"
	@scripts/run-tests --full $(TEST)

nested: all $(NESTED)/vmlinuz ## what --backend kvm-nested needs: fetches a Linux kernel from Debian, once

bench: ## runs a second, and where the microseconds go
	@scripts/setup build gdb
	@$(MAKE) -s --no-print-directory $(PARALLEL) all benches
	@for bench in $(BENCHES); do echo "== $$bench"; $$bench || exit; done

mutations: ## the guest broken a line at a time: which check sees it (10 minutes)
	@scripts/setup build check
	@$(MAKE) -s --no-print-directory $(PARALLEL) all
	@scripts/mutation-score

fuzz: ## every parser under libFuzzer, FUZZ_SECONDS=30 each
	@scripts/setup build fuzz
	@$(MAKE) -s --no-print-directory $(PARALLEL) fuzzers
	@scripts/fuzz $(FUZZ_SECONDS)

lint: ## layout, two compilers without a warning, the rules of the house
	@scripts/setup build check lint
	@scripts/lint $(PARALLEL)

install: all ## the program, its parts and the guest images under PREFIX=/usr/local
	install -D -m 755 $(BUILD)/faultline $(DESTDIR)$(PREFIX)/bin/faultline
	test ! -e $(BUILD)/faultline-vmm || \
		install -D -m 755 $(BUILD)/faultline-vmm $(DESTDIR)$(PREFIX)/lib/faultline/faultline-vmm
	test ! -e $(BUILD)/faultline-libvirt || \
		install -D -m 755 $(BUILD)/faultline-libvirt $(DESTDIR)$(PREFIX)/lib/faultline/faultline-libvirt
	install -D -m 644 $(BUILD)/plugin/access.so $(DESTDIR)$(PREFIX)/lib/faultline/access.so
	install -D -m 755 $(BUILD)/certcheck $(DESTDIR)$(PREFIX)/bin/certcheck
	install -D -m 644 scripts/gdb/faultline.py $(DESTDIR)$(PREFIX)/share/faultline/gdb/faultline.py
	for part in $(notdir $(LTTNG)); do \
		test ! -e $(BUILD)/plugin/$$part || install -D -m 644 $(BUILD)/plugin/$$part \
			$(DESTDIR)$(PREFIX)/lib/faultline/$$part || exit; \
	done
	for image in armv7.elf x86_64.elf; do \
		install -D -m 644 $(BUILD)/guest/$$image $(DESTDIR)$(PREFIX)/share/faultline/guest/$$image || exit; \
	done
	rm -rf $(DESTDIR)$(PREFIX)/share/faultline/kit
	cp -r $(KIT) $(DESTDIR)$(PREFIX)/share/faultline/kit
	for part in $(wildcard $(NESTED)/init $(NESTED)/vmlinuz $(NESTED)/*.ko); do \
		install -D -m 755 $$part $(DESTDIR)$(PREFIX)/lib/faultline/$${part#$(BUILD)/} || exit; \
	done

setup: ## install the packages for make, make demo and make check
	@scripts/setup

clean: ## remove what was built
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

.PHONY: all libvirt lttng tests benches fuzzers objects demo check check-quick check-full nested bench mutations fuzz lint install \
        setup clean help
.SECONDARY:
.DELETE_ON_ERROR:
