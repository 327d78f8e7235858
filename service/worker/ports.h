/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The "port" records of a host: the target ports that the FC, SAS and iSCSI transport classes know
 * (drivers/scsi/scsi_transport_{fc,sas,iscsi}.c), with the channel and target that Linux gave them.
 */

#include "worker/attributes.h"

void ports_add(int sysfs, uint32_t host, struct attributes *attributes);
