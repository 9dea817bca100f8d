#include <stdio.h>
#include <string.h>
#include "gdb.h"
#include "rsp.h"
#include "stub_state.h"

#define DIVERGED_TEXT                                                                              \
    "faultline: this run has diverged: registers or memory were written. It has no past any "      \
    "more;\n`fl goto N` (`monitor goto N`, then `continue`) returns to the recorded run.\n"
#define ASTRAY_TEXT                                                                                \
    "faultline: this is how far a run that was changed can be followed: no further than the "      \
    "recorded\none, and to its end at most\n"
#define CONSOLE_PART 2048u

struct stub *stub_open(const struct stub_config *config, struct history *history, struct view *view)
{
    struct stub *stub = g_new0(struct stub, 1);
    stub->config = *config;
    stub->history = history;
    stub->view = view;
    stub->positions = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    stub->console = g_string_new(NULL);
    stub->engine = engine_new();
    stub->subject.image = (struct image *)config->image;
    model_init(&stub->model);
    return stub;
}

void stub_close(struct stub *stub)
{
    if (stub == NULL)
        return;
    model_free(&stub->model);
    engine_free(stub->engine);
    g_string_free(stub->console, TRUE);
    g_array_free(stub->positions, TRUE);
    view_close(stub->view);
    history_close(stub->history);
    g_free(stub);
}

bool stub_is_quiet(const struct stub *stub)
{
    return stub->quiet;
}

bool stub_has_diverged(const struct stub *stub)
{
    return stub->diverged;
}

const char *stub_end(const struct stub *stub)
{
    return stub->end;
}

struct history *stub_history(const struct stub *stub)
{
    return stub->history;
}

/* ---- a client comes and goes ---- */

bool stub_attach(struct stub *stub)
{
    stub->quiet = stub->told = false;
    stub->general = stub->stepped = 0;
    stub->aim = AIM_NOWHERE;
    g_array_set_size(stub->positions, 0);
    history_clear_breaks(stub->history);
    if (stub->end[0] == '\0' && !history_goto(stub->history, stub->config.event))
        g_strlcpy(stub->end, "the guest does not come to the event any more", sizeof stub->end);
    return stub->end[0] == '\0';
}

void stub_detach(struct stub *stub)
{
    history_clear_breaks(stub->history);
}

void stub_interrupt(struct stub *stub)
{
    struct gdb_target *target = history_target(stub->history);
    target->ops->interrupt(target);
}

unsigned stub_current(const struct stub *stub)
{
    return stub->stepped != 0 ? stub->stepped : view_current(stub->view);
}

unsigned stub_thread(const struct stub *stub)
{
    return stub->general != 0 ? stub->general : stub_current(stub);
}

bool stub_is_thread(const struct stub *stub, unsigned thread)
{
    return thread == stub_current(stub) || view_is_thread(stub->view, thread);
}

/* ---- registers ---- */

static bool read_registers(struct stub *stub, uint8_t *bytes)
{
    struct gdb_target *target = history_target(stub->history);
    const unsigned thread = stub_thread(stub);
    return thread == stub_current(stub) ? target->ops->read_registers(target, bytes)
                                        : view_registers(stub->view, thread, bytes);
}

static void diverge(struct stub *stub)
{
    stub->diverged = true;
    history_diverge(stub->history);
}

static bool write_saved(struct stub *stub, unsigned thread, const uint8_t *bytes)
{
    struct gdb_target *target = history_target(stub->history);
    const struct gdb_register *registers = stub->config.arch->registers;
    bool written = true;
    for (size_t i = 0; registers[i].size != 0 && written; i++) {
        uint64_t physical;
        written = view_register_at(stub->view, thread, i, &physical) &&
                  target->ops->write_memory(target, physical, bytes, registers[i].size);
        bytes += registers[i].size;
    }
    return written;
}

static bool write_registers(struct stub *stub, const uint8_t *bytes)
{
    struct gdb_target *target = history_target(stub->history);
    const unsigned thread = stub_thread(stub);
    diverge(stub);
    return thread == stub_current(stub) ? target->ops->write_registers(target, bytes)
                                        : write_saved(stub, thread, bytes);
}

static void get_registers(struct stub *stub, const char *text, GString *reply)
{
    uint8_t bytes[GDB_REGISTERS_BYTES];
    (void)text;
    if (read_registers(stub, bytes))
        rsp_hex(reply, bytes, gdb_arch_size(stub->config.arch));
    else
        g_string_append(reply, "E01");
}

static void answer(GString *reply, bool done)
{
    g_string_append(reply, done ? "OK" : "E01");
}

static void set_registers(struct stub *stub, const char *text, GString *reply)
{
    uint8_t bytes[GDB_REGISTERS_BYTES];
    const size_t size = gdb_arch_size(stub->config.arch);
    answer(reply, strlen(text) == 2 * size && rsp_unhex(text, 2 * size, bytes, size) &&
                      write_registers(stub, bytes));
}

/* The number at the head of the text, of a register that there is. */
static bool register_number(struct stub *stub, const char **text, uint64_t *number)
{
    return rsp_number(text, number) && *number < gdb_arch_registers(stub->config.arch);
}

static void get_register(struct stub *stub, const char *text, GString *reply)
{
    uint8_t bytes[GDB_REGISTERS_BYTES];
    uint64_t number;
    const struct gdb_arch *arch = stub->config.arch;
    if (register_number(stub, &text, &number) && *text == '\0' && read_registers(stub, bytes))
        rsp_hex(reply, bytes + gdb_arch_offset(arch, number), arch->registers[number].size);
    else
        g_string_append(reply, "E01");
}

static void set_register(struct stub *stub, const char *text, GString *reply)
{
    uint8_t bytes[GDB_REGISTERS_BYTES];
    uint64_t number;
    const struct gdb_arch *arch = stub->config.arch;
    bool done = register_number(stub, &text, &number) && *text++ == '=';
    const size_t size = done ? arch->registers[number].size : 0;
    done = done && strlen(text) == 2 * size && read_registers(stub, bytes) &&
           rsp_unhex(text, 2 * size, bytes + gdb_arch_offset(arch, number), size) &&
           write_registers(stub, bytes);
    answer(reply, done);
}

/* ---- memory ---- */

/* "ADDRESS,SIZE", and what ends it. */
static bool range(const char **text, char end, uint64_t *address, uint64_t *size)
{
    if (!rsp_number(text, address) || *(*text)++ != ',' || !rsp_number(text, size) || **text != end)
        return false;
    *text += end != '\0';
    return *size <= RSP_PACKET_MAX && *address + *size >= *address;
}

static void get_memory(struct stub *stub, const char *text, GString *reply)
{
    uint8_t bytes[RSP_PACKET_MAX / 2];
    uint64_t address, size;
    size_t got = 0;
    if (range(&text, '\0', &address, &size))
        got = view_read(stub->view, stub_thread(stub), address, bytes, MIN(size, sizeof bytes));
    if (got > 0)
        rsp_hex(reply, bytes, got);
    else
        g_string_append(reply, "E01");
}

/* Page by page, since neighbours in a space need not be so in RAM. All must be there. */
static bool write_memory(struct stub *stub, uint64_t address, const uint8_t *bytes, size_t size)
{
    struct gdb_target *target = history_target(stub->history);
    const unsigned thread = stub_thread(stub);
    uint64_t physical;
    for (uint64_t at = address; at < address + size; at += FL_PAGE_SIZE - at % FL_PAGE_SIZE)
        if (!view_physical(stub->view, thread, at, &physical))
            return false;
    diverge(stub);
    while (size > 0) {
        const size_t part = MIN(size, FL_PAGE_SIZE - address % FL_PAGE_SIZE);
        if (!view_physical(stub->view, thread, address, &physical) ||
            !target->ops->write_memory(target, physical, bytes, part))
            return false;
        address += part;
        bytes += part;
        size -= part;
    }
    return true;
}

static void set_memory(struct stub *stub, const char *text, GString *reply)
{
    uint8_t bytes[RSP_PACKET_MAX];
    uint64_t address, size;
    answer(reply, range(&text, ':', &address, &size) && strlen(text) == 2 * size &&
                      rsp_unhex(text, 2 * size, bytes, sizeof bytes) &&
                      write_memory(stub, address, bytes, size));
}

/* X: as M, the bytes as they are. gdb asks with none whether it may. */
static void set_memory_binary(struct stub *stub, const uint8_t *data, size_t packet_size,
                              GString *reply)
{
    const char *text = (const char *)data + 1;
    uint64_t address, size;
    const bool sound = range(&text, ':', &address, &size) &&
                       (size_t)(text - (const char *)data) + size == packet_size;
    answer(reply, sound && write_memory(stub, address, (const uint8_t *)text, size));
}

/* ---- breakpoints, threads ---- */

static void set_break(struct stub *stub, const char *packet, GString *reply)
{
    const char *text = packet + 1;
    uint64_t kind, address, size;
    const bool sound =
        rsp_number(&text, &kind) && *text++ == ',' && range(&text, '\0', &address, &size);
    if (sound && !history_has_break(stub->history, (enum gdb_break)MIN(kind, GDB_BREAKS)))
        return; /* an empty packet: gdb then says that there is none */
    answer(reply, sound && size > 0 && size <= FL_PAGE_SIZE &&
                      history_set_break(stub->history, (enum gdb_break)kind, address, size,
                                        packet[0] == 'Z'));
}

/* 0: any; also what is said for all. */
static bool thread_number(const char *text, unsigned *thread)
{
    uint64_t number;
    const bool all = strcmp(text, "-1") == 0;
    *thread = 0;
    if (all)
        return true;
    if (!rsp_number(&text, &number) || *text != '\0' || number > VIEW_KERNEL)
        return false;
    *thread = (unsigned)number;
    return true;
}

static void select_thread(struct stub *stub, const char *text, GString *reply)
{
    unsigned thread;
    const bool sound = (text[0] == 'g' || text[0] == 'c') && thread_number(text + 1, &thread) &&
                       (thread == 0 || stub_is_thread(stub, thread));
    if (sound && text[0] == 'g')
        stub->general = thread;
    answer(reply, sound);
}

static void is_thread(struct stub *stub, const char *text, GString *reply)
{
    unsigned thread;
    answer(reply, thread_number(text, &thread) && stub_is_thread(stub, thread));
}

/* ---- going ---- */

/* As gdb takes text for people: in packets of their own, while it waits for another. */
static void flush_console(struct stub *stub, GByteArray *out)
{
    for (size_t at = 0; at < stub->console->len; at += CONSOLE_PART) {
        g_autoptr(GString) packet = g_string_new("O");
        rsp_hex(packet, stub->console->str + at, MIN(CONSOLE_PART, stub->console->len - at));
        rsp_packet(out, packet->str, packet->len);
    }
    g_string_truncate(stub->console, 0);
}

static void go_to_aim(struct stub *stub)
{
    const bool there = stub->aim == AIM_EVENT ? history_goto(stub->history, stub->aim_event)
                                              : history_seek(stub->history, stub->aim_position);
    stub->stop = (struct gdb_stop){.kind = there ? GDB_STOP_INTERRUPTED : GDB_STOP_GONE};
    if (!there)
        g_strlcpy(stub->stop.reason, "the guest does not come there any more",
                  sizeof stub->stop.reason);
    stub->arrived = true;
    stub->aim = AIM_NOWHERE;
}

static void resume(struct stub *stub, enum gdb_resume how, GByteArray *out)
{
    const uint64_t here = history_target(stub->history)->position;
    const bool aims = stub->aim != AIM_NOWHERE && how != GDB_STEP && how != GDB_REVERSE_STEP;
    if (history_diverged(stub->history) && !aims && (!stub->told || how >= GDB_REVERSE_STEP))
        g_string_append(stub->console, DIVERGED_TEXT);
    flush_console(stub, out);
    stub->told = stub->told || history_diverged(stub->history);
    stub->general = 0;
    stub->stepped = how == GDB_STEP || how == GDB_REVERSE_STEP ? stub_current(stub) : 0;
    stub->arrived = false;
    if (aims && stub->aim == AIM_POSITION)
        g_array_set_size(stub->positions, stub->positions->len - 1);
    else if (!history_diverged(stub->history))
        g_array_append_val(stub->positions, here);
    if (aims)
        go_to_aim(stub);
    else
        history_resume(stub->history, how);
    stub->aim = AIM_NOWHERE;
}

static bool in_kernel(struct stub *stub)
{
    const struct gdb_arch *arch = stub->config.arch;
    struct gdb_target *target = history_target(stub->history);
    uint8_t registers[GDB_REGISTERS_BYTES];
    uint64_t pc = 0;
    if (target->ops->read_registers(target, registers))
        memcpy(&pc, registers + gdb_arch_offset(arch, arch->pc), arch->registers[arch->pc].size);
    return pc >= FL_USER_END;
}

bool stub_stopped(struct stub *stub, GByteArray *out)
{
    if (!stub->arrived && !history_stopped(stub->history, &stub->stop))
        return false;
    stub->arrived = false;
    if (stub->stepped != 0 && !in_kernel(stub))
        stub->stepped = 0;
    if (stub->stop.kind == GDB_STOP_END && history_diverged(stub->history)) {
        g_string_append(stub->console, ASTRAY_TEXT);
        flush_console(stub, out);
    }
    if (stub->stop.kind == GDB_STOP_GONE) {
        g_strlcpy(stub->end, stub->stop.reason, sizeof stub->end);
        g_string_append_printf(stub->console, "faultline: %s\n", stub->end);
        flush_console(stub, out);
    }
    g_autoptr(GString) reply = g_string_new(NULL);
    stub_append_stop(stub, &stub->stop, reply);
    rsp_packet(out, reply->str, reply->len);
    return true;
}

/* "vCont;s:2;c": a step of any thread is a step of the processor, which has one thread at a time.
 */
static enum stub_next resume_packet(struct stub *stub, const char *packet, GByteArray *out,
                                    GString *reply)
{
    const bool listed = g_str_has_prefix(packet, "vCont;");
    const bool steps = listed ? strstr(packet, ";s") != NULL || strstr(packet, ";S") != NULL
                              : packet[0] == 's' || strcmp(packet, "bs") == 0;
    const bool back = packet[0] == 'b';
    if (stub->end[0] != '\0') {
        g_string_append(reply, "E01");
        return STUB_WAIT;
    }
    if (back)
        resume(stub, steps ? GDB_REVERSE_STEP : GDB_REVERSE_CONTINUE, out);
    else
        resume(stub, steps ? GDB_STEP : GDB_CONTINUE, out);
    return STUB_RUN;
}

static bool is_resume(const char *packet)
{
    static const char *const words[] = {"s", "c", "bs", "bc"};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        if (strcmp(packet, words[i]) == 0)
            return true;
    return g_str_has_prefix(packet, "vCont;") &&
           strspn(packet + 5, ";csCS:.-p0123456789abcdefABCDEF") == strlen(packet + 5);
}

/* ---- packets ---- */

static void last_stop(struct stub *stub, const char *text, GString *reply)
{
    (void)text;
    stub_append_stop(stub, &(struct gdb_stop){.kind = GDB_STOPPED}, reply);
}

typedef void command(struct stub *stub, const char *text, GString *reply);

static const struct {
    char letter;
    command *run;
} commands[] = {
    {'g', get_registers}, {'G', set_registers}, {'p', get_register},
    {'P', set_register},  {'m', get_memory},    {'M', set_memory},
    {'H', select_thread}, {'T', is_thread},     {'?', last_stop},
};

static enum stub_next dispatch(struct stub *stub, const uint8_t *data, size_t size, GByteArray *out,
                               GString *reply)
{
    const char *packet = (const char *)data;
    if (is_resume(packet))
        return resume_packet(stub, packet, out, reply);
    if (packet[0] == 'D' || g_str_has_prefix(packet, "vKill;")) {
        g_string_append(reply, "OK");
        return STUB_BYE;
    }
    if (packet[0] == 'X')
        set_memory_binary(stub, data, size, reply);
    else if (packet[0] == 'Z' || packet[0] == 'z')
        set_break(stub, packet, reply);
    else if (strcmp(packet, "vCont?") == 0)
        g_string_append(reply, "vCont;c;C;s;S");
    else if (packet[0] == 'q' || packet[0] == 'Q')
        stub_query(stub, packet, reply);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        if (commands[i].letter == packet[0])
            commands[i].run(stub, packet + 1, reply);
    return STUB_WAIT;
}

/* What is not known is answered by an empty packet. `k` is not answered at all. */
enum stub_next stub_packet(struct stub *stub, const uint8_t *data, size_t size, GByteArray *out)
{
    g_autoptr(GString) reply = g_string_new(NULL);
    if (strcmp((const char *)data, "k") == 0)
        return STUB_BYE;
    const enum stub_next next = dispatch(stub, data, size, out, reply);
    flush_console(stub, out);
    if (next != STUB_RUN)
        rsp_packet(out, reply->str, reply->len);
    return next;
}
