/* Sequential specifications. A new one: its rows in guest/abi/specs.def, a function for each of its
 * operations, and their rows in operations[]. */
#include "specs.h"
#include <glib.h>
#include <string.h>

static enum spec_step holds(bool possible)
{
    return possible ? SPEC_DONE : SPEC_IMPOSSIBLE;
}

static bool came_to(const struct spec_call *call, uint32_t result)
{
    return !call->ended || call->result == result;
}

static enum spec_step insert(struct spec_state *state, uint32_t at, uint32_t value)
{
    if (state->n == SPEC_MAX_VALUES)
        return SPEC_FULL;
    memmove(&state->values[at + 1], &state->values[at], (state->n - at) * sizeof(uint32_t));
    state->values[at] = value;
    state->n++;
    return SPEC_DONE;
}

static void take_out(struct spec_state *state, uint32_t at)
{
    state->n--;
    memmove(&state->values[at], &state->values[at + 1], (state->n - at) * sizeof(uint32_t));
    state->values[state->n] = 0;
}

/* Of a sorted set: where the value is, or belongs. */
static uint32_t position(const struct spec_state *state, uint32_t value)
{
    uint32_t at = 0;

    while (at < state->n && state->values[at] < value)
        at++;
    return at;
}

static bool has(const struct spec_state *state, uint32_t value)
{
    uint32_t at = position(state, value);

    return at < state->n && state->values[at] == value;
}

static enum spec_step register_write(struct spec_state *state, const struct spec_call *call)
{
    state->values[0] = call->argument;
    return SPEC_DONE;
}

static enum spec_step register_read(struct spec_state *state, const struct spec_call *call)
{
    return holds(came_to(call, state->values[0]));
}

static enum spec_step counter_add(struct spec_state *state, const struct spec_call *call)
{
    state->values[0] += call->argument;
    return holds(came_to(call, state->values[0]));
}

static enum spec_step put(struct spec_state *state, const struct spec_call *call)
{
    return insert(state, state->n, call->argument);
}

static enum spec_step get(struct spec_state *state, const struct spec_call *call, uint32_t at)
{
    if (state->n == 0)
        return holds(came_to(call, FL_SPEC_NONE));
    if (!came_to(call, state->values[at]))
        return SPEC_IMPOSSIBLE;
    take_out(state, at);
    return SPEC_DONE;
}

static enum spec_step queue_get(struct spec_state *state, const struct spec_call *call)
{
    return get(state, call, 0);
}

static enum spec_step stack_get(struct spec_state *state, const struct spec_call *call)
{
    return get(state, call, state->n - 1);
}

static enum spec_step set_add(struct spec_state *state, const struct spec_call *call)
{
    bool new = !has(state, call->argument);

    if (!came_to(call, new))
        return SPEC_IMPOSSIBLE;
    return new ? insert(state, position(state, call->argument), call->argument) : SPEC_DONE;
}

static enum spec_step set_remove(struct spec_state *state, const struct spec_call *call)
{
    bool there = has(state, call->argument);

    if (there)
        take_out(state, position(state, call->argument));
    return holds(came_to(call, there));
}

static enum spec_step set_has(struct spec_state *state, const struct spec_call *call)
{
    return holds(came_to(call, has(state, call->argument)));
}

/* One that never ended may have taken any block, or none yet. */
static enum spec_step pool_take(struct spec_state *state, const struct spec_call *call)
{
    if (!call->ended)
        return SPEC_IMPOSSIBLE;
    if (call->result == FL_SPEC_NONE)
        return holds(state->n >= call->argument);
    if (call->result >= call->argument || has(state, call->result))
        return SPEC_IMPOSSIBLE;
    return insert(state, position(state, call->result), call->result);
}

static enum spec_step pool_give(struct spec_state *state, const struct spec_call *call)
{
    if (!has(state, call->argument))
        return SPEC_IMPOSSIBLE;
    take_out(state, position(state, call->argument));
    return SPEC_DONE;
}

static const struct {
    uint32_t operation;
    enum spec_step (*apply)(struct spec_state *state, const struct spec_call *call);
} operations[] = {
    {FL_OPERATION_REGISTER_WRITE, register_write}, {FL_OPERATION_REGISTER_READ, register_read},
    {FL_OPERATION_COUNTER_ADD, counter_add},       {FL_OPERATION_QUEUE_PUT, put},
    {FL_OPERATION_QUEUE_GET, queue_get},           {FL_OPERATION_STACK_PUT, put},
    {FL_OPERATION_STACK_GET, stack_get},           {FL_OPERATION_SET_ADD, set_add},
    {FL_OPERATION_SET_REMOVE, set_remove},         {FL_OPERATION_SET_HAS, set_has},
    {FL_OPERATION_POOL_TAKE, pool_take},           {FL_OPERATION_POOL_GIVE, pool_give},
};

enum spec_step spec_apply(struct spec_state *state, const struct spec_call *call)
{
    for (size_t i = 0; i < G_N_ELEMENTS(operations); i++)
        if (operations[i].operation == call->operation)
            return operations[i].apply(state, call);
    return SPEC_IMPOSSIBLE;
}

const char *spec_name(uint32_t operation)
{
    switch (operation >> 8) {
#define FL_SPEC(value, ID, text)                                                                   \
    case value:                                                                                    \
        return text;
#define FL_OPERATION(SPEC, value, ID, text)
#include "specs.def"
#undef FL_SPEC
#undef FL_OPERATION
    }
    return NULL;
}

const char *spec_operation_name(uint32_t operation)
{
    switch (operation) {
#define FL_SPEC(value, ID, text)
#define FL_OPERATION(SPEC, value, ID, text)                                                        \
    case FL_OPERATION_##SPEC##_##ID:                                                               \
        return text;
#include "specs.def"
#undef FL_SPEC
#undef FL_OPERATION
    }
    return NULL;
}
