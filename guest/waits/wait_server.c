#include "wait_server.h"

enum { CLIENTS = 8, MUTEXES = 4 };

enum client_state {
    FREE,
    RUNNING,
    PREPARED,     /* in a queue, and runs */
    PREPARED_OFF, /* the same, but not in the run queue any more */
    WOKEN,        /* out of the queue before it slept */
    ASLEEP,
    BLOCKED, /* waits for a mutex */
};

static struct client {
    tid_t thread;
    uint32_t path;
    enum client_state state;
    uint32_t on;     /* queue, or mutex */
    bool unanswered; /* its call to sleep */
    bool postponed;  /* it asked for something in its sleep, which it does when it wakes */
    struct msg call; /* that */
} clients[CLIENTS];

static tid_t holders[MUTEXES]; /* 0: nobody */

/* Who asks, and is answered with the wait for the next: a server that answered first and waited
 * then would have its clients wait for it in between. 0: not to be answered yet. */
static struct client *asking;
static tid_t answered;

static void say(const struct client *client, uint32_t deed, uint32_t object)
{
    sys_mark(FL_EVENT_MARK_DEED, client->path, deed, object);
}

static struct client *find(tid_t thread, uint32_t path)
{
    struct client *client = clients;

    while (client < clients + CLIENTS && client->thread != 0 && client->thread != thread)
        client++;
    program_expect(client < clients + CLIENTS);
    if (client->thread == 0)
        *client = (struct client){.thread = thread, .path = path, .state = RUNNING};
    return client;
}

static void answer(const struct client *client)
{
    struct msg msg = {.label = FL_ERROR_OK};

    if (client == asking)
        answered = client->thread;
    else
        program_expect(sys_reply(client->thread, &msg) == FL_ERROR_OK);
}

/* ---- What clients ask for ---- */

static void take(struct client *client, uint32_t mutex)
{
    holders[mutex] = client->thread;
    client->state = RUNNING;
    say(client, FL_DEED_HAS, mutex);
    answer(client);
}

static void lock(struct client *client, uint32_t mutex)
{
    if (holders[mutex] == 0) {
        take(client, mutex);
        return;
    }
    client->state = BLOCKED;
    client->on = mutex;
    say(client, FL_DEED_WANTS, mutex);
}

static void unlock(struct client *client, uint32_t mutex)
{
    program_expect(holders[mutex] == client->thread);
    holders[mutex] = 0;
    say(client, FL_DEED_GIVES, mutex);
    for (struct client *next = clients; next < clients + CLIENTS && holders[mutex] == 0; next++)
        if (next->state == BLOCKED && next->on == mutex)
            take(next, mutex);
    answer(client);
}

static void fall_asleep(struct client *client)
{
    client->state = ASLEEP;
    say(client, FL_DEED_SLEEPS, client->on);
}

static void sleep_on(struct client *client, uint32_t queue)
{
    if (client->state == WOKEN) {
        client->state = RUNNING;
        answer(client);
        return;
    }
    client->on = queue;
    client->unanswered = true;
    fall_asleep(client);
}

static void serve(struct client *client, const struct msg *call);

static void wake(struct client *client)
{
    if (client->state == PREPARED || client->state == PREPARED_OFF) {
        client->state = WOKEN;
        return;
    }
    say(client, FL_DEED_IS_AWAKE, client->on);
    client->state = client->unanswered ? RUNNING : WOKEN;
    if (client->unanswered) {
        client->unanswered = false;
        answer(client);
    } else if (client->postponed) {
        client->postponed = false;
        serve(client, &client->call);
    }
}

static void wake_all(struct client *waker, uint32_t queue)
{
    say(waker, FL_DEED_WAKES, queue);
    for (struct client *client = clients; client < clients + CLIENTS; client++) {
        bool waits =
            client->state == PREPARED || client->state == PREPARED_OFF || client->state == ASLEEP;
        if (waits && client->on == queue)
            wake(client);
    }
    answer(waker);
}

static void serve(struct client *client, const struct msg *call)
{
    uint32_t object = call->w[0];

    switch (call->label) {
    case WAIT_LABEL_PREPARE:
        client->state = call->w[1] == WAIT_AT_ONCE ? PREPARED_OFF : PREPARED;
        client->on = object;
        answer(client);
        break;
    case WAIT_LABEL_CANCEL:
        client->state = RUNNING;
        answer(client);
        break;
    case WAIT_LABEL_SLEEP:
        sleep_on(client, object);
        break;
    case WAIT_LABEL_WAKE:
        wake_all(client, object);
        break;
    case WAIT_LABEL_LOCK:
        program_expect(object < MUTEXES);
        lock(client, object);
        break;
    case WAIT_LABEL_UNLOCK:
        program_expect(object < MUTEXES);
        unlock(client, object);
        break;
    default:
        program_raise(FL_ERROR_INVALID, call->label);
    }
}

/* Another thread runs, so whoever is not in the run queue is asleep by now. */
static void others_ran(const struct client *running)
{
    for (struct client *client = clients; client < clients + CLIENTS; client++)
        if (client != running && client->state == PREPARED_OFF)
            fall_asleep(client);
}

_Noreturn void wait_server_main(void)
{
    struct msg msg = {0};

    for (;;) {
        tid_t from = answered;
        msg.label = FL_ERROR_OK;
        program_expect(sys_reply_wait(&from, &msg) == FL_ERROR_OK);
        answered = 0;
        asking = find(from, msg.w[2]);
        others_ran(asking);
        if (asking->state == ASLEEP) {
            asking->postponed = true;
            asking->call = msg;
        } else {
            serve(asking, &msg);
        }
    }
}
