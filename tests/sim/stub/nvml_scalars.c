/* Functions that report one or two values of a device: each is a line that names its key in the machine file. */
#include "nvml_common.h"

#define DEVICE_UINT(function, field)                                                                                   \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned int *value)                                             \
    {                                                                                                                  \
        return device_uint(#function, device, field, value);                                                           \
    }
#define DEVICE_ULONGLONG(function, field)                                                                              \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned long long *value)                                       \
    {                                                                                                                  \
        return device_ulonglong(#function, device, field, value);                                                      \
    }
#define DEVICE_TWO_UINTS(function, field)                                                                              \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, unsigned int *first, unsigned int *second)                       \
    {                                                                                                                  \
        return device_pair_of_uints(#function, device, field, first, second);                                          \
    }
#define DEVICE_TEXT(function, field)                                                                                   \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, char *buffer, unsigned int size)                                 \
    {                                                                                                                  \
        return device_text(#function, device, field, buffer, size);                                                    \
    }
/* A struct of two words, the first of which is its version. */
#define DEVICE_VERSIONED(function, field)                                                                              \
    EXPORT nvmlReturn_t function(nvmlDevice_t device, nvmlVersionedValue_t *value)                                     \
    {                                                                                                                  \
        nvmlReturn_t error = device_uint(#function, device, field, &value->value);                                     \
        return error == NVML_SUCCESS && value->version != (sizeof *value | 1u << 24)                                   \
                   ? NVML_ERROR_ARGUMENT_VERSION_MISMATCH                                                              \
                   : error;                                                                                            \
    }

/* Identity */
DEVICE_TEXT(nvmlDeviceGetName, "name")
DEVICE_TEXT(nvmlDeviceGetUUID, "uuid")
DEVICE_TEXT(nvmlDeviceGetSerial, "serial")
DEVICE_TEXT(nvmlDeviceGetVbiosVersion, "vbios")
DEVICE_TEXT(nvmlDeviceGetBoardPartNumber, "board_part_number")
DEVICE_TEXT(nvmlDeviceGetInforomImageVersion, "inforom")
DEVICE_UINT(nvmlDeviceGetIndex, "index")
DEVICE_UINT(nvmlDeviceGetMinorNumber, "minor")
DEVICE_UINT(nvmlDeviceGetBrand, "brand")
DEVICE_UINT(nvmlDeviceGetArchitecture, "architecture")
DEVICE_UINT(nvmlDeviceGetBoardId, "board_id")
DEVICE_UINT(nvmlDeviceGetMultiGpuBoard, "multi_gpu_board")
DEVICE_UINT(nvmlDeviceGetNumGpuCores, "cores")
DEVICE_UINT(nvmlDeviceGetMemoryBusWidth, "memory_bus_width")
DEVICE_UINT(nvmlDeviceGetVirtualizationMode, "virtualization")
DEVICE_UINT(nvmlDeviceGetModuleId, "module_id")
DEVICE_UINT(nvmlDeviceGetNumaNodeId, "memory_numa_node")
DEVICE_VERSIONED(nvmlDeviceGetAddressingMode, "addressing_mode")
DEVICE_VERSIONED(nvmlDeviceGetCapabilities, "capabilities")
DEVICE_TWO_UINTS(nvmlDeviceGetGspFirmwareMode, "gsp_mode")

EXPORT nvmlReturn_t nvmlDeviceGetGspFirmwareVersion(nvmlDevice_t device, char *version)
{
    return device_text("nvmlDeviceGetGspFirmwareVersion", device, "gsp_version", version, 64);
}

EXPORT nvmlReturn_t nvmlDeviceGetCudaComputeCapability(nvmlDevice_t device, int *major, int *minor)
{
    return device_pair_of_uints("nvmlDeviceGetCudaComputeCapability", device, "compute_capability",
                                (unsigned int *)major, (unsigned int *)minor);
}

EXPORT nvmlReturn_t nvmlDeviceGetC2cModeInfoV(nvmlDevice_t device, unsigned int *enabled)
{
    return device_uint("nvmlDeviceGetC2cModeInfoV", device, "c2c", enabled);
}

/* Modes */
DEVICE_UINT(nvmlDeviceGetComputeMode, "compute_mode")
DEVICE_UINT(nvmlDeviceGetPersistenceMode, "persistence")
DEVICE_UINT(nvmlDeviceGetDisplayActive, "display_active")
DEVICE_UINT(nvmlDeviceGetDisplayMode, "display_mode")
DEVICE_UINT(nvmlDeviceGetAccountingMode, "accounting_mode")
DEVICE_UINT(nvmlDeviceGetMaxMigDeviceCount, "mig_max")
DEVICE_UINT(nvmlDeviceGetGpuInstanceId, "gpu_instance")
DEVICE_UINT(nvmlDeviceGetComputeInstanceId, "compute_instance")
DEVICE_TWO_UINTS(nvmlDeviceGetMigMode, "mig_mode")
DEVICE_TWO_UINTS(nvmlDeviceGetEccMode, "ecc_mode")
DEVICE_UINT(nvmlDeviceGetDefaultEccMode, "ecc_default")

/* PCI Express */
DEVICE_UINT(nvmlDeviceGetCurrPcieLinkGeneration, "pcie.gen")
DEVICE_UINT(nvmlDeviceGetCurrPcieLinkWidth, "pcie.width")
DEVICE_UINT(nvmlDeviceGetMaxPcieLinkGeneration, "pcie.max_gen")
DEVICE_UINT(nvmlDeviceGetMaxPcieLinkWidth, "pcie.max_width")
DEVICE_UINT(nvmlDeviceGetGpuMaxPcieLinkGeneration, "pcie.gpu_max_gen")
DEVICE_UINT(nvmlDeviceGetPcieReplayCounter, "pcie.replays")
DEVICE_UINT(nvmlDeviceGetPcieSpeed, "pcie.speed_mbps")
DEVICE_UINT(nvmlDeviceGetPcieLinkMaxSpeed, "pcie.max_speed")
DEVICE_UINT(nvmlDeviceGetIrqNum, "irq")

/* Power, clocks, load */
DEVICE_UINT(nvmlDeviceGetPowerUsage, "power.usage_mw")
DEVICE_UINT(nvmlDeviceGetEnforcedPowerLimit, "power.limit_mw")
DEVICE_UINT(nvmlDeviceGetPowerManagementLimit, "power.limit_mw")
DEVICE_UINT(nvmlDeviceGetPowerManagementDefaultLimit, "power.default_mw")
DEVICE_UINT(nvmlDeviceGetPowerManagementMode, "power.managed")
DEVICE_TWO_UINTS(nvmlDeviceGetPowerManagementLimitConstraints, "power.range_mw")
DEVICE_UINT(nvmlDeviceGetPowerState, "pstate")
DEVICE_UINT(nvmlDeviceGetPerformanceState, "pstate")
DEVICE_UINT(nvmlDeviceGetFanSpeed, "fan_percent")
DEVICE_UINT(nvmlDeviceGetNumFans, "fans")
DEVICE_TWO_UINTS(nvmlDeviceGetEncoderUtilization, "encoder")
DEVICE_TWO_UINTS(nvmlDeviceGetDecoderUtilization, "decoder")
DEVICE_TWO_UINTS(nvmlDeviceGetJpgUtilization, "jpeg")
DEVICE_TWO_UINTS(nvmlDeviceGetOfaUtilization, "ofa")
DEVICE_ULONGLONG(nvmlDeviceGetTotalEnergyConsumption, "energy_mj")
DEVICE_ULONGLONG(nvmlDeviceGetCurrentClocksEventReasons, "clock_reasons")
DEVICE_ULONGLONG(nvmlDeviceGetCurrentClocksThrottleReasons, "clock_reasons")
DEVICE_ULONGLONG(nvmlDeviceGetSupportedClocksEventReasons, "clock_reasons_supported")
DEVICE_ULONGLONG(nvmlDeviceGetSupportedClocksThrottleReasons, "clock_reasons_supported")

/* Memory health */
DEVICE_UINT(nvmlDeviceGetRetiredPagesPendingStatus, "retired.pending")
