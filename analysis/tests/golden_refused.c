/* Stories in which core refuses as the plan has it: what it had in use before and after. */
#include "golden.h"

/* Frames and table entries in use. */
struct in_use {
    uint32_t frames, entries;
};

static void tell_totals(struct story *story, struct in_use in_use, uint32_t after)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_MARK);
    story_say(story, FL_EVENT_TOTALS, FL_PATH_CORE, in_use.frames, in_use.entries, after);
}

/* main asks for RAM, of which there is none; core has this in use then. */
static void refuse_ram(struct story *story, struct in_use after)
{
    story_begin(story);
    story_call(story, STORY_MAIN, FL_LABEL_RAM_ALLOC);
    story_entry(story, FL_PATH_CORE, FL_POINT_MARK);
    story_say(story, FL_EVENT_REFUSE, FL_PATH_CORE, 0, FL_FAIL_SLAB, 3);
    tell_totals(story, (struct in_use){4, 20}, 0);
    tell_totals(story, after, 1);
    story_answer(story, STORY_MAIN, FL_ERROR_NO_MEMORY);
}

/* main says that it cannot go on, and does not. */
static void give_up(struct story *story)
{
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_ERROR, 0, FL_ERROR_NO_MEMORY, 0);
    story_entry(story, STORY_MAIN, FL_POINT_THREAD_HALT);
    story_say(story, FL_EVENT_THREAD_HALT, STORY_MAIN, 0, FL_HALT_UNCAUGHT_ERROR, 0);
    story_end(story, FL_OUTCOME_EXITED);
}

void golden_refused_undone(struct story *story)
{
    refuse_ram(story, (struct in_use){4, 20});
    give_up(story);
}

static void frame_left(struct story *story)
{
    refuse_ram(story, (struct in_use){5, 20});
    give_up(story);
}

static void entry_left(struct story *story)
{
    refuse_ram(story, (struct in_use){4, 21});
    give_up(story);
}

static void frame_gone(struct story *story)
{
    refuse_ram(story, (struct in_use){3, 20});
    give_up(story);
}

/* Nobody was refused anything when main gave up. */
static void gave_up_before(struct story *story)
{
    story_begin(story);
    give_up(story);
}

/* What is refused to one is no excuse for an exception of another. */
static void exception(struct story *story)
{
    refuse_ram(story, (struct in_use){4, 20});
    story_entry(story, STORY_MAIN, FL_POINT_EXCEPTION);
    story_say(story, FL_EVENT_THREAD_HALT, STORY_MAIN, 0, FL_HALT_EXCEPTION, 0);
    story_end(story, FL_OUTCOME_EXITED);
}

/* Nor for core, which has no pager. */
static void core_halts(struct story *story)
{
    story_begin(story);
    story_call(story, STORY_MAIN, FL_LABEL_RAM_ALLOC);
    story_entry(story, FL_PATH_CORE, FL_POINT_MARK);
    story_say(story, FL_EVENT_REFUSE, FL_PATH_CORE, 0, FL_FAIL_SLAB, 3);
    story_entry(story, FL_PATH_CORE, FL_POINT_FAULT);
    story_say(story, FL_EVENT_THREAD_HALT, FL_PATH_CORE, 0, FL_HALT_NO_PAGER, 0);
    story_end(story, FL_OUTCOME_DEADLOCK);
}

const struct golden golden_refused_violating[] = {
    {"nothing-leaked-frame", "nothing-leaked", frame_left, STORY_PLAIN},
    {"nothing-leaked-entry", "nothing-leaked", entry_left, STORY_PLAIN},
    {"nothing-leaked-given-twice", "nothing-leaked", frame_gone, STORY_PLAIN},
    {"outcome-as-declared-gave-up", "outcome-as-declared", gave_up_before, STORY_PLAIN},
    {"outcome-as-declared-core", "outcome-as-declared", core_halts, STORY_PLAIN},
    {"outcome-as-declared-exception", "outcome-as-declared", exception, STORY_PLAIN},
    {0},
};
