/* The files that come with the program: beside it where it is built, or installed. */
#ifndef FAULTLINE_BACKEND_PARTS_H
#define FAULTLINE_BACKEND_PARTS_H

/* Path of the file of that name below the folder of what is built (tests lie some folders below
 * that), or of `installed` beside the program's own directory. NULL: neither is there. Free with
 * g_free. */
char *part_find(const char *built, const char *installed);

#endif
