/* A directory with all that is in it. */
#ifndef FAULTLINE_LTTNG_TREE_H
#define FAULTLINE_LTTNG_TREE_H

void remove_tree(const char *path);

#endif
