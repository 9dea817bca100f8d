/* Time is logical: so much a trap, the same on whatever carries the processor, since not every
 * machine of ours can count instructions. Exact interruptions are counted by single steps.
 *
 * What makes no trap is found by ticks of the local APIC (SDM 11.5.4), which are as long as the
 * machine makes them. User code that stays away for several of them, as long as the budget has
 * nanoseconds left, has spent it. A tick that finds anything else leaves nothing behind. Where
 * steps are counted, their number says so, and ticks say nothing.
 */

#include "arch.h"
#include "../../kernel/kernel.h"

#define APIC          0xffffffffc0000000u /* where boot.S maps it */
#define APIC_EOI      0x0b0u
#define APIC_SVR      0x0f0u
#define APIC_TIMER    0x320u
#define APIC_LINT0    0x350u
#define APIC_INITIAL  0x380u
#define APIC_DIVIDE   0x3e0u
#define APIC_ENABLED  0x1ffu
#define APIC_MASKED   0x10000u
#define APIC_DIVIDE_1 0xbu

#define TRAP_TIME   1000u    /* on armv7, a trap with all that comes with it is 500 to 2000 */
#define TICK_NS     4000000u /* long for any stay in user mode but an endless one */
#define QUIET_TICKS 4u       /* at least: a machine that has just been given no time */

static uint64_t now HOT, deadline HOT;
static uint64_t time_of_tick, quiet_ticks;

STATE_DROP(now);
STATE_DROP(deadline);
STATE_DROP(time_of_tick);
STATE_DROP(quiet_ticks);

static void apic_write(uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(APIC + offset) = value;
}

void arch_timer_init(void)
{
    apic_write(APIC_SVR, APIC_ENABLED);
    apic_write(APIC_LINT0, APIC_MASKED);
    apic_write(APIC_TIMER, ARCH_TICK_VECTOR);
    apic_write(APIC_DIVIDE, APIC_DIVIDE_1);
    apic_write(APIC_INITIAL, TICK_NS);
}

uint64_t arch_time(void)
{
    return now;
}

void arch_timer_arm(uint64_t time)
{
    deadline = time;
}

/* A tick is acknowledged when it comes, a step has nothing to be. */
void arch_timer_acknowledge(void)
{
}

/* ---- for trap.c ---- */

uint64_t timer_trap(void)
{
    now += TRAP_TIME;
    return now;
}

bool timer_expired(void)
{
    return now >= deadline;
}

void timer_spend(void)
{
    now = deadline;
}

bool timer_tick(bool counts)
{
    apic_write(APIC_EOI, 0);
    apic_write(APIC_INITIAL, TICK_NS);
    if (!counts) {
        quiet_ticks = 0;
        return false;
    }
    quiet_ticks = now == time_of_tick ? quiet_ticks + 1 : 0;
    time_of_tick = now;
    if (quiet_ticks < QUIET_TICKS || quiet_ticks * TICK_NS < deadline - now) {
        return false;
    }
    timer_spend();
    return true;
}
