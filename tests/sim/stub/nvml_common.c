#include "nvml_common.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_GPUS 64
#define MAX_MIGS 8

/* Handles are addresses in this table, so that a made-up pointer is told from one of ours. */
static struct device devices[MAX_GPUS][MAX_MIGS + 1];
static atomic_int init_count;

static nvmlReturn_t initialise(const char *function)
{
    unsigned long long ignored;
    int error = fault(function, ANY_GPU, ANY_GPU);
    if (error == 0 && strcmp(function, "nvmlInitWithFlags") == 0)
        error = fault("nvmlInit", ANY_GPU, ANY_GPU); /* pynvml's nvmlInit calls only this one: one name hits all */
    if (error == 0)
        error = machine_number(&ignored, "nvml.init");
    if (error == MACHINE_ABSENT)
        error = NVML_ERROR_DRIVER_NOT_LOADED; /* no machine file */
    if (error != 0)
        return error;
    for (int gpu = 0; gpu < MAX_GPUS; gpu++)
        for (int slot = 0; slot <= MAX_MIGS; slot++)
            devices[gpu][slot] = (struct device){gpu, slot - 1};
    atomic_fetch_add(&init_count, 1);
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlInit(void) { return initialise("nvmlInit"); }
EXPORT nvmlReturn_t nvmlInit_v2(void) { return initialise("nvmlInit_v2"); }

EXPORT nvmlReturn_t nvmlInitWithFlags(unsigned int flags)
{
    (void)flags;
    return initialise("nvmlInitWithFlags");
}

EXPORT nvmlReturn_t nvmlShutdown(void)
{
    nvmlReturn_t error = enter_system("nvmlShutdown");
    if (error == NVML_SUCCESS)
        atomic_fetch_sub(&init_count, 1);
    return error;
}

int initialised(void) { return atomic_load(&init_count) > 0; }

int gpu_count(void) { return (int)machine_number_or(0, "gpu.count"); }

nvmlDevice_t handle_of(int gpu, int mig) { return &devices[gpu][mig + 1]; }

static int ours(nvmlDevice_t device)
{
    return device >= &devices[0][0] && device <= &devices[MAX_GPUS - 1][MAX_MIGS] && device->gpu < gpu_count();
}

nvmlReturn_t enter_system(const char *function)
{
    int error = fault(function, ANY_GPU, ANY_GPU);
    if (error != 0)
        return error;
    return initialised() ? NVML_SUCCESS : NVML_ERROR_UNINITIALIZED;
}

nvmlReturn_t enter_pair(const char *function, nvmlDevice_t first, nvmlDevice_t second)
{
    if (!initialised())
        return NVML_ERROR_UNINITIALIZED;
    if (!ours(first) || !ours(second))
        return NVML_ERROR_INVALID_ARGUMENT;
    return fault(function, first->gpu, second->gpu);
}

nvmlReturn_t enter(const char *function, nvmlDevice_t device) { return enter_pair(function, device, device); }

const char *device_key(char buffer[KEY_BUFFER], nvmlDevice_t device, const char *field)
{
    if (device->mig < 0)
        snprintf(buffer, KEY_BUFFER, "gpu.%d.%s", device->gpu, field);
    else
        snprintf(buffer, KEY_BUFFER, "mig.%d.%d.%s", device->gpu, device->mig, field);
    return buffer;
}

nvmlReturn_t copy_text(char *buffer, unsigned int size, const char *text)
{
    if (strlen(text) + 1 > size)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    strcpy(buffer, text);
    return NVML_SUCCESS;
}

void fill_pci(nvmlPciInfo_t *pci, const char *bus_id, unsigned int device_id, unsigned int subsystem_id)
{
    memset(pci, 0, sizeof *pci);
    if (sscanf(bus_id, "%x:%x:%x", &pci->domain, &pci->bus, &pci->device) != 3)
        return;
    pci->pciDeviceId = device_id;
    pci->pciSubSystemId = subsystem_id;
    snprintf(pci->busIdLegacy, sizeof pci->busIdLegacy, "%04X:%02X:%02X.0", pci->domain & 0xffff, pci->bus & 0xff,
             pci->device & 0x1f);
    snprintf(pci->busId, sizeof pci->busId, "%08X:%02X:%02X.0", pci->domain, pci->bus & 0xff, pci->device & 0x1f);
}

nvmlReturn_t device_number(nvmlDevice_t device, const char *field, unsigned long long *value)
{
    char key[KEY_BUFFER];
    return machine_number(value, "%s", device_key(key, device, field));
}

nvmlReturn_t device_ulonglong(const char *function, nvmlDevice_t device, const char *field, unsigned long long *value)
{
    nvmlReturn_t error = enter(function, device);
    if (error != NVML_SUCCESS)
        return error;
    return value == NULL ? NVML_ERROR_INVALID_ARGUMENT : device_number(device, field, value);
}

nvmlReturn_t device_uint(const char *function, nvmlDevice_t device, const char *field, unsigned int *value)
{
    unsigned long long wide = 0;
    nvmlReturn_t error = device_ulonglong(function, device, field, value == NULL ? NULL : &wide);
    if (error == NVML_SUCCESS)
        *value = (unsigned int)wide;
    return error;
}

nvmlReturn_t device_pair_of_uints(const char *function, nvmlDevice_t device, const char *field, unsigned int *first,
                                  unsigned int *second)
{
    char key[KEY_BUFFER];
    const char *text = NULL;
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = machine_text(&text, "%s", device_key(key, device, field));
    if (error != NVML_SUCCESS)
        return error;
    if (first == NULL || second == NULL || sscanf(text, "%u,%u", first, second) != 2)
        return NVML_ERROR_INVALID_ARGUMENT;
    return NVML_SUCCESS;
}

nvmlReturn_t device_text(const char *function, nvmlDevice_t device, const char *field, char *buffer, unsigned int size)
{
    char key[KEY_BUFFER];
    const char *text = NULL;
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = machine_text(&text, "%s", device_key(key, device, field));
    return error == NVML_SUCCESS ? copy_text(buffer, size, text) : error;
}
