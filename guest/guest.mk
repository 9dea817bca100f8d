# Guest images: one ELF an architecture, holding the kernel, core and every scenario.
#
# The kernel, core and the user library are each compiled as one unit of all their files: fewer calls,
# fewer pages touched, which is what a switch of address space costs. A program is linked by itself
# into one relocatable object with its own copy of the library and no global symbols left, and placed
# at a virtual address of its own: one image, one set of symbols, no breakpoint that means two things.
# What few programs need lies in an archive, so that the others are not larger for it.
#
# A scenario's program has the same number of pages of text, data and bss on every architecture, since
# each page that core maps is an event: an image is linked once to see how many it needs, and again
# with the most that any needs.

GUEST_SCENARIOS := $(sort $(basename $(notdir $(wildcard guest/scenarios/*.c))))

GUEST_ARCHS := armv7 x86_64
KIT         := $(BUILD)/guest/kit

ARMV7_PREFIX := arm-none-eabi-
ARMV7_FLAGS  := -mcpu=cortex-a15 -marm -mfloat-abi=soft -fno-asynchronous-unwind-tables
ARMV7_LIBGCC := -lgcc
ARMV7_PACKAGE := gcc-arm-none-eabi

# Programs have pointers of 32 bits here, too (x32): user addresses are the same everywhere, and so
# are the sizes of what programs keep. They become ELF64 when they are linked; the kernel is compiled
# for 64 bits. rep would be one instruction to who counts and many to who steps (memory.S).
X86_64_PREFIX := $(if $(filter x86_64,$(shell uname -m)),,x86_64-linux-gnu-)
X86_64_FLAGS  := -march=x86-64 -mgeneral-regs-only -mno-red-zone -fcf-protection=none \
	-fno-stack-protector -malign-data=abi -fasynchronous-unwind-tables -mmemcpy-strategy=libcall:-1:noalign \
	-mmemset-strategy=libcall:-1:noalign -Wa,-mx86-used-note=no
X86_64_KERNEL_FLAGS := -mcmodel=kernel
X86_64_USER_FLAGS   := -mx32 -maddress-mode=long
X86_64_OBJCOPY      := -O elf64-x86-64
X86_64_PACKAGE      := $(if $(X86_64_PREFIX),gcc-x86-64-linux-gnu,gcc)

PROGRAM_FLAGS := -std=c11 -O2 -g -ffreestanding -fno-strict-aliasing -fno-common -fno-pic -ffunction-sections \
	-Wall -Wextra
GUEST_FLAGS   := $(WERROR) $(PROGRAM_FLAGS) -Wshadow -Wconversion -Wno-sign-conversion \
	-fdebug-prefix-map=$(CURDIR)=. -Iguest/abi
LINK_FLAGS    := -nostdlib -static -Wl,-z,noexecstack -Wl,--no-warn-rwx-segments -Wl,--build-id=none \
	-Wl,-z,max-page-size=4096
KERNEL_FLAGS = $(GUEST_FLAGS) -Iguest/kernel
USER_FLAGS   = $(GUEST_FLAGS) -Iguest/lib -Iguest/fs -Iguest/waits -Iguest/kernel

# $(1): architecture, $(2): its name in upper case
define guest_arch
$(2)_BUILD     := $(BUILD)/guest/$(1)
$(2)_CC        := $$($(2)_PREFIX)gcc $$($(2)_FLAGS) -Iguest/arch/$(1)
$(2)_KERNEL_CC := $$($(2)_CC) $$($(2)_KERNEL_FLAGS)
$(2)_USER_CC   := $$($(2)_CC) $$($(2)_USER_FLAGS)
$(2)_ASM    := $$(patsubst %,$$($(2)_BUILD)/kernel/%.o,$$(filter-out %/crt0.S %/fork.S %/window.S,$$(wildcard guest/arch/$(1)/*.S)))
$(2)_LIB    := $$(addprefix $$($(2)_BUILD)/,unit/lib.o guest/arch/$(1)/crt0.S.o guest/arch/$(1)/memory.S.o unit/extra.a)
$(2)_PROGRAMS := $$(patsubst %,$$($(2)_BUILD)/program/%.o,kernel core $$(GUEST_SCENARIOS))

$$($(2)_BUILD)/unit/kernel.c: $$(wildcard guest/kernel/*.c guest/arch/$(1)/*.c)
$$($(2)_BUILD)/unit/core.c: $$(wildcard guest/core/*.c)
$$($(2)_BUILD)/unit/lib.c: $$(wildcard guest/lib/*.c)
$$(addprefix $$($(2)_BUILD)/unit/,kernel.c core.c lib.c): guest/guest.mk
	@mkdir -p $$(@D)
	printf '#include "%s"\n' $$(sort $$(filter %.c,$$^)) > $$@
$$($(2)_BUILD)/unit/kernel.o: $$($(2)_BUILD)/unit/kernel.c
	$$($(2)_KERNEL_CC) $$(KERNEL_FLAGS) -I. -MMD -MP -c -o $$@ $$<
$$($(2)_BUILD)/unit/%.o: $$($(2)_BUILD)/unit/%.c
	$$($(2)_USER_CC) $$(USER_FLAGS) -I. -MMD -MP -c -o $$@ $$<
$$($(2)_BUILD)/kernel/%.o: %
	@mkdir -p $$(@D)
	$$($(2)_KERNEL_CC) $$(KERNEL_FLAGS) -MMD -MP -c -o $$@ $$<
$$($(2)_BUILD)/%.o: %
	@mkdir -p $$(@D)
	$$($(2)_USER_CC) $$(USER_FLAGS) -MMD -MP -c -o $$@ $$<

$$($(2)_BUILD)/program/kernel.o: $$($(2)_BUILD)/unit/kernel.o $$($(2)_ASM)
	@mkdir -p $$(@D)
	$$($(2)_KERNEL_CC) -Wl,-z,noexecstack -r -nostdlib -o $$@ $$^ $$($(2)_LIBGCC)
$$($(2)_BUILD)/unit/extra.a: $$(patsubst %,$$($(2)_BUILD)/%.o,$$(addprefix guest/arch/$(1)/,fork.S window.S) \
	$$(wildcard guest/fs/*.c guest/waits/*.c))
	rm -f $$@
	$$($(2)_PREFIX)ar rcsD $$@ $$^
$$($(2)_BUILD)/program/core.o: $$($(2)_BUILD)/unit/core.o $$($(2)_LIB)
$$(GUEST_SCENARIOS:%=$$($(2)_BUILD)/program/%.o): $$($(2)_BUILD)/program/%.o: \
	$$($(2)_BUILD)/guest/scenarios/%.c.o $$($(2)_LIB)
$$($(2)_BUILD)/program/core.o $$(GUEST_SCENARIOS:%=$$($(2)_BUILD)/program/%.o):
	@mkdir -p $$(@D)
	$$($(2)_USER_CC) -Wl,-z,noexecstack -r -nostdlib -o $$@ $$^ $$($(2)_LIBGCC)
	$$($(2)_PREFIX)objcopy $$($(2)_OBJCOPY) --wildcard --localize-symbol='*' $$@

$$($(2)_BUILD)/scenarios.list: FORCE
	@mkdir -p $$(@D)
	@echo "$$(GUEST_SCENARIOS)" | cmp -s - $$@ || echo "$$(GUEST_SCENARIOS)" > $$@

# A link for the sizes, and the one that counts.
$$($(2)_BUILD)/sizes.ld: guest/image.ld.sh guest/arch/$(1)/layout.sh $$($(2)_BUILD)/scenarios.list
	sh $$< $(1) $$($(2)_BUILD) /dev/null $$(GUEST_SCENARIOS) > $$@
$$($(2)_BUILD)/image.ld: guest/image.ld.sh guest/arch/$(1)/layout.sh $$($(2)_BUILD)/scenarios.list $(BUILD)/guest/pages
	sh $$< $(1) $$($(2)_BUILD) $(BUILD)/guest/pages $$(GUEST_SCENARIOS) > $$@
$$($(2)_BUILD)/sizes.elf $(BUILD)/guest/$(1).elf: $$($(2)_PROGRAMS)
	$$($(2)_KERNEL_CC) $$(LINK_FLAGS) -T $$(filter %.ld,$$^) -o $$@ $$($(2)_PROGRAMS)
$$($(2)_BUILD)/sizes.elf: $$($(2)_BUILD)/sizes.ld
$(BUILD)/guest/$(1).elf: $$($(2)_BUILD)/image.ld

$$(KIT)/$(1)/flags.sh: guest/guest.mk $$($(2)_PROGRAMS) $$($(2)_LIB) $$(wildcard guest/arch/$(1)/*.h) \
	guest/arch/$(1)/layout.sh
	@mkdir -p $$(@D)/include $$(KIT)/arch/$(1)
	cp $$(wildcard guest/arch/$(1)/*.h) $$(@D)/include
	cp guest/arch/$(1)/layout.sh $$(KIT)/arch/$(1)
	cp $$(addprefix $$($(2)_BUILD)/,program/kernel.o program/core.o unit/lib.o unit/extra.a) $$(@D)
	cp $$($(2)_BUILD)/guest/arch/$(1)/crt0.S.o $$(@D)/crt0.o
	cp $$($(2)_BUILD)/guest/arch/$(1)/memory.S.o $$(@D)/memory.o
	@printf '%s="%s"\n' package '$$($(2)_PACKAGE)' prefix '$$($(2)_PREFIX)' cc '$$($(2)_PREFIX)gcc' \
		flags '$$($(2)_FLAGS)' kernel_flags '$$($(2)_KERNEL_FLAGS)' \
		user_flags '$$($(2)_USER_FLAGS) $$(PROGRAM_FLAGS)' link_flags '$$(LINK_FLAGS)' \
		objcopy_flags '$$($(2)_OBJCOPY)' libgcc '$$($(2)_LIBGCC)' > $$@

-include $$(wildcard $$($(2)_BUILD)/unit/*.d $$($(2)_BUILD)/guest/*/*.d \
	$$($(2)_BUILD)/guest/arch/$(1)/*.d $$($(2)_BUILD)/kernel/guest/arch/$(1)/*.d)
endef

$(eval $(call guest_arch,armv7,ARMV7))
$(eval $(call guest_arch,x86_64,X86_64))

# The most of all architectures. Rewritten only when it changes.
$(BUILD)/guest/pages: guest/pages.sh $(GUEST_ARCHS:%=$(BUILD)/guest/%/sizes.elf)
	@for image in $(filter %.elf,$^); do readelf -SW $$image; done | sh $< > $@.new
	@cmp -s $@.new $@ || cp $@.new $@

# ---- The kit: what a scenario needs that is built out of the tree (build-guest.sh). Installed whole. ----

KIT_SCRIPTS := guest/build-guest.sh guest/image.ld.sh guest/pages.sh guest/template.c
KIT_HEADERS := $(wildcard guest/abi/*.h guest/abi/*.def guest/lib/*.h guest/fs/*.h guest/waits/*.h) \
	guest/kernel/interface.h guest/kernel/syscalls.def

$(KIT)/build-guest.sh: $(GUEST_ARCHS:%=$(KIT)/%/flags.sh) $(KIT_SCRIPTS) $(KIT_HEADERS)
	@mkdir -p $(KIT)/include
	cp $(KIT_HEADERS) $(KIT)/include
	cp $(KIT_SCRIPTS) $(KIT)
	@touch $@

.PHONY: FORCE
FORCE:
