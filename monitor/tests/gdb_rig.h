/* A stub over a fake target, with the image of a real guest for names and places. */
#ifndef FAULTLINE_TESTS_GDB_RIG_H
#define FAULTLINE_TESTS_GDB_RIG_H

#include "fake_target.h"
#include "gdb/layout.h"
#include "gdb/stub.h"
#include "lane.h"
#include "plan.h"
#include "scratch.h"

enum { RIG_EVENT = 20 };

struct rig {
    struct session_options lane;
    struct fl_plan plan;
    struct fake_target *target;
    struct stub *stub;
};

static inline void rig_word(struct rig *rig, uint64_t address, uint32_t word)
{
    memcpy(guestmem_at(rig->target->base.memory, address - rig->target->arch->kernel, 4, 4), &word,
           4);
}

/* The kernel has a current thread: its first. */
static inline void rig_threads(struct rig *rig)
{
    GError *error = NULL;
    struct layout *layout = layout_open(rig->lane.image, &error);
    struct layout_array threads, run;
    struct layout_field current, state, path;
    g_assert_no_error(error);
    g_assert(layout_variable(layout, "threads", &threads) && layout_variable(layout, "run", &run) &&
             layout_field(layout, "run", "current", &current) &&
             layout_field(layout, "threads", "state", &state) &&
             layout_field(layout, "threads", "path", &path));
    rig_word(rig, run.address + current.offset, (uint32_t)threads.address);
    for (uint32_t i = 0; i < 2; i++) {
        rig_word(rig, threads.address + i * threads.element + state.offset, 1 + i);
        rig_word(rig, threads.address + i * threads.element + path.offset, (1 + i) << 24);
    }
    layout_close(layout);
}

static inline struct rig *rig_open(void)
{
    GError *error = NULL;
    struct rig *rig = g_new0(struct rig, 1);
    rig->lane = lane_open("qemu");
    const struct gdb_arch *arch = gdb_arch(rig->lane.image->arch);
    const struct fl_scenario *scenario = &rig->lane.image->scenarios[0];
    plan_init(&rig->plan, scenario, 0, 0);
    const struct gdb_target_config config = {rig->lane.image, arch, rig->lane.backend, &rig->plan};
    struct view *view = view_open(rig->lane.image, arch, scenario, &error);
    g_assert_no_error(error);
    struct history *history = history_open(&fake_ops, &config, NULL, 0, &error);
    g_assert_no_error(error);
    rig->target = fake_of(history_target(history));
    view_attach(view, rig->target->base.memory);
    const struct stub_config stub = {rig->lane.image, arch, scenario, &rig->plan, RIG_EVENT, NULL};
    rig->stub = stub_open(&stub, history, view);
    rig_threads(rig);
    return rig;
}

static inline void rig_close(struct rig *rig)
{
    stub_close(rig->stub);
    image_close((struct image *)rig->lane.image);
    g_free(rig);
}

#endif
