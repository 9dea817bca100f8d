/* Physical memory: the pool of frames, and lists of frames by page index. */
#ifndef FAULTLINE_CORE_FRAMES_H
#define FAULTLINE_CORE_FRAMES_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"

/* The frames that back something, by page index; {0} is empty. */
struct frame_list {
    uint16_t first;
};

void frames_init(void);

/* A zeroed frame: the one freed last, or the lowest never used. 0: none is left. */
uint32_t frame_alloc(void);
/* The same, but the frame of that number among the homes if it is not taken: whose home it is gets
 * the same one whatever others do (lane.h). */
#define HOME_FRAMES 256u
uint32_t frame_alloc_home(uint32_t home);
/* `count` frames in a row, never used before and not zeroed, never to be freed; 0: not as many are
 * left. */
uint32_t frame_alloc_row(uint32_t count);
/* `count` frames of a row may be freed from now on. */
void frame_row_loosen(uint32_t count);
void frame_free(uint32_t frame);

/* Without those of rows. */
uint32_t frames_in_use(void);

/* Whether what it holds was written and has to be put back, until it is freed. */
void frame_set_dirty(uint32_t frame);
bool frame_is_dirty(uint32_t frame);

/* The frame's place in the pool, from 0. */
uint32_t frame_index(uint32_t frame);
/* Where core sees the frame: all of FL_FRAMES is mapped at FL_WINDOW_BASE. */
void *frame_memory(uint32_t frame);

/* The frame of page `page`, or 0. */
uint32_t frame_list_find(const struct frame_list *list, uint32_t page);
void frame_list_add(struct frame_list *list, uint32_t page, uint32_t frame);
/* Takes the page out that was added last. 0: there is none. */
uint32_t frame_list_take(struct frame_list *list, uint32_t *page);
/* Takes this page out. 0: it is not in the list. */
uint32_t frame_list_remove(struct frame_list *list, uint32_t page);
/* Whether each page of the list is in the other, too. */
bool frame_list_within(const struct frame_list *list, const struct frame_list *other);

#endif
