/* Starting core: the pager gets its program, the pool of frames, and an info page that tells it
 * which scenario to start. What core is made of comes from the head of the pool. */

#include "kernel.h"

/* From the linker script: core first, then the scenarios in the order of their descriptors. */
extern const struct program_segments programs[];
extern const struct fl_scenario scenarios[];

/* First frame of the pool not yet given away. */
struct pool {
    uint32_t next;
};

static uint32_t pool_take(struct pool *pool, uint32_t pages)
{
    uint32_t frame = pool->next;
    pool->next += pages;
    return frame;
}

static void clear(uint32_t frame, uint32_t pages)
{
    memset(arch_frame_address(frame), 0, pages * FL_PAGE_SIZE);
}

static void copy(uint32_t to, uint32_t from, uint32_t pages)
{
    memcpy(arch_frame_address(to), arch_frame_address(from), pages * FL_PAGE_SIZE);
}

static bool map_core(uint32_t address, uint32_t frame, uint32_t pages, uint32_t rights)
{
    for (uint32_t i = 0; i < pages; i++) {
        struct arch_mapping mapping = {frame + i, rights};
        if (!arch_map(FL_SPACE_CORE, address + i * FL_PAGE_SIZE, mapping)) {
            return false;
        }
    }
    return true;
}

static bool map_program(const struct program_segments *program, struct pool *pool)
{
    uint32_t data = pool_take(pool, program->data_pages);
    uint32_t bss = pool_take(pool, program->bss_pages);
    copy(data, program->data_frame, program->data_pages);
    clear(bss, program->bss_pages);
    return map_core(program->text_base, program->text_frame, program->text_pages, FL_RIGHTS_RX) &&
           map_core(program->data_base, data, program->data_pages, FL_RIGHTS_RW) &&
           map_core(program->bss_base, bss, program->bss_pages, FL_RIGHTS_RW);
}

static uint32_t servers_of(const struct fl_scenario *scenario)
{
    uint32_t servers = 0;
    for (uint32_t i = 0; i < scenario->n_domains; i++) {
        servers |= scenario->domains[i].server << i;
    }
    return servers;
}

static void write_info(uint32_t frame, const struct pool *pool)
{
    struct info *page = arch_frame_address(frame);
    const struct fl_plan *plan = run.plan;
    const struct fl_scenario *scenario = &scenarios[plan->scenario];
    page->scenario = plan->scenario;
    page->variant = plan->variant;
    for (unsigned i = 0; i < FL_MAX_PARAMS; i++) {
        page->params[i] = plan->params[i];
    }
    page->frames_first = pool->next;
    page->frames_count =
        ((FL_FRAMES_OFFSET + FL_FRAMES_SIZE) >> FL_PAGE_SHIFT) - page->frames_first;
    page->program = programs[1 + plan->scenario];
    page->n_domains = scenario->n_domains;
    page->fails = run.fails;
    page->n_failures = plan->n_failures;
    for (unsigned i = 0; i < FL_MAX_FAILURES; i++) {
        page->failures[i] = plan->failures[i];
    }
    page->server_domains = servers_of(scenario);
}

bool start_core(void)
{
    const struct program_segments *program = &programs[0];
    struct pool pool = {FL_FRAMES_OFFSET >> FL_PAGE_SHIFT};
    uint32_t info_frame = pool_take(&pool, 1);
    uint32_t utcb_frame = pool_take(&pool, 1);
    clear(info_frame, 2);
    if (!map_program(program, &pool) || !map_core(FL_INFO_BASE, info_frame, 1, FL_RIGHTS_R)) {
        return false;
    }
    arch_map_sections(FL_SPACE_CORE, FL_WINDOW_BASE, FL_FRAMES_OFFSET >> FL_PAGE_SHIFT,
                      FL_FRAMES_SIZE);
    write_info(info_frame, &pool);
    struct sys_thread_args args = {
        .space = FL_SPACE_CORE,
        .ip = program->entry,
        .utcb_frame = utcb_frame,
        .flags = SYS_THREAD_SERVER,
    };
    struct thread *core = thread_new(NULL, &args);
    if (core == NULL || core->id != SYS_CORE) {
        return false;
    }
    trace_space(FL_EVENT_THREAD_CREATE, FL_PATH_KERNEL, FL_SPACE_KERNEL, core->path, core->index,
                core->space);
    return true;
}
