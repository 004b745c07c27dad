/* Functions that are about the driver or the whole machine, and those that find a device. */
#include "nvml_common.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static const struct {
    int code;
    const char *text;
} error_texts[] = {
    {0, "Success"},
    {1, "Uninitialized"},
    {2, "Invalid Argument"},
    {3, "Not Supported"},
    {4, "Insufficient Permissions"},
    {5, "Already Initialized"},
    {6, "Not Found"},
    {7, "Insufficient Size"},
    {8, "Insufficient External Power"},
    {9, "Driver Not Loaded"},
    {10, "Timeout"},
    {11, "Interrupt Request Issue"},
    {12, "NVML Shared Library Not Found"},
    {13, "Function Not Found"},
    {14, "Corrupted infoROM"},
    {15, "GPU is lost"},
    {16, "GPU requires reset"},
    {17, "GPU access blocked by the operating system"},
    {18, "Driver/library version mismatch"},
    {19, "In use by another client"},
    {20, "Insufficient Memory"},
    {21, "No data"},
    {22, "Operation not supported on vGPU when ECC is enabled"},
    {23, "Insufficient Resources"},
    {25, "Argument version mismatch"},
    {26, "Deprecated"},
    {27, "Not Ready"},
    {28, "GPU not found"},
    {29, "Invalid State"},
    {30, "Reset Type Not Supported"},
    {999, "Unknown Error"},
};

EXPORT const char *nvmlErrorString(nvmlReturn_t code)
{
    int error = fault("nvmlErrorString", ANY_GPU, ANY_GPU);
    if (error != 0) /* it has no way to fail but to give the text of another error */
        code = error;
    for (size_t i = 0; i < sizeof error_texts / sizeof *error_texts; i++)
        if (error_texts[i].code == code)
            return error_texts[i].text;
    return "Unknown Error code";
}

static nvmlReturn_t system_text(const char *function, const char *key, char *buffer, unsigned int size)
{
    const char *text = NULL;
    nvmlReturn_t error = enter_system(function);
    if (error == NVML_SUCCESS)
        error = machine_text(&text, "%s", key);
    return error == NVML_SUCCESS ? copy_text(buffer, size, text) : error;
}

static nvmlReturn_t system_uint(const char *function, const char *key, unsigned int *value)
{
    unsigned long long wide = 0;
    nvmlReturn_t error = enter_system(function);
    if (error == NVML_SUCCESS)
        error = machine_number(&wide, "%s", key);
    if (error == NVML_SUCCESS)
        *value = (unsigned int)wide;
    return error;
}

#define SYSTEM_TEXT(function, key)                                                                                     \
    EXPORT nvmlReturn_t function(char *buffer, unsigned int size)                                                      \
    {                                                                                                                  \
        return system_text(#function, key, buffer, size);                                                              \
    }
#define SYSTEM_UINT(function, key)                                                                                     \
    EXPORT nvmlReturn_t function(unsigned int *value) { return system_uint(#function, key, value); }

SYSTEM_TEXT(nvmlSystemGetDriverVersion, "driver.version")
SYSTEM_TEXT(nvmlSystemGetNVMLVersion, "driver.nvml_version")
SYSTEM_UINT(nvmlSystemGetCudaDriverVersion, "driver.cuda")
SYSTEM_UINT(nvmlSystemGetCudaDriverVersion_v2, "driver.cuda")
SYSTEM_UINT(nvmlDeviceGetCount, "gpu.count")
SYSTEM_UINT(nvmlDeviceGetCount_v2, "gpu.count")
SYSTEM_UINT(nvmlUnitGetCount, "unit.count")

EXPORT nvmlReturn_t nvmlSystemGetDriverBranch(nvmlSystemDriverBranchInfo_t *info, unsigned int size)
{
    return system_text("nvmlSystemGetDriverBranch", "driver.branch", info->branch, size < 80 ? size : 80);
}

EXPORT nvmlReturn_t nvmlSystemGetProcessName(unsigned int pid, char *buffer, unsigned int size)
{
    const char *text = NULL;
    nvmlReturn_t error = enter_system("nvmlSystemGetProcessName");
    if (error != NVML_SUCCESS)
        return error;
    if (machine_text(&text, "process.%u.command", pid) != 0)
        return NVML_ERROR_NOT_FOUND;
    if (size > 0)
        snprintf(buffer, size, "%s", text); /* the real one truncates as well */
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlSystemGetConfComputeState(nvmlConfComputeSystemState_t *state)
{
    nvmlReturn_t error = enter_system("nvmlSystemGetConfComputeState");
    if (error != NVML_SUCCESS)
        return error;
    state->environment = 0;
    state->ccFeature = (unsigned int)machine_number_or(0, "cc.feature");
    state->devToolsMode = 0;
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlSystemGetConfComputeSettings(nvmlSystemConfComputeSettings_t *settings)
{
    nvmlReturn_t error = enter_system("nvmlSystemGetConfComputeSettings");
    if (error != NVML_SUCCESS)
        return error;
    if (settings->version != (sizeof *settings | 1u << 24))
        return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    settings->environment = 0;
    settings->ccFeature = (unsigned int)machine_number_or(0, "cc.feature");
    settings->devToolsMode = 0;
    settings->multiGpuMode = (unsigned int)machine_number_or(0, "cc.multi_gpu");
    return NVML_SUCCESS;
}

/* The one call of fault() of a look-up comes after the search, so that "@GPU" can limit it to one device. */
static nvmlReturn_t give_handle(const char *function, int gpu, int mig, nvmlDevice_t *device)
{
    nvmlReturn_t error = fault(function, gpu, ANY_GPU);
    if (error == NVML_SUCCESS && !initialised())
        error = NVML_ERROR_UNINITIALIZED;
    if (error == NVML_SUCCESS)
        *device = handle_of(gpu, mig);
    return error;
}

static nvmlReturn_t by_index(const char *function, unsigned int index, nvmlDevice_t *device)
{
    if (device != NULL && index < (unsigned int)gpu_count())
        return give_handle(function, (int)index, -1, device);
    nvmlReturn_t error = enter_system(function);
    return error == NVML_SUCCESS ? NVML_ERROR_INVALID_ARGUMENT : error;
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex(unsigned int index, nvmlDevice_t *device)
{
    return by_index("nvmlDeviceGetHandleByIndex", index, device);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByIndex_v2(unsigned int index, nvmlDevice_t *device)
{
    return by_index("nvmlDeviceGetHandleByIndex_v2", index, device);
}

static int has_text(const char *wanted, int gpu, int mig, const char *field)
{
    char key[KEY_BUFFER];
    const char *text = NULL;
    struct device device = {gpu, mig};
    return machine_text(&text, "%s", device_key(key, &device, field)) == 0 && strcasecmp(text, wanted) == 0;
}

/* The GPU (or MIG device) whose text `field` is what was asked for. */
static nvmlReturn_t by_text(const char *function, const char *field, const char *wanted, nvmlDevice_t *device)
{
    for (int gpu = 0; gpu < gpu_count(); gpu++) {
        int migs = (int)machine_number_or(0, "gpu.%d.mig_count", gpu);
        for (int mig = -1; mig < migs; mig++)
            if (has_text(wanted, gpu, mig, field))
                return give_handle(function, gpu, mig, device);
    }
    nvmlReturn_t error = enter_system(function);
    return error == NVML_SUCCESS ? NVML_ERROR_NOT_FOUND : error;
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByUUID(const char *uuid, nvmlDevice_t *device)
{
    return by_text("nvmlDeviceGetHandleByUUID", "uuid", uuid, device);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleBySerial(const char *serial, nvmlDevice_t *device)
{
    return by_text("nvmlDeviceGetHandleBySerial", "serial", serial, device);
}

/* "1:0:0", "0000:01:00.0" and "00000000:01:00.0" are one address. */
static nvmlReturn_t by_bus_id(const char *function, const char *bus_id, nvmlDevice_t *device)
{
    unsigned int domain = 0, bus = 0, slot = 0;
    char canonical[16];
    if (sscanf(bus_id, "%x:%x:%x", &domain, &bus, &slot) != 3) {
        domain = 0;
        if (sscanf(bus_id, "%x:%x", &bus, &slot) != 2)
            return NVML_ERROR_INVALID_ARGUMENT;
    }
    snprintf(canonical, sizeof canonical, "%04x:%02x:%02x.0", domain & 0xffff, bus & 0xff, slot & 0x1f);
    return by_text(function, "bdf", canonical, device);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByPciBusId(const char *bus_id, nvmlDevice_t *device)
{
    return by_bus_id("nvmlDeviceGetHandleByPciBusId", bus_id, device);
}

EXPORT nvmlReturn_t nvmlDeviceGetHandleByPciBusId_v2(const char *bus_id, nvmlDevice_t *device)
{
    return by_bus_id("nvmlDeviceGetHandleByPciBusId_v2", bus_id, device);
}
