/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/* What the parts of the lab's judge share. */

#include <glib.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

#define BUS_NAME "org.scsiscan1"
#define ROOT_PATH "/org/scsiscan1"
/* May be attached, and shown, without being reported. */
#define WELL_KNOWN_REPORT_LUNS 49409

/* Facts: "OBJECT PROPERTY" -> value, both owned. Takes the value. */
GHashTable *facts_new(void);
void fact_state(GHashTable *facts, const char *object, const char *property, char *value);

/* Lists: many words under one key, compared as a sorted text. */
GHashTable *lists_new(void);
void list_add(GHashTable *lists, const char *key, const char *word);

/* Sorts the list, and joins its words with blanks. */
char *list_text(GPtrArray *list);

/* For g_ptr_array_sort(): numbers within words count as such. */
int word_compare(const void *a, const void *b);

/* "/org/scsiscan1/KIND/0_0_0_5" */
char *object_path(const char *kind, const char *address);

/* Of an address H:C:T:L: its H:C:T, and its L. */
char *target_of(const char *address);
uint64_t lun_of(const char *address);

/* Reads sysfs. Lists are the devices of each target and unit; addresses get all H:C:T:L. */
void kernel_read(GHashTable *facts, GHashTable *lists, GPtrArray *addresses);

/* How many SCSI devices the kernel has, without a look at any. */
unsigned long kernel_count_devices(void);

/*
 * States for every target of the addresses, which it sorts, which LUNs the target reports: the
 * service must show the same ("Luns") and must have attached the same ("attached").
 */
void targets_ask(GHashTable *facts, GPtrArray *addresses);

/*
 * Asks the service for all its objects, and states of them what the truth can vouch for. Its
 * refusal is a fact too; -errno.
 */
int view_read(sd_bus *bus, GHashTable *truth, GHashTable *view);

/*
 * The service may say of a device that it is not what sysfs shows ("replaced": another unit answers
 * there, so the kernel's name of it means nothing, it belongs to no unit, and it is stopped), or
 * that its target no longer has it ("missing"). Changes the truth accordingly.
 */
void standings_apply(GHashTable *truth, GHashTable *lists, GHashTable *view);

/* Asks every device that runs who it is: what answers must be what the kernel attached, unless the
 * service says that it was replaced. */
void identities_ask(GHashTable *truth, GHashTable *view, GPtrArray *addresses);

/* States size and block size of a unit as that one of its devices has them. */
void unit_state_size_of(GHashTable *facts, const char *unit, const char *device);

/* The node through which a device takes commands, such as "/dev/sg0", or "". */
char *device_generic_node(const char *address);

/* The bytes of a device's attribute. */
uint8_t *device_attribute_bytes(const char *address, const char *name, size_t *ret_length);

/* "attached": the LUNs of the devices that the service shows under each target which was asked. */
void view_state_attached(GHashTable *truth, GHashTable *view);
