/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <glib.h>
#include <string.h>

#include "dbus/nodes.h"

static void test_awaited(void) {
        static const struct {
                uint8_t type, qualifier;
                const char *block;
                bool awaited;
        } examples[] = {
                {0x00, 0, "", true},     /* disk */
                {0x00, 0, "sda", false}, /* it is there */
                {0x00, 1, "", false},    /* nothing is connected: no driver binds it */
                {0x00, 3, "", false},    {0x01, 0, "", false}, /* tape */
                {0x03, 0, "", false},                          /* processor */
                {0x04, 0, "", true},                           /* write once */
                {0x05, 0, "", true},                           /* CD */
                {0x05, 0, "sr0", false}, {0x07, 0, "", true},  /* optical */
                {0x08, 0, "", false},                          /* changer */
                {0x0c, 0, "", false},                          /* RAID controller */
                {0x0d, 0, "", false},                          /* enclosure */
                {0x0e, 0, "", true},                           /* simplified disk */
                {0x11, 0, "", false},                          /* object storage */
                {0x14, 0, "", true},                           /* zoned disk */
                {0x1e, 0, "", false},                          /* well-known */
                {0x1f, 0, "", false},                          /* none */
        };

        for (size_t i = 0; i < G_N_ELEMENTS(examples); i++) {
                struct device_facts facts = {
                        .type = examples[i].type,
                        .qualifier = examples[i].qualifier,
                };

                g_strlcpy(facts.block, examples[i].block, sizeof(facts.block));
                if (node_is_awaited(&facts) != examples[i].awaited)
                        g_error("type %02x, qualifier %u, node '%s'", examples[i].type,
                                examples[i].qualifier, examples[i].block);
        }
}

int main(int argc, char **argv) {
        g_test_init(&argc, &argv, NULL);
        g_test_add_func("/dbus/nodes/awaited", test_awaited);
        return g_test_run();
}
