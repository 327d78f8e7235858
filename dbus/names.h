/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * The names of the D-Bus contract, shared by the service and its client. What they mean is
 * documented in the org.scsiscan1.*.xml beside this file.
 */

#define SCSISCAN_BUS_NAME "org.scsiscan1"

/* The root object, and the prefixes under which one object is served for each thing. */
#define SCSISCAN_PATH "/org/scsiscan1"
#define SCSISCAN_PATH_HOST SCSISCAN_PATH "/host"     /* /N */
#define SCSISCAN_PATH_TARGET SCSISCAN_PATH "/target" /* /H_C_T */
#define SCSISCAN_PATH_DEVICE SCSISCAN_PATH "/device" /* /H_C_T_L */
#define SCSISCAN_PATH_UNIT SCSISCAN_PATH "/unit"     /* /IDENTITY, as sd_bus_path_encode(3) does */
#define SCSISCAN_PATH_JOB SCSISCAN_PATH "/job"       /* /N */
#define SCSISCAN_PATH_NONE "/"                       /* no object: a Device without a Unit */

/* The standard one, which systemctl(1) knows (org.freedesktop.LogControl1(5)). */
#define SCSISCAN_PATH_LOG_CONTROL "/org/freedesktop/LogControl1"
#define SCSISCAN_INTERFACE_LOG_CONTROL "org.freedesktop.LogControl1"

#define SCSISCAN_INTERFACE_SCAN SCSISCAN_BUS_NAME ".Scan"
#define SCSISCAN_INTERFACE_HOTPLUG SCSISCAN_BUS_NAME ".Hotplug"
#define SCSISCAN_INTERFACE_TOPOLOGY SCSISCAN_BUS_NAME ".Topology"
#define SCSISCAN_INTERFACE_POLICY SCSISCAN_BUS_NAME ".Policy"
#define SCSISCAN_INTERFACE_HOST SCSISCAN_BUS_NAME ".Host"
#define SCSISCAN_INTERFACE_TARGET SCSISCAN_BUS_NAME ".Target"
#define SCSISCAN_INTERFACE_DEVICE SCSISCAN_BUS_NAME ".Device"
#define SCSISCAN_INTERFACE_UNIT SCSISCAN_BUS_NAME ".Unit"
#define SCSISCAN_INTERFACE_JOB SCSISCAN_BUS_NAME ".Job"

#define SCSISCAN_ERROR_NOT_FOUND SCSISCAN_BUS_NAME ".Error.NotFound"
#define SCSISCAN_ERROR_IN_USE SCSISCAN_BUS_NAME ".Error.InUse"
#define SCSISCAN_ERROR_INHIBITED SCSISCAN_BUS_NAME ".Error.Inhibited"
#define SCSISCAN_ERROR_REFUSED SCSISCAN_BUS_NAME ".Error.RefusedByPolicy"
#define SCSISCAN_ERROR_IDENTITY_MISMATCH SCSISCAN_BUS_NAME ".Error.IdentityMismatch"
#define SCSISCAN_ERROR_NOT_REPORTED SCSISCAN_BUS_NAME ".Error.NotReported"
#define SCSISCAN_ERROR_DEVICE_TIMEOUT SCSISCAN_BUS_NAME ".Error.DeviceTimeout"
#define SCSISCAN_ERROR_HOST_STUCK SCSISCAN_BUS_NAME ".Error.HostStuck"
#define SCSISCAN_ERROR_STALE_PLAN SCSISCAN_BUS_NAME ".Error.StalePlan"
#define SCSISCAN_ERROR_CANCELLED SCSISCAN_BUS_NAME ".Error.Cancelled"
#define SCSISCAN_ERROR_LIMIT SCSISCAN_BUS_NAME ".Error.Limit"
#define SCSISCAN_ERROR_FAILED SCSISCAN_BUS_NAME ".Error.Failed"

/* Errors of the bus itself that the contract uses. */
#define SCSISCAN_ERROR_INVALID_ARGS "org.freedesktop.DBus.Error.InvalidArgs"
#define SCSISCAN_ERROR_ACCESS_DENIED "org.freedesktop.DBus.Error.AccessDenied"
#define SCSISCAN_ERROR_INTERACTIVE "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired"
#define SCSISCAN_ERROR_UNKNOWN_OBJECT "org.freedesktop.DBus.Error.UnknownObject"
#define SCSISCAN_ERROR_LIMITS_EXCEEDED "org.freedesktop.DBus.Error.LimitsExceeded"

/* What a caller must be allowed to do: polkit's actions, see policy/org.scsiscan1.policy. */
#define SCSISCAN_ACTION_SCAN SCSISCAN_BUS_NAME ".scan"
#define SCSISCAN_ACTION_ATTACH SCSISCAN_BUS_NAME ".attach"
#define SCSISCAN_ACTION_DETACH SCSISCAN_BUS_NAME ".detach"
#define SCSISCAN_ACTION_DETACH_IN_USE SCSISCAN_BUS_NAME ".detach-in-use"
#define SCSISCAN_ACTION_ACCEPT_REPLACEMENT SCSISCAN_BUS_NAME ".accept-replacement"
#define SCSISCAN_ACTION_INHIBIT SCSISCAN_BUS_NAME ".inhibit"
#define SCSISCAN_ACTION_RELOAD_POLICY SCSISCAN_BUS_NAME ".reload-policy"
#define SCSISCAN_ACTION_CANCEL SCSISCAN_BUS_NAME ".cancel" /* somebody else's job */

/* What polkit is told beside the action: action.lookup("identity") in its rules, $(scope) in the
 * messages of its dialogs. */
#define SCSISCAN_DETAIL_SCOPE "scope"       /* what was asked for, as it was named; always there */
#define SCSISCAN_DETAIL_OBJECT "object"     /* the object path, if that is one object */
#define SCSISCAN_DETAIL_LUN "lun"           /* of a device, or to be attached; as Linux has it */
#define SCSISCAN_DETAIL_IDENTITY "identity" /* of a device or unit, or the one that is expected */
#define SCSISCAN_DETAIL_PORT "port"         /* a target's port name */
#define SCSISCAN_DETAIL_HOLDERS "holders"   /* who has it in use, with ", " between */
