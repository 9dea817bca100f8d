/* The shared window: plans in, results out, decisions asked (guest/abi/README.md). Each counter has
 * one writer, so loads that acquire and stores that release are all that is needed. */

#include "kernel.h"

struct fl_shared *const shared =
    (struct fl_shared *)(ARCH_RAM_BASE + ARCH_KERNEL_OFFSET + FL_SHARED_OFFSET);

static uint32_t taken HOT, given HOT;

STATE_DROP(taken);
STATE_DROP(given);

void channel_open(void)
{
    struct fl_control *control = &shared->control;
    control->abi_version = FL_ABI_VERSION;
    control->state = FL_STATE_READY;
    control->core_table = arch_space_table(FL_SPACE_CORE);
    __atomic_store_n(&control->magic, FL_ABI_MAGIC, __ATOMIC_RELEASE);
}

const struct fl_plan *channel_take(void)
{
    while (channel_load(&shared->control.plan_head) == taken) {
    }
    return &shared->plans[taken % FL_PLAN_SLOTS];
}

struct fl_result *channel_result(void)
{
    while (given - channel_load(&shared->control.result_tail) == FL_RESULT_SLOTS) {
    }
    return &shared->results[given % FL_RESULT_SLOTS];
}

void channel_give(void)
{
    channel_store(&shared->control.plan_tail, ++taken);
    channel_store(&shared->control.result_head, ++given);
}

/* Offset in RAM of what the kernel has at this address. */
static uint32_t ram_offset(const void *kernel_address)
{
    return (uint32_t)((uintptr_t)kernel_address - (uintptr_t)arch_frame_address(0));
}

uint32_t channel_decide(const struct thread *thread, const struct fl_decision *decision)
{
    struct fl_control *control = &shared->control;
    uint64_t stopped = arch_time();
    uint32_t asked = control->ask.value + 1;
    control->decision = *decision;
    control->decision_frame = thread != NULL ? ram_offset(&thread->frame) : 0;
    control->decision_table = thread != NULL ? arch_space_table(thread->space) : 0;
    channel_store(&control->ask, asked);
    while (channel_load(&control->answer) != asked) {
    }
    uint32_t target = control->decision_target;
    uint64_t waited = arch_time() - stopped;
    run.start += waited;
    arch_timer_arm(run.start + run.plan->budget);
    return target;
}

struct fl_audit_result channel_audit(const struct thread *core)
{
    channel_decide(
        core, &(struct fl_decision){.thread = core->path, .n = core->n, .point = FL_POINT_NONE});
    return shared->control.audit;
}
