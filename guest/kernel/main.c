/* The kernel: boots once, then runs one plan after another for as long as it lives. */

#include "kernel.h"

_Noreturn void kernel_main(void);

/* A struct fl_image without its end: how many scenarios there are is the linker script's to say,
 * since one kernel is linked with many sets of them (scripts/build-guest). */
#define WORD(field) offsetof(struct fl_image, field) / sizeof(uint32_t)
static const uint32_t image[WORD(n_scenarios)]
    __attribute__((section(".faultline.image"), used)) = {
        [WORD(magic)] = FL_ABI_MAGIC,
        [WORD(abi_version)] = FL_ABI_VERSION,
        [WORD(arch)] = ARCH_ID,
        [WORD(ram_size)] = FL_RAM_SIZE,
        [WORD(shared_offset)] = FL_SHARED_OFFSET,
        [WORD(shared_size)] = sizeof(struct fl_shared),
};

_Noreturn void kernel_main(void)
{
    arch_timer_init();
    channel_open();
    for (;;) {
        const struct fl_plan *plan = channel_take();
        run_plan(plan, channel_result());
        channel_give();
    }
}
