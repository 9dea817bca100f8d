/* The kernel: boots once, then runs one plan after another for as long as it lives. */

#include "kernel.h"

_Noreturn void kernel_main(void);

static const struct fl_image image __attribute__((section(".faultline.image"), used)) = {
    .magic = FL_ABI_MAGIC,
    .abi_version = FL_ABI_VERSION,
    .arch = ARCH_ID,
    .ram_size = FL_RAM_SIZE,
    .shared_offset = FL_SHARED_OFFSET,
    .shared_size = sizeof(struct fl_shared),
    .n_scenarios = N_SCENARIOS,
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
