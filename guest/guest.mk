# Guest images: one ELF an architecture, holding the kernel, core and every scenario.
#
# The kernel, core and the user library are each compiled as one unit of all their files: fewer calls,
# fewer pages touched, which is what a switch of address space costs. A program is linked by itself
# into one relocatable object with its own copy of the library and no global symbols left, and placed
# at a virtual address of its own: one image, one set of symbols, no breakpoint that means two things.
# What few programs need lies in an archive, so that the others are not larger for it.

GUEST_SCENARIOS := $(sort $(basename $(notdir $(wildcard guest/scenarios/*.c))))

ARMV7_PREFIX := arm-none-eabi-
ARMV7_FLAGS  := -mcpu=cortex-a15 -marm -mfloat-abi=soft

GUEST_FLAGS := $(WERROR) -std=c11 -O2 -g -ffreestanding -fno-strict-aliasing -fno-common -fno-pic \
	-fno-asynchronous-unwind-tables -ffunction-sections -fdebug-prefix-map=$(CURDIR)=. \
	-Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion -Iguest/abi
KERNEL_FLAGS = $(GUEST_FLAGS) -Iguest/kernel -DN_SCENARIOS=$(words $(GUEST_SCENARIOS))
USER_FLAGS   = $(GUEST_FLAGS) -Iguest/lib -Iguest/fs -Iguest/kernel

# $(1): architecture, $(2): its name in upper case
define guest_arch
$(2)_BUILD  := $(BUILD)/guest/$(1)
$(2)_CC     := $$($(2)_PREFIX)gcc $$($(2)_FLAGS) -Iguest/arch/$(1)
$(2)_ASM    := $$(patsubst %,$$($(2)_BUILD)/%.o,$$(filter-out %/crt0.S %/fork.S %/window.S,$$(wildcard guest/arch/$(1)/*.S)))
$(2)_LIB    := $$(addprefix $$($(2)_BUILD)/,unit/lib.o guest/arch/$(1)/crt0.S.o guest/arch/$(1)/memory.S.o unit/extra.a)
$(2)_PROGRAMS := $$(patsubst %,$$($(2)_BUILD)/program/%.o,kernel core $$(GUEST_SCENARIOS))

$$($(2)_BUILD)/unit/kernel.c: $$(wildcard guest/kernel/*.c guest/arch/$(1)/*.c)
$$($(2)_BUILD)/unit/core.c: $$(wildcard guest/core/*.c)
$$($(2)_BUILD)/unit/lib.c: $$(wildcard guest/lib/*.c)
$$(addprefix $$($(2)_BUILD)/unit/,kernel.c core.c lib.c): guest/guest.mk
	@mkdir -p $$(@D)
	printf '#include "%s"\n' $$(sort $$(filter %.c,$$^)) > $$@
$$($(2)_BUILD)/unit/kernel.o: $$($(2)_BUILD)/unit/kernel.c $$($(2)_BUILD)/scenarios.list
	$$($(2)_CC) $$(KERNEL_FLAGS) -I. -MMD -MP -c -o $$@ $$<
$$($(2)_BUILD)/unit/%.o: $$($(2)_BUILD)/unit/%.c
	$$($(2)_CC) $$(USER_FLAGS) -I. -MMD -MP -c -o $$@ $$<
$$($(2)_BUILD)/%.o: %
	@mkdir -p $$(@D)
	$$($(2)_CC) $$(USER_FLAGS) -MMD -MP -c -o $$@ $$<

$$($(2)_BUILD)/program/kernel.o: $$($(2)_BUILD)/unit/kernel.o $$($(2)_ASM)
	@mkdir -p $$(@D)
	$$($(2)_CC) -r -nostdlib -o $$@ $$^ -lgcc
$$($(2)_BUILD)/unit/extra.a: $$(patsubst %,$$($(2)_BUILD)/%.o,$$(addprefix guest/arch/$(1)/,fork.S window.S) \
	$$(wildcard guest/fs/*.c))
	rm -f $$@
	$$($(2)_PREFIX)ar rcsD $$@ $$^
$$($(2)_BUILD)/program/core.o: $$($(2)_BUILD)/unit/core.o $$($(2)_LIB)
$$(GUEST_SCENARIOS:%=$$($(2)_BUILD)/program/%.o): $$($(2)_BUILD)/program/%.o: \
	$$($(2)_BUILD)/guest/scenarios/%.c.o $$($(2)_LIB)
$$($(2)_BUILD)/program/core.o $$(GUEST_SCENARIOS:%=$$($(2)_BUILD)/program/%.o):
	@mkdir -p $$(@D)
	$$($(2)_CC) -r -nostdlib -o $$@ $$^ -lgcc
	$$($(2)_PREFIX)objcopy --wildcard --localize-symbol='*' $$@

$$($(2)_BUILD)/scenarios.list: FORCE
	@mkdir -p $$(@D)
	@echo "$$(GUEST_SCENARIOS)" | cmp -s - $$@ || echo "$$(GUEST_SCENARIOS)" > $$@
$$($(2)_BUILD)/image.ld: guest/image.ld.sh $$($(2)_BUILD)/scenarios.list
	sh $$< $$($(2)_BUILD) $$(GUEST_SCENARIOS) > $$@
$(BUILD)/guest/$(1).elf: $$($(2)_BUILD)/image.ld $$($(2)_PROGRAMS)
	$$($(2)_CC) -nostdlib -static -Wl,--no-warn-rwx-segments -Wl,--build-id=none \
		-Wl,-z,max-page-size=4096 -T $$< -o $$@ $$($(2)_PROGRAMS)

-include $$(wildcard $$($(2)_BUILD)/unit/*.d $$($(2)_BUILD)/guest/*/*.d $$($(2)_BUILD)/guest/arch/$(1)/*.d)
endef

$(eval $(call guest_arch,armv7,ARMV7))

.PHONY: FORCE
FORCE:
