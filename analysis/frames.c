#include "frames.h"
#include <string.h>

#define SPACES 32u /* that a set has bits for */

void frames_init(struct frames *frames)
{
    table_init(&frames->frame_of);
    frames->lives = g_array_new(FALSE, FALSE, sizeof(struct frame_life));
}

void frames_free(struct frames *frames)
{
    table_free(&frames->frame_of);
    g_array_free(frames->lives, TRUE);
}

void frames_clear(struct frames *frames)
{
    memset(frames->frames, 0, sizeof(frames->frames));
    table_clear(&frames->frame_of);
    g_array_set_size(frames->lives, 0);
    frames->sharing = 0;
}

static void new_life(struct frames *frames, uint32_t number, uint32_t spans)
{
    const struct frame_life life = {.frame = number, .span = spans};

    g_array_append_val(frames->lives, life);
    frames->frames[number] = (struct frame){0};
}

static void unmapped(struct frames *frames, uint32_t number, uint32_t spans)
{
    if (--frames->frames[number].mappings == 0)
        new_life(frames, number, spans);
}

/* Spaces that no set has a bit for share with all. */
static void use(struct frames *frames, struct frame *frame, const struct fl_event *event)
{
    frame->spaces |= event->space < SPACES ? 1u << event->space : UINT32_MAX;
    frame->writable |= (event->arg & FL_RIGHTS_RW) == FL_RIGHTS_RW;
    if (frame->writable && (frame->spaces & (frame->spaces - 1)) != 0)
        frames->sharing |= frame->spaces;
}

static void mapped(struct frames *frames, const struct fl_event *event, uint32_t *slot,
                   uint32_t spans)
{
    struct frame *frame = &frames->frames[event->aux];

    if (*slot != event->aux + 1) {
        if (frame->mappings == 0)
            new_life(frames, event->aux, spans);
        frame->mappings++;
        if (*slot != 0)
            unmapped(frames, *slot - 1, spans);
        *slot = event->aux + 1;
    }
    use(frames, frame, event);
}

void frames_event(struct frames *frames, const struct fl_event *event, uint32_t spans)
{
    uint16_t id = fl_event_id(event);

    if (id != FL_EVENT_MAP && id != FL_EVENT_UNMAP && id != FL_EVENT_PROTECT)
        return;
    uint64_t page = (event->addr & UINT32_MAX) >> FL_PAGE_SHIFT;
    uint32_t *slot = table_put(&frames->frame_of, (uint64_t)event->space << 32 | page);
    if (id == FL_EVENT_MAP && event->aux < FRAMES) {
        mapped(frames, event, slot, spans);
    } else if (id == FL_EVENT_PROTECT && *slot != 0) {
        use(frames, &frames->frames[*slot - 1], event);
    } else if (id == FL_EVENT_UNMAP && *slot != 0) {
        unmapped(frames, *slot - 1, spans);
        *slot = 0;
    }
}
