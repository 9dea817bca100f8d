#include "view.h"

#include <string.h>
#include "gdb.h"
#include "guestwalk.h"
#include "layout.h"
#include "trace.h"

/* The fields of the kernel's variables that are read here. */
#define THREAD_FIELDS(F)                                                                           \
    F(frame)                                                                                       \
    F(state) F(path) F(space) F(partner) F(wait_address) F(n) F(k) F(fault) F(deferred)

#define STATES 16u

struct view {
    const struct image *image;
    const struct gdb_arch *arch;
    const struct fl_scenario *scenario;
    struct guestmem *memory;
    struct layout *layout;
    const char *states[STATES]; /* names of enum thread_state */
    struct layout_array threads, run, tables;
    struct layout_field current; /* of run */
    struct {
#define FIELD(name) struct layout_field name;
        THREAD_FIELDS(FIELD)
#undef FIELD
    } of;
};

static bool find_all(struct view *view)
{
    struct layout *layout = view->layout;
    bool found = layout_variable(layout, "threads", &view->threads) &&
                 layout_variable(layout, "run", &view->run) &&
                 layout_variable(layout, view->arch->tables, &view->tables) &&
                 layout_field(layout, "run", "current", &view->current);
#define FIELD(name) found = found && layout_field(layout, "threads", #name, &view->of.name);
    THREAD_FIELDS(FIELD)
#undef FIELD
    for (unsigned i = 0; i < STATES; i++)
        view->states[i] = layout_value_name(layout, "threads", "state", i);
    return found;
}

struct view *view_open(const struct image *image, const struct gdb_arch *arch,
                       const struct fl_scenario *scenario, GError **error)
{
    struct view *view = g_new0(struct view, 1);
    view->image = image;
    view->arch = arch;
    view->scenario = scenario;
    view->layout = layout_open(image, error);
    if (view->layout != NULL && find_all(view))
        return view;
    if (view->layout != NULL)
        g_set_error(error, GDB_ERROR, GDB_ERROR_UNABLE,
                    "%s keeps its threads otherwise than this program knows; rebuild both with "
                    "`make`",
                    image->path);
    view_close(view);
    return NULL;
}

void view_close(struct view *view)
{
    if (view == NULL)
        return;
    layout_close(view->layout);
    g_free(view);
}

void view_attach(struct view *view, struct guestmem *memory)
{
    view->memory = memory;
}

/* ---- the kernel's variables ---- */

static uint64_t kernel_word(const struct view *view, uint64_t address, size_t size)
{
    uint64_t word = 0;
    const void *at = guestmem_at(view->memory, address - view->arch->kernel, size, 1);
    if (at != NULL)
        memcpy(&word, at, MIN(size, sizeof word));
    return word;
}

static uint64_t thread_address(const struct view *view, unsigned thread)
{
    return view->threads.address + (thread - 1) * view->threads.element;
}

static uint64_t field(const struct view *view, unsigned thread, const struct layout_field *of)
{
    return kernel_word(view, thread_address(view, thread) + of->offset, of->size);
}

/* The number of the thread that a pointer of the kernel's is to; 0: none. */
static unsigned pointed_to(const struct view *view, uint64_t pointer)
{
    const uint64_t offset = pointer - view->threads.address;
    if (pointer < view->threads.address || offset % view->threads.element != 0 ||
        offset / view->threads.element >= view->threads.count)
        return 0;
    return (unsigned)(offset / view->threads.element) + 1;
}

unsigned view_current(const struct view *view)
{
    const unsigned thread = pointed_to(
        view, kernel_word(view, view->run.address + view->current.offset, view->current.size));
    return thread != 0 ? thread : VIEW_KERNEL;
}

static const char *state_of(const struct view *view, unsigned thread)
{
    const uint64_t state = field(view, thread, &view->of.state);
    return state < STATES && view->states[state] != NULL ? view->states[state] : "";
}

bool view_is_thread(const struct view *view, unsigned thread)
{
    if (thread == VIEW_KERNEL)
        return view_current(view) == VIEW_KERNEL;
    if (thread == 0 || thread > view->threads.count)
        return false;
    const char *state = state_of(view, thread);
    return thread == view_current(view) ||
           (strcmp(state, "THREAD_NONE") != 0 && strcmp(state, "THREAD_ENDED") != 0);
}

/* ---- what is said of them ---- */

static const char *name_of(const struct view *view, unsigned thread, char buffer[TRACE_NAME_MAX])
{
    const uint32_t path =
        thread == 0 || thread == VIEW_KERNEL ? 0 : (uint32_t)field(view, thread, &view->of.path);
    return trace_thread_name(view->scenario, path, buffer);
}

void view_name(const struct view *view, unsigned thread, GString *out)
{
    char buffer[TRACE_NAME_MAX];
    g_string_append(out, name_of(view, thread, buffer));
}

/* %s: the partner, or the lock. */
static const struct {
    const char *state, *text, *anybody;
} states[] = {
    {"THREAD_RUNNING", "running", NULL},
    {"THREAD_READY", "ready", NULL},
    {"THREAD_SENDING", "waits to send to %s", NULL},
    {"THREAD_RECEIVING", "waits for a message of %s", "waits for a message"},
    {"THREAD_CALLING", "waits for %s's reply", NULL},
    {"THREAD_LOCKING", "waits for lock %s", NULL},
    {"THREAD_JOINING", "waits for the end of %s", NULL},
    {"THREAD_SUSPENDING", "waits for %s to be suspended", NULL},
    {"THREAD_SUSPENDED", "suspended", NULL},
    {"THREAD_ENDED", "ended", NULL},
    {"THREAD_HALTED", "halted", NULL},
};

static void append_object(const struct view *view, unsigned thread, const char *state, GString *out)
{
    char buffer[TRACE_NAME_MAX];
    const uint64_t lock = field(view, thread, &view->of.wait_address);
    const unsigned partner = pointed_to(view, field(view, thread, &view->of.partner));
    if (strcmp(state, "THREAD_LOCKING") != 0)
        g_string_append(out, name_of(view, partner, buffer));
    else if (image_object(view->image, lock, buffer, sizeof buffer))
        g_string_append(out, buffer);
    else
        g_string_append_printf(out, "0x%" G_GINT64_MODIFIER "x", lock);
}

static void append_wait(const struct view *view, unsigned thread, const char *state,
                        const char *text, GString *out)
{
    const char *place = strstr(text, "%s");
    g_string_append_len(out, text, place != NULL ? place - text : (gssize)strlen(text));
    if (place == NULL)
        return;
    append_object(view, thread, state, out);
    g_string_append(out, place + 2);
}

void view_state(const struct view *view, unsigned thread, GString *out)
{
    if (thread == VIEW_KERNEL) {
        g_string_append(out, "no thread yet, or any more");
        return;
    }
    const char *state = state_of(view, thread);
    const bool anybody = pointed_to(view, field(view, thread, &view->of.partner)) == 0;
    for (size_t i = 0; i < G_N_ELEMENTS(states); i++) {
        if (strcmp(states[i].state, state) != 0)
            continue;
        const bool alone = anybody && states[i].anybody != NULL;
        append_wait(view, thread, state, alone ? states[i].anybody : states[i].text, out);
    }
    if (field(view, thread, &view->of.deferred) != 0)
        g_string_append(out, ", preempted on entry");
    g_string_append_printf(out, ", n %u", (unsigned)field(view, thread, &view->of.n));
    const uint64_t k = field(view, thread, &view->of.k),
                   fault = field(view, thread, &view->of.fault);
    if (k != 0)
        g_string_append_printf(out, " k %u", (unsigned)k);
    if (fault != 0)
        g_string_append_printf(out, ", fault %u", (unsigned)fault);
}

/* ---- registers, memory ---- */

bool view_register_at(const struct view *view, unsigned thread, size_t number, uint64_t *physical)
{
    const uint16_t saved = view->arch->registers[number].saved;
    if (thread == VIEW_KERNEL || saved == GDB_NOT_SAVED)
        return false;
    *physical = thread_address(view, thread) + view->of.frame.offset + saved - view->arch->kernel +
                view->arch->ram;
    return true;
}

bool view_registers(const struct view *view, unsigned thread, uint8_t *bytes)
{
    for (size_t i = 0; view->arch->registers[i].size != 0; i++) {
        const size_t size = view->arch->registers[i].size;
        uint64_t physical;
        const void *at = NULL;
        if (view_register_at(view, thread, i, &physical))
            at = guestmem_at(view->memory, physical - view->arch->ram, size, 1);
        if (at != NULL)
            memcpy(bytes, at, size);
        else
            memset(bytes, 0, size);
        bytes += size;
    }
    return thread != VIEW_KERNEL;
}

static struct guestwalk walk_of(const struct view *view, unsigned thread)
{
    const uint64_t space = thread == VIEW_KERNEL ? 0 : field(view, thread, &view->of.space);
    const uint64_t table = view->tables.address + space * view->tables.element;
    return guestwalk_begin(view->memory, view->image->header.arch,
                           table - view->arch->kernel + view->arch->ram);
}

static const uint8_t *byte_at(const struct view *view, struct guestwalk *walk, uint64_t address)
{
    if (address >= FL_USER_END)
        return guestmem_at(view->memory, address - view->arch->kernel, 1, 1);
    return guestwalk_at(walk, address, 1);
}

size_t view_read(const struct view *view, unsigned thread, uint64_t address, uint8_t *bytes,
                 size_t size)
{
    struct guestwalk walk = walk_of(view, thread);
    for (size_t i = 0; i < size; i++) {
        const uint8_t *byte = byte_at(view, &walk, address + i);
        if (byte == NULL)
            return i;
        bytes[i] = *byte;
    }
    return size;
}

bool view_physical(const struct view *view, unsigned thread, uint64_t address, uint64_t *physical)
{
    struct guestwalk walk = walk_of(view, thread);
    const uint8_t *byte = byte_at(view, &walk, address);
    if (byte != NULL)
        *physical = (uint64_t)(byte - (const uint8_t *)guestmem_at(view->memory, 0, 1, 1)) +
                    view->arch->ram;
    return byte != NULL;
}
