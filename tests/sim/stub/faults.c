/* Finds the fault that is meant for this call, and does it. */
#include "faults.h"

#include "machine.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define NVML_FUNCTION_NOT_FOUND 13
#define CUDA_NOT_FOUND 500

/* nvmlDeviceGetCount_v2 -> 21, the length without a version suffix. */
static size_t unversioned_length(const char *function)
{
    const char *suffix = strrchr(function, '_');
    if (suffix == NULL || suffix[1] != 'v' || strspn(suffix + 2, "0123456789") != strlen(suffix + 2))
        return strlen(function);
    return (size_t)(suffix - function);
}

static bool names(const char *function, const char *name, size_t length)
{
    if (strlen(function) == length && strncmp(function, name, length) == 0)
        return true;
    return unversioned_length(function) == length && strncmp(function, name, length) == 0;
}

/* One "NAME[@GPU]=ACTION" entry of the list; the action where it is meant for this call. */
static const char *action_for(const char *entry, size_t length, const char *function, int gpu, int other_gpu)
{
    const char *equals = memchr(entry, '=', length);
    if (equals == NULL)
        return NULL;
    const char *at = memchr(entry, '@', (size_t)(equals - entry));
    if (!names(function, entry, (size_t)((at == NULL ? equals : at) - entry)))
        return NULL;
    if (at == NULL)
        at = memchr(equals, '@', length - (size_t)(equals - entry));
    if (at == NULL)
        return equals + 1;
    int wanted = atoi(at + 1);
    return wanted == gpu || wanted == other_gpu ? equals + 1 : NULL;
}

static const char *find_action(const char *list, const char *function, int gpu, int other_gpu)
{
    while (list != NULL && *list != '\0') {
        list += strspn(list, "; \n");
        size_t length = strcspn(list, ";");
        const char *action = action_for(list, length, function, gpu, other_gpu);
        if (action != NULL)
            return action;
        list += length;
    }
    return NULL;
}

/* A task stuck in a driver does not react to SIGTERM or Ctrl-C: block all that can be blocked. */
static void hang(void)
{
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    for (;;)
        pause();
}

/* State D, as ps shows a task in the driver: the kernel keeps the parent of a vfork there until the child is gone. */
static void hang_uninterruptibly(void)
{
    pid_t parent = getpid();
    if (vfork() == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (getppid() != parent)
            _exit(0);
        for (;;)
            pause();
    }
    hang();
}

static void sleep_seconds(double seconds)
{
    struct timespec left = {(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)};
    while (nanosleep(&left, &left) != 0)
        continue;
}

static int perform(const char *action, bool cuda)
{
    const char *value = strpbrk(action, ":;");
    value = value != NULL && *value == ':' ? value + 1 : NULL;
    if (strncmp(action, "error", 5) == 0)
        return value == NULL ? 999 : atoi(value);
    if (strncmp(action, "missing", 7) == 0) /* only where no library without the symbol was built: the next best */
        return cuda ? CUDA_NOT_FOUND : NVML_FUNCTION_NOT_FOUND;
    if (strncmp(action, "hang", 4) == 0)
        hang();
    else if (strncmp(action, "dstate", 6) == 0)
        hang_uninterruptibly();
    else if (strncmp(action, "crash", 5) == 0)
        raise(SIGSEGV);
    else if (strncmp(action, "abort", 5) == 0)
        abort();
    else if (strncmp(action, "exit", 4) == 0)
        _exit(value == NULL ? 1 : atoi(value));
    else if (strncmp(action, "sleep", 5) == 0)
        sleep_seconds(value == NULL ? 1.0 : strtod(value, NULL));
    return 0;
}

/* GPUSIM_CALLS names a file that gets one line a call: which functions does a program really use? */
static void log_call(const char *function, int gpu)
{
    const char *path = getenv("GPUSIM_CALLS");
    char line[160];
    if (path == NULL || *path == '\0')
        return;
    int length = snprintf(line, sizeof line, "%d %s %d\n", (int)getpid(), function, gpu);
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    if (file < 0)
        return;
    if (write(file, line, (size_t)length) < 0)
        (void)0; /* a lost line of a debugging aid must not change what is under test */
    close(file);
}

int fault(const char *function, int gpu, int other_gpu)
{
    const char *always = NULL;
    log_call(function, gpu);
    const char *action = find_action(getenv("GPUSIM_FAULTS"), function, gpu, other_gpu);
    if (action == NULL && machine_text(&always, "faults") == 0)
        action = find_action(always, function, gpu, other_gpu);
    return action == NULL ? 0 : perform(action, strncmp(function, "nvml", 4) != 0);
}
