/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * Scope-bound ownership: `_cleanup_(type_freep) struct type *t = NULL;`
 * frees when the scope ends, TAKE_PTR() and TAKE_FD() hand ownership on.
 */

#include <stdlib.h>
#include <unistd.h>

#define _cleanup_(function) __attribute__((cleanup(function)))

#define TAKE_PTR(pointer)                                                                          \
        ({                                                                                         \
                typeof(pointer) *take_ptr_ = &(pointer);                                           \
                typeof(pointer) take_value_ = *take_ptr_;                                          \
                *take_ptr_ = NULL;                                                                 \
                take_value_;                                                                       \
        })

#define TAKE_FD(fd)                                                                                \
        ({                                                                                         \
                int *take_fd_ = &(fd);                                                             \
                int take_value_ = *take_fd_;                                                       \
                *take_fd_ = -1;                                                                    \
                take_value_;                                                                       \
        })

/* Defines `function`p, the form that _cleanup_() takes, for a destructor that accepts NULL. */
#define DEFINE_CLEANUP(type, function)                                                             \
        static inline void function##p(type *value) {                                              \
                if (*value)                                                                        \
                        function(*value);                                                          \
        }

static inline void freep(void *pointer) {
        free(*(void **)pointer);
}

static inline void closep(int *fd) {
        if (*fd >= 0)
                close(*fd);
}

#define ELEMENTS_OF(array) (sizeof(array) / sizeof((array)[0]))
