/* Topology, peer-to-peer status, NVLink, the NVSwitch fabric and CPU affinity. */
#include "nvml_common.h"

#include <stdio.h>
#include <string.h>

EXPORT nvmlReturn_t nvmlDeviceGetTopologyCommonAncestor(nvmlDevice_t first, nvmlDevice_t second, unsigned int *level)
{
    unsigned long long read = 0;
    nvmlReturn_t error = enter_pair("nvmlDeviceGetTopologyCommonAncestor", first, second);
    if (error != NVML_SUCCESS)
        return error;
    if (first->gpu == second->gpu)
        return NVML_ERROR_INVALID_ARGUMENT;
    error = machine_number(&read, "pair.%d.%d.level", first->gpu, second->gpu);
    if (error == NVML_SUCCESS)
        *level = (unsigned int)read;
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetTopologyNearestGpus(nvmlDevice_t device, unsigned int level, unsigned int *count,
                                                     nvmlDevice_t *nearest)
{
    unsigned int found = 0;
    nvmlReturn_t error = enter("nvmlDeviceGetTopologyNearestGpus", device);
    if (error != NVML_SUCCESS)
        return error;
    for (int gpu = 0; gpu < gpu_count(); gpu++) {
        if (gpu == device->gpu || machine_number_or(~0ull, "pair.%d.%d.level", device->gpu, gpu) > level)
            continue;
        if (nearest != NULL && found < *count)
            nearest[found] = handle_of(gpu, -1);
        found++;
    }
    *count = found;
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetP2PStatus(nvmlDevice_t first, nvmlDevice_t second, unsigned int capability,
                                           unsigned int *status)
{
    unsigned long long read = 0;
    nvmlReturn_t error = enter_pair("nvmlDeviceGetP2PStatus", first, second);
    if (error != NVML_SUCCESS)
        return error;
    if (first->gpu == second->gpu || capability > 4)
        return NVML_ERROR_INVALID_ARGUMENT;
    error = machine_number(&read, "pair.%d.%d.p2p.%u", first->gpu, second->gpu, capability);
    if (error == NVML_SUCCESS)
        *status = (unsigned int)read;
    return error;
}

/* A card without NVLink supports none of it; a link number past the last is a wrong argument. */
static nvmlReturn_t enter_link(const char *function, nvmlDevice_t device, unsigned int link)
{
    unsigned long long links = 0;
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = device_number(device, "nvlink.count", &links);
    if (error == NVML_SUCCESS && link >= links)
        error = NVML_ERROR_INVALID_ARGUMENT;
    return error;
}

static nvmlReturn_t link_number(const char *function, nvmlDevice_t device, unsigned int link, const char *field,
                                unsigned int *value)
{
    unsigned long long wide = 0;
    nvmlReturn_t error = enter_link(function, device, link);
    if (error == NVML_SUCCESS)
        error = machine_number(&wide, "gpu.%d.nvlink.%u.%s", device->gpu, link, field);
    if (error == NVML_SUCCESS)
        *value = (unsigned int)wide;
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkState(nvmlDevice_t device, unsigned int link, unsigned int *active)
{
    return link_number("nvmlDeviceGetNvLinkState", device, link, "state", active);
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkVersion(nvmlDevice_t device, unsigned int link, unsigned int *version)
{
    return link_number("nvmlDeviceGetNvLinkVersion", device, link, "version", version);
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkRemoteDeviceType(nvmlDevice_t device, unsigned int link, unsigned int *type)
{
    return link_number("nvmlDeviceGetNvLinkRemoteDeviceType", device, link, "remote_type", type);
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkCapability(nvmlDevice_t device, unsigned int link, unsigned int capability,
                                                  unsigned int *value)
{
    char field[24];
    snprintf(field, sizeof field, "capability.%u", capability);
    return link_number("nvmlDeviceGetNvLinkCapability", device, link, field, value);
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkErrorCounter(nvmlDevice_t device, unsigned int link, unsigned int counter,
                                                    unsigned long long *value)
{
    nvmlReturn_t error = enter_link("nvmlDeviceGetNvLinkErrorCounter", device, link);
    if (error == NVML_SUCCESS)
        error = machine_number(value, "gpu.%d.nvlink.%u.errors.%u", device->gpu, link, counter);
    return error;
}

static nvmlReturn_t remote_pci(const char *function, nvmlDevice_t device, unsigned int link, nvmlPciInfo_t *pci)
{
    const char *bus_id = NULL;
    nvmlReturn_t error = enter_link(function, device, link);
    if (error == NVML_SUCCESS)
        error = machine_text(&bus_id, "gpu.%d.nvlink.%u.remote", device->gpu, link);
    if (error == NVML_SUCCESS)
        fill_pci(pci, bus_id, 0, 0);
    return error;
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo(nvmlDevice_t device, unsigned int link, nvmlPciInfo_t *pci)
{
    return remote_pci("nvmlDeviceGetNvLinkRemotePciInfo", device, link, pci);
}

EXPORT nvmlReturn_t nvmlDeviceGetNvLinkRemotePciInfo_v2(nvmlDevice_t device, unsigned int link, nvmlPciInfo_t *pci)
{
    return remote_pci("nvmlDeviceGetNvLinkRemotePciInfo_v2", device, link, pci);
}

static nvmlReturn_t read_fabric(const char *function, nvmlDevice_t device, nvmlGpuFabricInfo_v3_t *info)
{
    unsigned long long state = 0, seed;
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = device_number(device, "fabric.state", &state);
    if (error != NVML_SUCCESS)
        return error;
    memset(info, 0, sizeof *info);
    seed = machine_number_or(0, "gpu.%d.fabric.cluster", device->gpu);
    for (size_t i = 0; i < sizeof info->clusterUuid; i++)
        info->clusterUuid[i] = (unsigned char)(seed >> (i % 8 * 8));
    info->state = (unsigned int)state;
    info->status = (int)machine_number_or(0, "gpu.%d.fabric.status", device->gpu);
    info->cliqueId = (unsigned int)machine_number_or(0, "gpu.%d.fabric.clique", device->gpu);
    info->healthMask = (unsigned int)machine_number_or(0, "gpu.%d.fabric.health", device->gpu);
    info->healthSummary = (unsigned char)machine_number_or(0, "gpu.%d.fabric.summary", device->gpu);
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuFabricInfo(nvmlDevice_t device, nvmlGpuFabricInfo_t *info)
{
    nvmlGpuFabricInfo_v3_t read;
    nvmlReturn_t error = read_fabric("nvmlDeviceGetGpuFabricInfo", device, &read);
    if (error != NVML_SUCCESS)
        return error;
    memcpy(info->clusterUuid, read.clusterUuid, sizeof info->clusterUuid);
    info->status = read.status;
    info->cliqueId = read.cliqueId;
    info->state = read.state;
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetGpuFabricInfoV(nvmlDevice_t device, nvmlGpuFabricInfo_v3_t *info)
{
    nvmlGpuFabricInfo_v3_t read;
    nvmlReturn_t error = read_fabric("nvmlDeviceGetGpuFabricInfoV", device, &read);
    if (error != NVML_SUCCESS)
        return error;
    size_t size = info->version & 0xffffff;
    unsigned int newest = (unsigned int)machine_number_or(3, "fabric.newest_version");
    if (size < 0x24 || size > sizeof read || info->version >> 24 < 2 || info->version >> 24 > newest)
        return NVML_ERROR_ARGUMENT_VERSION_MISMATCH;
    read.version = info->version;
    memcpy(info, &read, size);
    return NVML_SUCCESS;
}

/* Words of a mask, low word first, as the machine file gives it: "0xffff,0x0". */
static nvmlReturn_t mask(const char *function, nvmlDevice_t device, unsigned int words, unsigned long *out,
                         const char *field)
{
    char key[KEY_BUFFER];
    const char *text = NULL;
    nvmlReturn_t error = enter(function, device);
    if (error == NVML_SUCCESS)
        error = machine_text(&text, "%s", device_key(key, device, field));
    if (error != NVML_SUCCESS)
        return error;
    memset(out, 0, words * sizeof *out);
    for (unsigned int word = 0; word < words && text != NULL; word++) {
        sscanf(text, "%lx", &out[word]);
        text = strchr(text, ',');
        text = text == NULL ? NULL : text + 1;
    }
    return NVML_SUCCESS;
}

EXPORT nvmlReturn_t nvmlDeviceGetCpuAffinity(nvmlDevice_t device, unsigned int words, unsigned long *out)
{
    return mask("nvmlDeviceGetCpuAffinity", device, words, out, "cpu_mask.0");
}

EXPORT nvmlReturn_t nvmlDeviceGetCpuAffinityWithinScope(nvmlDevice_t device, unsigned int words, unsigned long *out,
                                                        unsigned int scope)
{
    return mask("nvmlDeviceGetCpuAffinityWithinScope", device, words, out, scope == 0 ? "cpu_mask.0" : "cpu_mask.1");
}

EXPORT nvmlReturn_t nvmlDeviceGetMemoryAffinity(nvmlDevice_t device, unsigned int words, unsigned long *out,
                                                unsigned int scope)
{
    return mask("nvmlDeviceGetMemoryAffinity", device, words, out, scope == 0 ? "node_mask.0" : "node_mask.1");
}
