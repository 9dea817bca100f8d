/* The guest's threads and memory, as its kernel keeps them in RAM, while it stands still.
 *
 * Threads are known by a number from 1, their index in the kernel's table + 1. Read without trust:
 * the guest may be out of its mind. */
#ifndef FAULTLINE_GDB_VIEW_H
#define FAULTLINE_GDB_VIEW_H

#include <glib.h>
#include <stdbool.h>
#include "arch.h"
#include "guestmem.h"
#include "image.h"

struct view;

/* What the number 0 stands for: the kernel, before any thread. As gdb sees it. */
#define VIEW_KERNEL (FL_MAX_THREADS + 1u)

/* All must outlive the view. */
struct view *view_open(const struct image *image, const struct gdb_arch *arch,
                       const struct fl_scenario *scenario, GError **error);
void view_close(struct view *view);
/* Where RAM is; another guest has another. */
void view_attach(struct view *view, struct guestmem *memory);

/* Whose registers the processor holds: who runs, or whom the kernel works for. */
unsigned view_current(const struct view *view);
/* Whether gdb may ask about it: alive, or halted, or the kernel when it is current. */
bool view_is_thread(const struct view *view, unsigned thread);
/* "main.1"; and what it does: "ready", "waits to send to core". */
void view_name(const struct view *view, unsigned thread, GString *out);
void view_state(const struct view *view, unsigned thread, GString *out);

/* The registers that the kernel keeps of a thread that is not current. */
bool view_registers(const struct view *view, unsigned thread, uint8_t *bytes);
/* Where in RAM it keeps one; false: it does not. */
bool view_register_at(const struct view *view, unsigned thread, size_t number, uint64_t *physical);

/* Reads as much as is mapped in the thread's space, and the kernel's half. Returns how much. */
size_t view_read(const struct view *view, unsigned thread, uint64_t address, uint8_t *bytes,
                 size_t size);
/* The physical address of what is mapped there; false: nothing. */
bool view_physical(const struct view *view, unsigned thread, uint64_t address, uint64_t *physical);

#endif
