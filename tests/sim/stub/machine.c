/* Reads the compiled machine file once and answers look-ups in it. */
#include "machine.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KEY_LENGTH 128

struct entry {
    const char *key;
    const char *value;
};

static struct entry *entries;
static size_t entry_count;
static pthread_once_t loaded = PTHREAD_ONCE_INIT;

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    rewind(file);
    char *text = size < 0 ? NULL : malloc((size_t)size + 1);
    if (text != NULL)
        text[fread(text, 1, (size_t)size, file)] = '\0';
    fclose(file);
    return text;
}

static int by_key(const void *left, const void *right)
{
    return strcmp(((const struct entry *)left)->key, ((const struct entry *)right)->key);
}

static void split_lines(char *text)
{
    size_t lines = 1;
    for (const char *at = text; *at != '\0'; at++)
        lines += *at == '\n';
    entries = calloc(lines, sizeof *entries);
    if (entries == NULL)
        return;
    char *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest)) {
        char *equals = strchr(line, '=');
        if (equals == NULL || *line == '#')
            continue;
        *equals = '\0';
        entries[entry_count++] = (struct entry){line, equals + 1};
    }
}

/* The text stays allocated for the life of the process: callers hold pointers into it. */
static void load(void)
{
    const char *path = getenv("GPUSIM_MACHINE");
    char *text = path == NULL ? NULL : read_file(path);
    if (text == NULL)
        return;
    split_lines(text);
    qsort(entries, entry_count, sizeof *entries, by_key);
}

static const char *find(const char *format, va_list arguments)
{
    char key[KEY_LENGTH];
    pthread_once(&loaded, load);
    vsnprintf(key, sizeof key, format, arguments);
    const struct entry wanted = {key, NULL};
    const struct entry *found =
        entry_count == 0 ? NULL : bsearch(&wanted, entries, entry_count, sizeof *entries, by_key);
    return found == NULL ? NULL : found->value;
}

static int text_of(const char **value, const char *found)
{
    if (found == NULL)
        return MACHINE_ABSENT;
    if (*found == '!')
        return atoi(found + 1);
    *value = found;
    return 0;
}

int machine_text(const char **value, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const char *found = find(format, arguments);
    va_end(arguments);
    return text_of(value, found);
}

int machine_number(unsigned long long *value, const char *format, ...)
{
    const char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int error = text_of(&text, find(format, arguments));
    va_end(arguments);
    if (error == 0)
        *value = strtoull(text, NULL, 0);
    return error;
}

unsigned long long machine_number_or(unsigned long long fallback, const char *format, ...)
{
    const char *text = NULL;
    va_list arguments;
    va_start(arguments, format);
    int error = text_of(&text, find(format, arguments));
    va_end(arguments);
    return error == 0 ? strtoull(text, NULL, 0) : fallback;
}
