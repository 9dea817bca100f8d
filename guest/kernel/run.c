/* One run: a clean slate, core started, user mode until the end, a result. */

#include "kernel.h"

struct run run HOT;

/* Neither the plan nor what of it was done, nor how long that took, nor who runs and who waits in
 * which order (standing.c). */
STATE_KEEP(run);
STATE_DROP_MEMBER(run, plan, struct run, plan);
STATE_DROP_MEMBER(run, current, struct run, current);
STATE_DROP_MEMBER(run, next, struct run, next);
STATE_DROP_MEMBER(run, ready, struct run, ready);
STATE_DROP_MEMBER(run, ready_set, struct run, ready_set);
STATE_DROP_MEMBER(run, lock_waiters, struct run, lock_waiters);
STATE_DROP_MEMBER(run, faults, struct run, faults);
STATE_DROP_MEMBER(run, active_space, struct run, active_space);
STATE_DROP_MEMBER(run, next_reason, struct run, next_reason);
STATE_DROP_MEMBER(run, start, struct run, start);
STATE_DROP_MEMBER(run, now, struct run, now);
STATE_DROP_MEMBER(run, entries, struct run, entries);
STATE_DROP_MEMBER(run, reached, struct run, reached);
STATE_DROP_MEMBER(run, interrupt_at, struct run, interrupt_at);
STATE_DROP_MEMBER(run, stop_k, struct run, stop_k);

static void reset(const struct fl_plan *plan)
{
    for (uint32_t i = 0; i < threads_used(); i++) {
        threads[i].state = THREAD_NONE;
        threads[i].id = 0;
    }
    arch_spaces_reset();
    run = (struct run){
        .plan = plan,
        .departs = (plan->mode & FL_MODE_ONLINE) || plan->policy != FL_POLICY_FIXED,
        .measures = plan->mode & FL_MODE_SPANS,
        .audits = plan->mode & FL_MODE_AUDIT,
        .fails = plan->mode & FL_MODE_FAIL,
        .random = plan->seed != 0 ? plan->seed : 1,
        .active_space = FL_SPACE_KERNEL,
        .activate = arch_space_activate,
        .keeping = &fault_kept_apart,
    };
    draw_begin();
}

/* The first thread: core, which makes everything else. */
static void first_dispatch(void)
{
    struct thread *core = run.ready.head;
    unready(core);
    core->state = THREAD_RUNNING;
    trace(FL_EVENT_SWITCH, core, FL_PATH_KERNEL, FL_SWITCH_START, 1);
    arch_space_activate(core->space);
    run.active_space = core->space;
    arch_set_thread_pointer(FL_UTCB_BASE + core->index * FL_PAGE_SIZE);
    run.current = core;
    arch_run(to_user(core));
}

void run_end(uint32_t outcome)
{
    run.outcome = outcome;
}

_Noreturn void kernel_broken(uint32_t kind, uint32_t pc, uint32_t address, uint32_t status)
{
    run.broken = (struct trap){.access = kind, .address = address, .status = status};
    run.broken_pc = pc;
    run_end(FL_OUTCOME_GUEST_FAULT);
    arch_run_abandon();
}

extern const uint32_t n_scenarios; /* from the linker script */

static bool plan_sound(const struct fl_plan *plan)
{
    return draw_sound(plan) && plan->scenario < n_scenarios &&
           plan->n_preemptions <= FL_MAX_PREEMPTIONS && plan->n_failures <= FL_MAX_FAILURES &&
           plan->max_packets > 0 && plan->max_packets <= FL_RING_PACKETS;
}

static uint16_t at_most_16_bits(uint32_t number)
{
    return number < UINT16_MAX ? (uint16_t)number : UINT16_MAX;
}

/* Mode fail. Core leaves its counts in its message page. */
static void fill_asked(struct fl_result *result)
{
    const struct thread *core = thread_find(SYS_CORE);
    for (unsigned kind = 0; core != NULL && kind < FL_FAIL_KINDS; kind++) {
        result->asked[kind] = at_most_16_bits(core->utcb->asked[kind]);
    }
    result->asked[FL_FAIL_IPC] = at_most_16_bits(run.ipcs);
}

static void fill(struct fl_result *result)
{
    result->serial = run.plan->serial;
    result->outcome = run.outcome;
    result->reached = run.reached;
    result->entries = run.entries;
    result->instructions = run.now;
    result->fault_pc = run.broken_pc;
    result->fault_addr = run.broken.address;
    result->fault_status = run.broken.status;
    result->fault_kind = run.broken.access;
    if (run.fails) {
        fill_asked(result);
    }
}

void run_plan(const struct fl_plan *plan, struct fl_result *result)
{
    *result = (struct fl_result){.serial = plan->serial, .outcome = FL_OUTCOME_ABI_VIOLATION};
    if (!plan_sound(plan)) {
        return;
    }
    reset(plan);
    trace_begin(plan->max_packets);
    run.start = arch_time();
    arch_timer_arm(run.start + plan->budget);
    stop_begin();
    trace_space(FL_EVENT_RUN_BEGIN, FL_PATH_KERNEL, FL_SPACE_KERNEL, 0, plan->scenario,
                plan->variant);
    if (start_core()) {
        first_dispatch();
    } else {
        run_end(FL_OUTCOME_ABI_VIOLATION);
    }
    trace_point(FL_POINT_NONE);
    trace_space(FL_EVENT_RUN_END, FL_PATH_KERNEL, FL_SPACE_KERNEL, 0, run.outcome, 0);
    trace_end(result);
    fill(result);
}
