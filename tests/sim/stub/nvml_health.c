/* Temperatures, clocks, throttling, ECC, remapped rows, retired pages and field values. */
#include "nvml_common.h"

#include <stdio.h>
#include <string.h>

EXPORT nvmlReturn_t nvmlDeviceGetTemperature(nvmlDevice_t device, unsigned int sensor, unsigned int *celsius)
{
    if (sensor != 0)
        return NVML_ERROR_INVALID_ARGUMENT;
    return device_uint("nvmlDeviceGetTemperature", device, "temperature", celsius);
}

EXPORT nvmlReturn_t nvmlDeviceGetTemperatureV(nvmlDevice_t device, nvmlTemperature_t *temperature)
{
    unsigned int celsius = 0;
    nvmlReturn_t error = device_uint("nvmlDeviceGetTemperatureV", device, "temperature", &celsius);
    if (error == NVML_SUCCESS && temperature->version != (sizeof *temperature | 1u << 24))
        error = NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    if (error == NVML_SUCCESS)
        temperature->temperature = (int)celsius;
    return error;
}

static nvmlReturn_t numbered(const char *function, nvmlDevice_t device, const char *group, unsigned int number,
                             unsigned long long *value)
{
    char field[64];
    snprintf(field, sizeof field, "%s.%u", group, number);
    return device_ulonglong(function, device, field, value);
}

static nvmlReturn_t numbered_uint(const char *function, nvmlDevice_t device, const char *group, unsigned int number,
                                  unsigned int *value)
{
    unsigned long long wide = 0;
    nvmlReturn_t error = numbered(function, device, group, number, &wide);
    if (error == NVML_SUCCESS)
        *value = (unsigned int)wide;
    return error;
}

#define NUMBERED_UINT(function, group)                                                                                 \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned int number, unsigned int *value)                        \
    {                                                                                                                  \
        return numbered_uint(#function, device, group, number, value);                                                 \
    }

NUMBERED_UINT(nvmlDeviceGetTemperatureThreshold, "threshold")
NUMBERED_UINT(nvmlDeviceGetClockInfo, "clock")
NUMBERED_UINT(nvmlDeviceGetMaxClockInfo, "clock_max")
NUMBERED_UINT(nvmlDeviceGetApplicationsClock, "clock_max")
NUMBERED_UINT(nvmlDeviceGetDefaultApplicationsClock, "clock_max")
NUMBERED_UINT(nvmlDeviceGetPcieThroughput, "pcie.throughput")
NUMBERED_UINT(nvmlDeviceGetFanSpeed_v2, "fan")

EXPORT nvmlReturn_t nvmlDeviceGetClock(nvmlDevice_t device, unsigned int domain, unsigned int id, unsigned int *mhz)
{
    (void)id;
    return numbered_uint("nvmlDeviceGetClock", device, "clock", domain, mhz);
}

EXPORT nvmlReturn_t nvmlDeviceGetViolationStatus(nvmlDevice_t device, unsigned int policy, nvmlViolationTime_t *time)
{
    unsigned long long violated = 0;
    nvmlReturn_t error = numbered("nvmlDeviceGetViolationStatus", device, "violation", policy, &violated);
    if (error == NVML_SUCCESS)
        *time = (nvmlViolationTime_t){1763700000000000ull, violated};
    return error;
}

/* `type` 0 corrected 1 uncorrected, `counter` 0 volatile 1 aggregate. */
static nvmlReturn_t ecc_count(const char *function, nvmlDevice_t device, unsigned int type, unsigned int counter,
                              unsigned long long *count)
{
    char field[32];
    snprintf(field, sizeof field, "ecc.%u.%u", type, counter);
    return device_ulonglong(function, device, field, count);
}

EXPORT nvmlReturn_t nvmlDeviceGetTotalEccErrors(nvmlDevice_t device, unsigned int type, unsigned int counter,
                                                unsigned long long *count)
{
    return ecc_count("nvmlDeviceGetTotalEccErrors", device, type, counter, count);
}

/* All errors of a machine file are in device memory (location 2). */
EXPORT nvmlReturn_t nvmlDeviceGetMemoryErrorCounter(nvmlDevice_t device, unsigned int type, unsigned int counter,
                                                    unsigned int location, unsigned long long *count)
{
    nvmlReturn_t error = ecc_count("nvmlDeviceGetMemoryErrorCounter", device, type, counter, count);
    if (error == NVML_SUCCESS && location != 2)
        *count = 0;
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetDetailedEccErrors(nvmlDevice_t device, unsigned int type, unsigned int counter,
                                                   nvmlEccErrorCounts_t *counts)
{
    unsigned long long count = 0;
    nvmlReturn_t error = ecc_count("nvmlDeviceGetDetailedEccErrors", device, type, counter, &count);
    if (error == NVML_SUCCESS)
        *counts = (nvmlEccErrorCounts_t){0, 0, count, 0};
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetSramEccErrorStatus(nvmlDevice_t device, nvmlEccSramErrorStatus_t *status)
{
    unsigned int exceeded = 0;
    nvmlReturn_t error = device_uint("nvmlDeviceGetSramEccErrorStatus", device, "sram_threshold", &exceeded);
    if (error != NVML_SUCCESS)
        return error;
    if (status->version != (sizeof *status | 1u << 24))
        return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    *status = (nvmlEccSramErrorStatus_t){.version = status->version, .bThresholdExceeded = exceeded};
    return NVML_SUCCESS;
}

static nvmlReturn_t remapped(const char *function, nvmlDevice_t device, unsigned int value[4])
{
    char key[KEY_BUFFER];
    const char *text = NULL;
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = machine_text(&text, "%s", device_key(key, device, "remapped"));
    if (error == NVML_SUCCESS && sscanf(text, "%u,%u,%u,%u", &value[0], &value[1], &value[2], &value[3]) != 4)
        error = NVML_ERROR_INVALID_ARGUMENT;
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetRemappedRows(nvmlDevice_t device, unsigned int *corrected, unsigned int *uncorrected,
                                              unsigned int *pending, unsigned int *failed)
{
    unsigned int value[4];
    nvmlReturn_t error = remapped("nvmlDeviceGetRemappedRows", device, value);
    if (error != NVML_SUCCESS)
        return error;
    *corrected = value[0];
    *uncorrected = value[1];
    *pending = value[2];
    *failed = value[3];
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetRowRemapperHistogram(nvmlDevice_t device, nvmlRowRemapperHistogramValues_t *banks)
{
    unsigned int value[4];
    nvmlReturn_t error = remapped("nvmlDeviceGetRowRemapperHistogram", device, value);
    if (error != NVML_SUCCESS)
        return error;
    unsigned int used = value[0] + value[1];
    *banks = (nvmlRowRemapperHistogramValues_t){.max = 640 - used, .high = used};
    return NVML_SUCCESS;
}

/* cause 0: several single-bit errors, 1: a double-bit error. */
static nvmlReturn_t retired(const char *function, nvmlDevice_t device, unsigned int cause, unsigned int *count,
                            unsigned long long *addresses, unsigned long long *times)
{
    unsigned int available = 0;
    nvmlReturn_t error = numbered_uint(function, device, "retired", cause, &available);
    if (error != NVML_SUCCESS)
        return error;
    int too_small = available > *count || (addresses == NULL && available > 0);
    *count = available;
    if (too_small)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < available; i++) {
        addresses[i] = 0x1a2b000ull + i * 0x1000ull;
        if (times != NULL)
            times[i] = 1763700000ull + i;
    }
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetRetiredPages(nvmlDevice_t device, unsigned int cause, unsigned int *count,
                                              unsigned long long *addresses)
{
    return retired("nvmlDeviceGetRetiredPages", device, cause, count, addresses, NULL);
}

EXPORT nvmlReturn_t nvmlDeviceGetRetiredPages_v2(nvmlDevice_t device, unsigned int cause, unsigned int *count,
                                                 unsigned long long *addresses, unsigned long long *times)
{
    return retired("nvmlDeviceGetRetiredPages_v2", device, cause, count, addresses, times);
}

EXPORT nvmlReturn_t nvmlDeviceGetRepairStatus(nvmlDevice_t device, nvmlRepairStatus_t *status)
{
    nvmlReturn_t error = device_pair_of_uints("nvmlDeviceGetRepairStatus", device, "repair",
                                              &status->bChannelRepairPending, &status->bTpcRepairPending);
    if (error == NVML_SUCCESS && status->version != (sizeof *status | 1u << 24))
        error = NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    return error;
}

/* The newest field id that the driver knows is a limit: an older one answers "invalid argument" for it. */
static void read_field(nvmlDevice_t device, nvmlFieldValue_t *field)
{
    unsigned long long value = 0;
    int error = field->fieldId > machine_number_or(999, "field.newest") ? NVML_ERROR_INVALID_ARGUMENT : 0;
    if (error == 0)
        error = device->mig >= 0 ? NVML_ERROR_NOT_SUPPORTED
                                 : machine_number(&value, "gpu.%d.field.%u.%u", device->gpu, field->fieldId,
                                                  field->scopeId);
    field->nvmlReturn = error;
    field->timestamp = 1763700000000000ll;
    field->latencyUsec = 1;
    field->valueType = value >> 32 == 0 ? 1 : 3; /* unsigned int, unsigned long long */
    field->value.ullVal = value;
}

EXPORT nvmlReturn_t nvmlDeviceGetFieldValues(nvmlDevice_t device, int count, nvmlFieldValue_t *fields)
{
    nvmlReturn_t error = enter("nvmlDeviceGetFieldValues", device);
    if (error != NVML_SUCCESS)
        return error;
    if (count <= 0 || fields == NULL)
        return NVML_ERROR_INVALID_ARGUMENT;
    for (int i = 0; i < count; i++)
        read_field(device, &fields[i]);
    return NVML_SUCCESS;
}
