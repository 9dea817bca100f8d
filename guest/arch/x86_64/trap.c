/* From exception vectors to the kernel's traps (SDM 6.15), and single steps. */

#include "arch.h"
#include "../../kernel/trap.h"

/* timer.c */
uint64_t timer_trap(void);
bool timer_expired(void);
void timer_spend(void);
bool timer_tick(bool counts);

enum {
    VECTOR_DEBUG = 1,
    VECTOR_PAGE_FAULT = 14,
    VECTOR_SYSCALL = 0x21,
};

#define FLAG_TF UINT64_C(0x100)

enum { /* error code of a page fault */
       FAULT_WRITE = 1u << 1,
       FAULT_FETCH = 1u << 4,
};

/* ---- steps ---- */

/* What is left of the steps granted: vectors.S counts them down and comes here with the last. */
uint32_t steps_left __attribute__((section(".bss.hot")));
static uint32_t steps_granted __attribute__((section(".bss.hot")));
static enum {
    STEPPING_NOT,
    STEPPING_TO_STOP,
    STEPPING_TO_COUNT
} stepping __attribute__((section(".bss.hot")));

STATE_DROP(steps_left);
STATE_DROP(steps_granted);
STATE_DROP(stepping);

#define STEP_TIME 8u /* of the budget: long for any stay, short for who waits */

struct arch_frame *arch_run_for(struct arch_frame *frame, uint32_t instructions)
{
    stepping = STEPPING_TO_STOP;
    steps_granted = steps_left = instructions;
    frame->rflags |= FLAG_TF;
    return frame;
}

/* Every instruction is stepped over, only to be counted. Then steps are what ends an endless stay,
 * not ticks: a step takes as long as the machine makes it, under nested KVM a hundred microseconds.
 */
struct arch_frame *arch_run_until(struct arch_frame *frame, uint64_t time)
{
    uint64_t steps = (time - arch_time()) / STEP_TIME;
    arch_run_for(frame, steps < UINT32_MAX ? (uint32_t)steps : UINT32_MAX);
    stepping = STEPPING_TO_COUNT;
    return frame;
}

/* Ends the stepping; how many instructions were executed, where the last one may have trapped. */
static uint32_t steps_taken(struct arch_frame *frame, enum trap_kind kind)
{
    uint32_t taken =
        stepping != STEPPING_NOT ? steps_granted - steps_left + (kind != TRAP_TIMER) : 0;
    if (stepping == STEPPING_TO_COUNT && kind == TRAP_TIMER) {
        timer_spend();
    }
    stepping = STEPPING_NOT;
    frame->rflags &= ~FLAG_TF;
    return taken;
}

/* ---- traps ---- */

static uint64_t fault_address(void)
{
    uint64_t address;
    __asm__ volatile("mov %%cr2, %0" : "=r"(address));
    return address;
}

static struct trap page_fault(const struct arch_frame *frame)
{
    uint32_t error = (uint32_t)frame->error;
    return (struct trap){
        .kind = TRAP_FAULT,
        .address = (uint32_t)fault_address(),
        .access = (error & FAULT_FETCH)   ? FL_ACCESS_EXEC
                  : (error & FAULT_WRITE) ? FL_ACCESS_WRITE
                                          : FL_ACCESS_READ,
        .status = error,
    };
}

static struct trap decode(const struct arch_frame *frame)
{
    switch (frame->vector) {
    case VECTOR_SYSCALL:
        return (struct trap){.kind = TRAP_SYSCALL};
    case VECTOR_PAGE_FAULT:
        return page_fault(frame);
    case ARCH_TICK_VECTOR:
        return (struct trap){.kind = TRAP_TIMER};
    case VECTOR_DEBUG:
        if (stepping != STEPPING_NOT && steps_left == 0) {
            return (struct trap){.kind = TRAP_TIMER};
        }
        /* fall through */
    default:
        return (struct trap){.kind = TRAP_EXCEPTION, .status = (uint32_t)frame->vector};
    }
}

/* A stretch of user mode of no instructions: who counts those from outside looks here, as at
 * resume_user (monitor/machine.c). */
struct arch_frame *resume_nothing(struct arch_frame *frame);

__attribute__((noinline)) struct arch_frame *resume_nothing(struct arch_frame *frame)
{
    struct trap trap = {.kind = TRAP_TIMER};
    trap.instructions = steps_taken(frame, trap.kind);
    trap.time = timer_trap();
    return kernel_trap(&trap);
}

/* Time may be up, or the count, before user mode has begun. */
static struct arch_frame *interrupted_at_once(struct arch_frame *frame)
{
    while (frame != NULL && (timer_expired() || (stepping != STEPPING_NOT && steps_left == 0))) {
        frame = resume_nothing(frame);
    }
    return frame;
}

/* Called by vectors.S on the kernel's stack. */
struct arch_frame *arch_trap(struct arch_frame *frame);
bool arch_tick(void);
struct arch_frame *arch_begin(struct arch_frame *frame);

struct arch_frame *arch_trap(struct arch_frame *frame)
{
    struct trap trap = decode(frame);
    trap.instructions = steps_taken(frame, trap.kind);
    trap.time = timer_trap();
    return interrupted_at_once(kernel_trap(&trap));
}

/* Whether the kernel has to know. */
bool arch_tick(void)
{
    return timer_tick(stepping == STEPPING_NOT);
}

struct arch_frame *arch_begin(struct arch_frame *frame)
{
    return interrupted_at_once(frame);
}

_Noreturn void arch_kernel_exception(const struct arch_frame *frame);

_Noreturn void arch_kernel_exception(const struct arch_frame *frame)
{
    kernel_broken((uint32_t)frame->vector, (uint32_t)frame->rip, (uint32_t)fault_address(),
                  (uint32_t)frame->error);
}

_Noreturn void arch_power_off(void)
{
    for (;;) {
        __asm__ volatile("outl %0, %1" ::"a"(0), "Nd"((uint16_t)ARCH_EXIT_PORT));
    }
}
