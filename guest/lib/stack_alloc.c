#include "stack_alloc.h"
#include "thread.h"

bool stack_attach(uint32_t base, uint32_t stack_size, struct thread *thread)
{
    uint32_t at = base + FL_SLOT_SIZE - stack_size;

    if (core_ram_alloc(stack_size, &thread->dataspace) != FL_ERROR_OK)
        return false;
    if (core_attach_at(CORE_MAP_CONTEXT, thread->dataspace, at - FL_CONTEXT_BASE, stack_size,
                       FL_RIGHTS_RW) != FL_ERROR_OK) {
        core_ram_free(thread->dataspace);
        return false;
    }
    stack_mark(FL_EVENT_MARK_ATTACH, base, stack_size, thread);
    return true;
}

/* Detach, then free the RAM; the slot comes last, by the caller. The other way round a new owner's
 * stack is torn down by the old owner's detach (Genode issue 549). */
void stack_detach(struct thread *thread)
{
    uint32_t base = stack_slot_of(thread->context);
    uint32_t at = base + FL_SLOT_SIZE - thread->stack_size;

    stack_mark(FL_EVENT_MARK_DETACH, base, thread->stack_size, thread);
    core_detach(CORE_MAP_CONTEXT, at - FL_CONTEXT_BASE);
    core_ram_free(thread->dataspace);
}

/* ---- One bit for each slot, set and cleared under a lock: whoever looks next sees it ---- */

#define WORD_BITS 32u

static struct lock slots_lock;
static uint32_t slots_taken[STACK_SLOTS / WORD_BITS];

/* The lowest free slot, or STACK_SLOTS. */
static uint32_t lowest_free(void)
{
    uint32_t slot = 0;

    while (slot < STACK_SLOTS && (slots_taken[slot / WORD_BITS] >> slot % WORD_BITS & 1))
        slot++;
    return slot;
}

static uint32_t slot_take(uint32_t stack_size, const struct thread *thread)
{
    sys_lock(&slots_lock);
    uint32_t slot = lowest_free();
    if (slot < STACK_SLOTS) {
        slots_taken[slot / WORD_BITS] |= 1u << slot % WORD_BITS;
        stack_mark(FL_EVENT_MARK_RESERVE, stack_slot_base(slot), stack_size, thread);
    }
    sys_unlock(&slots_lock);
    return slot;
}

static void slot_give_back(uint32_t slot, uint32_t stack_size, const struct thread *thread)
{
    sys_lock(&slots_lock);
    stack_mark(FL_EVENT_MARK_FREE, stack_slot_base(slot), stack_size, thread);
    slots_taken[slot / WORD_BITS] &= ~(1u << slot % WORD_BITS);
    sys_unlock(&slots_lock);
}

static struct context *bit_alloc(struct thread *thread, uint32_t stack_size)
{
    uint32_t slot = slot_take(stack_size, thread);

    if (slot == STACK_SLOTS)
        return NULL;
    if (!stack_attach(stack_slot_base(slot), stack_size, thread)) {
        slot_give_back(slot, stack_size, thread);
        return NULL;
    }
    return stack_context(stack_slot_base(slot));
}

static void bit_free(struct thread *thread)
{
    uint32_t slot = (stack_slot_of(thread->context) - FL_CONTEXT_BASE) / FL_SLOT_SIZE;

    stack_detach(thread);
    slot_give_back(slot, thread->stack_size, thread);
}

const struct stack_allocator_ops stack_bit_allocator = {.alloc = bit_alloc, .free = bit_free};

const struct stack_allocator_ops *stack_allocator;
