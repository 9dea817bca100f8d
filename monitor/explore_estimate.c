/* What a search says of how much of it there is: when it stops before its end, what is left; at its
 * end, how good the estimates were on the way. */
#include <jansson.h>
#include "cli.h"
#include "explore_command.h"

static bool has_estimate(const struct explore_command *command, const struct explore_result *result)
{
    const struct strategy_ops *strategy = command->options.strategy;
    return (strategy->steps || strategy == &strategy_dfs) && command->options.fails == 0 &&
           result->reached.runs_estimated > 0;
}

static void append_quality(GString *text, const struct strategy_progress *reached)
{
    const char *before = "  the runs were estimated at ";
    for (unsigned i = 0; i < ESTIMATE_PARTS; i++) {
        g_string_append_printf(text, "%s%.2f of them after %.0f %%", before,
                               reached->estimate_quality[i], 100 * estimate_parts[i]);
        before = ", ";
    }
    g_string_append_c(text, '\n');
}

static void append_left(GString *text, const struct explore_result *result)
{
    const struct strategy_progress *reached = &result->reached;
    const double rate = (double)(result->runs - result->resumed) / MAX(result->seconds, 1e-3);
    const double left = reached->runs_estimated - (double)reached->runs;
    g_string_append_printf(
        text, "  about %.3g runs in all (%.3g to %.3g by the last estimates), %.3g s more\n",
        reached->runs_estimated, reached->estimated_least, reached->estimated_most,
        MAX(left, 0) / MAX(rate, 1e-3));
}

void explore_append_estimate(GString *text, const struct explore_command *command,
                             const struct explore_result *result)
{
    if (!has_estimate(command, result))
        return;
    if (!result->complete)
        append_left(text, result);
    else if (command->options.strategy->steps)
        append_quality(text, &result->reached);
}

void explore_estimate_to_json(struct json_t *json, const struct explore_command *command,
                              const struct explore_result *result)
{
    const struct strategy_progress *reached = &result->reached;
    if (!has_estimate(command, result))
        return;
    json_t *estimate = json_pack("{s:f, s:f, s:f}", "runs", reached->runs_estimated, "least",
                                 reached->estimated_least, "most", reached->estimated_most);
    json_t *quality = result->complete ? json_array() : json_null();
    for (unsigned i = 0; result->complete && i < ESTIMATE_PARTS; i++)
        json_array_append_new(quality, json_pack("{s:f, s:f}", "after", estimate_parts[i],
                                                 "estimated", reached->estimate_quality[i]));
    json_object_set_new(estimate, "quality", quality);
    json_object_set_new(json, "estimate", estimate);
    if (command->options.strategy->steps)
        json_object_set_new(json, "redundant", json_integer((json_int_t)reached->runs_redundant));
}
