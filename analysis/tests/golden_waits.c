/* Stories about wait queues and mutexes of a server: clean ones, and what goes wrong. */
#include "golden.h"

enum { QUEUE = 1, MUTEX = 2, PAGE = 3, SUM = 0x1234 };

static void deed(struct story *story, uint32_t who, uint32_t what, uint32_t object)
{
    story_entry(story, story->running, FL_POINT_MARK);
    story_say(story, FL_EVENT_MARK_DEED, story->running, who, what, object);
}

static void begin(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
}

static void end(struct story *story)
{
    story_exit(story, STORY_T1);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* main looks and sleeps, t1 wakes it. */
void golden_waits_woken(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_LOOKS, QUEUE);
    deed(story, STORY_MAIN, FL_DEED_SLEEPS, QUEUE);
    deed(story, STORY_T1, FL_DEED_WAKES, QUEUE);
    deed(story, STORY_MAIN, FL_DEED_IS_AWAKE, QUEUE);
    end(story);
}

/* main gives up the mutex and sleeps; t1 takes it, wakes main, which waits for it then. */
void golden_waits_unlocked(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_HAS, MUTEX);
    deed(story, STORY_MAIN, FL_DEED_LOOKS, QUEUE);
    deed(story, STORY_MAIN, FL_DEED_GIVES, MUTEX);
    deed(story, STORY_T1, FL_DEED_HAS, MUTEX);
    deed(story, STORY_MAIN, FL_DEED_SLEEPS, QUEUE);
    deed(story, STORY_T1, FL_DEED_WAKES, QUEUE);
    deed(story, STORY_MAIN, FL_DEED_IS_AWAKE, QUEUE);
    deed(story, STORY_MAIN, FL_DEED_WANTS, MUTEX);
    deed(story, STORY_T1, FL_DEED_GIVES, MUTEX);
    deed(story, STORY_MAIN, FL_DEED_HAS, MUTEX);
    deed(story, STORY_MAIN, FL_DEED_GIVES, MUTEX);
    end(story);
}

/* Two messages, heard in another order. */
void golden_waits_heard(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_SAYS, SUM);
    deed(story, STORY_T1, FL_DEED_SAYS, SUM + 1);
    deed(story, STORY_T1, FL_DEED_IS_HEARD, SUM + 1);
    deed(story, STORY_MAIN, FL_DEED_IS_HEARD, SUM);
    end(story);
}

void golden_waits_obtained(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_OBTAINS, PAGE);
    deed(story, STORY_MAIN, FL_DEED_USES, PAGE);
    deed(story, STORY_T1, FL_DEED_OBTAINS, PAGE + 1);
    deed(story, STORY_T1, FL_DEED_USES, PAGE + 1);
    deed(story, STORY_MAIN, FL_DEED_OBTAINS, PAGE);
    end(story);
}

static void heard_otherwise(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_SAYS, SUM);
    deed(story, STORY_MAIN, FL_DEED_IS_HEARD, SUM + 1);
    end(story);
}

static void page_used_unasked(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_USES, PAGE);
    end(story);
}

static void page_inherited(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_OBTAINS, PAGE);
    deed(story, STORY_T1, FL_DEED_USES, PAGE);
    end(story);
}

static void page_given_twice(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_OBTAINS, PAGE);
    deed(story, STORY_T1, FL_DEED_OBTAINS, PAGE);
    end(story);
}

static void woken_between(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_LOOKS, QUEUE);
    deed(story, STORY_T1, FL_DEED_WAKES, QUEUE);
    deed(story, STORY_MAIN, FL_DEED_SLEEPS, QUEUE);
    end(story);
}

static void wanted_of_sleeper(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_HAS, MUTEX);
    deed(story, STORY_MAIN, FL_DEED_SLEEPS, QUEUE);
    deed(story, STORY_T1, FL_DEED_WANTS, MUTEX);
    end(story);
}

static void asleep_while_wanted(struct story *story)
{
    begin(story);
    deed(story, STORY_MAIN, FL_DEED_HAS, MUTEX);
    deed(story, STORY_T1, FL_DEED_WANTS, MUTEX);
    deed(story, STORY_MAIN, FL_DEED_SLEEPS, QUEUE);
    end(story);
}

const struct golden golden_waits_violating[] = {
    {"message-intact-otherwise", "message-intact", heard_otherwise, STORY_PLAIN},
    {"message-page-own-unasked", "message-page-own", page_used_unasked, STORY_PLAIN},
    {"message-page-own-inherited", "message-page-own", page_inherited, STORY_PLAIN},
    {"message-page-own-twice", "message-page-own", page_given_twice, STORY_PLAIN},
    {"sleeper-holds-no-mutex-wanted", "sleeper-holds-no-mutex", wanted_of_sleeper, STORY_PLAIN},
    {"sleeper-holds-no-mutex-sleeps", "sleeper-holds-no-mutex", asleep_while_wanted, STORY_PLAIN},
    {"wakeup-not-lost-between", "wakeup-not-lost", woken_between, STORY_PLAIN},
    {0},
};
