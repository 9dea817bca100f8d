# Guest images: one ELF an architecture, holding the kernel, core and every scenario.
#
# The kernel, core and each file of guest/scenarios/ is linked by itself into one relocatable object,
# optimised as a whole (fewer calls, fewer pages touched: worth a quarter of a run). A program has its
# own copy of the user library and no global symbols left, and is placed at a virtual address of its
# own: one image, one set of symbols, and no breakpoint that means two things.

GUEST_SCENARIOS := $(sort $(basename $(notdir $(wildcard guest/scenarios/*.c))))
GUEST_ABI       := $(wildcard guest/abi/*)

ARMV7_PREFIX := arm-none-eabi-
ARMV7_FLAGS  := -mcpu=cortex-a15 -marm -mfloat-abi=soft

GUEST_FLAGS := $(WERROR) -std=c11 -O2 -g -ffreestanding -fno-strict-aliasing -fno-common -fno-pic \
	-fno-asynchronous-unwind-tables -ffunction-sections -flto -fdebug-prefix-map=$(CURDIR)=. \
	-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Iguest/abi
KERNEL_FLAGS = $(GUEST_FLAGS) -Iguest/kernel -DN_SCENARIOS=$(words $(GUEST_SCENARIOS))
USER_FLAGS   = $(GUEST_FLAGS) -Iguest/lib -Iguest/kernel

# $(1): architecture, $(2): its name in upper case
define guest_arch
$(2)_BUILD  := $(BUILD)/guest/$(1)
$(2)_CC     := $$($(2)_PREFIX)gcc $$($(2)_FLAGS) -Iguest/arch/$(1)
$(2)_KERNEL := $$(patsubst %,$$($(2)_BUILD)/%.o,$$(wildcard guest/kernel/*.c) \
	$$(filter-out %/crt0.S,$$(wildcard guest/arch/$(1)/*.c guest/arch/$(1)/*.S)))
$(2)_LIB    := $$(patsubst %,$$($(2)_BUILD)/%.o,$$(wildcard guest/lib/*.c) \
	guest/arch/$(1)/crt0.S guest/arch/$(1)/memory.S)
$(2)_CORE   := $$(patsubst %,$$($(2)_BUILD)/%.o,$$(wildcard guest/core/*.c))
$(2)_PROGRAMS := $$(patsubst %,$$($(2)_BUILD)/program/%.o,kernel core $$(GUEST_SCENARIOS))

$$($(2)_BUILD)/guest/kernel/%.o: guest/kernel/% $$(GUEST_ABI) $$($(2)_BUILD)/scenarios.list
	@mkdir -p $$(@D)
	$$($(2)_CC) $$(KERNEL_FLAGS) -MMD -MP -c -o $$@ $$<
$$($(2)_BUILD)/guest/arch/%.o: guest/arch/% $$(GUEST_ABI)
	@mkdir -p $$(@D)
	$$($(2)_CC) $$(KERNEL_FLAGS) -MMD -MP -c -o $$@ $$<
$$($(2)_BUILD)/%.o: % $$(GUEST_ABI)
	@mkdir -p $$(@D)
	$$($(2)_CC) $$(USER_FLAGS) -MMD -MP -c -o $$@ $$<

$(2)_WHOLE := $$($(2)_CC) -O2 -g -flto -flinker-output=nolto-rel -r -nostdlib

$$($(2)_BUILD)/program/kernel.o: $$($(2)_KERNEL)
	@mkdir -p $$(@D)
	$$($(2)_WHOLE) -o $$@ $$^ -lgcc
$$($(2)_BUILD)/program/core.o: $$($(2)_CORE) $$($(2)_LIB)
	@mkdir -p $$(@D)
	$$($(2)_WHOLE) -o $$@ $$^ -lgcc
	$$($(2)_PREFIX)objcopy --wildcard --localize-symbol='*' $$@
$$($(2)_BUILD)/program/%.o: $$($(2)_BUILD)/guest/scenarios/%.c.o $$($(2)_LIB)
	@mkdir -p $$(@D)
	$$($(2)_WHOLE) -o $$@ $$^ -lgcc
	$$($(2)_PREFIX)objcopy --wildcard --localize-symbol='*' $$@

$$($(2)_BUILD)/scenarios.list: FORCE
	@mkdir -p $$(@D)
	@echo "$$(GUEST_SCENARIOS)" | cmp -s - $$@ || echo "$$(GUEST_SCENARIOS)" > $$@
$$($(2)_BUILD)/image.ld: guest/image.ld.sh $$($(2)_BUILD)/scenarios.list
	sh $$< $$($(2)_BUILD) $$(GUEST_SCENARIOS) > $$@
$(BUILD)/guest/$(1).elf: $$($(2)_BUILD)/image.ld $$($(2)_PROGRAMS)
	$$($(2)_CC) -nostdlib -static -Wl,--no-warn-rwx-segments -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -T $$< -o $$@ $$($(2)_PROGRAMS)

-include $$($(2)_KERNEL:.o=.d) $$($(2)_LIB:.o=.d) $$($(2)_CORE:.o=.d) \
	$$(patsubst %,$$($(2)_BUILD)/guest/scenarios/%.c.d,$$(GUEST_SCENARIOS))
endef

$(eval $(call guest_arch,armv7,ARMV7))

.PHONY: FORCE
FORCE:
