/* PCI address, memory, processes, load and MIG devices. */
#include "nvml_common.h"

#include <stdio.h>
#include <string.h>

static nvmlReturn_t pci_info(const char *function, nvmlDevice_t device, nvmlPciInfo_t *pci)
{
    char key[KEY_BUFFER];
    const char *bus_id = NULL;
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = machine_text(&bus_id, "%s", device_key(key, device, "bdf"));
    if (error != NVML_SUCCESS)
        return error;
    fill_pci(pci, bus_id, (unsigned int)machine_number_or(0, "gpu.%d.pci_id", device->gpu),
             (unsigned int)machine_number_or(0, "gpu.%d.pci_subsystem", device->gpu));
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetPciInfo_v3(nvmlDevice_t device, nvmlPciInfo_t *pci)
{
    return pci_info("nvmlDeviceGetPciInfo_v3", device, pci);
}

EXPORT nvmlReturn_t nvmlDeviceGetPciInfo_v2(nvmlDevice_t device, nvmlPciInfo_t *pci)
{
    return pci_info("nvmlDeviceGetPciInfo_v2", device, pci);
}

EXPORT nvmlReturn_t nvmlDeviceGetPciInfoExt(nvmlDevice_t device, nvmlPciInfoExt_t *ext)
{
    nvmlPciInfo_t pci;
    nvmlReturn_t error = pci_info("nvmlDeviceGetPciInfoExt", device, &pci);
    if (error != NVML_SUCCESS)
        return error;
    ext->domain = pci.domain;
    ext->bus = pci.bus;
    ext->device = pci.device;
    ext->pciDeviceId = pci.pciDeviceId;
    ext->pciSubSystemId = pci.pciSubSystemId;
    ext->baseClass = 3;
    ext->subClass = (unsigned int)machine_number_or(2, "gpu.%d.subclass", device->gpu);
    memcpy(ext->busId, pci.busId, sizeof ext->busId);
    return NVML_SUCCESS;
}

struct memory {
    unsigned long long total, free, used, reserved;
};

static nvmlReturn_t read_memory(const char *function, nvmlDevice_t device, struct memory *memory)
{
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = device_number(device, "memory.total", &memory->total);
    if (error == NVML_SUCCESS)
        error = device_number(device, "memory.free", &memory->free);
    if (error == NVML_SUCCESS)
        error = device_number(device, "memory.used", &memory->used);
    if (error == NVML_SUCCESS)
        error = device_number(device, "memory.reserved", &memory->reserved);
    return error;
}

/* Version 1 knows no reserve: it counts it as used, so that an empty GPU has hundreds of MiB in use. */
EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo(nvmlDevice_t device, nvmlMemory_t *memory)
{
    struct memory read;
    nvmlReturn_t error = read_memory("nvmlDeviceGetMemoryInfo", device, &read);
    if (error == NVML_SUCCESS)
        *memory = (nvmlMemory_t){read.total, read.free, read.used + read.reserved};
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryInfo_v2(nvmlDevice_t device, nvmlMemory_v2_t *memory)
{
    struct memory read;
    nvmlReturn_t error = read_memory("nvmlDeviceGetMemoryInfo_v2", device, &read);
    if (error != NVML_SUCCESS)
        return error;
    if (memory->version != (sizeof *memory | 2u << 24))
        return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    *memory = (nvmlMemory_v2_t){memory->version, read.total, read.reserved, read.free, read.used};
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetBAR1MemoryInfo(nvmlDevice_t device, nvmlBAR1Memory_t *memory)
{
    unsigned long long total = 0, used = 0;
    nvmlReturn_t error = enter("nvmlDeviceGetBAR1MemoryInfo", device);
    if (error == NVML_SUCCESS)
        error = device_number(device, "bar1.total", &total);
    if (error == NVML_SUCCESS)
        error = device_number(device, "bar1.used", &used);
    if (error == NVML_SUCCESS)
        *memory = (nvmlBAR1Memory_t){total, total - used, used};
    return error;
}

/* "pid,used,gpu instance,compute instance"; unknown memory is all ones, as is "no instance". */
static int read_process(nvmlDevice_t device, const char *kind, unsigned int index, nvmlProcessInfo_t *process)
{
    char key[KEY_BUFFER], field[48];
    const char *text = NULL;
    snprintf(field, sizeof field, "process.%s.%u", kind, index);
    if (machine_text(&text, "%s", device_key(key, device, field)) != 0)
        return 0;
    memset(process, 0, sizeof *process);
    return sscanf(text, "%u,%llu,%u,%u", &process->pid, &process->usedGpuMemory, &process->gpuInstanceId,
                  &process->computeInstanceId) == 4;
}

static nvmlReturn_t list_processes(const char *function, nvmlDevice_t device, const char *kind, unsigned int *count,
                                   nvmlProcessInfo_t *list)
{
    char field[48];
    unsigned int available = 0;
    snprintf(field, sizeof field, "process.%s.count", kind);
    nvmlReturn_t error = device_uint(function, device, field, &available);
    if (error != NVML_SUCCESS)
        return error;
    if (available > *count || (list == NULL && available > 0)) {
        *count = available;
        return NVML_ERROR_INSUFFICIENT_SIZE;
    }
    *count = available;
    for (unsigned int i = 0; i < available; i++)
        read_process(device, kind, i, &list[i]);
    return NVML_SUCCESS;
}

#define PROCESS_LIST(function, kind)                                                                                   \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned int *count, nvmlProcessInfo_t *list)                    \
    {                                                                                                                  \
        return list_processes(#function, device, kind, count, list);                                                   \
    }

PROCESS_LIST(nvmlDeviceGetComputeRunningProcesses_v2, "compute")
PROCESS_LIST(nvmlDeviceGetComputeRunningProcesses_v3, "compute")
PROCESS_LIST(nvmlDeviceGetGraphicsRunningProcesses_v2, "graphics")
PROCESS_LIST(nvmlDeviceGetGraphicsRunningProcesses_v3, "graphics")
PROCESS_LIST(nvmlDeviceGetMPSComputeRunningProcesses_v2, "mps")
PROCESS_LIST(nvmlDeviceGetMPSComputeRunningProcesses_v3, "mps")

EXPORT nvmlReturn_t nvmlDeviceGetRunningProcessDetailList(nvmlDevice_t device, nvmlProcessDetailList_t *list)
{
    static const char *const kinds[] = {"compute", "graphics", "mps"};
    char field[48];
    unsigned int available = 0;
    if (list->mode > 2)
        return NVML_ERROR_INVALID_ARGUMENT;
    snprintf(field, sizeof field, "process.%s.count", kinds[list->mode]);
    nvmlReturn_t error = device_uint("nvmlDeviceGetRunningProcessDetailList", device, field, &available);
    if (error != NVML_SUCCESS)
        return error;
    int too_small = available > list->numProcArrayEntries || (list->procArray == NULL && available > 0);
    list->numProcArrayEntries = available;
    if (too_small)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < available; i++) {
        nvmlProcessInfo_t read;
        read_process(device, kinds[list->mode], i, &read);
        list->procArray[i] = (nvmlProcessDetail_t){read.pid, read.usedGpuMemory, read.gpuInstanceId,
                                                   read.computeInstanceId, 0};
    }
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetProcessUtilization(nvmlDevice_t device, nvmlProcessUtilizationSample_t *samples,
                                                    unsigned int *count, unsigned long long since)
{
    unsigned int available = 0;
    (void)since;
    nvmlReturn_t error =
        device_uint("nvmlDeviceGetProcessUtilization", device, "process.compute.count", &available);
    if (error != NVML_SUCCESS)
        return error;
    if (available == 0)
        return NVML_ERROR_NOT_FOUND;
    int too_small = samples == NULL || available > *count;
    *count = available;
    if (too_small)
        return NVML_ERROR_INSUFFICIENT_SIZE;
    for (unsigned int i = 0; i < available; i++) {
        nvmlProcessInfo_t read;
        read_process(device, "compute", i, &read);
        samples[i] = (nvmlProcessUtilizationSample_t){
            read.pid, 0, (unsigned int)machine_number_or(0, "gpu.%d.utilization", device->gpu) / available, 0, 0, 0};
    }
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetUtilizationRates(nvmlDevice_t device, nvmlUtilization_t *load)
{
    return device_pair_of_uints("nvmlDeviceGetUtilizationRates", device, "utilization", &load->gpu, &load->memory);
}

EXPORT nvmlReturn_t nvmlDeviceGetMigDeviceHandleByIndex(nvmlDevice_t device, unsigned int index, nvmlDevice_t *mig)
{
    nvmlReturn_t error = enter("nvmlDeviceGetMigDeviceHandleByIndex", device);
    if (error != NVML_SUCCESS)
        return error;
    if (index >= machine_number_or(0, "gpu.%d.mig_max", device->gpu))
        return NVML_ERROR_INVALID_ARGUMENT;
    if (index >= machine_number_or(0, "gpu.%d.mig_count", device->gpu))
        return NVML_ERROR_NOT_FOUND;
    *mig = handle_of(device->gpu, (int)index);
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetDeviceHandleFromMigDeviceHandle(nvmlDevice_t mig, nvmlDevice_t *device)
{
    nvmlReturn_t error = enter("nvmlDeviceGetDeviceHandleFromMigDeviceHandle", mig);
    if (error != NVML_SUCCESS)
        return error;
    if (mig->mig < 0)
        return NVML_ERROR_INVALID_ARGUMENT;
    *device = handle_of(mig->gpu, -1);
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceIsMigDeviceHandle(nvmlDevice_t device, unsigned int *is_mig)
{
    nvmlReturn_t error = enter("nvmlDeviceIsMigDeviceHandle", device);
    if (error == NVML_SUCCESS)
        *is_mig = device->mig >= 0;
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetAttributes_v2(nvmlDevice_t device, nvmlDeviceAttributes_t *attributes)
{
    unsigned long long slices = 0, memory = 0;
    nvmlReturn_t error = enter("nvmlDeviceGetAttributes_v2", device);
    if (error == NVML_SUCCESS)
        error = device_number(device, "slices", &slices);
    if (error == NVML_SUCCESS)
        error = device_number(device, "memory.total", &memory);
    if (error != NVML_SUCCESS)
        return error;
    memset(attributes, 0, sizeof *attributes);
    attributes->multiprocessorCount = 14 * (unsigned int)slices;
    attributes->sharedCopyEngineCount = (unsigned int)slices;
    attributes->gpuInstanceSliceCount = attributes->computeInstanceSliceCount = (unsigned int)slices;
    attributes->memorySizeMB = memory >> 20;
    return NVML_SUCCESS;
}
