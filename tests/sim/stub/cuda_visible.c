/* CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER as the driver reads them.
 *
 * The list ends at the first entry that names no device; a device that is named twice empties it; an empty list is no
 * device at all. Whether entries are numbers or UUIDs is decided by the first one. A number is read as strtol does,
 * so that "0x" is 0. A UUID may be cut short where that still names one device only. */
#include "cuda_common.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define ENTRY_LENGTH 96

/* The devices in CUDA's own order (fastest first), or in PCI bus order where the variable asks for that. */
static int all_devices(struct cuda_device list[MAX_DEVICES])
{
    const char *variable = getenv("CUDA_DEVICE_ORDER");
    const char *order = variable != NULL && strcmp(variable, "PCI_BUS_ID") == 0 ? "pci" : "fastest";
    int count = (int)machine_number_or(0, "cuda.count");
    for (int i = 0; i < count && i < MAX_DEVICES; i++) {
        list[i].gpu = (int)machine_number_or(0, "cuda.%s.%d.gpu", order, i);
        list[i].mig = (int)machine_number_or(0, "cuda.%s.%d.mig", order, i) - 1;
    }
    return count < MAX_DEVICES ? count : MAX_DEVICES;
}

/* One entry without surrounding blanks; returns where the next one begins, or NULL after the last. */
static const char *next_entry(const char *at, char entry[ENTRY_LENGTH])
{
    at += strspn(at, " \t");
    size_t length = strcspn(at, ",");
    const char *end = at + length;
    while (length > 0 && (at[length - 1] == ' ' || at[length - 1] == '\t'))
        length--;
    snprintf(entry, ENTRY_LENGTH, "%.*s", (int)length, at);
    return *end == ',' ? end + 1 : NULL;
}

static bool by_number(const char *entry, const struct cuda_device *all, int count, struct cuda_device *found)
{
    char *end = NULL;
    long index = strtol(entry, &end, 10);
    if (end == entry || index < 0 || index >= count)
        return false;
    *found = all[index];
    return true;
}

static bool uuid_begins(int gpu, int mig, const char *entry)
{
    const char *uuid = NULL;
    int error = mig < 0 ? machine_text(&uuid, "gpu.%d.uuid", gpu) : machine_text(&uuid, "mig.%d.%d.uuid", gpu, mig);
    return error == 0 && strncasecmp(uuid, entry, strlen(entry)) == 0;
}

static bool by_uuid(const char *entry, struct cuda_device *found)
{
    int matches = 0;
    bool want_mig = strncmp(entry, "MIG-", 4) == 0;
    int gpus = (int)machine_number_or(0, "gpu.count");
    for (int gpu = 0; gpu < gpus; gpu++) {
        int migs = want_mig ? (int)machine_number_or(0, "gpu.%d.mig_count", gpu) : 0;
        for (int mig = want_mig ? 0 : -1; mig < migs; mig++) {
            if (!uuid_begins(gpu, mig, entry))
                continue;
            *found = (struct cuda_device){gpu, mig};
            matches++;
        }
    }
    return matches == 1;
}

static bool listed(const struct cuda_device *list, int count, struct cuda_device device)
{
    for (int i = 0; i < count; i++)
        if (list[i].gpu == device.gpu && list[i].mig == device.mig)
            return true;
    return false;
}

int visible_devices(struct cuda_device list[MAX_DEVICES])
{
    const char *variable = getenv("CUDA_VISIBLE_DEVICES");
    if (variable == NULL)
        return all_devices(list);
    struct cuda_device all[MAX_DEVICES];
    int total = all_devices(all), count = 0;
    bool uuids = strncmp(variable, "GPU-", 4) == 0 || strncmp(variable, "MIG-", 4) == 0;
    const char *at = variable;
    while (at != NULL && count < MAX_DEVICES) {
        char entry[ENTRY_LENGTH];
        struct cuda_device device;
        at = next_entry(at, entry);
        if (uuids ? strncmp(entry, variable, 4) != 0 || !by_uuid(entry, &device)
                  : !by_number(entry, all, total, &device))
            break;
        if (device.mig < 0 && machine_number_or(0, "gpu.%d.mig_count", device.gpu) > 0)
            device.mig = 0; /* a GPU in MIG mode stands for its first MIG device */
        if (listed(list, count, device))
            return 0;
        list[count++] = device;
        if (device.mig >= 0)
            break; /* CUDA uses one MIG device a process, the first */
    }
    return count;
}
