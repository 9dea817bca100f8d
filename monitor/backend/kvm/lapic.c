/* Reference: Intel SDM volume 3, chapter 11, "Advanced Programmable Interrupt Controller". */
#include "lapic.h"

#define MASKED      (1u << 16)
#define MODE        (3u << 17) /* of the timer: 0 is one-shot */
#define VECTOR      0xffu
#define DIVIDE_BITS 0xbu
#define DIVIDE_BY_1 0xbu

struct lapic lapic_reset(void)
{
    return (struct lapic){.lvt_timer = MASKED};
}

/* Bits 3, 1 and 0 are one number: 0 divides by 2, 6 by 128, 7 by 1. */
static unsigned shift(uint32_t divide)
{
    unsigned code = (divide & 3) | ((divide & 8) >> 1);
    return divide == DIVIDE_BY_1 ? 0 : code + 1;
}

bool lapic_write(struct lapic *lapic, uint32_t offset, uint32_t value, uint64_t *count)
{
    switch (offset) {
    case LAPIC_EOI:
        lapic->in_service = false;
        return true;
    case LAPIC_SVR:
    case LAPIC_LVT_LINT0: /* nothing is wired to it */
        return true;
    case LAPIC_LVT_TIMER:
        lapic->lvt_timer = value;
        return (value & MODE) == 0;
    case LAPIC_DIVIDE:
        lapic->divide = value & DIVIDE_BITS;
        return true;
    case LAPIC_INITIAL_COUNT:
        *count = (uint64_t)value << shift(lapic->divide);
        return true;
    default:
        return false;
    }
}

void lapic_fire(struct lapic *lapic)
{
    if ((lapic->lvt_timer & MASKED) == 0)
        lapic->pending = true;
}

bool lapic_wants(const struct lapic *lapic)
{
    return lapic->pending && !lapic->in_service;
}

uint8_t lapic_deliver(struct lapic *lapic)
{
    lapic->pending = false;
    lapic->in_service = true;
    return (uint8_t)(lapic->lvt_timer & VECTOR);
}
