/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <scsi/sg_lib.h>
#include <scsi/sg_unaligned.h>

#include "scsi/text.h"
#include "scsi/vpd.h"

#define PAGE_HEADER 4
#define DESIGNATOR_HEADER 4
#define ASSOCIATION_LOGICAL_UNIT 0
#define ANY (-1) /* to sg_vpd_dev_id_iter() */

enum designator_type {
        DESIGNATOR_VENDOR = 0,
        DESIGNATOR_T10 = 1,
        DESIGNATOR_EUI = 2,
        DESIGNATOR_NAA = 3,
        DESIGNATOR_MD5 = 7,
        DESIGNATOR_NAME = 8,
};

struct designator {
        uint8_t type;
        uint8_t length; /* never 0 */
        const uint8_t *bytes;
};

/* The name so far, and what the next designator has to beat. */
struct choice {
        uint8_t rank;
        uint8_t length; /* of the designator, in bytes */
        char text[SCSI_IDENTITY_MAX];
};

/* Bytes behind the header that are both claimed and there. */
static size_t page_body(const uint8_t *page, size_t length) {
        size_t claimed = sg_get_unaligned_be16(page + 2);

        return length - PAGE_HEADER < claimed ? length - PAGE_HEADER : claimed;
}

/* Moves to the next LU designator that is whole. The iterator of libsgutils2 vouches for the four
 * bytes in front of a designator only, so its own length is checked here. */
static bool designator_next(const uint8_t *body, int length, int *offset, struct designator *ret) {
        while (sg_vpd_dev_id_iter(body, length, offset, ASSOCIATION_LOGICAL_UNIT, ANY, ANY) == 0) {
                const uint8_t *d = body + *offset;

                if (d[3] > length - *offset - DESIGNATOR_HEADER)
                        return false;
                if (d[3] == 0)
                        continue;

                *ret = (struct designator){
                        .type = d[1] & 0xf,
                        .length = d[3],
                        .bytes = d + DESIGNATOR_HEADER,
                };
                return true;
        }
        return false;
}

static void hex_format(const char *prefix, const struct designator *d, char *text) {
        static const char digits[] = "0123456789abcdef";
        char *at = stpcpy(text, prefix);

        for (size_t i = 0; i < d->length; i++) {
                *at++ = digits[d->bytes[i] >> 4];
                *at++ = digits[d->bytes[i] & 0xf];
        }
        *at = '\0';
}

/* False for what does not name a logical unit. A SCSI name string ends at its padding, so that its
 * text may be empty. */
static bool designator_format(const struct designator *d, char text[static SCSI_IDENTITY_MAX]) {
        const char *bytes = (const char *)d->bytes;
        char *at;

        switch (d->type) {
        case DESIGNATOR_VENDOR:
                hex_format("vendor.", d, text);
                return true;
        case DESIGNATOR_T10:
                at = stpcpy(text, "t10.");
                scsi_text_escape(bytes, d->length, at, SCSI_IDENTITY_MAX - (size_t)(at - text));
                return true;
        case DESIGNATOR_EUI:
                hex_format("eui.", d, text);
                return true;
        case DESIGNATOR_NAA:
                hex_format("naa.", d, text);
                return true;
        case DESIGNATOR_MD5:
                hex_format("md5.", d, text);
                return true;
        case DESIGNATOR_NAME:
                scsi_text_escape(bytes, strnlen(bytes, d->length), text, SCSI_IDENTITY_MAX);
                return true;
        default:
                return false;
        }
}

/* The kernel takes 4h for IEEE Extended, which is 2h (SPC-5 7.7.6.6), and so ranks no NAA 2: its
 * word is what `wwid` shows. */
static uint8_t naa_rank(uint8_t naa) {
        switch (naa) {
        case 6:
                return 8;
        case 5:
                return 5;
        case 4:
                return 4;
        case 3:
                return 1;
        default:
                return 0;
        }
}

static uint8_t eui_rank(uint8_t length) {
        switch (length) {
        case 16:
                return 7;
        case 12:
                return 6;
        case 8:
                return 3;
        default:
                return 0;
        }
}

/* designator_prio(); 0 is never chosen. */
static uint8_t designator_rank(const struct designator *d) {
        switch (d->type) {
        case DESIGNATOR_NAME:
                return 9;
        case DESIGNATOR_NAA:
                return naa_rank(d->bytes[0] >> 4);
        case DESIGNATOR_EUI:
                return eui_rank(d->length);
        case DESIGNATOR_T10:
                return 1;
        default:
                return 0;
        }
}

/* One turn of scsi_vpd_lun_id()'s loop, with its oddities: a text designator must not be shorter
 * than the one it replaces, whatever their ranks, and an NAA designator of a wrong length takes the
 * rank without giving a name. */
static void choice_consider(struct choice *choice, const struct designator *d, const char *text) {
        bool is_text = d->type == DESIGNATOR_T10 || d->type == DESIGNATOR_NAME;
        uint8_t rank = designator_rank(d);

        if (rank == 0 || choice->rank > rank)
                return;
        if (is_text && choice->length > d->length)
                return;

        choice->rank = rank;
        choice->length = d->length;
        if (d->type != DESIGNATOR_NAA || d->length == 8 || d->length == 16)
                stpcpy(choice->text, text);
}

/* Keeps the SCSI_DESIGNATORS_MAX that sort first, so that what is kept of too many does not depend
 * on the order in which a port lists them. */
static int designators_insert(struct scsi_identity *identity, const char *text) {
        char **all = identity->designators;
        size_t at = 0;
        char *copy;

        while (at < identity->count && strcmp(all[at], text) < 0)
                at++;
        if (at == SCSI_DESIGNATORS_MAX || (at < identity->count && strcmp(all[at], text) == 0))
                return 0;

        copy = strdup(text);
        if (!copy)
                return -ENOMEM;

        if (identity->count == SCSI_DESIGNATORS_MAX)
                free(all[--identity->count]);
        memmove(&all[at + 1], &all[at], (identity->count - at) * sizeof(*all));
        all[at] = copy;
        identity->count++;
        return 0;
}

static int designators_read(const uint8_t *body, int length, struct scsi_identity *identity,
                            struct choice *choice) {
        struct designator d;
        int offset = -1;

        while (designator_next(body, length, &offset, &d)) {
                char text[SCSI_IDENTITY_MAX];
                int r;

                if (!designator_format(&d, text))
                        continue;

                choice_consider(choice, &d, text);
                if (text[0] == '\0')
                        continue;

                r = designators_insert(identity, text);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int identity_init(struct scsi_identity *identity) {
        identity->designators = calloc(SCSI_DESIGNATORS_MAX + 1, sizeof(*identity->designators));
        return identity->designators ? 0 : -ENOMEM;
}

static int identity_read(const uint8_t *page, size_t length, struct scsi_identity *identity) {
        struct choice choice = {};
        int r;

        r = identity_init(identity);
        if (r < 0)
                return r;

        r = designators_read(page + PAGE_HEADER, (int)page_body(page, length), identity, &choice);
        if (r < 0)
                return r;

        identity->name = strdup(choice.text);
        return identity->name ? 0 : -ENOMEM;
}

int scsi_identity_decode(const uint8_t *page, size_t length, struct scsi_identity *ret) {
        struct scsi_identity identity = {};
        int r;

        if (length < PAGE_HEADER || page[1] != SCSI_VPD_DEVICE_ID)
                return -EINVAL;

        r = identity_read(page, length, &identity);
        if (r < 0) {
                scsi_identity_done(&identity);
                return r;
        }

        *ret = identity;
        return 0;
}

bool scsi_identity_equal(const struct scsi_identity *a, const struct scsi_identity *b) {
        if (a->count != b->count)
                return false;

        for (size_t i = 0; i < a->count; i++)
                if (strcmp(a->designators[i], b->designators[i]) != 0)
                        return false;
        return true;
}

static int identity_fill(const struct scsi_identity *from, struct scsi_identity *copy) {
        int r = identity_init(copy);

        if (r < 0)
                return r;

        copy->name = strdup(from->name ? from->name : "");
        if (!copy->name)
                return -ENOMEM;

        for (; copy->count < from->count; copy->count++) {
                copy->designators[copy->count] = strdup(from->designators[copy->count]);
                if (!copy->designators[copy->count])
                        return -ENOMEM;
        }
        return 0;
}

int scsi_identity_copy(const struct scsi_identity *from, struct scsi_identity *ret) {
        struct scsi_identity copy = {};
        int r = identity_fill(from, &copy);

        if (r < 0) {
                scsi_identity_done(&copy);
                return r;
        }

        *ret = copy;
        return 0;
}

void scsi_identity_done(struct scsi_identity *identity) {
        if (!identity)
                return;

        for (size_t i = 0; i < identity->count; i++)
                free(identity->designators[i]);
        free(identity->designators);
        free(identity->name);
        *identity = (struct scsi_identity){};
}

int scsi_serial_decode(const uint8_t *page, size_t length, char buffer[static SCSI_SERIAL_MAX]) {
        if (length < PAGE_HEADER || page[1] != SCSI_VPD_SERIAL)
                return -EINVAL;

        scsi_text_field(page + PAGE_HEADER, page_body(page, length), buffer, SCSI_SERIAL_MAX);
        return 0;
}

size_t scsi_vpd_wanted_bytes(const uint8_t *page, size_t length) {
        return length < PAGE_HEADER ? 0 : PAGE_HEADER + (size_t)sg_get_unaligned_be16(page + 2);
}
