/* The compiled machine file: sorted `key=value` lines, named by GPUSIM_MACHINE.
 *
 * A key that is absent means that the driver answers "not supported"; a value "!N" means that it answers error N.
 * So the whole behaviour of a function that only reports one number is the name of its key. */
#ifndef GPUSIM_MACHINE_H
#define GPUSIM_MACHINE_H

#define MACHINE_ABSENT 3 /* NVML_ERROR_NOT_SUPPORTED */

/* Each returns 0, or the error that the machine file asks for; the key is built as printf does. */
int machine_text(const char **value, const char *format, ...) __attribute__((format(printf, 2, 3)));
int machine_number(unsigned long long *value, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The number, or `fallback` where the file says nothing (or an error). */
unsigned long long machine_number_or(unsigned long long fallback, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
