/* Why something cannot be done: one line that says what is wrong and how to mend it. The VMM has
 * the C library alone. */
#ifndef FAULTLINE_KVM_COMPLAINT_H
#define FAULTLINE_KVM_COMPLAINT_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>

struct complaint {
    char text[300];
};

/* Always false, as the function that complains is to return. */
__attribute__((format(printf, 2, 3))) static inline bool complain(struct complaint *complaint,
                                                                  const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(complaint->text, sizeof complaint->text, format, args);
    va_end(args);
    return false;
}

#endif
