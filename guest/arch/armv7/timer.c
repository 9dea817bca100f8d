/* GICv2 (IHI 0048B) with one interrupt, the virtual timer's (DDI 0406C B8.1.5). */

#include "arch.h"
#include "../../kernel/kernel.h"

#define GICD      0xf8000000u
#define GICC      0xf8010000u
#define TIMER_IRQ 27u

static volatile uint32_t *device(uint32_t address)
{
    return (volatile uint32_t *)(uintptr_t)address;
}

void arch_timer_init(void)
{
    *device(GICD + 0x000) = 1;
    *device(GICD + 0x100) = 1u << TIMER_IRQ;
    *device(GICC + 0x004) = 0xff;
    *device(GICC + 0x000) = 1;
    __asm__ volatile("mcr p15, 0, %0, c14, c3, 1" ::"r"(1)); /* CNTV_CTL.ENABLE */
}

void arch_timer_arm(uint64_t time)
{
    __asm__ volatile("mcrr p15, 3, %0, %1, c14" ::"r"((uint32_t)time), "r"((uint32_t)(time >> 32)));
}

/* From the reading of the counter in vectors.S (resume_measured) to the first user instruction. */
#define INSTRUCTIONS_TO_USER 7u

uint64_t resume_delay HOT; /* read by vectors.S */
uint32_t resume_time HOT;  /* written by vectors.S: low half of the counter */

STATE_DROP(resume_delay);
STATE_DROP(resume_time);

static struct arch_frame *measured(struct arch_frame *frame)
{
    return (struct arch_frame *)((uintptr_t)frame | 1u);
}

struct arch_frame *arch_run_for(struct arch_frame *frame, uint32_t instructions)
{
    resume_delay = (uint64_t)instructions + INSTRUCTIONS_TO_USER;
    return measured(frame);
}

struct arch_frame *arch_run_until(struct arch_frame *frame, uint64_t time)
{
    resume_delay = time - arch_time();
    return measured(frame);
}

uint32_t arch_instructions(uint64_t trapped, uint32_t entry_cost)
{
    return (uint32_t)trapped - resume_time - INSTRUCTIONS_TO_USER - entry_cost;
}

void arch_timer_acknowledge(void)
{
    arch_timer_arm(UINT64_MAX >> 1);
    uint32_t interrupt = *device(GICC + 0x00c);
    *device(GICC + 0x010) = interrupt;
}
