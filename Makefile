# Faultline. `make help` lists what there is to make.

BUILD   := build
CC      ?= gcc
PKGS    := glib-2.0 jansson libelf libdw
CFLAGS  ?= -O2 -g
WARN    := -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
INCLUDE := -Iguest/abi -Itraces -Ianalysis -Imonitor
HOST    := -std=c11 -D_GNU_SOURCE $(WARN) $(INCLUDE) $(shell pkg-config --cflags $(PKGS) 2>/dev/null | sed 's/-I/-isystem /g')
LIBS     = $(shell pkg-config --libs $(PKGS))
SAN     := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer

all: $(BUILD)/faultline $(BUILD)/guest/armv7.elf

# ---- host: every source but main.c is in both the program and the tests ----

HOST_SRC := $(wildcard traces/*.c analysis/*.c analysis/checks/*.c monitor/*.c monitor/backend/*.c monitor/explore/*.c monitor/gdb/*.c)
LIB_SRC  := $(filter-out monitor/main.c,$(HOST_SRC))
TEST_SRC := $(wildcard traces/tests/test_*.c analysis/tests/test_*.c monitor/tests/test_*.c)

HOST_OBJ := $(HOST_SRC:%.c=$(BUILD)/host/%.o)
SAN_OBJ  := $(LIB_SRC:%.c=$(BUILD)/san/%.o)
TESTS    := $(TEST_SRC:%.c=$(BUILD)/tests/%)

$(BUILD)/faultline: $(HOST_OBJ)
	$(CC) $(CFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/host/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $(CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/san/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(HOST) $(SAN) -MMD -MP -c -o $@ $<

$(BUILD)/tests/%: $(BUILD)/san/%.o $(SAN_OBJ)
	@mkdir -p $(@D)
	$(CC) $(SAN) -o $@ $^ $(LIBS) -lcmocka

tests: $(TESTS)

include guest/guest.mk

-include $(HOST_OBJ:.o=.d) $(SAN_OBJ:.o=.d)

clean:
	rm -rf $(BUILD)

.PHONY: all tests clean
.SECONDARY:
