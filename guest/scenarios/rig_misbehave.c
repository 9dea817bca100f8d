/* Guests out of their mind, for tests of the rig itself: whatever a guest does is a result of its
 * run, and costs the runs behind it nothing. */
#include "core.h"
#include "memory.h"
#include "program.h"
#include "thread.h"

enum {
    VARIANT_SPIN,
    VARIANT_KERNEL_FAULT,
    VARIANT_KERNEL_LOOP,
    VARIANT_POWER_OFF,
    VARIANT_DEADLOCK,
    VARIANT_WILD,
    VARIANT_WRITE_SHARED,
    VARIANT_OWN_TABLE,
    VARIANT_FLOOD,
    VARIANTS,
};
enum { FLOOD = 10000 /* a small part of the budget */ };

/* All of these show in the run without a preemption. */
#define BAD(id_, summary_, expect_)                                                                \
    {                                                                                              \
        .id = id_, .summary = summary_, .expect = expect_, .depth = FL_DEPTH_IPC, .bound = 0       \
    }

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "rig_misbehave",
    .summary = "guests out of their mind, each a result and never a crash of the rig",
    .source = "the rig's own",
    .threads = "main; in deadlock also main.1 and main.2",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_SPIN] = BAD("spin", "a loop in user mode: hung, when the budget is spent",
                                 "outcome-as-declared"),
            [VARIANT_KERNEL_FAULT] =
                BAD("kernel_fault", "the kernel touches what is not there", "outcome-as-declared"),
            [VARIANT_KERNEL_LOOP] =
                BAD("kernel_loop", "the kernel never comes back", "outcome-as-declared"),
            [VARIANT_POWER_OFF] = BAD("power_off", "the machine goes away in the middle of a run",
                                      "outcome-as-declared"),
            [VARIANT_DEADLOCK] =
                BAD("deadlock", "two locks, taken in opposite order", "no-deadlock"),
            [VARIANT_WILD] =
                {
                    .id = "wild",
                    .summary = "scribbles over its message page and jumps to address 0: halted",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                    .n_halts = 1,
                    .halts = {{FL_PATH_DOMAIN(0), FL_HALT_UNRESOLVED_FAULT}},
                },
            [VARIANT_WRITE_SHARED] = BAD("write_shared",
                                         "writes nonsense into the counters that "
                                         "the monitor reads",
                                         "outcome-as-declared"),
            [VARIANT_OWN_TABLE] = BAD("own_table", "ones all over the page table that it runs on",
                                      "outcome-as-declared"),
            [VARIANT_FLOOD] =
                BAD("flood", "asks the monitor for a decision, on and on", "outcome-as-declared"),
        },
};

static void spin(void)
{
    for (volatile uint32_t forever = 1; forever;)
        ;
}

static void kernel_fault(void)
{
    sys_debug(SYS_DEBUG_KERNEL_FAULT, 0, 0);
}

static void kernel_loop(void)
{
    sys_debug(SYS_DEBUG_KERNEL_LOOP, 0, 0);
}

static void power_off(void)
{
    sys_debug(SYS_DEBUG_POWER_OFF, 0, 0);
}

/* ---- deadlock ---- */

static struct lock left, right;

static void lock_both(struct lock *first, struct lock *second)
{
    sys_lock(first);
    sys_yield();
    sys_lock(second);
    sys_unlock(second);
    sys_unlock(first);
}

static void left_first(void *arg)
{
    (void)arg;
    lock_both(&left, &right);
}

static void right_first(void *arg)
{
    (void)arg;
    lock_both(&right, &left);
}

static void deadlock(void)
{
    static struct thread one, other;

    program_expect(thread_create(&one, FL_PAGE_SIZE, left_first, NULL) == FL_ERROR_OK);
    program_expect(thread_create(&other, FL_PAGE_SIZE, right_first, NULL) == FL_ERROR_OK);
    thread_join(&one);
    thread_join(&other);
}

/* ---- nonsense ---- */

static void wild(void)
{
    void (*volatile nowhere)(void) = NULL;

    memset(sys_utcb(), 0xa5, FL_PAGE_SIZE);
    nowhere();
}

/* Whenever the monitor looks, however late, it is to see the same: so the counter that it checks
 * first goes first, and the run does not end, even by its budget, since that puts the counters
 * right. */
static void write_shared(void)
{
    sys_debug(SYS_DEBUG_WRITE_SHARED, offsetof(struct fl_shared, control.result_head), 0xa5a5a5a5u);
    sys_debug(SYS_DEBUG_WRITE_SHARED, offsetof(struct fl_shared, control.ring_head), 0xa5a5a5a5u);
    kernel_loop();
}

/* What comes of it is the architecture's: there may be nothing left that a fault could run on. */
static void own_table(void)
{
    sys_debug(SYS_DEBUG_OWN_TABLE, 0, 0);
    spin();
}

static void flood(void)
{
    for (uint32_t i = 0; i < FLOOD; i++)
        sys_debug(SYS_DEBUG_WRITE_SHARED, offsetof(struct fl_shared, control.ask), i);
    kernel_loop(); /* likewise */
}

static void (*const misdeeds[VARIANTS])(void) = {
    [VARIANT_SPIN] = spin,
    [VARIANT_KERNEL_FAULT] = kernel_fault,
    [VARIANT_KERNEL_LOOP] = kernel_loop,
    [VARIANT_POWER_OFF] = power_off,
    [VARIANT_DEADLOCK] = deadlock,
    [VARIANT_WILD] = wild,
    [VARIANT_WRITE_SHARED] = write_shared,
    [VARIANT_OWN_TABLE] = own_table,
    [VARIANT_FLOOD] = flood,
};

static void main_main(void)
{
    misdeeds[info()->variant]();
}

const struct program program = {.main = {main_main}};
