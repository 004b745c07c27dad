/* Shared by the files that export CUDA driver functions. */
#ifndef GPUSIM_CUDA_COMMON_H
#define GPUSIM_CUDA_COMMON_H

#include "faults.h"
#include "machine.h"

#define EXPORT __attribute__((visibility("default")))

#define MAX_DEVICES 64

typedef int CUresult;
typedef int CUdevice;

enum {
    CUDA_SUCCESS = 0,
    CUDA_ERROR_INVALID_VALUE = 1,
    CUDA_ERROR_NOT_INITIALIZED = 3,
    CUDA_ERROR_NO_DEVICE = 100,
    CUDA_ERROR_INVALID_DEVICE = 101,
};

/* A device as CUDA enumerates it: a GPU (mig -1) or one MIG device. */
struct cuda_device {
    int gpu;
    int mig;
};

/* Fills `list` from CUDA_VISIBLE_DEVICES and CUDA_DEVICE_ORDER; returns how many. */
int visible_devices(struct cuda_device list[MAX_DEVICES]);

#endif
