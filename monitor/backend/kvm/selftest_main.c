#include "selftest_main.h"

#include <stdio.h>
#include "selftest.h"

static const char *const states[] = {
    [PROBE_NOT_RUN] = "not-run",
    [PROBE_OK] = "ok",
    [PROBE_WRONG] = "wrong",
};

/* None of the texts holds what JSON would have escaped but for what strerror says. */
static void print_string(const char *text)
{
    putchar('"');
    for (; *text != '\0'; text++) {
        if (*text == '"' || *text == '\\')
            putchar('\\');
        putchar(*text);
    }
    putchar('"');
}

static void print_json(const struct probe_result results[N_PROBES], const struct verdict *verdict)
{
    printf("{\"able\": %s, \"verdict\": ", verdict->able ? "true" : "false");
    print_string(verdict->text);
    printf(", \"limits\": ");
    print_string(verdict->limits);
    printf(", \"probes\": [");
    for (unsigned i = 0; i < N_PROBES; i++) {
        printf("%s\n  {\"id\": \"%s\", \"state\": \"%s\", \"what\": ", i > 0 ? "," : "",
               selftest_name(i), states[results[i].state]);
        print_string(results[i].what.text);
        putchar('}');
    }
    printf("]}\n");
}

static void print_text(const struct probe_result results[N_PROBES], const struct verdict *verdict)
{
    for (unsigned i = 0; i < N_PROBES; i++)
        printf("%-8s %-15s %s\n", states[results[i].state], selftest_name(i), results[i].what.text);
    if (verdict->limits[0] != '\0')
        printf("on this KVM: %s\n", verdict->limits);
    printf("%s\n", verdict->text);
}

int selftest_main(bool json)
{
    struct probe_result results[N_PROBES];
    struct verdict verdict;
    selftest_run(results);
    selftest_judge(results, &verdict);
    if (json)
        print_json(results, &verdict);
    else
        print_text(results, &verdict);
    return verdict.able ? 0 : 1;
}
