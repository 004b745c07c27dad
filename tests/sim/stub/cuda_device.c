/* The CUDA driver functions that ask about devices without a context. */
#include "cuda_common.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct cuda_device devices[MAX_DEVICES];
static int device_count;
static int initialised;

static CUresult initialise(void)
{
    unsigned long long ignored;
    int error = machine_number(&ignored, "cuda.init");
    if (error == MACHINE_ABSENT)
        error = CUDA_ERROR_NO_DEVICE; /* no machine file */
    if (error != 0)
        return error;
    device_count = visible_devices(devices);
    if (device_count == 0)
        return CUDA_ERROR_NO_DEVICE;
    initialised = 1;
    return CUDA_SUCCESS;
}

/* The list is fixed by the first cuInit that works: a later change of the environment has no effect. */
EXPORT CUresult cuInit(unsigned int flags)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    (void)flags;
    int error = fault("cuInit", ANY_GPU, ANY_GPU);
    if (error != 0)
        return error;
    pthread_mutex_lock(&lock);
    error = initialised ? CUDA_SUCCESS : initialise();
    pthread_mutex_unlock(&lock);
    return error;
}

static CUresult enter_pair(const char *function, CUdevice first, CUdevice second)
{
    if (!initialised)
        return CUDA_ERROR_NOT_INITIALIZED;
    if (first < 0 || first >= device_count || second < 0 || second >= device_count)
        return CUDA_ERROR_INVALID_DEVICE;
    return fault(function, devices[first].gpu, devices[second].gpu);
}

static CUresult enter(const char *function, CUdevice device) { return enter_pair(function, device, device); }

/* What the machine file says of the device: of its MIG device, if it is one, else of the GPU. */
static int device_text(CUdevice device, const char *field, const char **text)
{
    struct cuda_device at = devices[device];
    int error = MACHINE_ABSENT;
    if (at.mig >= 0)
        error = machine_text(text, "mig.%d.%d.%s", at.gpu, at.mig, field);
    return error == 0 ? 0 : machine_text(text, "gpu.%d.%s", at.gpu, field);
}

static unsigned long long device_number(CUdevice device, const char *field)
{
    const char *text = NULL;
    return device_text(device, field, &text) == 0 ? strtoull(text, NULL, 0) : 0;
}

EXPORT CUresult cuDriverGetVersion(int *version)
{
    int error = fault("cuDriverGetVersion", ANY_GPU, ANY_GPU);
    if (error == 0)
        *version = (int)machine_number_or(0, "driver.cuda");
    return error;
}

EXPORT CUresult cuDeviceGetCount(int *count)
{
    int error = fault("cuDeviceGetCount", ANY_GPU, ANY_GPU);
    if (error == 0 && !initialised)
        error = CUDA_ERROR_NOT_INITIALIZED;
    if (error == 0)
        *count = device_count;
    return error;
}

EXPORT CUresult cuDeviceGet(CUdevice *device, int ordinal)
{
    CUresult error = enter("cuDeviceGet", ordinal);
    if (error == CUDA_SUCCESS)
        *device = ordinal;
    return error;
}

EXPORT CUresult cuDeviceGetName(char *name, int length, CUdevice device)
{
    const char *text = "";
    CUresult error = enter("cuDeviceGetName", device);
    if (error == CUDA_SUCCESS && length > 0) {
        device_text(device, "name", &text);
        snprintf(name, (size_t)length, "%s", text);
    }
    return error;
}

/* "GPU-" and "MIG-" are not part of the sixteen bytes. */
static CUresult get_uuid(const char *function, unsigned char uuid[16], CUdevice device)
{
    const char *text = "";
    CUresult error = enter(function, device);
    if (error != CUDA_SUCCESS)
        return error;
    device_text(device, "uuid", &text);
    text += strlen(text) > 4 ? 4 : 0;
    for (int byte = 0; byte < 16 && *text != '\0'; text += 2) {
        text += *text == '-';
        unsigned int value = 0;
        sscanf(text, "%2x", &value);
        uuid[byte++] = (unsigned char)value;
    }
    return CUDA_SUCCESS;
}

/* The first version knows no MIG: it gives the UUID of the whole GPU. */
EXPORT CUresult cuDeviceGetUuid(unsigned char uuid[16], CUdevice device)
{
    if (!initialised || device < 0 || device >= device_count)
        return get_uuid("cuDeviceGetUuid", uuid, device);
    struct cuda_device kept = devices[device];
    devices[device].mig = -1;
    CUresult error = get_uuid("cuDeviceGetUuid", uuid, device);
    devices[device] = kept;
    return error;
}

EXPORT CUresult cuDeviceGetUuid_v2(unsigned char uuid[16], CUdevice device)
{
    return get_uuid("cuDeviceGetUuid_v2", uuid, device);
}

EXPORT CUresult cuDeviceGetPCIBusId(char *bus_id, int length, CUdevice device)
{
    const char *text = "";
    CUresult error = enter("cuDeviceGetPCIBusId", device);
    if (error != CUDA_SUCCESS)
        return error;
    device_text(device, "bdf", &text);
    if (length <= (int)strlen(text))
        return CUDA_ERROR_INVALID_VALUE;
    for (int i = 0; i <= (int)strlen(text); i++)
        bus_id[i] = text[i] >= 'a' && text[i] <= 'f' ? (char)(text[i] - 32) : text[i];
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceGetByPCIBusId(CUdevice *device, const char *bus_id)
{
    unsigned int domain, bus, slot, want_domain = 0, want_bus = 0, want_slot = 0;
    int error = fault("cuDeviceGetByPCIBusId", ANY_GPU, ANY_GPU);
    if (error == 0 && !initialised)
        error = CUDA_ERROR_NOT_INITIALIZED;
    if (error != 0)
        return error;
    if (sscanf(bus_id, "%x:%x:%x", &want_domain, &want_bus, &want_slot) != 3)
        return CUDA_ERROR_INVALID_VALUE;
    for (int i = 0; i < device_count; i++) {
        const char *text = "";
        device_text(i, "bdf", &text);
        if (sscanf(text, "%x:%x:%x", &domain, &bus, &slot) == 3 && domain == want_domain && bus == want_bus &&
            slot == want_slot) {
            *device = i;
            return CUDA_SUCCESS;
        }
    }
    return CUDA_ERROR_INVALID_DEVICE;
}

EXPORT CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device)
{
    char field[24];
    const char *text = NULL;
    CUresult error = enter("cuDeviceGetAttribute", device);
    if (error != CUDA_SUCCESS)
        return error;
    snprintf(field, sizeof field, "attribute.%d", attribute);
    if (device_text(device, field, &text) != 0)
        return CUDA_ERROR_INVALID_VALUE;
    *value = atoi(text);
    return CUDA_SUCCESS;
}

EXPORT CUresult cuDeviceComputeCapability(int *major, int *minor, CUdevice device)
{
    const char *text = "0,0";
    CUresult error = enter("cuDeviceComputeCapability", device);
    if (error != CUDA_SUCCESS)
        return error;
    device_text(device, "compute_capability", &text);
    return sscanf(text, "%d,%d", major, minor) == 2 ? CUDA_SUCCESS : CUDA_ERROR_INVALID_VALUE;
}

/* What CUDA can use is what NVML calls total without the driver's reserve. */
static CUresult total_memory(const char *function, size_t *bytes, CUdevice device)
{
    CUresult error = enter(function, device);
    if (error == CUDA_SUCCESS)
        *bytes = device_number(device, "memory.total") - device_number(device, "memory.reserved");
    return error;
}

EXPORT CUresult cuDeviceTotalMem(size_t *bytes, CUdevice device)
{
    return total_memory("cuDeviceTotalMem", bytes, device);
}

EXPORT CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device)
{
    return total_memory("cuDeviceTotalMem_v2", bytes, device);
}

EXPORT CUresult cuDeviceCanAccessPeer(int *can, CUdevice device, CUdevice peer)
{
    CUresult error = enter_pair("cuDeviceCanAccessPeer", device, peer);
    if (error == CUDA_SUCCESS)
        *can = device != peer && machine_number_or(0, "pair.%d.%d.cuda.2", devices[device].gpu, devices[peer].gpu) != 0;
    return error;
}

/* 1 performance rank, 2 access, 3 native atomics, 4 CUDA arrays. */
EXPORT CUresult cuDeviceGetP2PAttribute(int *value, int attribute, CUdevice device, CUdevice peer)
{
    CUresult error = enter_pair("cuDeviceGetP2PAttribute", device, peer);
    if (error != CUDA_SUCCESS)
        return error;
    if (device == peer)
        return CUDA_ERROR_INVALID_DEVICE;
    if (attribute < 1 || attribute > 4)
        return CUDA_ERROR_INVALID_VALUE;
    *value = (int)machine_number_or(0, "pair.%d.%d.cuda.%d", devices[device].gpu, devices[peer].gpu, attribute);
    return CUDA_SUCCESS;
}
