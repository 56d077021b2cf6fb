/* Kills the process instead of its n-th flush to disk, where n stands in the file that CRASH_AT names, from the moment
 * that the file is there. Each flush ends a state change, so n = 1, 2, 3, ... dies in the middle of every one. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int flushes;

static void count(void) {
    const char *path = getenv("CRASH_AT");
    FILE *file = path ? fopen(path, "r") : NULL;
    int at;
    if (!file)
        return;
    if (fscanf(file, "%d", &at) == 1 && __sync_add_and_fetch(&flushes, 1) == at)
        kill(getpid(), SIGKILL);
    fclose(file);
}

int fsync(int fd) {
    count();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fsync"))(fd);
}

int fdatasync(int fd) {
    count();
    return ((int (*)(int))dlsym(RTLD_NEXT, "fdatasync"))(fd);
}
