/* A guest as a child process: QEMU, or a VMM of our own. It dies with the monitor, is parked by
 * SIGSTOP, and what it says last is why it ended. Private to the back ends. */
#ifndef FAULTLINE_BACKEND_CHILD_H
#define FAULTLINE_BACKEND_CHILD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct child {
    const char *name; /* as messages call it */
    pid_t pid;
    bool ended;
    bool parked;
    int status; /* as of waitpid, once ended */
    char *log;  /* path of what it writes */
};

/* Starts argv[0], searched for in PATH, and waits for the exec to have happened. Its output goes to
 * the log in run_dir. Returns 0, or an errno, and then there is nothing to stop. */
int child_start(struct child *child, const char *name, const char *run_dir, char *const *argv);
/* The same, with a standard input. */
int child_start_on(struct child *child, const char *name, const char *run_dir, char *const *argv,
                   int input);
/* false: it has ended, and reason says how: by a signal, powered off, or with which last line. */
bool child_alive(struct child *child, char *reason, size_t size);
/* How `name` ended: a status as of waitpid, and its last line. */
void child_say_end(const char *name, int status, const char *line, char *reason, size_t size);
/* The last line that it wrote, "" when it wrote none. To be freed. */
char *child_last_line(const struct child *child);
void child_unpark(struct child *child);
void child_park(struct child *child);
/* Seconds for which its threads were ready to run and others ran. 0 where Linux does not say. */
double child_waited(const struct child *child);
/* Waits for its end, so long at most. Whether it has ended. */
bool child_wait(struct child *child, int timeout_ms);
/* Ends it if need be, and frees what start made. */
void child_stop(struct child *child);
/* Leaves it running, and frees what start made. */
void child_forget(struct child *child);

#endif
