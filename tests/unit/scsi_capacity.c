/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <glib.h>

#include "scsi/capacity.h"

static void test_decode(void) {
        static const struct {
                uint8_t data[12];
                size_t length;
                int r;
                uint64_t size;
        } cases[] = {
                {{0, 0, 0, 0, 0, 0, 0x3f, 0xff, 0, 0, 2, 0}, 12, 0, UINT64_C(16384) * 512},
                {{0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0x10, 0}, 12, 0, UINT64_C(0x100000001) * 4096},
                {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0}, 12, 0, 512},
                {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0}, 11, -EINVAL, 0},
                {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 2, 0}, 12, -EINVAL, 0},
                {{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 2, 0}, 12, -EINVAL, 0},
        };

        for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
                uint64_t size = 0;

                g_assert_cmpint(scsi_capacity_decode(cases[i].data, cases[i].length, &size), ==,
                                cases[i].r);
                if (cases[i].r == 0)
                        g_assert_cmpuint(size, ==, cases[i].size);
        }
}

int main(int argc, char *argv[]) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/scsi/capacity/decode", test_decode);
        return g_test_run();
}
