/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "scsi/decimal.h"
#include "scsi/lun.h"

#define HEX_DIGITS 16

uint64_t scsi_lun_to_linux(const struct scsi_lun *lun) {
        uint64_t number = 0;

        for (size_t level = 0; level < 4; level++) {
                uint64_t word = (uint64_t)lun->bytes[2 * level] << 8 | lun->bytes[2 * level + 1];

                number |= word << (16 * level);
        }
        return number;
}

struct scsi_lun scsi_lun_from_linux(uint64_t number) {
        struct scsi_lun lun;

        for (size_t level = 0; level < 4; level++) {
                lun.bytes[2 * level] = (uint8_t)(number >> (16 * level + 8));
                lun.bytes[2 * level + 1] = (uint8_t)(number >> (16 * level));
        }
        return lun;
}

bool scsi_lun_is_well_known(uint64_t number) {
        return (number & 0xff00) == 0xc100;
}

bool scsi_lun_fits_scan(uint64_t number) {
        /* "0x" leaves fourteen digits; decimal reaches less far. */
        return number < UINT64_C(1) << 56;
}

static const char *hex_parse(const char *digits, uint64_t *ret) {
        struct scsi_lun lun = {};

        if (strspn(digits, "0123456789abcdefABCDEF") != HEX_DIGITS || digits[HEX_DIGITS] != '\0')
                return "a hexadecimal LUN is 0x and exactly 16 digits, the eight bytes of the LUN";

        for (unsigned i = 0; i < HEX_DIGITS; i++) {
                int digit = tolower((unsigned char)digits[i]);
                int value = isdigit(digit) ? digit - '0' : digit - 'a' + 10;

                lun.bytes[i / 2] = (uint8_t)(lun.bytes[i / 2] << 4 | value);
        }

        *ret = scsi_lun_to_linux(&lun);
        return NULL;
}

static const char *decimal_parse(const char *text, uint64_t *ret) {
        uint64_t number;
        int r;

        if (text[0] == '0' && isdigit((unsigned char)text[1]))
                return "a decimal LUN has no leading zeros, which could be taken for octal";

        r = scsi_decimal_read(&text, UINT64_MAX, &number);
        if (r == -ERANGE)
                return "a LUN does not exceed 18446744073709551615";
        if (r < 0 || *text != '\0')
                return "a LUN is a decimal number as Linux prints it, or 0x and 16 digits";

        *ret = number;
        return NULL;
}

int scsi_lun_parse(const char *text, uint64_t *ret, const char **reason) {
        const char *wrong;

        if (text[0] == '\0')
                wrong = "a LUN is missing";
        else if (strncmp(text, "0x", 2) == 0)
                wrong = hex_parse(text + 2, ret);
        else
                wrong = decimal_parse(text, ret);

        if (!wrong)
                return 0;
        if (reason)
                *reason = wrong;
        return -EINVAL;
}

const char *scsi_lun_format(uint64_t number, char buffer[static SCSI_LUN_TEXT_MAX]) {
        int r = snprintf(buffer, SCSI_LUN_TEXT_MAX, "%" PRIu64, number);

        assert(r > 0 && r < SCSI_LUN_TEXT_MAX);
        return buffer;
}

const char *scsi_lun_format_hex(uint64_t number, char buffer[static SCSI_LUN_HEX_MAX]) {
        struct scsi_lun lun = scsi_lun_from_linux(number);
        uint64_t bytes = 0;
        int r;

        for (size_t i = 0; i < sizeof(lun.bytes); i++)
                bytes = bytes << 8 | lun.bytes[i];

        r = snprintf(buffer, SCSI_LUN_HEX_MAX, "0x%016" PRIx64, bytes);
        assert(r > 0 && r < SCSI_LUN_HEX_MAX);
        return buffer;
}
