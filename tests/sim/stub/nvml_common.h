/* Shared by the files that export NVML functions. */
#ifndef GPUSIM_NVML_COMMON_H
#define GPUSIM_NVML_COMMON_H

#include "faults.h"
#include "machine.h"
#include "nvml_types.h"

#include <stddef.h>

#define EXPORT __attribute__((visibility("default")))

#define KEY_BUFFER 96

/* Every function on a device begins with this: injected faults, nvmlInit called, a handle that we gave out. */
nvmlReturn_t enter(const char *function, nvmlDevice_t device);
nvmlReturn_t enter_pair(const char *function, nvmlDevice_t first, nvmlDevice_t second);
nvmlReturn_t enter_system(const char *function);
int initialised(void);

/* The handle of a GPU or of a MIG device. */
nvmlDevice_t handle_of(int gpu, int mig);
int gpu_count(void);

/* "gpu.3.FIELD", or "mig.3.1.FIELD" for a MIG device. */
const char *device_key(char buffer[KEY_BUFFER], nvmlDevice_t device, const char *field);

nvmlReturn_t copy_text(char *buffer, unsigned int size, const char *text);
void fill_pci(nvmlPciInfo_t *pci, const char *bus_id, unsigned int device_id, unsigned int subsystem_id);

/* One value of a device; the key format gets the device's own prefix. */
nvmlReturn_t device_number(nvmlDevice_t device, const char *field, unsigned long long *value);
nvmlReturn_t device_uint(const char *function, nvmlDevice_t device, const char *field, unsigned int *value);
nvmlReturn_t device_ulonglong(const char *function, nvmlDevice_t device, const char *field, unsigned long long *value);
nvmlReturn_t device_pair_of_uints(const char *function, nvmlDevice_t device, const char *field, unsigned int *first,
                                  unsigned int *second);
nvmlReturn_t device_text(const char *function, nvmlDevice_t device, const char *field, char *buffer,
                         unsigned int size);

#endif
