/* Library calls as an odd system answers them; ODD_SYSTEM in the environment says which.
 * Loaded with LD_PRELOAD by benchmarks.faults.surroundings. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int odd(const char *name)
{
    const char *found = getenv("ODD_SYSTEM");
    return found && strcmp(found, name) == 0;
}

static long shift_s(void)
{
    const char *text = getenv("ODD_CLOCK_S");
    return text ? atol(text) : 0;
}

int flock(int descriptor, int operation)
{
    static int (*usual)(int, int);
    if (odd("no locks")) { errno = ENOLCK; return -1; }
    if (!usual) usual = dlsym(RTLD_NEXT, "flock");
    return usual(descriptor, operation);
}

static int do_fcntl(int descriptor, int command, void *argument)
{
    static int (*usual)(int, int, ...);
    if (odd("no locks") && (command == F_SETLK || command == F_SETLKW || command == F_GETLK)) {
        errno = ENOLCK;
        return -1;
    }
    if (!usual) usual = dlsym(RTLD_NEXT, "fcntl");
    return usual(descriptor, command, argument);
}

int fcntl(int descriptor, int command, ...)
{
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return do_fcntl(descriptor, command, argument);
}

int fcntl64(int descriptor, int command, ...)
{
    va_list more;
    va_start(more, command);
    void *argument = va_arg(more, void *);
    va_end(more);
    return do_fcntl(descriptor, command, argument);
}

int fsync(int descriptor)
{
    static int (*usual)(int);
    if (odd("no sync")) { errno = EINVAL; return -1; }
    if (odd("failing sync")) { errno = EIO; return -1; }
    if (!usual) usual = dlsym(RTLD_NEXT, "fsync");
    return usual(descriptor);
}

int fdatasync(int descriptor)
{
    static int (*usual)(int);
    if (odd("no sync")) { errno = EINVAL; return -1; }
    if (odd("failing sync")) { errno = EIO; return -1; }
    if (!usual) usual = dlsym(RTLD_NEXT, "fdatasync");
    return usual(descriptor);
}

int rename(const char *from, const char *to)
{
    static int (*usual)(const char *, const char *);
    if (odd("no rename")) { errno = EXDEV; return -1; }
    if (!usual) usual = dlsym(RTLD_NEXT, "rename");
    return usual(from, to);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static int (*usual)(clockid_t, struct timespec *);
    if (!usual) usual = dlsym(RTLD_NEXT, "clock_gettime");
    int status = usual(clock, time);
    if (clock == CLOCK_REALTIME && status == 0) time->tv_sec += shift_s();
    return status;
}

time_t time(time_t *out)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (out) *out = now.tv_sec;
    return now.tv_sec;
}
