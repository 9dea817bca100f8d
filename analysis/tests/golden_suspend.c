/* Stories about a thread that another suspends: a clean one, and what goes wrong. */
#include "golden.h"

enum { ASLEEP = 1, AT_END = 8, ALL = 15 }; /* check points */

static void sleeps(struct story *story)
{
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_MAIN, 0, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_YIELD);
    story_entry(story, STORY_T1, FL_POINT_IPC_RECEIVE);
    story_say(story, FL_EVENT_IPC_WAIT, STORY_T1, STORY_MAIN, 0, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
}

static void wish(struct story *story)
{
    story_entry(story, STORY_MAIN, FL_POINT_THREAD_SUSPEND);
    story_say(story, FL_EVENT_SUSPEND, STORY_MAIN, STORY_T1, ALL, 0);
}

static void fulfil(struct story *story, uint32_t check)
{
    story_say(story, FL_EVENT_SUSPENDED, STORY_T1, 0, check, 0);
    story_say(story, FL_EVENT_SUSPEND_END, STORY_MAIN, STORY_T1, FL_ERROR_OK, 0);
}

static void resume(struct story *story)
{
    story_entry(story, STORY_MAIN, FL_POINT_THREAD_SUSPEND);
    story_say(story, FL_EVENT_RESUME, STORY_MAIN, STORY_T1, 0, 0);
}

/* Its sleep is interrupted; then it stands at the end of a call; then it is gone. */
void golden_suspended(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    sleeps(story);
    wish(story);
    fulfil(story, ASLEEP);
    resume(story);
    wish(story);
    story_switch(story, STORY_T1, FL_SWITCH_BLOCK);
    fulfil(story, AT_END);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
    resume(story);
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_MAIN, 0, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_YIELD);
    story_entry(story, STORY_T1, FL_POINT_THREAD_EXIT);
    story_switch(story, STORY_MAIN, FL_SWITCH_PREEMPT);
    wish(story);
    story_switch(story, STORY_T1, FL_SWITCH_BLOCK);
    story_say(story, FL_EVENT_THREAD_EXIT, STORY_T1, 0, 0, 2);
    story_say(story, FL_EVENT_SUSPEND_END, STORY_MAIN, STORY_T1, FL_ERROR_PARTNER_GONE, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_EXIT);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void sleeps_on(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    sleeps(story);
    wish(story);
    story_end(story, FL_OUTCOME_DEADLOCK);
}

static void runs_on(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    wish(story);
    story_switch(story, STORY_T1, FL_SWITCH_BLOCK);
    story_exit(story, STORY_MAIN);
    story_say(story, FL_EVENT_SUSPEND_END, STORY_MAIN, STORY_T1, FL_ERROR_PARTNER_GONE, 0);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void runs_though_suspended(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    sleeps(story);
    wish(story);
    fulfil(story, ASLEEP);
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_switch(story, STORY_T1, FL_SWITCH_YIELD);
    story_exit(story, STORY_MAIN);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

const struct golden golden_suspend_violating[] = {
    {"never-half-suspended-sleeps", "never-half-suspended", sleeps_on, STORY_PLAIN},
    {"never-half-suspended-runs", "never-half-suspended", runs_on, STORY_PLAIN},
    {"never-half-suspended-stands", "never-half-suspended", runs_though_suspended, STORY_PLAIN},
    {0},
};
