#include "birth.h"

#include "abi.h"
#include "model.h"

static const struct thread_birth *birth_of(const struct engine *engine, uint32_t thread)
{
    size_t n;
    const struct thread_birth *births = engine_births(engine, &n);

    for (size_t i = 0; i < n; i++)
        if (births[i].thread == thread)
            return &births[i];
    return NULL;
}

bool birth_orders(const struct engine *engine, uint32_t before, uint32_t first, uint32_t last,
                  uint32_t after)
{
    for (uint32_t thread = after; thread != FL_PATH_KERNEL; thread = model_parent_path(thread)) {
        const struct thread_birth *birth = birth_of(engine, thread);
        if (!birth)
            continue;
        if (before == model_parent_path(thread) && last < birth->request)
            return true;
        if (before == FL_PATH_CORE && first >= birth->request && last < birth->span)
            return true;
    }
    return false;
}
