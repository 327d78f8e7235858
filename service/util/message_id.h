/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

/*
 * MESSAGE_ID= in the journal: one for each kind of event that an administrator may want to look
 * for, or be told what to do about. What that is stands in systemd/scsiscan.catalog. An id stays
 * what it is for ever; a new one comes from `systemd-id128 new`.
 */

/* The service */
#define MESSAGE_ID_READY "b3ab44dbf8bb4cc2b3e46470aa0cac84"
#define MESSAGE_ID_POLICY_INVALID "5310dedf9e0642a88ee5d2af609c521a"
#define MESSAGE_ID_STATE_LOST "9c8fd85622f343f4b101f2e46426561b"
#define MESSAGE_ID_STATE_NOT_KEPT "51fa46211db64616b1a74d3e2274e435"
#define MESSAGE_ID_UEVENTS_LOST "ed35d2bff680467daa1553a1c24463ac"
#define MESSAGE_ID_UEVENTS_DEAF "ac01ff47d59a4701a744da73600233ce"
#define MESSAGE_ID_NAME_NOT_OURS "8548873c2f7743a9979313e39d2668ec"
#define MESSAGE_ID_LEASE_LOST "1e67a02af9f84461861113f5072d2744"
#define MESSAGE_ID_JOB_ENDED "0604f5f9f083477a97e975af4dda302a"
#define MESSAGE_ID_NOT_TAKEN_OVER "26aad59f9ead49f0a9dc85b373f6e267"
#define MESSAGE_ID_NOT_GIVEN_BACK "e9007b2ba3e94e00963bfa2fdbfdfa1e"

/* Hosts */
#define MESSAGE_ID_HOST_STUCK "af2e34b9559c433e87d7f358fa5935f8"
#define MESSAGE_ID_HOST_RELEASED "69ca5dc8131546629ae3e0cced5ccdfe"
#define MESSAGE_ID_HOST_DARK "3e6ecb0d97b14d5a9ff85e2379965bfe"
#define MESSAGE_ID_WORKER_FAILED "63ead70a655040a8a62f928cfbfb3bed"

/* Devices and units */
#define MESSAGE_ID_ATTACHED "0417030767694350b4b04b6298d51f51"
#define MESSAGE_ID_ATTACH_FAILED "e98a71a649f94d88b06c93eb4b2cd4a7"
#define MESSAGE_ID_DETACHED "169235ee033b42af92b4ddce86c32438"
#define MESSAGE_ID_MISSING "c0df2d9cfb134758973c58ec61b25271"
#define MESSAGE_ID_REPLACED "05e0a36ae74944169fc3df2bba0100e5"
#define MESSAGE_ID_QUARANTINED "6add84016a50446cba84adce82797598"
#define MESSAGE_ID_UNWANTED "d6fc87a161534103a7db512f982094b5"
#define MESSAGE_ID_CAPACITY "be652e57e32f4b8fba8441f7fb544c9c"
#define MESSAGE_ID_UNIT_ATTENTION "aa8bb72552934ab488faa62b46c27706"
