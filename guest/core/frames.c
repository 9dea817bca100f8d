#include "frames.h"
#include "audit.h"
#include "info.h"
#include "memory.h"
#include "refusal.h"

#define POOL_FRAMES (FL_FRAMES_SIZE / FL_PAGE_SIZE)
#define NOBODY      0 /* links count frames from 1 */

/* A frame is in one list at most: the free one, or that of what it backs. */
static struct {
    uint16_t next; /* link to the next frame of the list */
    uint16_t page; /* index of the page that it backs */
} links[POOL_FRAMES];

/* The last frames of the pool are homes, a bit for each that is taken; the others are handed out in
 * turn. */
static uint32_t homes_taken[HOME_FRAMES / 32];
static uint32_t at_home; /* how many are taken */

static uint16_t freed;      /* link to the frame freed last */
static uint32_t never_used; /* index of the lowest frame never handed out */
static uint32_t pool_first; /* frame number of index 0 */
static uint32_t pool_frames;
static uint32_t fixed; /* frames that stay what they are until the run ends */

AUDIT_FIELD(FRAME_NEXT, links, next);
AUDIT_FIELD(FRAME_PAGE, links, page);
AUDIT_NUMBER(FRAMES_FIRST, pool_first);
AUDIT_NUMBER(FRAMES_USED, never_used);
AUDIT_NUMBER(FRAMES_FREED, freed);
AUDIT_NUMBER(FRAMES_FIXED, fixed);
AUDIT_NUMBER(FRAMES_COUNT, pool_frames);
AUDIT_NUMBER(FRAMES_AT_HOME, at_home);
AUDIT_WORDS(FRAME_HOMES, homes_taken);

void frames_init(void)
{
    pool_first = info()->frames_first;
    pool_frames = info()->frames_count < POOL_FRAMES ? info()->frames_count : POOL_FRAMES;
}

uint32_t frame_index(uint32_t frame)
{
    return frame - pool_first;
}

static uint16_t link_of(uint32_t frame)
{
    return (uint16_t)(frame_index(frame) + 1);
}

static uint32_t frame_of(uint16_t link)
{
    return link == NOBODY ? 0 : pool_first + link - 1;
}

void *frame_memory(uint32_t frame)
{
    return (void *)(FL_WINDOW_BASE + frame * FL_PAGE_SIZE - FL_FRAMES_OFFSET);
}

/* The next frames that were never handed out. */
static uint32_t take_new(uint32_t count)
{
    if (count > pool_frames - HOME_FRAMES - never_used)
        return 0;
    uint32_t frame = pool_first + never_used;
    never_used += count;
    return frame;
}

uint32_t frame_alloc_row(uint32_t count)
{
    uint32_t frame = refused(FL_FAIL_FRAME) ? 0 : take_new(count);

    if (frame)
        fixed += count;
    return frame;
}

void frame_row_loosen(uint32_t count)
{
    fixed -= count;
}

static uint32_t take_home(uint32_t home)
{
    const uint32_t bit = 1u << home % 32;

    if (homes_taken[home / 32] & bit)
        return 0;
    homes_taken[home / 32] |= bit;
    at_home++;
    return pool_first + pool_frames - HOME_FRAMES + home;
}

static void leave_home(uint32_t home)
{
    homes_taken[home / 32] &= ~(1u << home % 32);
    at_home--;
}

static uint32_t take_in_turn(void)
{
    uint32_t frame = frame_of(freed);

    if (frame)
        freed = links[freed - 1].next;
    else
        frame = take_new(1);
    for (uint32_t home = 0; !frame && home < HOME_FRAMES; home++)
        frame = take_home(home);
    return frame;
}

static uint32_t zeroed(uint32_t frame)
{
    if (frame)
        memset(frame_memory(frame), 0, FL_PAGE_SIZE);
    return frame;
}

uint32_t frame_alloc(void)
{
    return refused(FL_FAIL_FRAME) ? 0 : zeroed(take_in_turn());
}

uint32_t frame_alloc_home(uint32_t home)
{
    if (refused(FL_FAIL_FRAME))
        return 0;
    uint32_t frame = take_home(home % HOME_FRAMES);

    return zeroed(frame ? frame : take_in_turn());
}

/* A bit for each frame. */
static uint32_t dirty[POOL_FRAMES / 32];

void frame_set_dirty(uint32_t frame)
{
    dirty[frame_index(frame) / 32] |= 1u << frame_index(frame) % 32;
}

bool frame_is_dirty(uint32_t frame)
{
    return dirty[frame_index(frame) / 32] >> frame_index(frame) % 32 & 1;
}

void frame_free(uint32_t frame)
{
    uint16_t link = link_of(frame);
    uint32_t index = frame_index(frame);

    dirty[index / 32] &= ~(1u << index % 32);
    if (index >= pool_frames - HOME_FRAMES) {
        links[link - 1].next = links[link - 1].page = 0;
        leave_home(index - (pool_frames - HOME_FRAMES));
        return;
    }
    links[link - 1].next = freed;
    freed = link;
}

uint32_t frames_in_use(void)
{
    uint32_t idle = 0;

    for (uint16_t link = freed; link != NOBODY; link = links[link - 1].next)
        idle++;
    return never_used - fixed - idle + at_home;
}

/* A walk: a stack has a page or two, and the page touched last comes first. */
uint32_t frame_list_find(const struct frame_list *list, uint32_t page)
{
    uint16_t link = list->first;

    while (link != NOBODY && links[link - 1].page != page)
        link = links[link - 1].next;
    return frame_of(link);
}

void frame_list_add(struct frame_list *list, uint32_t page, uint32_t frame)
{
    uint16_t link = link_of(frame);

    links[link - 1].page = (uint16_t)page;
    links[link - 1].next = list->first;
    list->first = link;
}

uint32_t frame_list_take(struct frame_list *list, uint32_t *page)
{
    uint16_t link = list->first;

    if (link != NOBODY) {
        *page = links[link - 1].page;
        list->first = links[link - 1].next;
    }
    return frame_of(link);
}

uint32_t frame_list_remove(struct frame_list *list, uint32_t page)
{
    uint16_t *at = &list->first, link;

    while (*at != NOBODY && links[*at - 1].page != page)
        at = &links[*at - 1].next;
    if ((link = *at) != NOBODY)
        *at = links[link - 1].next;
    return frame_of(link);
}

bool frame_list_within(const struct frame_list *list, const struct frame_list *other)
{
    uint16_t link = list->first;

    while (link != NOBODY && frame_list_find(other, links[link - 1].page))
        link = links[link - 1].next;
    return link == NOBODY;
}
