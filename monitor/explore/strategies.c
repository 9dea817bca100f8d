#include "strategy.h"

#include <string.h>
#include "trace.h"

const struct strategy_ops *const strategies[] = {
    &strategy_dfs, &strategy_random, &strategy_replay, &strategy_minimise, NULL,
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
