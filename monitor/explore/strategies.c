#include "strategy.h"

#include <string.h>
#include "trace.h"

const struct strategy_ops *const strategies[] = {
    &strategy_auto,   &strategy_dfs,    &strategy_dpor,     &strategy_pct,
    &strategy_random, &strategy_sparse, &strategy_descent,  &strategy_stateful,
    &strategy_fail,   &strategy_replay, &strategy_minimise, NULL,
};

const struct strategy_ops *strategy_find(const char *id)
{
    for (size_t i = 0; strategies[i] != NULL; i++)
        if (strcmp(strategies[i]->id, id) == 0)
            return strategies[i];
    return NULL;
}

bool strategy_place(const struct place *place, unsigned depth)
{
    return place->n_ready > 0 && trace_point_depth(place->point) <= depth;
}

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014): neighbouring inputs give unrelated outputs. */
static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

uint32_t strategy_seed(uint64_t seed, uint64_t run)
{
    return (uint32_t)mix(mix(seed) + run) | 1;
}
