/* The parts of the model among themselves: each takes in the events of its subject. When one of
 * these is called the event's thread lives and is model->now.thread, or is the kernel. */
#ifndef FAULTLINE_MODEL_UPDATE_H
#define FAULTLINE_MODEL_UPDATE_H

#include "model.h"

void model_complain(struct model *model, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static inline uint64_t model_key(uint16_t space, uint64_t value)
{
    return (uint64_t)space << 48 | (value & 0xffffffffffffu);
}

typedef void model_update(struct model *model, const struct fl_event *event);

model_update model_thread_create, model_thread_exit, model_thread_halt, model_entry,
    model_interrupt, model_preempt, model_switch;
model_update model_ipc_send, model_ipc_deliver, model_ipc_wait, model_ipc_reply, model_ipc_error;
model_update model_lock, model_lock_block, model_unlock, model_join, model_join_block,
    model_suspend, model_suspended, model_suspend_end, model_resume;
model_update model_fault_raise, model_fault_deliver, model_fault_park, model_fault_duplicate,
    model_fault_reply, model_fault_resume, model_fault_report;
model_update model_map, model_unmap, model_protect;
model_update model_object_create, model_object_delete, model_object_behind, model_object_counts,
    model_page_own, model_page_give, model_page_back, model_area_create, model_area_delete,
    model_area_show;
model_update model_reserve, model_slot_mark, model_error;

/* The faults of a thread that was put on halt end with it. */
void model_fault_halted(struct model *model, struct model_thread *thread);

/* Something that the thread asked for was refused: if that was for a slot that it only reserved, or
 * the thread for one that is ready, the slot is to go back as it is. False: it was for none. */
bool model_reserve_failed(struct model *model, struct model_thread *thread);
void model_reserve_refused(struct model *model, struct model_thread *thread);

#endif
