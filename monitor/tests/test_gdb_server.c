/* Clients that come, go, vanish and get in each other's way; and where a server listens. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <poll.h>
#include <glib/gstdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>
#include "gdb/listen.h"
#include "gdb/rsp.h"
#include "gdb/server.h"
#include "gdb_rig.h"

#define PATIENCE_MS 20000

static struct rig *rig;
static struct server *server;
static GThread *thread;
static int listener;
static char *path;

static gpointer serve(gpointer data)
{
    server_run(data);
    return NULL;
}

static int open_server(void **state)
{
    GError *error = NULL;
    char *address;
    if (make_scratch(state) != 0)
        return -1;
    rig = rig_open();
    path = g_build_filename(*state, "socket", NULL);
    listener = listen_for_gdb(path, &address, &error);
    g_assert_no_error(error);
    g_free(address);
    server = server_new(listener, rig->stub);
    thread = g_thread_new("gdb", serve, server);
    return 0;
}

static int close_server(void **state)
{
    server_stop(server);
    g_thread_join(thread);
    server_free(server);
    close(listener);
    unlink(path);
    g_free(path);
    rig_close(rig);
    return remove_scratch(state);
}

/* ---- a client ---- */

static int connect_client(void)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    g_strlcpy(name.sun_path, path, sizeof name.sun_path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

static void put(int fd, const char *bytes)
{
    assert_int_equal(send(fd, bytes, strlen(bytes), MSG_NOSIGNAL), strlen(bytes));
}

static void put_packet(int fd, const char *data)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    rsp_packet(out, data, strlen(data));
    assert_int_equal(send(fd, out->data, out->len, MSG_NOSIGNAL), out->len);
}

/* All up to this text; fails when it does not come. */
static void get(int fd, const char *wanted)
{
    char bytes[4096] = "";
    size_t size = 0;
    while (strstr(bytes, wanted) == NULL) {
        struct pollfd ready = {.fd = fd, .events = POLLIN};
        assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
        const ssize_t n = read(fd, bytes + size, sizeof bytes - 1 - size);
        if (n <= 0)
            fail_msg("\"%s\" instead of \"%s\"", bytes, wanted);
        size += (size_t)n;
    }
}

static void get_end(int fd)
{
    char byte;
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    assert_int_equal(poll(&ready, 1, PATIENCE_MS), 1);
    assert_true(read(fd, &byte, 1) <= 0);
}

/* A new client finds the guest at the event: so the last one is gone for good. */
static void all_is_well(void)
{
    const int fd = connect_client();
    put_packet(fd, "?");
    get(fd, "+$T05thread:1;#");
    put_packet(fd, "pf");
    get(fd, "+$54000180#");
    close(fd);
}

static void a_conversation(void **state)
{
    (void)state;
    const int fd = connect_client();
    put_packet(fd, "QStartNoAckMode");
    get(fd, "+$OK#9a");
    put_packet(fd, "s");
    get(fd, "$T05thread:1;#");
    const struct gdb_status status = server_status(server);
    assert_true(status.attached);
    assert_int_equal(status.clients, 1);
    put_packet(fd, "D");
    get(fd, "$OK#9a");
    get_end(fd);
    close(fd);
    all_is_well();
}

static void a_damaged_packet_is_asked_for_again(void **state)
{
    (void)state;
    const int fd = connect_client();
    put(fd, "$?#00");
    get(fd, "-");
    put_packet(fd, "?");
    get(fd, "+$T05thread:1;#");
    put(fd, "-"); /* and so is an answer */
    get(fd, "$T05thread:1;#");
    close(fd);
}

static void a_client_vanishes_in_mid_packet(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        const int fd = connect_client();
        put(fd, "$m800");
        close(fd);
        all_is_well();
    }
}

static void a_client_vanishes_while_the_guest_goes(void **state)
{
    (void)state;
    rig->target->spins = true;
    const int fd = connect_client();
    put_packet(fd, "c");
    get(fd, "+");
    close(fd);
    all_is_well();
}

static void ctrl_c_stops_the_guest(void **state)
{
    (void)state;
    rig->target->spins = true;
    const int fd = connect_client();
    put_packet(fd, "c");
    get(fd, "+");
    put(fd, "\x03");
    get(fd, "$T00thread:1;#");
    close(fd);
}

static void the_second_client_is_refused_with_a_reason(void **state)
{
    (void)state;
    const int first = connect_client();
    put_packet(first, "?");
    get(first, "+$T05thread:1;#");
    for (unsigned i = 0; i < 10; i++) { /* one after the other, and some at a time */
        const int second = connect_client();
        const int third = connect_client();
        put_packet(second, "qSupported");
        get(second, "+$E.another debugger is attached: one at a time#");
        put_packet(third, "qSupported");
        get(third, "+$E.another debugger is attached: one at a time#");
        put_packet(second, "vMustReplyEmpty");
        get(second, "+$E.another debugger is attached: one at a time#");
        close(second);
        close(third);
    }
    put_packet(first, "?"); /* it notices nothing */
    get(first, "+$T05thread:1;#");
    close(first);
    all_is_well();
}

static void a_divergence_is_reported(void **state)
{
    (void)state;
    assert_false(server_status(server).diverged);
    const int fd = connect_client();
    put_packet(fd, "P0=2a000000");
    get(fd, "$OK#9a");
    put_packet(fd, "?");
    get(fd, "$T05thread:1;#");
    assert_true(server_status(server).diverged);
    close(fd);
    all_is_well();
    assert_true(server_status(server).diverged);
}

/* ---- where it listens ---- */

static void refused(const char *where, const char *why)
{
    GError *error = NULL;
    char *address = NULL;
    assert_int_equal(listen_for_gdb(where, &address, &error), -1);
    if (strstr(error->message, why) == NULL)
        fail_msg("\"%s\" says nothing of \"%s\"", error->message, why);
    g_error_free(error);
}

static void only_loopback_is_listened_on(void **state)
{
    (void)state;
    refused("0.0.0.0:0", "loopback");
    refused("[::]:0", "loopback");
    refused("192.0.2.1:1234", "loopback");
    refused("nonsense.invalid:1234", "nonsense.invalid");
    refused("/nowhere/at/all", "/nowhere/at/all");
}

static void a_port_is_told(void **state)
{
    static const char *const hosts[] = {"localhost:0", "127.0.0.1:0", "127.8.8.8:0"};
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(hosts); i++) {
        GError *error = NULL;
        char *address = NULL;
        const int fd = listen_for_gdb(hosts[i], &address, &error);
        assert_true(fd >= 0);
        const size_t host = strlen(hosts[i]) - 1;
        assert_memory_equal(address, hosts[i], host);
        assert_true(strtoul(address + host, NULL, 10) > 0);
        g_free(address);
        close(fd);
    }
}

static void a_path_is_its_owners_and_not_taken_twice(void **state)
{
    GError *error = NULL;
    char *address;
    GStatBuf status;
    g_autofree char *mine = g_build_filename(*state, "mine", NULL);
    const int fd = listen_for_gdb(mine, &address, &error);
    assert_true(fd >= 0);
    assert_string_equal(address, mine);
    assert_int_equal(g_stat(mine, &status), 0);
    assert_int_equal(status.st_mode & 077, 0);
    refused(mine, "there already");
    close(fd);
    unlink(mine);
    g_free(address);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_conversation, open_server, close_server),
        cmocka_unit_test_setup_teardown(a_damaged_packet_is_asked_for_again, open_server,
                                        close_server),
        cmocka_unit_test_setup_teardown(a_client_vanishes_in_mid_packet, open_server, close_server),
        cmocka_unit_test_setup_teardown(a_client_vanishes_while_the_guest_goes, open_server,
                                        close_server),
        cmocka_unit_test_setup_teardown(ctrl_c_stops_the_guest, open_server, close_server),
        cmocka_unit_test_setup_teardown(the_second_client_is_refused_with_a_reason, open_server,
                                        close_server),
        cmocka_unit_test_setup_teardown(a_divergence_is_reported, open_server, close_server),
        cmocka_unit_test_setup_teardown(only_loopback_is_listened_on, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_port_is_told, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(a_path_is_its_owners_and_not_taken_twice, make_scratch,
                                        remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
