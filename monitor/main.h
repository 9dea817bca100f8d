/* The program's verbs, and what its exit code means. */
#ifndef FAULTLINE_MAIN_H
#define FAULTLINE_MAIN_H

#define FAULTLINE_VERSION "0.1.0"

enum exit_code {
    EXIT_CLEAN = 0,      /* clean and complete */
    EXIT_FOUND = 1,      /* a finding, a violation */
    EXIT_ERROR = 2,      /* the tool failed, or was used wrongly */
    EXIT_INCOMPLETE = 3, /* nothing found, but not everything was looked at */
};

/* argv[0] is the verb. */
int cmd_build_guest(int argc, char **argv);
int cmd_down(int argc, char **argv);
int cmd_doctor(int argc, char **argv);
int cmd_explain(int argc, char **argv);
int cmd_explore(int argc, char **argv);
int cmd_gdb(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_new_scenario(int argc, char **argv);
int cmd_ps(int argc, char **argv);
int cmd_places(int argc, char **argv);
int cmd_races(int argc, char **argv);
int cmd_replay(int argc, char **argv);
int cmd_step(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_up(int argc, char **argv);
int cmd_verify(int argc, char **argv);

#endif
